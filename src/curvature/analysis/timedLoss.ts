import { type LossOptions, type LossPoint, lossPass } from '../operators/index.js'
import type { Problem } from '../problem.js'

/** Seconds that repetitions of short passes may take. */
const timing = 0.5

/** Loss and gradient over the data, and the seconds of one pass: the median of several where they are short. */
export async function timedLoss(
  problem: Problem,
  options: LossOptions,
): Promise<LossPoint & { readonly seconds: number }> {
  const pass = await lossPass(problem, options)
  const times: number[] = []
  const timed = async () => {
    const started = performance.now()
    const point = await pass.run(pass.problem.theta)
    times.push((performance.now() - started) / 1000)
    return point
  }
  try {
    const point = await timed()
    for (let spent = times[0]!; times.length < 10 && spent < timing; spent += times.at(-1)!) await timed()
    return { ...point, seconds: times.sort((a, b) => a - b)[times.length >> 1]! }
  } finally {
    await pass.dispose()
  }
}
