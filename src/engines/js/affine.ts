import type { Equation } from '../../program/program.js'
import type { Type } from '../../program/value.js'
import { type Shape, sameShape, stridesOf } from '../../tensor/shape.js'
import { makeFunction } from './function.js'

/** Where the elements of one shape lie in an array: position = offset + sum of strides x index. */
export interface Affine {
  readonly offset: number
  readonly strides: readonly number[]
}

export function contiguous(shape: Shape): Affine {
  return { offset: 0, strides: stridesOf(shape) }
}

export function isContiguous(at: Affine, shape: Shape): boolean {
  const strides = stridesOf(shape)
  return at.offset === 0 && shape.every((n, axis) => n === 1 || at.strides[axis] === strides[axis])
}

/** The same elements along the axes of a shape that `from` broadcasts to. */
export function broadcastAffine(at: Affine, from: Shape, to: Shape): Affine {
  const lead = to.length - from.length
  const strides = to.map((_, axis) =>
    axis < lead || from[axis - lead] === 1 ? 0 : (at.strides[axis - lead] as number),
  )
  return { offset: at.offset, strides }
}

/** Leaves out the axes of length one. */
export function squeeze(shape: Shape, at: Affine): Affine {
  return { offset: at.offset, strides: at.strides.filter((_, axis) => shape[axis] !== 1) }
}

/** Where a view's elements lie, given where its input's do; undefined when the view is not affine. */
export function viewAffine(equation: Equation, input: Affine): Affine | undefined {
  const { primitive, inputs, outputs, params } = equation
  const { shape } = outputs[0] as Type
  const names = shape.map((_, axis) => `i${axis}`)
  const texts = primitive.view?.(names, { inputs, outputs, params })
  if (!texts) return undefined
  const index = makeFunction(names, `return [${texts.join(', ')}]`) as (...at: number[]) => number[]
  const position = (at: number[]) =>
    index(...at).reduce((sum, i, axis) => sum + i * (input.strides[axis] as number), input.offset)
  const offset = position(shape.map(() => 0))
  const strides = shape.map((_, axis) => position(shape.map((_, i) => (i === axis ? 1 : 0))) - offset)
  const agrees = (at: number[]) =>
    position(at) === at.reduce((sum, i, axis) => sum + i * (strides[axis] as number), offset)
  const probes = [shape.map((n) => Math.max(0, n - 1)), shape.map((n) => n >> 1)]
  return probes.every(agrees) ? { offset, strides } : undefined
}

/** The same elements in row-major order along the axes of another shape; undefined when that is not affine. */
export function reshapeAffine(at: Affine, from: Shape, to: Shape): Affine | undefined {
  if (from.includes(0) || sameShape(from, to))
    return { offset: at.offset, strides: to.map((_, i) => at.strides[i] ?? 0) }
  const { shape, strides } = coalesce(from, [at.strides])
  const steps = strides[0] as number[]
  let block = shape.length - 1
  let left = shape[block] ?? 1
  let step = steps[block] ?? 0
  const result = new Array<number>(to.length).fill(0)
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const n = to[axis] as number
    if (n === 1) continue
    if (left === 1) {
      block--
      left = shape[block] as number
      step = steps[block] as number
    }
    if (left % n !== 0) return undefined
    result[axis] = step
    step *= n
    left /= n
  }
  return { offset: at.offset, strides: result }
}

/** Drops axes of length one and merges neighbours that every one of the stride lists runs through as one. */
export function coalesce(
  shape: Shape,
  strides: readonly (readonly number[])[],
): { shape: number[]; strides: number[][] } {
  const merged: number[] = []
  const steps: number[][] = strides.map(() => [])
  shape.forEach((n, axis) => {
    if (n === 1) return
    const last = merged.length - 1
    const runs =
      last >= 0 && strides.every((list, k) => (steps[k] as number[])[last] === (list[axis] as number) * n)
    strides.forEach((list, k) => {
      const own = steps[k] as number[]
      own[runs ? last : last + 1] = list[axis] as number
    })
    if (runs) merged[last] = (merged[last] as number) * n
    else merged.push(n)
  })
  return { shape: merged, strides: steps }
}
