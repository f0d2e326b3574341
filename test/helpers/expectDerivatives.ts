import { expect } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, hessian, jacobian, jvp, vmap } from '../../src/transforms/index.js'

export type Unary = (x: Tensor) => Tensor

/** The gradient by forward mode, one direction for each element, for a function with a scalar result. */
const forwardGradient = (f: Unary, x: Tensor) =>
  Array.from(x.data, (_, i) => {
    const direction = new Tensor(
      Float64Array.from(x.data, (_, k) => Number(k === i)),
      x.shape,
    )
    return jvp(f, [x], [direction])[1].item()
  })

/** Checks the gradient in forward, reverse and batched reverse mode; a Hessian in all four orders. */
export function expectDerivatives(
  f: Unary,
  at: readonly number[],
  gradient: readonly number[],
  curvature?: number[][],
) {
  const x = tensor(at)
  const sum: Unary = (x) => np.sum(f(x))
  const near = (got: ArrayLike<number>, expected: readonly number[], what: string) => {
    expect(got.length).toBe(expected.length)
    expected.forEach((value, i) => {
      const close = Math.abs((got[i] as number) - value) <= 1e-12 * Math.max(1, Math.abs(value))
      if (!close && got[i] !== value) expect(got[i], `${what} ${i}`).toBe(value)
    })
  }
  near(forwardGradient(sum, x), gradient, 'forward')
  near(grad(sum)(x).data, gradient, 'reverse')
  near(vmap((x: Tensor) => grad(sum)(x))([at, at]).data, [...gradient, ...gradient], 'batched')
  if (!curvature) return
  const flat = curvature.flat()
  near(hessian(sum)(x).data, flat, 'forward over reverse')
  const g = (x: Tensor) => grad(sum)(x)
  near(jacobian(g, { mode: 'reverse' })(x).data, flat, 'reverse over reverse')
  const pushed = (x: Tensor) => jacobian(sum, { mode: 'forward' })(x)
  near(jacobian(pushed, { mode: 'reverse' })(x).data, flat, 'reverse over forward')
  near(jacobian(pushed, { mode: 'forward' })(x).data, flat, 'forward over forward')
}

/** A matrix of zeros. */
export const zeros = (n: number) => Array.from({ length: n }, () => new Array<number>(n).fill(0))
