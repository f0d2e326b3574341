import * as np from '../../numpy/index.js'
import type { Value } from '../../program/value.js'
import { Tensor } from '../../tensor/tensor.js'
import type { Like } from '../../transforms/stage.js'
import { flatVector } from '../leastSquares/residuals/residuals.js'
import { onNumbers, onVector } from '../onVector.js'
import type { Parameters } from '../parameters.js'

/** One number for all elements, or one for each. */
type End = number | ArrayLike<number>

/** lower <= c <= upper, element by element; equal ends make an equation. */
export interface Constraint {
  /** For messages. Default `constraints[0]`, ... */
  readonly name?: string
  /** c of the parameters, of any shape, traced and differentiated as the function is. */
  // biome-ignore lint/suspicious/noExplicitAny: its argument is the function's
  readonly value?: (parameters: any) => unknown
  /** A matrix [rows, n] instead: c is its product with the vector of the n parameters that vary. */
  readonly matrix?: Like<Tensor>
  /** Default minus infinity. */
  readonly lower?: End
  /** Default infinity. */
  readonly upper?: End
  /** Both ends at once. */
  readonly equal?: End
}

/** All constraints as one function of the vector of parameters that vary. */
export interface Constraints {
  /** A name for each element. */
  readonly names: readonly string[]
  readonly lower: Float64Array
  readonly upper: Float64Array
  /** All elements, one after another, of tensors. */
  readonly traced: (x: Tensor) => Tensor
  /** The same of numbers. */
  readonly plain: (x: Float64Array) => Float64Array
}

/** @throws when a constraint is not one, its ends do not fit it or contradict each other, or it is not finite at the start. */
export function constraintsOf(
  given: readonly Constraint[],
  parameters: Parameters<unknown>,
  plain: boolean,
): Constraints {
  if (!Array.isArray(given) || given.length === 0)
    throw new Error(
      `constraints: got ${Array.isArray(given) ? 'none' : typeof given}, expected a list such as [{ value: (p) => ..., equal: 0 }]`,
    )
  given.forEach((constraint, k) => {
    if (typeof constraint !== 'object' || constraint === null)
      throw new Error(
        `constraints[${k}]: got a ${typeof constraint}, expected an object such as { value: (p) => ..., equal: 0 }`,
      )
  })
  const parts = given.map((constraint, k) =>
    partOf(constraint, constraint.name ?? `constraints[${k}]`, parameters, plain),
  )
  const joined = (pick: (part: Part) => Float64Array) =>
    Float64Array.from(parts.flatMap((part) => Array.from(pick(part))))
  const [lower, upper] = [joined((part) => part.lower), joined((part) => part.upper)]
  return {
    names: parts.flatMap(({ name, lower: { length } }) =>
      Array.from({ length }, (_, i) => (length === 1 ? name : `${name}[${i}]`)),
    ),
    lower,
    upper,
    traced: (x) => np.concatenate(parts.map((part) => part.traced(x))),
    plain: (x) => joined((part) => part.plain(x)),
  }
}

interface Part {
  readonly name: string
  readonly lower: Float64Array
  readonly upper: Float64Array
  readonly traced: (x: Tensor) => Tensor
  readonly plain: (x: Float64Array) => Float64Array
}

function partOf(constraint: Constraint, name: string, given: Parameters<unknown>, plain: boolean): Part {
  const { value, matrix } = constraint
  if ((value === undefined) === (matrix === undefined))
    throw new Error(
      `${name}: got ${value ? 'value and matrix' : `neither value nor matrix but ${Object.keys(constraint).join(', ') || 'nothing'}`}, expected one of them`,
    )
  const { start } = given
  const product = matrix === undefined ? undefined : linear(matrix, name, start.length)
  const tracedValue = product ?? onVector(name, value!, given)
  const traced = (x: Tensor) => flatVector(tracedValue(x))
  const ofNumbers = product
    ? (x: Float64Array) => product(new Tensor(x)).data as Float64Array
    : onNumbers(name, value!, given)
  const first = plain ? ofNumbers(start) : (traced(new Tensor(start)).data as Float64Array)
  const wrong = first.findIndex((c) => !Number.isFinite(c))
  if (first.length === 0) throw new Error(`${name}: has no elements, expected at least one number`)
  if (wrong >= 0)
    throw new Error(
      `${name}: element ${wrong} is ${first[wrong]} at the start, expected a finite number; start at a point of its domain`,
    )
  return { name, ...endsOf(constraint, name, first.length), traced, plain: ofNumbers }
}

function linear(given: Like<Tensor>, name: string, n: number): (x: Tensor) => Tensor {
  const matrix = np.astype(np.asarray(given as Value) as Tensor, 'float64')
  if (matrix.shape.length !== 2 || matrix.shape[1] !== n)
    throw new Error(
      `${name}: matrix has shape [${matrix.shape}], expected [rows, ${n}], a column for each parameter that varies`,
    )
  return (x) => np.matmul(matrix, x)
}

function endsOf({ lower, upper, equal }: Constraint, name: string, rows: number) {
  if (lower === undefined && upper === undefined && equal === undefined)
    throw new Error(`${name}: has no ends, expected lower, upper or equal`)
  if (equal !== undefined && (lower !== undefined || upper !== undefined))
    throw new Error(`${name}: got equal beside lower or upper, expected one or the other`)
  const ends = {
    lower: endOf(equal ?? lower ?? -Infinity, `${name}: ${equal === undefined ? 'lower' : 'equal'}`, rows),
    upper: endOf(equal ?? upper ?? Infinity, `${name}: upper`, rows),
  }
  ends.lower.forEach((low, i) => {
    const high = ends.upper[i]!
    if (!(low <= high) || low === Infinity || high === -Infinity)
      throw new Error(
        `${name}: the ends of element ${i} are ${low} and ${high}, expected numbers with the lower first`,
      )
  })
  return ends
}

function endOf(end: End, where: string, rows: number): Float64Array {
  if (typeof end === 'number') return new Float64Array(rows).fill(end)
  if (end.length !== rows)
    throw new Error(`${where}: got ${end.length} numbers, expected one, or one for each of ${rows} elements`)
  return Float64Array.from(end)
}
