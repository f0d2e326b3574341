import { compile } from '../engines/index.js'
import { firstNotFinite } from '../linalg/vector.js'
import { isFloat } from '../tensor/dtype.js'
import { Tensor } from '../tensor/tensor.js'
import type { Tree } from '../tensor/tree.js'
import type { Loss } from './loss.js'
import type { Problem } from './problem.js'
import { remarkOnOutputs, remarksOnClasses, remarksOnKinks } from './remarks.js'
import { ownNames, requireData, requireTargets } from './requirements.js'

/** Samples that a problem is tried on. */
const trial = 8

/**
 * Verifies that data, model and loss fit before anything long starts.
 * @returns remarks for the reader.
 * @throws naming the data and the first sample that is wrong: not finite, a label out of range, another shape
 * than the model returns, without a finite loss.
 */
export async function checkProblem(problem: Problem): Promise<string[]> {
  const { inputs, targets, loss, names = ownNames } = problem
  requireData(problem)
  requireFinite(names.inputs, inputs)
  requireFinite(names.targets, targets)
  const count = Math.min(trial, inputs.shape[0]!)
  const outputs = await outputsOf(problem, count)
  requireFinite('the model’s outputs', outputs)
  requireTargets(problem, outputs.shape)
  if (loss.targets === 'values') return remarksOnKinks(problem)
  requireLosses(loss, outputs, firstSamples(targets, count))
  return [...remarksOnClasses(loss, outputs, targets), ...remarksOnKinks(problem)]
}

/** The model's outputs for the first samples. */
async function outputsOf({ parameters, apply, inputs }: Problem, count: number): Promise<Tensor> {
  return compile((p: Tree<Tensor>, x: Tensor) => apply(p, x))(
    parameters as never,
    firstSamples(inputs, count),
  )
}

function firstSamples({ data, shape }: Tensor, count: number): Tensor {
  const length = data.length / shape[0]!
  return new Tensor(data.slice(0, count * length), [count, ...shape.slice(1)])
}

/** @throws where a sample has no finite loss, with the loss that suits the outputs where one is known. */
function requireLosses(loss: Loss, outputs: Tensor, targets: Tensor): void {
  const { data } = loss.perSample(outputs, targets)
  const bad = firstNotFinite(data)
  if (bad < 0) return
  const hint =
    remarkOnOutputs(loss, outputs) ?? 'Check the scale of the inputs and that the loss suits the outputs.'
  throw new Error(`${loss.name}: sample ${bad} has the loss ${data[bad]}. ${hint}`)
}

function requireFinite(name: string, x: Tensor): void {
  if (!isFloat(x.dtype)) return
  const bad = firstNotFinite(x.data)
  if (bad < 0) return
  const length = x.size / (x.shape[0] ?? 1)
  throw new Error(`${name}: sample ${Math.floor(bad / length)} holds ${x.data[bad]}, expected finite numbers`)
}
