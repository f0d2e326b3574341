import { transform } from '../../dense/fourier.js'
import type { Primitive } from '../../program/primitive.js'
import { showType, type Type, type Value } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { apply } from '../define.js'
import { eachMatrix, expectMatrix, leading, sidesOf } from './matrix.js'

/** Complex numbers are pairs along the last axis, transformed along the axis before it. */
const fftOp: Primitive<{ inverse: boolean }> = {
  name: 'fft',
  infer([x]) {
    const type = x as Type
    expectMatrix('fft', type)
    if (type.shape.at(-1) !== 2)
      throw new Error(
        `fft: got ${showType(type)}, expected complex numbers [..., n, 2] as pairs of real and imaginary part`,
      )
    return [type]
  },
  evaluate(inputs, { inverse }, outputs) {
    const [type] = outputs as [Type]
    return eachMatrix(sizeOf(leading(type)), inputs, outputs, (x) => [transform(x, inverse)])
  },
  derivative: ({ tangents: [t], params }) => [t ? apply(fftOp, [t], params) : null],
  /** The matrix W of the transform is symmetric, so that of the real map is that of conj(W). */
  transpose: ({ cotangents: [ct], params: { inverse } }) => [ct ? fft(ct, !inverse) : null],
  batch: ({ inputs: [x], params }) => [apply(fftOp, [x as Value], params)],
  flops: ({ outputs: [type] }) =>
    2.5 * sizeOf((type as Type).shape) * Math.log2(Math.max(2, sidesOf(type as Type)[0])),
}

/**
 * The discrete Fourier transform of complex numbers [..., n, 2] (real and imaginary part):
 * y_k = sum_j x_j exp(-2 pi i j k / n), or with + in the exponent for `inverse`, which is not divided by n.
 */
export const fft = (x: Value, inverse = false): Value => apply(fftOp, [x], { inverse })

export const fftOps: readonly Primitive[] = [fftOp as unknown as Primitive]
