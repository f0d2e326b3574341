import { setTimeout } from 'node:timers/promises'

/** Something to time: computes a few times and returns the seconds that each took. */
export type Contender = (repeats: number) => Promise<number[]>

/** Times each repeat of a computation. */
export const timed =
  (compute: () => unknown): Contender =>
  async (repeats) => {
    const times: number[] = []
    for (let i = 0; i < repeats; i++) {
      const start = performance.now()
      await compute()
      times.push((performance.now() - start) / 1000)
    }
    return times
  }

export interface Timing {
  readonly median: number
  /** Seconds of the fastest repeat of each round: other work on the machine only ever adds to it. */
  readonly rounds: readonly number[]
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!

/** Milliseconds. */
const pause = 50

/** What takes longer than this many times a round's usual length is done once before it is timed, and once for its time. */
const mostRepeated = 5

/**
 * Times contenders in turns, so that whatever else the machine does meets all alike. Every round runs each of them for
 * about `seconds`, after a pause in which the idle threads of the one before stop spinning, and three runs to warm up.
 */
export async function race<K extends string>(
  contenders: Readonly<Record<K, Contender>>,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Record<K, Timing>> {
  const names = Object.keys(contenders) as K[]
  const repeats = new Map<K, number>()
  const results = new Map<K, number[]>(names.map((name) => [name, []]))
  for (const name of names) {
    const [once] = await contenders[name](1)
    const isLong = once! > mostRepeated * seconds
    const typical = isLong ? once! : median(await contenders[name](5))
    repeats.set(name, Math.max(isLong ? 1 : 3, Math.ceil(seconds / typical)))
  }
  for (let round = 0; round < rounds; round++)
    for (const name of names) {
      await setTimeout(pause)
      await contenders[name](Math.min(3, repeats.get(name)!))
      results.get(name)!.push(Math.min(...(await contenders[name](repeats.get(name)!))))
    }
  const timings = names.map((name): [K, Timing] => {
    const times = results.get(name)!
    return [name, { median: median(times), rounds: times }]
  })
  return Object.fromEntries(timings) as Record<K, Timing>
}

/** How many times longer `a` took than `b`: the ratio of medians, and the smallest and largest of a round. */
export function ratio(a: Timing, b: Timing): { median: number; least: number; most: number } {
  const each = a.rounds.map((seconds, i) => seconds / b.rounds[i]!)
  return { median: a.median / b.median, least: Math.min(...each), most: Math.max(...each) }
}

/** |a - b| / |b| in the Euclidean norm. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let [error, size] = [0, 0]
  for (let i = 0; i < b.length; i++) {
    error += (a[i]! - b[i]!) ** 2
    size += b[i]! ** 2
  }
  return Math.sqrt(error / size)
}
