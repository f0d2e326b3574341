import { div, mul } from '../../ops/arithmetic.js'
import type { MaybeZero } from '../../program/primitive.js'
import { chooseInputs, rebuild, typesOf } from '../call.js'
import { instantiate } from '../jvp.js'
import { flattenLike, type Like, stageCall, type Tensored, type TensorFunction } from '../stage.js'
import { jetProgram } from './taylor.js'

/**
 * Taylor mode: f(x) and the derivatives d^k/dt^k at t = 0, k = 1 to K, of f along the curve
 * x + v_1 t + v_2 t^2 / 2! + ... + v_K t^K / K!, in O(K^2) evaluations instead of the 2^K of nested forward mode.
 * Each v_k has the tree, shapes and dtypes of x, or is null for zero, which costs nothing. Derivatives are not divided
 * by k!. At kinks every coefficient is selected as the derivative selects. Griewank and Walther, Evaluating Derivatives,
 * 2008, chapter 13; Bettencourt et al., Taylor-mode automatic differentiation, 2019.
 * @throws when x is not float, or a v_k has another tree, shape or dtype.
 */
export function jet<X, R>(
  f: (x: X) => R,
  x: Like<X>,
  tangents: readonly (Like<X> | null)[],
): [value: R, derivatives: R[]] {
  if (!Array.isArray(tangents))
    throw new Error(
      `jet: tangents are ${String(tangents)}, expected an array of one tree like x for each order`,
    )
  const call = stageCall(f as TensorFunction, [x])
  chooseInputs('jet', call, [0])
  const types = typesOf(call, 0)
  const given = tangents.map((v, k): MaybeZero[] =>
    v === null
      ? types.map(() => null)
      : flattenLike(`jet: tangent ${k + 1}`, v, call.structures[0]!, types).map((leaf) =>
          k === 0 ? leaf : div(leaf, factorial(k + 1)),
        ),
  )
  const still = call.captured.map((): MaybeZero[] => [])
  const coefficients = [...still, ...types.map((_, i) => given.map((leaves) => leaves[i] as MaybeZero))]
  const order = tangents.length
  const at = jetProgram(call.program, call.inputs, coefficients, order)
  const derivatives = given.map((_, k) =>
    at.outputs.map((output, i) => {
      const c = at.coefficients[i]![k] ?? null
      return instantiate(c && k > 0 ? mul(c, factorial(k + 1)) : c, output)
    }),
  )
  const tree = (values: typeof at.outputs) => rebuild<R & Tensored<X>>(call.outputStructure, values)
  return [tree(at.outputs), derivatives.map(tree)]
}

export function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}
