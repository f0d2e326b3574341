import { select, stopGradient } from '../ops/arithmetic.js'
import { equal, less } from '../ops/compare.js'
import { abs } from '../ops/kinks.js'
import { reduceMax } from '../ops/reduce.js'
import { sqrt } from '../ops/smooth.js'
import type { Value } from '../program/value.js'

/**
 * f(x) with f(0) = 0 and all derivatives 0 there, whatever those of f are. f is never evaluated at 0: a
 * zero from the branch not taken times an infinite derivative would be NaN.
 */
export function continuedByZero(x: Value, f: (x: Value) => Value): Value {
  const zero = equal(x, 0)
  return select(zero, 0, f(select(zero, 1, x)))
}

/** The square root; its derivative at 0 is 0. */
export function safeSqrt(x: Value): Value {
  return continuedByZero(x, sqrt)
}

/** The mask of elements that are neither infinite nor NaN. */
export function finite(x: Value): Value {
  return less(abs(stopGradient(x)), Number.POSITIVE_INFINITY)
}

/** The largest element over `axes` as a constant, to be subtracted before exp; 0 where it is not finite. */
export function peak(x: Value, axes: readonly number[]): Value {
  const largest = reduceMax(stopGradient(x), axes)
  return select(finite(largest), largest, 0)
}
