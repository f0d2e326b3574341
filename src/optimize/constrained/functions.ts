import type { CompileOptions } from '../../engines/index.js'
import { dot } from '../../linalg/vector.js'
import * as np from '../../numpy/index.js'
import { optimize } from '../../ops/optimize.js'
import { Tensor } from '../../tensor/tensor.js'
import { grad, hessian, jvp, sparseJacobian, trace } from '../../transforms/index.js'
import type { Box } from '../box.js'
import { differenceColumns } from '../leastSquares/residuals/differences.js'
import { type Prepared, prepare } from '../leastSquares/residuals/residuals.js'
import {
  multiply,
  multiplyTransposed,
  rowsOfColumns,
  type SparseRows,
} from '../leastSquares/sparse/sparseRows.js'
import { oneNumber, symmetricPart } from '../minimize/functions.js'
import { type Awaitable, after } from '../solver.js'

/** A function f of one vector and constraints c, with the derivatives of the Lagrangian L(x, l) = f(x) + l^T c(x). */
export interface ConstrainedFunction {
  /** How derivatives are found, for the result to say. */
  readonly derivatives: 'exact' | 'finite differences'
  values(x: Float64Array): Awaitable<Values>
  /** With the gradient of L by x. */
  linearize(
    x: Float64Array,
    multipliers: Float64Array,
  ): Awaitable<Values & { readonly gradient: Float64Array }>
  /** Of L by x, [n, n] row by row. */
  hessian(x: Float64Array, multipliers: Float64Array): Awaitable<Float64Array>
  /** Of c. */
  jacobian(x: Float64Array): Awaitable<SparseRows>
  /** The Hessian of L by (x, l) times (v, w): [H v + J^T w, J v]. */
  product(
    x: Float64Array,
    multipliers: Float64Array,
    v: Float64Array,
    w: Float64Array,
  ): Awaitable<readonly [byPoint: Float64Array, byMultipliers: Float64Array]>
  dispose(): Promise<void>
}

export interface Values {
  /** f. */
  readonly value: number
  /** c. */
  readonly constraints: Float64Array
}

const numbers = (x: Tensor | undefined) => x!.data as Float64Array

/** Of traced functions, exactly. What needs second derivatives is compiled when it is first asked for. */
export function tracedConstrained(
  f: (x: Tensor) => Tensor,
  constraints: (x: Tensor) => Tensor,
  start: Float64Array,
  rows: number,
  options: CompileOptions = {},
): ConstrainedFunction {
  const [point, weights] = [new Tensor(start), new Tensor(new Float64Array(rows))]
  const value = oneNumber(f)
  const lagrangian = (x: Tensor, l: Tensor) => np.add(value(x), np.dot(l, constraints(x)))
  const gradient = (x: Tensor, l: Tensor) => grad((y: Tensor) => lagrangian(y, l))(x)
  const made: Promise<Prepared>[] = []
  const program = (g: (...args: Tensor[]) => unknown, ...at: Tensor[]) => {
    let ready: Prepared | undefined
    return (...inputs: Float64Array[]): Awaitable<Tensor[]> => {
      const tensors = inputs.map((x) => new Tensor(x))
      if (ready) return ready.run(tensors)
      const preparing = prepare(optimize(trace(g, ...at).program), options)
      made.push(preparing)
      return preparing.then((prepared) => {
        ready = prepared
        return prepared.run(tensors)
      })
    }
  }
  const values = program((x) => [value(x!), constraints(x!)], point)
  const linearized = program((x, l) => [value(x!), constraints(x!), gradient(x!, l!)], point, weights)
  const hessians = program((x, l) => hessian((y: Tensor) => lagrangian(y, l!))(x!), point, weights)
  let pattern: Omit<SparseRows, 'values'>
  const jacobians = program((x) => {
    const { values, ...found } = sparseJacobian(constraints)(x!)
    pattern = found
    return values
  }, point)
  const products = program(
    (x, l, v, w) => jvp((y: Tensor, m: Tensor) => [gradient(y, m), constraints(y)], [x!, l!], [v!, w!])[1],
    ...[point, weights, point, weights],
  )
  return {
    derivatives: 'exact',
    values: (x) => after(values(x), ([y, c]) => ({ value: y!.item(), constraints: numbers(c) })),
    linearize: (x, l) =>
      after(linearized(x, l), ([y, c, g]) => ({
        value: y!.item(),
        constraints: numbers(c),
        gradient: numbers(g),
      })),
    hessian: (x, l) => after(hessians(x, l), ([h]) => numbers(h)),
    jacobian: (x) => after(jacobians(x), ([values]) => ({ ...pattern, values: numbers(values) })),
    product: (x, l, v, w) => after(products(x, l, v, w), ([a, b]) => [numbers(a), numbers(b)] as const),
    dispose: async () => {
      for (const executable of made) await (await executable).dispose()
    },
  }
}

/** Of functions of numbers, by finite differences. */
export function plainConstrained(
  f: (x: Float64Array) => number,
  constraints: (x: Float64Array) => Float64Array,
  box: Box,
): ConstrainedFunction {
  const lagrangian = (x: Float64Array, l: Float64Array) =>
    constraints(x).reduce((sum, c, j) => sum + l[j]! * c, f(x))
  const gradient = (x: Float64Array, l: Float64Array) =>
    differenceColumns((y) => Float64Array.of(lagrangian(y, l)), x, box)
  const hessian = (x: Float64Array, l: Float64Array) =>
    symmetricPart(
      differenceColumns((y) => gradient(y, l), x, box),
      x.length,
    )
  const jacobian = (x: Float64Array) => rowsOfColumns(differenceColumns(constraints, x, box), x.length)
  return {
    derivatives: 'finite differences',
    values: (x) => ({ value: f(x), constraints: constraints(x) }),
    linearize: (x, l) => ({ value: f(x), constraints: constraints(x), gradient: gradient(x, l) }),
    hessian,
    jacobian,
    product: (x, l, v, w) => kktProduct(hessian(x, l), jacobian(x), v, w),
    dispose: async () => {},
  }
}

/** [H v + J^T w, J v]. */
export function kktProduct(
  hessian: Float64Array,
  jacobian: SparseRows,
  v: Float64Array,
  w: Float64Array,
): readonly [Float64Array, Float64Array] {
  const n = v.length
  const pull = multiplyTransposed(jacobian, w, n)
  const byPoint = pull.map((y, i) => y + dot(hessian.subarray(i * n, (i + 1) * n), v))
  return [byPoint, multiply(jacobian, v)]
}
