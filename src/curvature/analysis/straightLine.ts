import { norm } from '../../linalg/vector.js'
import { showShape } from '../../tensor/shape.js'
import type { SampleLossesOptions } from '../landscape/index.js'
import { lossSurface, mean } from '../landscape/sampleLosses.js'
import { type ParameterBlock, parameterBlocks } from '../parameters.js'
import type { Problem } from '../problem.js'
import type { StageRun } from '../stages/stages.js'

/** The loss at (1 - t) theta_1 + t theta_2. */
export type StraightLine = {
  t: number[]
  loss: number[]
  accuracy: number[] | null
  /** How far the loss rises above the line between its ends, at most: 0 where it never does. */
  barrier: number
  /** |theta_2 - theta_1|. */
  distance: number
}

export interface StraightLineOptions extends SampleLossesOptions, Omit<StageRun<number[]>, 'signal'> {
  readonly points: number
  /** The second model's own loss. */
  readonly end: number
}

/**
 * The loss between two models of one architecture, and its barrier (linear mode connectivity: Frankle, Dziugaite, Roy, Carbin 2020).
 * @returns a sentence where the parameters do not correspond, or the models are different functions of them.
 */
export async function straightLine(
  first: Problem,
  second: Problem,
  options: StraightLineOptions,
): Promise<StraightLine | string> {
  const { points, end, onStep, onCheckpoint } = options
  const difference = differenceOf(
    parameterBlocks(first, options.parameters),
    parameterBlocks(second, options.parameters),
  )
  if (difference) return `There is no line between the models: ${difference}.`
  const surface = await lossSurface(first, options)
  const other = await lossSurface(second, options)
  try {
    const t = Array.from({ length: points }, (_, i) => i / (points - 1))
    /** Loss and share of right answers of each point. */
    const found = [...(options.checkpoint ?? [])]
    while (found.length < 2 * points) {
      const at = t[found.length / 2]!
      const theta = surface.theta.map((x, i) => (1 - at) * x + at * other.theta[i]!)
      const { losses, right } = await surface.at(theta)
      found.push(mean(losses), right.length > 0 ? mean(right) : Number.NaN)
      onCheckpoint([...found])
      onStep({ done: found.length / 2, total: points })
    }
    const loss = t.map((_, i) => found[2 * i]!)
    const last = loss.at(-1)!
    if (Math.abs(last - end) > 1e-3 * Math.max(Math.abs(end), 1e-3))
      return (
        'There is no line between the models: with the second model’s parameters the first has the loss ' +
        `${last.toPrecision(4)}, not ${end.toPrecision(4)}, so they are different functions of them.`
      )
    const accuracy = t.map((_, i) => found[2 * i + 1]!)
    return {
      t,
      loss,
      accuracy: accuracy.some(Number.isNaN) ? null : accuracy,
      barrier: Math.max(...loss.map((value, i) => value - (1 - t[i]!) * loss[0]! - t[i]! * last)),
      distance: norm(surface.theta.map((x, i) => other.theta[i]! - x)),
    }
  } finally {
    await surface.dispose()
    await other.dispose()
  }
}

function differenceOf(a: readonly ParameterBlock[], b: readonly ParameterBlock[]): string | null {
  if (a.length !== b.length) return `they have ${a.length} and ${b.length} parameter tensors`
  const i = a.findIndex(
    ({ name, shape }, k) => name !== b[k]!.name || showShape(shape) !== showShape(b[k]!.shape),
  )
  const show = ({ name, shape }: ParameterBlock) => `${name} ${showShape(shape)}`
  return i < 0 ? null : `parameter ${i + 1} is ${show(a[i]!)} in one and ${show(b[i]!)} in the other`
}
