import { compile } from '../engines/index.js'
import { isFloat } from '../tensor/dtype.js'
import { showShape, sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import type { Tree } from '../tensor/tree.js'
import type { Problem } from './problem.js'
import { remarksOnClasses, remarksOnKinks } from './remarks.js'

/** Samples that a problem is tried on. */
const trial = 8

/**
 * Verifies that data, model and loss fit before anything long starts.
 * @returns remarks for the reader.
 * @throws naming the data and the first sample that is wrong: not finite, a label out of range, another shape
 * than the model returns.
 */
export async function checkProblem(problem: Problem): Promise<string[]> {
  const { inputs, targets, loss, names = { inputs: 'inputs', targets: 'targets' } } = problem
  const samples = inputs.shape[0] ?? 0
  if (samples === 0) throw new Error(`${names.inputs}: holds no samples`)
  requireFinite(names.inputs, inputs)
  requireFinite(names.targets, targets)
  if (targets.shape[0] !== samples)
    throw new Error(
      `${names.targets}: holds ${targets.shape[0] ?? 'no'} targets, but ${names.inputs} holds ${samples} samples`,
    )
  const outputs = await outputsOf(problem, Math.min(trial, samples))
  requireFinite('the model’s outputs', outputs)
  if (loss.targets === 'values') {
    if (sizeOf(outputs.shape.slice(1)) !== targets.size / samples)
      throw new Error(
        `${names.targets}: has shape ${showShape(targets.shape)}, but the model returns ${showShape(outputs.shape.slice(1))} for a sample and the loss ${loss.name} compares them`,
      )
    return remarksOnKinks(problem)
  }
  if (outputs.shape.length < 2)
    throw new Error(
      `${loss.name}: the model returns ${showShape(outputs.shape.slice(1))} for a sample, expected one number for each class`,
    )
  const classes = outputs.shape.at(-1)!
  const positions = sizeOf(outputs.shape.slice(1, -1))
  if (targets.size !== samples * positions)
    throw new Error(
      `${names.targets}: has shape ${showShape(targets.shape)}, expected one class number for each of ${samples} samples` +
        (outputs.shape.length === 2
          ? ''
          : `, at each of the ${positions} positions of the ${showShape(outputs.shape.slice(1))} that the model returns`),
    )
  const wrong = targets.data.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes))
  if (wrong >= 0)
    throw new Error(
      `${names.targets}: label ${targets.data[wrong]} of sample ${Math.floor(wrong / positions)} is not a class; the model has ${classes}, numbered from 0 to ${classes - 1}`,
    )
  return [...remarksOnClasses(loss, outputs, targets), ...remarksOnKinks(problem)]
}

/** The model's outputs for the first samples. */
async function outputsOf({ parameters, apply, inputs }: Problem, count: number): Promise<Tensor> {
  const length = inputs.size / inputs.shape[0]!
  const some = new Tensor(inputs.data.slice(0, count * length), [count, ...inputs.shape.slice(1)])
  return compile((p: Tree<Tensor>, x: Tensor) => apply(p, x))(parameters as never, some)
}

function requireFinite(name: string, x: Tensor): void {
  if (!isFloat(x.dtype)) return
  const bad = x.data.findIndex((value) => !Number.isFinite(value))
  if (bad < 0) return
  const length = x.size / (x.shape[0] ?? 1)
  throw new Error(`${name}: sample ${Math.floor(bad / length)} holds ${x.data[bad]}, expected finite numbers`)
}
