import { allocate, type DType } from '../tensor/dtype.js'
import { type Shape, showShape, sizeOf } from '../tensor/shape.js'
import { castTensor, Tensor } from '../tensor/tensor.js'

export interface InputOptions {
  /** What the data is called in errors. */
  readonly name: string
  /** Samples to take, from the first. Default all. */
  readonly samples?: number
  /** Inputs become (x - mean) / std: one number, or one for each channel. */
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
}

/**
 * Samples as a model takes them: the first `samples` of an array [n, ...], reshaped to the model's
 * `sample` shape (symbolic axes are strings), shifted, scaled and cast.
 * @throws naming the data when its samples do not have the model's number of elements.
 */
export function prepareInputs(
  array: Tensor,
  sample: readonly (number | string)[],
  dtype: DType,
  options: InputOptions,
): Tensor {
  const { name, mean, std } = options
  const taken = takeSamples(array, options)
  const shape = sampleShape(name, taken.shape.slice(1), sample)
  const inputs = new Tensor(castTensor(taken, dtype).data, [taken.shape[0]!, ...shape])
  return mean || std ? normalize(inputs, mean ?? [0], std ?? [1], name) : inputs
}

/** The first `samples` entries of an array along its first axis. */
export function takeSamples(array: Tensor, { name, samples }: InputOptions): Tensor {
  const [n, ...rest] = array.shape
  if (n === undefined) throw new Error(`${name}: holds one number, expected an array of samples`)
  if (samples === undefined || samples === n) return array
  if (samples > n) throw new Error(`${name}: holds ${n} samples, fewer than the ${samples} asked for`)
  return new Tensor(array.data.subarray(0, samples * sizeOf(rest)), [samples, ...rest])
}

/**
 * Class numbers as int32: [n] from any array of n of them, else as they are, [n, ...positions].
 * @throws naming the data and the first sample with one that is not a whole number.
 */
export function classLabels(array: Tensor, name: string): Tensor {
  const n = array.shape[0] ?? 0
  const wrong = array.data.findIndex((label) => !Number.isInteger(label))
  if (wrong >= 0)
    throw new Error(
      `${name}: label ${array.data[wrong]} of sample ${Math.floor((wrong * n) / array.size)} is not a whole number`,
    )
  return new Tensor(castTensor(array, 'int32').data, array.size === n ? [n] : array.shape)
}

function sampleShape(name: string, given: Shape, wanted: readonly (number | string)[]): Shape {
  const fixed = wanted.every((n) => typeof n === 'number')
  if (fixed && sizeOf(given) === sizeOf(wanted as Shape)) return wanted as Shape
  if (given.length === wanted.length && wanted.every((n, axis) => typeof n === 'string' || n === given[axis]))
    return given
  throw new Error(
    `${name}: a sample has shape ${showShape(given)} (${sizeOf(given)} numbers), but the model takes [${wanted.join(',')}]` +
      (fixed ? ` (${sizeOf(wanted as Shape)} numbers)` : ''),
  )
}

function normalize(x: Tensor, mean: readonly number[], std: readonly number[], name: string): Tensor {
  const channels = Math.max(mean.length, std.length)
  if ([mean, std].some(({ length }) => length !== 1 && length !== channels))
    throw new Error(
      `${name}: got ${mean.length} means and ${std.length} standard deviations, expected one or as many of each`,
    )
  if (std.some((s) => !(s > 0)))
    throw new Error(`${name}: standard deviations are ${std.join(', ')}, expected positive numbers`)
  const axis = channels === 1 ? 0 : [1, x.shape.length - 1].find((a) => x.shape[a] === channels)
  if (axis === undefined)
    throw new Error(
      `${name}: got ${channels} means or standard deviations, but no channel axis of that length in ${showShape(x.shape)}`,
    )
  const inner = sizeOf(x.shape.slice(axis + 1))
  const data = allocate(x.dtype, x.size)
  for (let i = 0; i < data.length; i++) {
    const channel = channels === 1 ? 0 : Math.floor(i / inner) % channels
    data[i] = ((x.data[i] as number) - (mean[channel] ?? mean[0]!)) / (std[channel] ?? std[0]!)
  }
  return new Tensor(data, x.shape)
}
