import type { Equation } from '../../program/program.js'
import type { Type } from '../../program/value.js'
import { range, type Shape, sizeOf } from '../../tensor/shape.js'
import { type Affine, coalesce } from './affine.js'

type Pair = readonly [readonly number[], readonly number[]]

/** The axes of each operand of a dot that play the part of a matrix's: [batch, free, contracted]. */
export function matrixAxes({ inputs, params }: Equation): number[][][] {
  const { contract, batch } = params as { contract: Pair; batch: Pair }
  return inputs.map(({ shape }, side) => {
    const contracted = [...(contract[side as 0 | 1] as readonly number[])]
    const leading = [...(batch[side as 0 | 1] as readonly number[])]
    const free = range(shape.length).filter((axis) => !contracted.includes(axis) && !leading.includes(axis))
    return [leading, free, contracted]
  })
}

/** Several axes, in order, as one of a constant stride; undefined when they do not run as one. */
export function asOneAxis(
  shape: Shape,
  at: Affine,
  axes: readonly number[],
): { n: number; stride: number } | undefined {
  const sizes = axes.map((axis) => shape[axis] as number)
  const n = sizeOf(sizes)
  if (n === 0) return { n, stride: 0 }
  const merged = coalesce(sizes, [axes.map((axis) => at.strides[axis] as number)])
  return merged.shape.length > 1 ? undefined : { n, stride: merged.strides[0]?.[0] ?? 0 }
}

/** Steps of one operand along the loops of a product. */
export interface Matrix {
  offset: number
  batch: number
  free: number
  contracted: number
}

/** out[g, i, j] = sum over k of left[g, i, k] right[g, k, j]. */
export interface Product {
  batch: number
  m: number
  k: number
  n: number
  left: Matrix
  right: Matrix
}

export function productOf(equation: Equation, places: readonly Affine[]): Product {
  const groups = matrixAxes(equation)
  const sides = equation.inputs.map((x: Type, side) => {
    const at = places[side] as Affine
    const [batch, free, contracted] = (groups[side] as number[][]).map((axes) =>
      asOneAxis(x.shape, at, axes),
    ) as [{ n: number; stride: number }, { n: number; stride: number }, { n: number; stride: number }]
    const strides = {
      offset: at.offset,
      batch: batch.stride,
      free: free.stride,
      contracted: contracted.stride,
    }
    return { sizes: [batch.n, free.n, contracted.n], strides }
  })
  const [left, right] = sides as [(typeof sides)[0], (typeof sides)[0]]
  const [batch, m, k] = left.sizes as [number, number, number]
  return { batch, m, k, n: right.sizes[1] as number, left: left.strides, right: right.strides }
}
