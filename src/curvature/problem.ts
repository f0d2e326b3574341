import { allocate, isFloat } from '../tensor/dtype.js'
import { castTensor, Tensor } from '../tensor/tensor.js'
import { flatten, type Tree, unflatten } from '../tensor/tree.js'
import type { Loss } from './loss.js'

/** A model at its parameters, a loss, and data: what has a loss surface whose curvature can be asked for. */
export interface Problem {
  readonly parameters: Tree<Tensor>
  /** Outputs [batch, ...] of a batch of inputs [batch, ...]. */
  // biome-ignore lint/suspicious/noExplicitAny: the tree's type is the model's own
  readonly apply: (parameters: any, inputs: Tensor) => Tensor
  readonly loss: Loss
  /** [samples, ...]. */
  readonly inputs: Tensor
  /** Class numbers [samples] or [samples, ...positions], int32, or values [samples, ...]. */
  readonly targets: Tensor
  /** The same problem computed in another float type, where casting parameters and data is not enough. */
  readonly inPrecision?: (dtype: 'float32' | 'float64') => Pick<Problem, 'parameters' | 'apply'>
  /** What inputs and targets are called in errors: the files they came from. */
  readonly names?: { readonly inputs: string; readonly targets: string }
}

/** Equal batches of a data set; the last is filled up with copies of the first sample, of weight zero. */
export interface Batch {
  readonly inputs: Tensor
  readonly targets: Tensor
  readonly weights: Tensor
}

export function batchesOf(
  { inputs, targets, dtype }: Pick<Problem, 'inputs' | 'targets'> & { readonly dtype: 'float32' | 'float64' },
  size: number,
): Batch[] {
  const samples = inputs.shape[0]!
  return Array.from({ length: Math.ceil(samples / size) }, (_, i) => {
    const count = Math.min(size, samples - i * size)
    const weights = castTensor(new Tensor(new Float64Array(size).fill(1, 0, count)), dtype)
    return {
      inputs: rows(inputs, i * size, count, size),
      targets: rows(targets, i * size, count, size),
      weights,
    }
  })
}

/** `count` samples from `from` on, not copied, or filled up to `size` with the first sample. */
function rows(x: Tensor, from: number, count: number, size: number): Tensor {
  const length = x.size / x.shape[0]!
  const shape = [size, ...x.shape.slice(1)]
  if (count === size) return new Tensor(x.data.subarray(from * length, (from + size) * length), shape)
  const data = allocate(x.dtype, size * length)
  data.set(x.data.subarray(from * length, (from + count) * length))
  for (let i = count; i < size; i++) data.set(x.data.subarray(0, length), i * length)
  return new Tensor(data, shape)
}

/** The problem in a float type: parameters, inputs (but for whole numbers, such as tokens) and target values of that dtype. */
export function castProblem(problem: Problem, dtype: 'float32' | 'float64'): Problem {
  const { parameters, apply } = problem.inPrecision?.(dtype) ?? problem
  const { leaves, structure } = flatten<Tensor>(parameters, (node) => node instanceof Tensor)
  const cast = (x: Tensor) => (x.dtype === dtype ? x : castTensor(x, dtype))
  return {
    ...problem,
    apply,
    parameters: unflatten(structure, leaves.map(cast)),
    inputs: isFloat(problem.inputs.dtype) ? cast(problem.inputs) : problem.inputs,
    targets: problem.loss.targets === 'classes' ? problem.targets : cast(problem.targets),
  }
}
