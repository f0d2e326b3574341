import { mul, neg } from '../../../ops/arithmetic.js'
import { reshape } from '../../../ops/broadcast.js'
import { dot } from '../../../ops/dot.js'
import { gather, moveAxis } from '../../../ops/gather.js'
import { concatenate, sliceAxis } from '../../../ops/slice.js'
import { showType, type Value } from '../../../program/value.js'
import { allocate, type DType } from '../../../tensor/dtype.js'
import { normalizeAxis, range } from '../../../tensor/shape.js'
import { Tensor } from '../../../tensor/tensor.js'
import type { Attributes } from '../attributes.js'
import { type Context, expectRank, knownNumber, type Operations, operation } from '../operation.js'
import { padConstant } from './indexing.js'

/** The matrix [bins, 2, n, 2] that turns n complex numbers into the first bins of their transform. */
function fourierMatrix(bins: number, n: number, parts: number, inverse: boolean, dtype: DType): Tensor {
  const data = allocate(dtype, bins * 2 * n * parts)
  const scale = inverse ? 1 / n : 1
  let at = 0
  for (let j = 0; j < bins; j++)
    for (const out of [0, 1])
      for (let k = 0; k < n; k++)
        for (let part = 0; part < parts; part++) {
          const angle = ((inverse ? 2 : -2) * Math.PI * ((j * k) % n)) / n
          const [cos, sin] = [Math.cos(angle) * scale, Math.sin(angle) * scale]
          data[at++] = out === part ? cos : out === 1 ? sin : -sin
        }
  return new Tensor(data, [bins, 2, n, parts])
}

/** The discrete Fourier transform along an axis of [..., 1 or 2], real and imaginary parts last, as a product with its matrix. */
function fourier(x: Value, axis: number, bins: number, inverse: boolean, context: Context): Value {
  const [n, parts] = [x.shape[axis], x.shape.at(-1)] as [number, number]
  if (parts !== 1 && parts !== 2)
    throw new Error(`${showType(x)} is neither real nor complex: its last axis has not length 1 or 2`)
  context.reserve([bins, 2, n, parts])
  const last = x.shape.length - 1
  const product = dot(x, fourierMatrix(bins, n, parts, inverse, x.dtype), [
    [axis, last],
    [2, 3],
  ])
  return moveAxis(product, last - 1, axis)
}

/** x cut, or continued by zeros, to n elements along an axis. */
function toLength(x: Value, axis: number, n: number): Value {
  const none = x.shape.map(() => 0)
  return padConstant(
    x,
    none,
    none.map((_, i) => (i === axis ? n - (x.shape[axis] as number) : 0)),
    0,
  )
}

const dft = operation<[Value, Value?, Value?]>(1, 3, ([x, length, axisInput], attributes, context) => {
  expectRank('the input', x, 2)
  const stated = axisInput
    ? knownNumber(axisInput, 'input axis')
    : attributes.int('axis', context.opset < 20 ? 1 : -2)
  const axis = normalizeAxis(stated, x.shape.length, 'axis')
  const n = length ? knownNumber(length, 'input dft_length') : (x.shape[axis] as number)
  context.reserve(x.shape.map((size, i) => (i === axis ? n : size)))
  const inverse = attributes.flag('inverse')
  const onesided = attributes.flag('onesided')
  if (onesided && inverse) return realInverse(x, axis, n, context)
  return fourier(toLength(x, axis, n), axis, onesided ? Math.floor(n / 2) + 1 : n, inverse, context)
})

/** The real signal of n elements whose spectrum's first half is given. */
function realInverse(x: Value, axis: number, n: number, context: Context): Value {
  const half = toLength(x, axis, Math.floor(n / 2) + 1)
  const last = x.shape.length - 1
  const mirrored = gather(
    half,
    new Tensor(Int32Array.from(range(n - Math.floor(n / 2) - 1), (i) => n - Math.floor(n / 2) - 1 - i)),
    axis,
  )
  const conjugate = concatenate([sliceAxis(mirrored, last, 0, 1), neg(sliceAxis(mirrored, last, 1, 2))], last)
  const signal = fourier(concatenate([half, conjugate], axis), axis, n, true, context)
  return sliceAxis(signal, last, 0, 1)
}

/** The spectra of overlapping frames [batch, frames, bins, 2] of signals [batch, length, 1 or 2]. */
const stft = operation<[Value, Value, Value?, Value?]>(
  2,
  4,
  ([signal, stepInput, window, lengthInput], attributes, context) => {
    const x = signal.shape.length === 2 ? reshape(signal, [...signal.shape, 1]) : signal
    expectRank('input signal', x, 3, 3)
    const step = knownNumber(stepInput, 'input frame_step')
    const n =
      window?.shape[0] ??
      (lengthInput ? knownNumber(lengthInput, 'input frame_length') : (x.shape[1] as number))
    const frames = Math.floor(((x.shape[1] as number) - n) / step) + 1
    if (!(step >= 1) || !(frames >= 1))
      throw new Error(`frames of ${n} every ${step} do not fit ${showType(x)}`)
    context.reserve([x.shape[0] as number, frames, n, 2])
    const at = new Tensor(
      Int32Array.from(range(frames * n), (i) => Math.floor(i / n) * step + (i % n)),
      [frames, n],
    )
    const cut = gather(x, at, 1)
    const shaped = window ? mul(cut, reshape(window, [n, 1])) : cut
    return fourier(shaped, 2, attributes.flag('onesided', true) ? Math.floor(n / 2) + 1 : n, false, context)
  },
)

/** sum over k of c_k cos(2 pi k i / N), the classical windows of signal processing. */
const cosineWindow = (coefficients: readonly number[]) =>
  operation<[Value]>(1, 1, ([size], attributes, context) => {
    const n = knownNumber(size, 'input size')
    context.reserve([n])
    const period = attributes.flag('periodic', true) ? n : n - 1
    const data = allocate(context.dtype(attributes.int('output_datatype', 1)), n)
    for (let i = 0; i < n; i++)
      data[i] = coefficients.reduce((sum, c, k) => sum + c * Math.cos((2 * Math.PI * k * i) / period), 0)
    return new Tensor(data)
  })

/** Triangular filters, evenly spaced on the mel scale, as a matrix [spectrum bins, mel bins]. */
function melWeights(inputs: readonly Value[], attributes: Attributes, context: Context): Tensor {
  const names = ['num_mel_bins', 'dft_length', 'sample_rate', 'lower_edge_hertz', 'upper_edge_hertz']
  const [bins, length, rate, low, high] = inputs.map((x, i) => knownNumber(x, `input ${names[i]}`)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const rows = Math.floor(length / 2) + 1
  context.reserve([rows, bins + 2])
  const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700)
  const step = (mel(high) - mel(low)) / (bins + 2)
  const edge = range(bins + 2).map((i) => {
    const hertz = 700 * (10 ** ((i * step + mel(low)) / 2595) - 1)
    return Math.min(rows, Math.max(0, Math.floor(((length + 1) * hertz) / rate)))
  })
  const data = allocate(context.dtype(attributes.int('output_datatype', 1)), rows * bins)
  for (let m = 0; m < bins; m++) {
    const [left, centre, right] = edge.slice(m, m + 3) as [number, number, number]
    if (left === centre && centre < rows) data[centre * bins + m] = 1
    for (let i = left; i <= centre && left < centre && i < rows; i++)
      data[i * bins + m] = (i - left) / (centre - left)
    for (let i = centre; i < right; i++) data[i * bins + m] = (right - i) / (right - centre)
  }
  return new Tensor(data, [rows, bins])
}

export const spectralOperations: Operations = {
  BlackmanWindow: cosineWindow([0.42, -0.5, 0.08]),
  DFT: dft,
  HammingWindow: cosineWindow([25 / 46, -21 / 46]),
  HannWindow: cosineWindow([0.5, -0.5]),
  MelWeightMatrix: operation<[Value, Value, Value, Value, Value]>(5, 5, melWeights),
  STFT: stft,
}
