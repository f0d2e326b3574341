import { Random } from '../linalg/random.js'
import * as np from '../numpy/index.js'
import { traceFlat } from '../program/builder.js'
import { eliminateDeadCode } from '../program/passes/deadCode.js'
import { evaluate } from '../program/program.js'
import { showType, Var } from '../program/value.js'
import { isFloat } from '../tensor/dtype.js'
import { Tensor } from '../tensor/tensor.js'
import { leafNames } from '../tensor/tree.js'
import { rebuild } from './call.js'
import { jvp, vjp } from './derivatives.js'
import { finiteGradient } from './estimators/finiteDifference.js'
import { flattenValues, type Like, type TensorFunction } from './stage.js'

export interface CheckOptions {
  /** The highest order that is checked. Default 2. */
  readonly order?: number
  /** The largest difference allowed, relative to the derivative where that is larger than 1. Default 1e-6. */
  readonly tolerance?: number
  /** Of the random weights that results and directions are combined with. */
  readonly seed?: number
}

/** One derivative that differs. */
export interface GradientMismatch {
  readonly order: number
  /** `jvp`: forward mode; `vjp`: reverse mode; of the last differentiation, the ones before it being reverse. */
  readonly mode: 'jvp' | 'vjp'
  /** The leaf of x, such as `layers[0].weight`; empty when x is one tensor. */
  readonly leaf: string
  readonly index: readonly number[]
  readonly got: number
  readonly expected: number
  /** How far the finite difference itself may be off. */
  readonly uncertainty: number
}

export interface GradientCheck {
  readonly passed: boolean
  /** How many derivatives were compared. */
  readonly compared: number
  /** The largest difference, relative where the derivative is larger than 1. */
  readonly worst: number
  /** Worst first. */
  readonly mismatches: readonly GradientMismatch[]
  toString(): string
}

/**
 * Compares derivatives of `f` at x, by every element of x, with finite differences: with random weights u and
 * directions v, s_1(x) = u . f(x) and s_{k+1}(x) = v . grad s_k(x), the derivatives of s_1, ..., s_order are
 * taken in forward and in reverse mode, and s_k itself is differenced (Ridders). Every element of f's result
 * takes part. Costs some 72 evaluations for each element and order: meant for small x.
 * A wrong derivative is reported with its leaf and index; once an order fails, higher ones are not tried.
 * @throws when a float leaf of x is not float64, or nothing is, or the order is not a positive integer.
 */
export function checkGradients<X>(
  f: (x: X) => unknown,
  x: Like<X>,
  { order = 2, tolerance = 1e-6, seed = 0 }: CheckOptions = {},
): GradientCheck {
  if (!Number.isInteger(order) || order < 1)
    throw new Error(`checkGradients: order is ${order}, expected an integer of at least 1`)
  const { values, structure } = flattenValues(x)
  const active = values.flatMap(({ dtype }, i) => (isFloat(dtype) ? [i] : []))
  const at = active.map((i) => values[i] as Tensor)
  for (const leaf of at)
    if ((leaf as unknown) instanceof Var || leaf.dtype !== 'float64')
      throw new Error(
        `checkGradients: got ${showType(leaf)}, expected numbers in float64; differences have no digits to spare`,
      )
  if (active.length === 0) throw new Error('checkGradients: x has no float leaf to differentiate')
  const names = active.map((i) => leafNames(structure)[i] as string)
  const random = new Random(seed)
  const weights = (like: readonly Tensor[], key: string) =>
    like.map((leaf, i) => new Tensor(random.split(`${key} ${i}`).normals(leaf.size), leaf.shape))
  const inner = (a: readonly Tensor[], b: readonly Tensor[]) =>
    a
      .map((leaf, i) => np.sum(np.multiply(leaf, b[i]!)))
      .reduce((sum, term) => np.add(sum, term), np.asarray(0))
  const flat = (leaves: readonly Tensor[]): Tensor[] => {
    const all = values.map((value, i) => (active.includes(i) ? leaves[active.indexOf(i)]! : value))
    const results = flattenValues((f as TensorFunction)(rebuild(structure, all))).values as Tensor[]
    return results.filter(({ dtype }) => isFloat(dtype)).map((y) => np.astype(y, 'float64'))
  }
  const results = flat(at)
  const u = weights(results, 'weights')
  let scalar = (...leaves: Tensor[]): Tensor => inner(flat(leaves), u)
  const found: { mismatch: GradientMismatch; size: number }[] = []
  let compared = 0
  let worst = 0
  for (let k = 1; k <= order && found.length === 0; k++) {
    const current = scalar
    const expected = finiteGradient(current, at)
    const back = vjp(current, ...at)[1](1) as Tensor[]
    const forward = at.map((leaf, i) =>
      Float64Array.from({ length: leaf.size }, (_, j) =>
        jvp(
          current,
          at,
          at.map((other, o) => unit(other, o === i ? j : -1)),
        )[1].item(),
      ),
    )
    at.forEach((leaf, i) => {
      for (const [mode, got] of [
        ['jvp', forward[i]!],
        ['vjp', back[i]!.data],
      ] as const)
        for (let j = 0; j < leaf.size; j++) {
          const [truth, uncertainty] = [expected[i]!.value[j]!, expected[i]!.error[j]!]
          const difference = Math.abs(got[j]! - truth)
          const size = Number.isNaN(difference)
            ? Number.POSITIVE_INFINITY
            : difference / Math.max(1, Math.abs(truth))
          compared++
          worst = Math.max(worst, size)
          if (size <= tolerance || difference <= 4 * uncertainty) continue
          const index = indexOf(j, leaf.shape)
          found.push({
            size,
            mismatch: { order: k, mode, leaf: names[i]!, index, got: got[j]!, expected: truth, uncertainty },
          })
        }
    })
    const v = weights(at, `direction ${k}`)
    const next = traceFlat((leaves) => [inner(vjp(current, ...leaves)[1](1) as Tensor[], v)], at).program
    const program = eliminateDeadCode(next)
    scalar = (...leaves) => evaluate(program, leaves)[0] as Tensor
  }
  const mismatches = found.sort((a, b) => b.size - a.size).map(({ mismatch }) => mismatch)
  const passed = mismatches.length === 0
  return { passed, compared, worst, mismatches, toString: () => describe(mismatches, compared, worst) }
}

function unit({ shape, size }: Tensor, place: number): Tensor {
  const data = new Float64Array(size)
  if (place >= 0) data[place] = 1
  return new Tensor(data, shape)
}

function indexOf(place: number, shape: readonly number[]): number[] {
  let rest = place
  return [...shape]
    .reverse()
    .map((n) => {
      const along = rest % n
      rest = Math.floor(rest / n)
      return along
    })
    .reverse()
}

const most = 10

function describe(mismatches: readonly GradientMismatch[], compared: number, worst: number): string {
  if (mismatches.length === 0)
    return `${compared} derivatives agree with finite differences, the worst to ${worst.toExponential(1)}`
  const lines = mismatches.slice(0, most).map(({ order, mode, leaf, index, got, expected, uncertainty }) => {
    const place = `${leaf || 'x'}[${index}]`
    return `  order ${order}, ${mode}, at ${place}: got ${got}, expected ${expected} ± ${uncertainty.toExponential(1)}, off by ${Math.abs(got - expected).toExponential(1)}`
  })
  const rest = mismatches.length - lines.length
  return [
    `${mismatches.length} of ${compared} derivatives differ from finite differences:`,
    ...lines,
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ].join('\n')
}
