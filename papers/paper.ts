/** The form of a published system: what it claims, and a run that measures whether the claim holds here. */
export interface Paper {
  /** The row of the list of systems: `D1`. Its file has the same name. */
  readonly id: string
  readonly title: string
  readonly authors: string
  readonly year: number
  /** arXiv number or DOI; else `in`, the collection and its year. */
  readonly source: string
  /** One or two sentences. */
  readonly claim: string
  run(context: Context): Promise<Outcome>
}

export interface Context {
  readonly signal: AbortSignal
  /** The sizes of the paper, where the default run is smaller. */
  readonly full: boolean
  /** Awaited between pieces of work: shows how far the run has come and lets Ctrl-C in. @throws when interrupted. */
  onStep(fraction: number, stage?: string): Promise<void>
  /** A line for the reader beside the table. */
  log(line: string): void
}

export interface Figure {
  readonly name: string
  /** What the paper reports; null where it has no such number. */
  readonly paper: number | string | null
  /** What this run measured. */
  readonly measured: number
  readonly unit?: string
  readonly note?: string
}

export interface Outcome {
  readonly figures: readonly Figure[]
  readonly holds: boolean
  /** One sentence, with the reason where a number of the paper is not reached. */
  readonly verdict: string
}

/** max |a - b| / max(1, max |b|). */
export function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let [error, size] = [0, 1]
  for (let i = 0; i < a.length; i++) {
    const gap = Math.abs(a[i]! - b[i]!)
    if (Number.isNaN(gap)) return Number.POSITIVE_INFINITY
    error = Math.max(error, gap)
    size = Math.max(size, Math.abs(b[i]!))
  }
  return error / size
}

/**
 * Median seconds of a call. Contenders take turns, so that whatever else the machine does meets all alike; each is called
 * once more before it is timed, so that none pays for the caches that another left.
 */
export async function timeInTurns<K extends string>(
  contenders: Readonly<Record<K, () => unknown>>,
  rounds: number,
  each: (round: number) => Promise<void>,
): Promise<Record<K, number>> {
  const names = Object.keys(contenders) as K[]
  const seconds = new Map<K, number[]>(names.map((name) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    await each(Math.max(0, round))
    for (const name of names) {
      await contenders[name]()
      const start = performance.now()
      await contenders[name]()
      if (round >= 0) seconds.get(name)!.push((performance.now() - start) / 1000)
    }
  }
  const median = (x: number[]) => x.sort((a, b) => a - b)[x.length >> 1]!
  return Object.fromEntries(names.map((name) => [name, median(seconds.get(name)!)])) as Record<K, number>
}
