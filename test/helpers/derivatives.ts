import { expect } from 'vitest'
import { mul } from '../../src/ops/arithmetic.js'
import { reduceSum } from '../../src/ops/broadcast.js'
import { allocate, type DType } from '../../src/tensor/dtype.js'
import { type Shape, sizeOf } from '../../src/tensor/shape.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { grad, jvp } from '../../src/transforms/index.js'
import type { Case } from './cases.js'
import { uniform } from './random.js'

export type Mapping = (...xs: Tensor[]) => Tensor

/** A case as a function of its active inputs, and their values. */
export function atPoint(c: Case, seed: number, dtype: DType = 'float64'): { f: Mapping; at: Tensor[] } {
  const inputs = c.sample(seed, dtype)
  const f = (...xs: Tensor[]) =>
    c.call(...inputs.map((x, i) => (c.active.includes(i) ? (xs[c.active.indexOf(i)] as Tensor) : x)))
  return { f, at: c.active.map((i) => inputs[i] as Tensor) }
}

/** Uniform numbers in [-1, 1] in the shape and dtype of `like`. */
export function randomLike({ shape, dtype }: Tensor, seed: number): Tensor {
  const random = uniform(seed)
  const data = allocate(dtype, sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = 2 * random() - 1
  return new Tensor(data, shape)
}

export const randomDirections = (at: readonly Tensor[], seed: number): Tensor[] =>
  at.map((x, i) => randomLike(x, seed + 101 * i))

/** The sum of products of all elements, traceable. */
export const inner = (x: Tensor, y: Tensor): Tensor =>
  reduceSum(
    mul(x, y),
    x.shape.map((_, axis) => axis),
  ) as Tensor

export const innerAll = (xs: readonly Tensor[], ys: readonly Tensor[]): Tensor =>
  xs
    .map((x, i) => inner(x, ys[i] as Tensor))
    .reduce((sum, term) => new Tensor(Float64Array.of(sum.item() + term.item()), []))

/** The derivative of `f` along `v`, as a function of the point. */
export const along =
  (f: Mapping, v: readonly Tensor[]): Mapping =>
  (...xs) =>
    jvp(f, xs, [...v])[1]

/** The gradients of a scalar function in all its arguments. */
export const gradients = (f: Mapping, count: number): ((...xs: Tensor[]) => Tensor[]) => {
  const argument = Array.from({ length: count }, (_, i) => i)
  return (...xs) => grad(f, { argument })(...xs)
}

export const shifted = (at: readonly Tensor[], v: readonly Tensor[], t: number): Tensor[] =>
  at.map((x, i) => {
    const data = Float64Array.from(x.data, (value, k) => value + t * ((v[i] as Tensor).data[k] as number))
    return new Tensor(data, x.shape)
  })

/**
 * d/dt f(t) at 0 of every element by central differences, extrapolated to step zero; each element takes
 * the step whose extrapolations agree best (Ridders 1982).
 */
export function difference(f: (t: number) => Tensor, first = 0.02): Float64Array {
  const levels = 8
  const shrink = 1.6
  const size = f(0).size
  const best = new Float64Array(size)
  const error = new Float64Array(size).fill(Number.POSITIVE_INFINITY)
  let previous: Float64Array[] = []
  for (let level = 0, h = first; level < levels; level++, h /= shrink) {
    const [up, down] = [f(h).data, f(-h).data]
    const row = [new Float64Array(size).map((_, i) => ((up[i] as number) - (down[i] as number)) / (2 * h))]
    for (let k = 1, factor = shrink ** 2; k <= level; k++, factor *= shrink ** 2) {
      const [finer, coarser] = [row[k - 1] as Float64Array, previous[k - 1] as Float64Array]
      const next = finer.map((x, i) => (factor * x - (coarser[i] as number)) / (factor - 1))
      row.push(next)
      next.forEach((x, i) => {
        const spread = Math.max(Math.abs(x - (finer[i] as number)), Math.abs(x - (coarser[i] as number)))
        if (spread < (error[i] as number)) {
          error[i] = spread
          best[i] = x
        }
      })
    }
    previous = row
  }
  return best
}

/** Every element finite and within `tolerance` of the expected one, relative to the largest of all or to one. */
export function expectClose(got: Tensor, expected: ArrayLike<number>, tolerance: number, what = ''): void {
  expect(got.size, `${what} size`).toBe(expected.length)
  const scale = Math.max(1, ...Array.from(expected, Math.abs))
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got.data[i] as number, expected[i] as number]
    if (!(Math.abs(a - b) <= tolerance * scale)) expect(a, `${what} element ${i}`).toBe(b)
  }
}

export function expectSameType(got: Tensor, like: { dtype: DType; shape: Shape }): void {
  expect(got.toString()).toBe(`${like.dtype}[${like.shape.join(',')}]`)
}
