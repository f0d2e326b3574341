import type { Contender } from '../measure.js'

/** Seconds that a computation takes. */
export async function seconds(compute: () => unknown): Promise<number> {
  const start = performance.now()
  await compute()
  return (performance.now() - start) / 1000
}

/** A computation to race, whose time is shared by `parts`. */
export function timed(compute: () => unknown, parts = 1): Contender {
  return async (repeats) => {
    const times: number[] = []
    for (let i = 0; i < repeats; i++) times.push((await seconds(compute)) / parts)
    return times
  }
}
