import type { Lowering } from '../program/lowering.js'
import type { Call } from '../program/primitive.js'
import type { Type } from '../program/value.js'
import { range, type Shape, sameShape, sizeOf } from '../tensor/shape.js'

type Axes = readonly number[]
type Labels = readonly string[]

export interface DotParams extends Record<string, unknown> {
  /** Axes of the left and of the right that are summed over in pairs. */
  contract: readonly [Axes, Axes]
  /** Axes that run together and lead the result. */
  batch: readonly [Axes, Axes]
}

/** An operand of a dot: its name, and a label for each axis, shared by the axes of the other that it meets. */
interface Operand {
  readonly name: string
  readonly type: Type
  readonly labels: Labels
}

/** A MatMul [...lead, m, k] by [...lead, k, n]: the labels of each. An operand without a label of `lead` is repeated. */
interface Plan {
  readonly lead: Labels
  readonly m: Labels
  readonly k: Labels
  readonly n: Labels
}

/** Smaller results than this are computed together rather than one by one, and then moved. */
const smallMatrix = 256

/**
 * A dot as one MatMul, with the axes of its result in the given order. Operands are read where they lie, if at all
 * possible: axes may lead as a batch, be repeated, and the last two be swapped, which ONNX Runtime fuses with MatMul.
 */
export function lowerDot(
  onnx: Lowering,
  names: readonly string[],
  { inputs, params: { contract, batch } }: Call<DotParams>,
  order?: Axes,
): string {
  const operand = (side: 0 | 1): Operand => {
    const type = inputs[side] as Type
    const labels = type.shape.map((_, axis) => `${'lr'[side]}${axis}`)
    contract[side].forEach((axis, i) => {
      labels[axis] = `k${i}`
    })
    batch[side].forEach((axis, i) => {
      labels[axis] = `b${i}`
    })
    return { name: names[side] as string, type, labels }
  }
  const [left, right] = [operand(0), operand(1)]
  const sizes = new Map<string, number>()
  for (const { type, labels } of [left, right])
    labels.forEach((label, axis) => {
      sizes.set(label, type.shape[axis] as number)
    })
  const sizesOf = (labels: Labels) => labels.map((label) => sizes.get(label) as number)
  const bound = contract[0].map((_, i) => `k${i}`)
  const free = (x: Operand) => x.labels.filter((label) => !/^[bk]/.test(label))
  const natural = [...batch[0].map((_, i) => `b${i}`), ...free(left), ...free(right)]
  const result = order ? order.map((axis) => natural[axis] as string) : natural

  const swapped = result.at(-1)?.startsWith('l') ?? false
  const [first, second] = swapped ? [right, left] : [left, right]
  const plans = plansOf(result, new Set(free(first)), new Set(free(second)), bound)
  const cost = (plan: Plan) =>
    moved(first, plan.lead, plan.m, plan.k) + moved(second, plan.lead, plan.k, plan.n) + reshapes(plan) / 4
  const best = plans.reduce((a, b) => (cost(b) < cost(a) ? b : a))
  const isRepeated = best.lead.some((label) => !label.startsWith('b'))
  if (order && isRepeated && sizeOf(sizesOf([...best.m, ...best.n])) < smallMatrix) {
    const whole = lowerDot(onnx, names, { inputs, outputs: [], params: { contract, batch } })
    return onnx.node('Transpose', [whole], { perm: order })
  }
  const rows = matrices(onnx, first, best.lead, best.m, best.k)
  const columns = matrices(onnx, second, best.lead, best.k, best.n)
  const shape = [...sizesOf(best.lead), sizeOf(sizesOf(best.m)), sizeOf(sizesOf(best.n))]
  return reshapeNode(onnx, onnx.node('MatMul', [rows, columns]), shape, sizesOf(result))
}

/** The ways to cut the labels of a result into lead, m and n: n as long as can be, m of every length. */
function plansOf(result: Labels, first: ReadonlySet<string>, second: ReadonlySet<string>, k: Labels): Plan[] {
  const runBefore = (end: number, side: ReadonlySet<string>) => {
    let start = end
    while (start > 0 && side.has(result[start - 1] as string)) start--
    return start
  }
  const startN = runBefore(result.length, second)
  const startM = runBefore(startN, first)
  return range(Math.max(1, startN - startM)).map((skipped) => ({
    lead: result.slice(0, startM + skipped),
    m: result.slice(startM + skipped, startN),
    k,
    n: result.slice(startN),
  }))
}

/** How many of the three matrices have axes that are several axes taken together. */
function reshapes({ m, k, n }: Plan): number {
  return [
    [m, k],
    [k, n],
    [m, n],
  ].filter((axes) => axes.some((labels) => labels.length !== 1)).length
}

/** The axes of an operand in the order of the labels; those of `lead` that it lacks are left out. */
function arrangement({ labels }: Operand, ...groups: readonly Labels[]): number[] {
  return groups.flat().flatMap((label) => (labels.includes(label) ? [labels.indexOf(label)] : []))
}

const isIdentity = (order: Axes) => order.every((axis, i) => axis === i)

/** Elements that change their place, other than by swapping the rows and columns of matrices. */
function moved(x: Operand, lead: Labels, rows: Labels, columns: Labels): number {
  const inPlace =
    isIdentity(arrangement(x, lead, rows, columns)) || isIdentity(arrangement(x, lead, columns, rows))
  return inPlace ? 0 : sizeOf(x.type.shape)
}

function matrices(onnx: Lowering, x: Operand, lead: Labels, rows: Labels, columns: Labels): string {
  const { shape } = x.type
  const sizesAt = (axes: Axes) => axes.map((axis) => shape[axis] as number)
  const has = lead.some((label) => x.labels.includes(label))
  const outer = has ? lead.map((label) => shape[x.labels.indexOf(label)] ?? 1) : []
  const [m, n] = [rows, columns].map((labels) => sizeOf(sizesAt(arrangement(x, labels)))) as [number, number]
  const order = arrangement(x, lead, rows, columns)
  if (!isIdentity(order) && isIdentity(arrangement(x, lead, columns, rows))) {
    const last = outer.length
    const swapped = reshapeNode(onnx, x.name, shape, [...outer, n, m])
    return onnx.node('Transpose', [swapped], { perm: [...range(last), last + 1, last] })
  }
  const ordered = isIdentity(order) ? x.name : onnx.node('Transpose', [x.name], { perm: order })
  return reshapeNode(onnx, ordered, sizesAt(order), [...outer, m, n])
}

function reshapeNode(onnx: Lowering, x: string, from: Shape, to: Shape): string {
  return sameShape(from, to) ? x : onnx.node('Reshape', [x, onnx.int64(to)], { allowzero: 1 })
}
