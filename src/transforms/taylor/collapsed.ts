import { div, mul } from '../../ops/arithmetic.js'
import type { MaybeZero } from '../../program/primitive.js'
import { showType, type Value } from '../../program/value.js'
import type { Tensor } from '../../tensor/tensor.js'
import { chooseInputs, rebuild, typesOf } from '../call.js'
import { instantiate } from '../jvp.js'
import { flattenLike, type Like, stageCall, type Tensored, type TensorFunction } from '../stage.js'
import { collapseProgram, sumCurves } from './collapse.js'
import { factorial } from './jet.js'

/** Derivatives along R curves. */
export interface CollapsedJet<R> {
  readonly value: R
  /** d^k/dt^k of every curve for k = 1 to K - 1, stacked along axis 0. */
  readonly lower: readonly R[]
  /** sum_r w_r d^K/dt^K along curve r. */
  readonly sum: R
}

/**
 * Collapsed Taylor mode: the weighted sum over R curves x + v_1 t + ... + v_K t^K / K! of the K-th derivatives of f, for
 * the cost of R (K - 1) + 2 coefficients instead of R K + 1 (Dangel et al. 2025, arXiv 2505.13644). Each v_k is a tree
 * like x with an axis of length R in front, or null for zero; at least one is not null. Weights have shape [R] and x's
 * dtype; by default they are 1.
 * @throws when trees, shapes or dtypes do not fit.
 */
export function collapsedJet<X, R>(
  f: (x: X) => R,
  x: Like<X>,
  tangents: readonly (unknown | null)[],
  weights: Value | null = null,
): CollapsedJet<R> {
  const call = stageCall(f as TensorFunction, [x])
  chooseInputs('collapsedJet', call, [0])
  const types = typesOf(call, 0)
  const order = tangents.length
  const count = countOf(tangents, types[0] as Value, weights)
  const stacked = types.map(({ dtype, shape }) => ({ dtype, shape: [count, ...shape] }))
  const given = tangents.map((v, k): MaybeZero[] =>
    v === null
      ? types.map(() => null)
      : flattenLike(`collapsedJet: tangent ${k + 1}`, v, call.structures[0]!, stacked).map((leaf) =>
          k === 0 ? leaf : div(leaf, factorial(k + 1)),
        ),
  )
  const directions = { count, weights, order }
  const total = (v: MaybeZero) => v && sumCurves(v, weights)
  const none = Array.from({ length: order - 1 }, () => null)
  const bundles = call.inputs.map((value, i) => {
    const leaf = i - call.captured.length
    if (leaf < 0) return { value, lower: none, top: null }
    const coefficients = given.map((leaves) => leaves[leaf] as MaybeZero)
    return { value, lower: coefficients.slice(0, -1), top: total(coefficients.at(-1) ?? null) }
  })
  const outputs = collapseProgram(call.program, bundles, directions)
  const tree = (values: Value[]) => rebuild<R & Tensored<X>>(call.outputStructure, values)
  const scaled = (c: MaybeZero, k: number) => (c && k > 1 ? mul(c, factorial(k)) : c)
  return {
    value: tree(outputs.map((out) => out.value)),
    lower: none.map((_, k) =>
      tree(
        outputs.map(({ value: { dtype, shape }, lower }) =>
          instantiate(scaled(lower[k] ?? null, k + 1), { dtype, shape: [count, ...shape] }),
        ),
      ),
    ),
    sum: tree(outputs.map(({ value, top }) => instantiate(scaled(top, order), value))),
  }
}

function countOf(tangents: readonly unknown[], like: Value, weights: Value | null): number {
  const first = tangents.find((v) => v !== null)
  if (first === undefined)
    throw new Error('collapsedJet: no tangent is given; at least one of v_1 to v_K must not be null')
  let leaf = first as Tensor
  while (!Array.isArray((leaf as { shape?: unknown }).shape))
    leaf = Object.values(leaf as object)[0] as Tensor
  const [count = 0] = leaf.shape
  if (weights && (weights.dtype !== like.dtype || weights.shape.length !== 1 || weights.shape[0] !== count))
    throw new Error(`collapsedJet: weights are ${showType(weights)}, expected ${like.dtype}[${count}]`)
  return count
}
