import * as np from '../../numpy/index.js'
import { range, sizeOf } from '../../tensor/shape.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import { customVjp } from '../custom/customVjp.js'
import { jvp, type Likes } from '../derivatives.js'

export interface FewBitOptions {
  /** Bits that are stored for each element. Default 2. */
  readonly bits?: number
  /** Where inputs are expected. Default [-6, 6]. */
  readonly range?: readonly [number, number]
  /** How often inputs have a value, up to a factor. Default: the standard normal density. */
  readonly density?: (x: number) => number
}

/** A function that is constant between boundaries: levels[i] between boundaries[i - 1] and boundaries[i]. */
export interface Levels {
  readonly boundaries: Float64Array
  readonly levels: Float64Array
  /** The mean of the squared difference under the density. */
  readonly error: number
}

const cells = 600

/**
 * The function of `count` constant pieces that is nearest to `slope` in the mean square under a density, on
 * a grid of 600 cells: exact there, by dynamic programming over the last boundary (Novikov et al. 2022,
 * "Few-bit backward", arXiv 2202.00441; Bellman 1961).
 */
export function optimalLevels(
  slope: (x: Float64Array) => ArrayLike<number>,
  count: number,
  { range: [low, high] = [-6, 6], density = (x) => Math.exp((-x * x) / 2) }: FewBitOptions = {},
): Levels {
  if (!(low < high))
    throw new Error(`optimalLevels: range is [${low}, ${high}], expected a lower and a higher end`)
  const width = (high - low) / cells
  const centres = Float64Array.from({ length: cells }, (_, i) => low + (i + 0.5) * width)
  const slopes = slope(centres)
  // Sums of w, w s and w s^2 up to each cell give the error of any piece at once.
  const sums = [0, 1, 2].map(() => new Float64Array(cells + 1))
  centres.forEach((x, i) => {
    const w = Math.max(density(x), 1e-12)
    sums.forEach((sum, power) => {
      sum[i + 1] = sum[i]! + w * slopes[i]! ** power
    })
  })
  const [w, ws, wss] = sums as [Float64Array, Float64Array, Float64Array]
  const mean = (from: number, to: number) => (ws[to]! - ws[from]!) / (w[to]! - w[from]!)
  const costOf = (from: number, to: number) =>
    Math.max(0, wss[to]! - wss[from]! - (ws[to]! - ws[from]!) ** 2 / (w[to]! - w[from]!))
  let best = Float64Array.from({ length: cells + 1 }, (_, to) => (to === 0 ? 0 : costOf(0, to)))
  const last: Int32Array[] = []
  for (let piece = 1; piece < count; piece++) {
    const [next, from] = [
      new Float64Array(cells + 1).fill(Number.POSITIVE_INFINITY),
      new Int32Array(cells + 1),
    ]
    for (let to = piece + 1; to <= cells; to++)
      for (let at = piece; at < to; at++) {
        const cost = best[at]! + costOf(at, to)
        if (cost < next[to]!) {
          next[to] = cost
          from[to] = at
        }
      }
    last.push(from)
    best = next
  }
  const ends = [cells]
  for (const from of last.reverse()) ends.unshift(from[ends[0]!]!)
  const starts = [0, ...ends.slice(0, -1)]
  return {
    boundaries: Float64Array.from(starts.slice(1), (cell) => low + cell * width),
    levels: Float64Array.from(ends, (end, i) => mean(starts[i]!, end)),
    error: best[cells]! / w[cells]!,
  }
}

/**
 * An elementwise activation that keeps `bits` bits of each element for the backward pass, packed in int32,
 * instead of the element: its value is exact, its derivative the best function of 2^bits constant pieces
 * (see {@link optimalLevels}). The error of gradients is that of the pieces, outside the range it is that at its ends.
 * @throws when bits is not 1 to 8.
 */
export function fewBitActivation(
  activation: (x: Tensor) => Tensor,
  options: FewBitOptions = {},
): (...args: Likes<[Tensor]>) => Tensor {
  const { bits = 2 } = options
  if (!Number.isInteger(bits) || bits < 1 || bits > 8)
    throw new Error(`fewBitActivation: bits is ${bits}, expected a whole number from 1 to 8`)
  const slope = (x: Float64Array) => {
    const at = new Tensor(x)
    return jvp(activation, [at], [np.onesLike(at)])[1].data
  }
  const { boundaries, levels } = optimalLevels(slope, 2 ** bits, options)
  return customVjp(
    activation,
    (x: Tensor) => {
      const bounds = castTensor(new Tensor(boundaries), x.dtype)
      const above = np.less(bounds, np.reshape(x, [...x.shape, 1]))
      return [activation(x), pack(np.sum(np.astype(above, 'int32'), { axis: -1 }), bits)]
    },
    (packed, ct) => {
      const codes = np.reshape(unpack(packed, bits, sizeOf(ct.shape)), ct.shape)
      return [np.multiply(ct, np.take(castTensor(new Tensor(levels), ct.dtype), codes))]
    },
  )
}

/** Codes of `bits` bits, as many to an int32 as leave its sign alone. */
const perWord = (bits: number) => Math.floor(31 / bits)

const places = (bits: number) => new Tensor(Int32Array.from(range(perWord(bits)), (i) => 2 ** (bits * i)))

function pack(codes: Tensor, bits: number): Tensor {
  const flat = np.reshape(codes, [-1])
  const words = Math.ceil(flat.shape[0]! / perWord(bits))
  const padded = np.pad(flat, [[0, words * perWord(bits) - flat.shape[0]!]])
  return np.sum(np.multiply(np.reshape(padded, [words, perWord(bits)]), places(bits)), { axis: 1 })
}

function unpack(words: Tensor, bits: number, size: number): Tensor {
  const shifted = np.floorDivide(np.reshape(words, [-1, 1]), places(bits))
  return np.slice(np.reshape(np.remainder(shifted, new Tensor(Int32Array.of(2 ** bits), [])), [-1]), [
    0,
    size,
  ])
}
