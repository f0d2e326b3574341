import { allocate, type DType } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'
import { sumOfSquares } from '../taylor/quadraticForm.js'
import type { Tangent } from './expansion.js'
import type { Group, PlannedOperator } from './operator.js'

/** Random numbers: `Random` of evolute/linalg is one. */
export interface RandomSource {
  /** In [0, 1). */
  uniform(): number
  /** Standard normal. */
  normal(): number
}

/** One collapsed jet: tangents of order 1 to n [R, D] ([] for zero, so that this is a tree) and weights [R]. */
export interface Jets {
  readonly tangents: readonly (Tensor | readonly [])[]
  readonly weights: Tensor
}

/** All terms of an operator, or those that are drawn: `samples` of them without replacement, shared out over groups. */
export function termJets(
  { groups }: PlannedOperator,
  size: number,
  dtype: DType,
  draw?: { readonly samples: number; readonly random: RandomSource },
): Jets[] {
  const total = groups.reduce((sum, { variables }) => sum + variables.length, 0)
  return groups.flatMap((group) => {
    const count = group.variables.length
    const share = draw ? Math.min(count, Math.max(1, Math.round((draw.samples * count) / total))) : count
    const chosen =
      draw && share < count ? subset(count, share, draw.random) : group.variables.map((_, i) => i)
    return group.steps.map(({ tangents, weight }) => ({
      tangents: tangents.map((v) => (v ? tangentRows(v, group, chosen, size, dtype) : [])),
      weights: vector(
        chosen.map((i) => ((group.coefficients[i] as number) * weight * count) / share),
        dtype,
      ),
    }))
  })
}

function vector(numbers: readonly number[], dtype: DType): Tensor {
  const data = allocate(dtype, numbers.length)
  data.set(numbers)
  return new Tensor(data, [numbers.length])
}

function tangentRows(
  v: NonNullable<Tangent>,
  { variables }: Group,
  chosen: readonly number[],
  size: number,
  dtype: DType,
): Tensor {
  const data = allocate(dtype, chosen.length * size)
  chosen.forEach((term, r) => {
    v.forEach((component, a) => {
      data[r * size + (variables[term]?.[a] as number)] = component
    })
  })
  return new Tensor(data, [chosen.length, size])
}

/** `count` of 0 to n - 1, every subset with the same chance (Floyd's algorithm). */
export function subset(n: number, count: number, random: RandomSource): number[] {
  const chosen = new Set<number>()
  for (let j = n - count; j < n; j++) {
    const i = Math.floor(random.uniform() * (j + 1))
    chosen.add(chosen.has(i) ? j : i)
  }
  return [...chosen]
}

/** Random directions of full length; see `estimator: 'dense'`. */
export function denseJets(
  plan: PlannedOperator,
  size: number,
  dtype: DType,
  samples: number,
  random: RandomSource,
): Jets[] {
  const scale = biharmonicScale(plan.groups, size)
  if (scale !== undefined) {
    const data = allocate(dtype, samples * size)
    for (let i = 0; i < data.length; i++) data[i] = random.normal()
    const weights = new Array<number>(samples).fill(scale / (3 * samples))
    return [{ tangents: [new Tensor(data, [samples, size]), [], [], []], weights: vector(weights, dtype) }]
  }
  if (plan.groups.some(({ pattern }) => pattern.reduce((sum, k) => sum + k, 0) !== 2))
    throw new Error(
      'differentialOperator: dense sampling serves operators of order 2 and the biharmonic; use estimator sparse or exact',
    )
  const { rows, weights } = squares(plan, size)
  return [1, -1].flatMap((sign) => {
    const own = rows.filter((_, r) => sign * (weights[r] as number) > 0)
    if (own.length === 0) return []
    const roots = weights.filter((w) => sign * w > 0).map((w) => Math.sqrt(Math.abs(w)))
    const data = allocate(dtype, samples * size)
    for (let s = 0; s < samples; s++)
      own.forEach((row, r) => {
        const step = (random.uniform() < 0.5 ? -1 : 1) * (roots[r] as number)
        for (const [i, x] of row) data[s * size + i] = (data[s * size + i] as number) + step * x
      })
    const equal = new Array<number>(samples).fill(sign / samples)
    return [{ tangents: [new Tensor(data, [samples, size]), []], weights: vector(equal, dtype) }]
  })
}

type SparseRow = [index: number, value: number][]

/** The operator sum_ij C_ij d_ij as sum_r w_r (row_r . grad)^2; a diagonal one needs no matrix. */
function squares({ groups }: PlannedOperator, size: number): { rows: SparseRow[]; weights: number[] } {
  if (groups.every(({ pattern }) => pattern.length === 1))
    return {
      rows: groups.flatMap((group) => group.variables.map(([i]): SparseRow => [[i as number, 1]])),
      weights: groups.flatMap((group) => group.coefficients),
    }
  const c = new Float64Array(size * size)
  for (const { variables, coefficients } of groups)
    variables.forEach(([i, j], k) => {
      const each = (coefficients[k] as number) / (j === undefined ? 1 : 2)
      c[(i as number) * size + (j ?? (i as number))] = each
      c[(j ?? (i as number)) * size + (i as number)] = each
    })
  const { rows, weights } = sumOfSquares(c, size)
  return { rows: rows.map((row) => [...row.entries()].filter(([, x]) => x !== 0)), weights }
}

/** c if the operator is c times the biharmonic one, sum_ij d_iijj. */
function biharmonicScale(groups: readonly Group[], size: number): number | undefined {
  const pure = groups.find(({ pattern }) => pattern.join() === '4')
  const mixed = groups.find(({ pattern }) => pattern.join() === '2,2')
  const c = pure?.coefficients[0]
  if (!pure || c === undefined || groups.length !== (mixed ? 2 : 1)) return undefined
  const complete =
    pure.variables.length === size && (mixed?.variables.length ?? 0) === (size * (size - 1)) / 2
  const even =
    pure.coefficients.every((x) => x === c) && (mixed?.coefficients ?? []).every((x) => x === 2 * c)
  return complete && even ? c : undefined
}
