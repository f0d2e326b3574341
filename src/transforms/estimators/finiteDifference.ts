import * as np from '../../numpy/index.js'
import { showType, type Value, Var } from '../../program/value.js'
import { allocate, isFloat } from '../../tensor/dtype.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import { rebuild } from '../call.js'
import { flattenLike, flattenValues, type Like } from '../stage.js'

export interface FiniteDifferenceOptions {
  /** Which derivative along the direction: 1, 2, 3, ... Default 1. */
  readonly order?: number
  /** The distance between points, or `auto` (default) for Ridders' extrapolation over many. */
  readonly step?: number | 'auto'
}

export interface FiniteDifference {
  /** The derivative of every element of f's result. */
  readonly value: Tensor
  /** An estimate of the error of every element; NaN for a given step. */
  readonly error: Tensor
}

/** Steps of the extrapolation fall by this factor; this many are taken. */
const shrink = 1.6
const columns = 12

/**
 * The function (x, v) -> d^order/dt^order f(x + t v) at t = 0 for any function that can be evaluated, traceable
 * or not, by central differences h^-k sum_i (-1)^i C(k,i) f(x + (k/2 - i) h v). Their errors are even in h, so
 * Ridders (1982) extrapolates to h = 0 and keeps, for each element of the result, the entry of the tableau
 * that agrees best with its neighbours; its disagreement is the error. Several first steps are tried.
 * About 10 to 11 digits of a first and 8 of a second derivative, in float64. Without `v`, x must be one number.
 * @throws when leaves of x are not float64.
 */
export function finiteDifference<X>(
  f: (x: X) => Tensor | number,
  { order = 1, step = 'auto' }: FiniteDifferenceOptions = {},
): (x: Like<X>, v?: Like<X>) => FiniteDifference {
  if (!Number.isInteger(order) || order < 1)
    throw new Error(`finiteDifference: order is ${order}, expected a whole number from 1`)
  if (step !== 'auto' && !(step > 0))
    throw new Error(`finiteDifference: step is ${step}, expected auto or more than 0`)
  return (x, v = 1 as Like<X>) => {
    const { values, structure } = flattenValues(x)
    const at = values.map(expectNumbers)
    const along = flattenLike('finiteDifference: the direction', v, structure, at).map(expectNumbers)
    const result = (t: number) =>
      np.asarray(
        f(
          rebuild<X>(
            structure,
            at.map((leaf, i) => moved(leaf, along[i]!, t)),
          ),
        ),
      ) as Tensor
    const { shape } = result(0)
    const difference = (h: number) => centralDifference((t) => result(t).data, order, h)
    if (step !== 'auto') {
      const value = new Tensor(difference(step).value, shape)
      return { value, error: new Tensor(new Float64Array(value.size).fill(Number.NaN), shape) }
    }
    const size = (leaves: readonly Tensor[]) =>
      Math.max(0, ...leaves.map((leaf) => np.max(np.abs(leaf)).item()))
    const scale = Math.max(1, size(at)) / (size(along) || 1)
    const tries = [1, 1e-1, 1e-2].map((first) => ridders(difference, first * scale))
    const best = tries.reduce((a, b) => combine(a, b))
    return { value: new Tensor(best.value, shape), error: new Tensor(best.error, shape) }
  }
}

/** The gradient, one leaf for each of x's, of a function of one number, by {@link finiteDifference} in every element. */
export function finiteGradient(
  f: (...leaves: Tensor[]) => Tensor,
  at: readonly Tensor[],
): { value: Float64Array; error: Float64Array }[] {
  const differentiate = finiteDifference((leaves: Tensor[]) => f(...leaves))
  return at.map((leaf, k) => {
    const [value, error] = [new Float64Array(leaf.size), new Float64Array(leaf.size)]
    for (let i = 0; i < leaf.size; i++) {
      const direction = at.map((other, j) => {
        const data = allocate(other.dtype, other.size)
        if (j === k) data[i] = 1
        return new Tensor(data, other.shape)
      })
      const estimate = differentiate(at as Tensor[], direction)
      value[i] = estimate.value.item()
      error[i] = estimate.error.item()
    }
    return { value, error }
  })
}

function expectNumbers(value: Value): Tensor {
  if (value instanceof Var || !isFloat(value.dtype))
    throw new Error(
      `finiteDifference: got ${value instanceof Var ? 'a traced ' : ''}${showType(value)}, expected numbers in float64`,
    )
  return value.dtype === 'float64' ? value : castTensor(value, 'float64')
}

function moved(x: Tensor, v: Tensor, t: number): Tensor {
  return new Tensor(
    x.data.map((value, i) => value + t * v.data[i]!),
    x.shape,
  )
}

/** A difference with the error that rounding of f makes in it. */
function centralDifference(f: (t: number) => ArrayLike<number>, order: number, h: number): Estimate {
  let sum: Estimate | undefined
  let weight = 1
  for (let i = 0; i <= order; i++) {
    const values = f((order / 2 - i) * h)
    sum ??= { value: new Float64Array(values.length), error: new Float64Array(values.length) }
    for (let k = 0; k < values.length; k++) {
      sum.value[k] = sum.value[k]! + weight * values[k]!
      sum.error[k] = sum.error[k]! + Math.abs(weight * values[k]!) * 2 ** -53
    }
    weight *= -(order - i) / (i + 1)
  }
  return { value: sum!.value.map((x) => x / h ** order), error: sum!.error.map((x) => x / h ** order) }
}

interface Estimate {
  readonly value: Float64Array
  readonly error: Float64Array
}

/** Neville's tableau of differences at falling steps; for each element the entry nearest to its neighbours. */
function ridders(difference: (h: number) => Estimate, first: number): Estimate {
  let previous: Float64Array[] = []
  let value = new Float64Array(0)
  let error = new Float64Array(0)
  for (let i = 0, h = first; i < columns; i++, h /= shrink) {
    const { value: start, error: rounding } = difference(h)
    const row = [start]
    if (i === 0) {
      value = start.slice()
      error = new Float64Array(value.length).fill(Number.POSITIVE_INFINITY)
    }
    for (let j = 1, power = shrink ** 2; j <= i; j++, power *= shrink ** 2) {
      const [near, far] = [row[j - 1]!, previous[j - 1]!]
      const better = near.map((a, k) => (a * power - far[k]!) / (power - 1))
      better.forEach((a, k) => {
        const disagreement = Math.max(Math.abs(a - near[k]!), Math.abs(a - far[k]!), rounding[k]!)
        if (disagreement <= error[k]!) {
          error[k] = disagreement
          value[k] = a
        }
      })
      row.push(better)
    }
    previous = row
  }
  return { value, error }
}

function combine(a: Estimate, b: Estimate): Estimate {
  const isBetter = a.error.map((e, i) => Number(b.error[i]! < e))
  return {
    value: a.value.map((x, i) => (isBetter[i] ? b.value[i]! : x)),
    error: a.error.map((x, i) => (isBetter[i] ? b.error[i]! : x)),
  }
}
