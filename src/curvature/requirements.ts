import { type Shape, showShape, sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { losses } from './loss.js'
import { parameterBlocks } from './parameters.js'
import type { Problem } from './problem.js'
import { sampleProgram } from './sampleProgram.js'

/** What errors call inputs and targets that came from no files. */
export const ownNames = { inputs: 'inputs', targets: 'targets' }

/** @throws unless there are parameters, and data, loss and model fit, as far as shapes and class numbers tell. */
export function requireProblem(problem: Problem): void {
  requireData(problem)
  parameterBlocks(problem)
  requireTargets(problem, sampleProgram(problem).outputs[0]!.shape)
}

/** @throws unless there are samples, a target for each, and a loss. */
export function requireData({ inputs, targets, loss, names = ownNames }: Problem): void {
  for (const [name, x] of [
    [names.inputs, inputs],
    [names.targets, targets],
  ] as const)
    if (!(x instanceof Tensor)) throw new Error(`${name}: got ${typeof x}, expected a Tensor [samples, ...]`)
  if (typeof loss?.perSample !== 'function')
    throw new Error(
      `loss: got ${JSON.stringify(loss)}, expected one of losses, such as losses['cross-entropy'] (there are ${Object.keys(losses).join(', ')}), or your own`,
    )
  const samples = inputs.shape[0] ?? 0
  if (samples === 0) throw new Error(`${names.inputs}: holds no samples`)
  if (targets.shape[0] !== samples)
    throw new Error(
      `${names.targets}: holds ${targets.shape[0] ?? 'no'} targets, but ${names.inputs} holds ${samples} samples`,
    )
}

/** @throws unless the targets fit a model that returns `outputs` [batch, ...]. */
export function requireTargets({ targets, loss, names = ownNames }: Problem, outputs: Shape): void {
  const samples = targets.shape[0]!
  const perSample = outputs.slice(1)
  if (loss.targets === 'values') {
    if (sizeOf(perSample) !== targets.size / samples)
      throw new Error(
        `${names.targets}: has shape ${showShape(targets.shape)}, but the model returns ${showShape(perSample)} for a sample and the loss ${loss.name} compares them`,
      )
    return
  }
  if (perSample.length === 0)
    throw new Error(
      `${loss.name}: the model returns ${showShape(perSample)} for a sample, expected one number for each class`,
    )
  const classes = perSample.at(-1)!
  const positions = sizeOf(perSample.slice(0, -1))
  if (targets.size !== samples * positions)
    throw new Error(
      `${names.targets}: has shape ${showShape(targets.shape)}, expected one class number for each of ${samples} samples` +
        (positions === 1
          ? ''
          : `, at each of the ${positions} positions of the ${showShape(perSample)} that the model returns`),
    )
  const wrong = targets.data.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes))
  if (wrong >= 0)
    throw new Error(
      `${names.targets}: label ${targets.data[wrong]} of sample ${Math.floor(wrong / positions)} is not a class; the model has ${classes}, numbered from 0 to ${classes - 1}`,
    )
}
