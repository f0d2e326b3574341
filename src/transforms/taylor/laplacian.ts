import { toValue } from '../../numpy/convert.js'
import { transpose } from '../../ops/broadcast.js'
import { showType, type Type, type Value } from '../../program/value.js'
import { allocate } from '../../tensor/dtype.js'
import { sizeOf } from '../../tensor/shape.js'
import { Tensor, tensor } from '../../tensor/tensor.js'
import { rebuild } from '../call.js'
import type { Likes } from '../derivatives.js'
import { asTensors, type Tail } from '../products.js'
import { type Arguments, type ArrayLike, flattenValues, type Like, type TensorFunction } from '../stage.js'
import { collapsedJet } from './collapsed.js'
import { sumOfSquares } from './quadraticForm.js'

/** A differential operator applied to a function: of the point and further arguments. */
export type Differentiated<A extends Arguments, R> = (x: Like<A[0]>, ...rest: Likes<Tail<A>>) => R

/** Directions in the space of all leaves of x, as rows of numbers, with weights. */
interface Rows {
  readonly rows: readonly ArrayLike1[]
  readonly weights: readonly number[] | null
}

type ArrayLike1 = { readonly [i: number]: number; readonly length: number }

/** sum_r w_r d^K f / dt^K along x + t v_r for directions that depend on the size of x alone. */
function alongRows<A extends Arguments, R>(
  f: (...args: A) => R,
  order: number,
  rowsOf: (size: number) => Rows,
): Differentiated<A, R> {
  return (x, ...rest) => {
    const given = rest.map(asTensors)
    const { values, structure } = flattenValues(x)
    const { rows, weights } = rowsOf(values.reduce((sum, { shape }) => sum + sizeOf(shape), 0))
    // Without directions, one of weight zero, so that the result has its shape.
    const empty = rows.length === 0
    const first = rebuild(structure, cutRows(empty ? [new Float64Array(0)] : rows, values))
    const scale = empty ? [0] : weights
    const w = scale && tensor([...scale], { dtype: (values[0] as Value).dtype })
    const tangents = [first, ...Array.from({ length: order - 1 }, () => null)]
    const at = (x: unknown) => (f as TensorFunction<R>)(x, ...given)
    return collapsedJet(at, x as Like<unknown>, tangents, w).sum
  }
}

/** Rows over the concatenation of all leaves, cut into leaves [rows, ...shape]; missing numbers are 0. */
function cutRows(rows: readonly ArrayLike1[], types: readonly Type[]): Tensor[] {
  let offset = 0
  return types.map(({ dtype, shape }) => {
    const size = sizeOf(shape)
    const data = allocate(dtype, rows.length * size)
    rows.forEach((row, r) => {
      for (let i = 0; i < size; i++) data[r * size + i] = row[offset + i] ?? 0
    })
    offset += size
    return new Tensor(data, [rows.length, ...shape])
  })
}

function unit(n: number, entries: Readonly<Record<number, number>>): Float64Array {
  const row = new Float64Array(n)
  for (const [i, value] of Object.entries(entries)) row[Number(i)] = value
  return row
}

/**
 * The function (x, ...rest) -> sum_i d^2 f / dx_i^2, over all D elements of the tree x, for each element of f's result:
 * D + 2 coefficients by collapsed Taylor mode (the forward Laplacian; Li et al. 2023, Dangel et al. 2025).
 */
export function laplacian<A extends Arguments, R>(f: (...args: A) => R): Differentiated<A, R> {
  return alongRows(f, 2, (n) => ({
    rows: Array.from({ length: n }, (_, i) => unit(n, { [i]: 1 })),
    weights: null,
  }))
}

/**
 * The function (x, ...rest) -> sum_ij d^4 f / dx_i^2 dx_j^2, by fourth derivatives along e_i and e_i +- e_j:
 * sum_i (4 - D)/3 f_iiii + (1/6) sum_{i<j} (D^4[e_i + e_j] + D^4[e_i - e_j]).
 */
export function biharmonic<A extends Arguments, R>(f: (...args: A) => R): Differentiated<A, R> {
  return alongRows(f, 4, (n) => {
    const rows: Float64Array[] = []
    const weights: number[] = []
    for (let i = 0; i < n; i++) {
      rows.push(unit(n, { [i]: 1 }))
      weights.push((4 - n) / 3)
      for (let j = 0; j < i; j++)
        for (const sign of [1, -1]) {
          rows.push(unit(n, { [i]: 1, [j]: sign }))
          weights.push(1 / 6)
        }
    }
    return { rows, weights }
  })
}

/** C as a symmetric matrix, as weights of the second derivatives, or as S with C = S S^T. */
export type SecondOrder = ArrayLike | { readonly factor: ArrayLike }

/**
 * The function (x, ...rest) -> sum_ij C_ij d^2 f / dx_i dx_j for constant C [D, D] (its symmetric part counts), in as
 * many directions as its rank; for weights C [D], sum_i C_i d^2 f / dx_i^2; for { factor: S }, with S [D, R], which may
 * be traced, tr(S S^T H) along the columns of S, for x one vector.
 * @throws when C does not fit the D elements of x.
 */
export function secondOrderOperator<A extends Arguments, R>(
  f: (...args: A) => R,
  operator: SecondOrder,
): Differentiated<A, R> {
  if (typeof operator === 'object' && 'factor' in operator) return alongFactor(f, toValue(operator.factor))
  const c = toValue(operator as ArrayLike)
  if (!(c instanceof Tensor))
    throw new Error('secondOrderOperator: the matrix is traced; give { factor: S } with C = S S^T instead')
  const [n = 0] = c.shape
  if (!(c.shape.length === 1 || (c.shape.length === 2 && c.shape[1] === n)))
    throw new Error(
      `secondOrderOperator: C is ${showType(c)}, expected a square matrix or a vector of weights`,
    )
  const { rows, weights } = c.shape.length === 1 ? axes(c.data) : sumOfSquares(symmetric(c.data, n), n)
  return alongRows(f, 2, (size) => {
    if (size !== n) throw new Error(`secondOrderOperator: C is ${showType(c)}, but x has ${size} elements`)
    return { rows, weights }
  })
}

function axes(diagonal: ArrayLike1): Rows & { readonly weights: number[] } {
  const n = diagonal.length
  const used = Array.from({ length: n }, (_, i) => i).filter((i) => diagonal[i] !== 0)
  return { rows: used.map((i) => unit(n, { [i]: 1 })), weights: used.map((i) => diagonal[i] as number) }
}

function symmetric(c: ArrayLike1, n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    return ((c[at] as number) + (c[j * n + i] as number)) / 2
  })
}

function alongFactor<A extends Arguments, R>(f: (...args: A) => R, factor: Value): Differentiated<A, R> {
  if (factor.shape.length !== 2)
    throw new Error(`secondOrderOperator: the factor is ${showType(factor)}, expected shape [D, R]`)
  return (x, ...rest) => {
    const given = rest.map(asTensors)
    const at = (x: unknown) => (f as TensorFunction<R>)(x, ...given)
    return collapsedJet(at, x as Like<unknown>, [transpose(factor, [1, 0]), null]).sum
  }
}
