import { toValue } from '../../numpy/convert.js'
import { add } from '../../ops/arithmetic.js'
import { reshape } from '../../ops/broadcast.js'
import { less } from '../../ops/compare.js'
import { concatenate, sliceAxis } from '../../ops/slice.js'
import type { Program } from '../../program/program.js'
import { showType, type Type, type Value } from '../../program/value.js'
import { Tensor } from '../../tensor/tensor.js'
import type { Structure } from '../../tensor/tree.js'
import { rebuild } from '../call.js'
import { type ArrayLike, flattenLike, stage, type Tensored, type TensorFunction } from '../stage.js'
import { traceGroups } from './groups.js'
import { closeTogether, expectScalar, flattenTree, stageLike } from './record.js'
import { bindScan, elementOf } from './scanOp.js'
import { bindWhile } from './whileOp.js'

/**
 * The carry after `body` was applied to it for as long as `condition` holds. The carry is a tree whose
 * leaves keep their shapes and dtypes. Forward mode goes through it; reverse mode throws.
 */
export function whileLoop<C>(
  condition: (carry: Tensored<C>) => ArrayLike,
  body: (carry: Tensored<C>) => unknown,
  carry: C,
): Tensored<C> {
  const start = flattenTree(carry)
  const test = stage(
    condition as TensorFunction,
    { kind: 'array', children: [start.structure] },
    start.values,
  )
  const [goesOn] = test.program.outputs
  if (test.program.outputs.length !== 1 || goesOn?.dtype !== 'bool' || goesOn.shape.length > 0)
    throw new Error(
      `whileLoop: the condition returned ${test.program.outputs.map(showType).join(', ') || 'nothing'}, ` +
        'expected one bool of shape []; make one by a comparison',
    )
  const step = stageLike(body as TensorFunction, start, 'whileLoop: the carry after one step', start)
  const { programs, captured } = closeTogether([test, step], start.values)
  const [first, second] = programs as [Program, Program]
  return rebuild(start.structure, bindWhile(first, second, captured, start.values))
}

export interface ScanSettings {
  /** How many steps; needed when there are no sequences. */
  readonly length?: number
  /** Whether elements are taken, and results put, from the last to the first. */
  readonly reverse?: boolean
  /**
   * Whether reverse mode keeps the carry of every so many steps (true: the square root of their number)
   * instead of all intermediate values, and computes those again, segment by segment.
   */
  readonly checkpoint?: boolean | number
}

/**
 * A loop over the elements of `xs` along axis 0: `body` maps the carry and an element to the next carry and a
 * result. Returns the last carry and the results, stacked. `xs` may be null; then `length` says how many
 * steps there are. Derivatives cost a few steps for each step; reverse mode keeps what a step's derivative
 * needs of every step, unless `checkpoint` is set.
 * @throws when a leaf of the carry changes its shape or dtype, or lengths differ.
 */
export function scan<C, X, Y>(
  body: (carry: Tensored<C>, x: Tensored<X>) => readonly [carry: unknown, y: Y],
  carry: C,
  xs: X,
  { length, reverse = false, checkpoint = false }: ScanSettings = {},
): [carry: Tensored<C>, ys: Tensored<Y>] {
  const start = flattenTree(carry)
  const sequences = flattenTree(xs)
  const steps = stepsOf(sequences.values, length)
  const structure: Structure = { kind: 'array', children: [start.structure, sequences.structure] }
  const step: TensorFunction = (c, x) => {
    const made = body(c, x)
    if (!Array.isArray(made) || made.length !== 2)
      throw new Error('scan: the body must return an array of two, the carry and a result (null for none)')
    const next = flattenLike('scan: the carry after one step', made[0], start.structure, start.values)
    return { next, results: made[1] ?? [] }
  }
  const types = [...start.values, ...sequences.values.map(elementOf)]
  const staged = stage(step, structure, types)
  const groups: Groups = [[...staged.captured], start.values, sequences.values]
  const options = { length: steps, reverse, checkpoint: false }
  const outputs = checkpoint
    ? inSegments(
        staged.program,
        groups,
        options,
        checkpoint === true ? Math.ceil(Math.sqrt(steps)) : checkpoint,
      )
    : bindScan(staged.program, groups, options)
  const count = start.values.length
  const { outputStructure } = staged as { outputStructure: Structure & { kind: 'object' } }
  return [
    rebuild(start.structure, outputs.slice(0, count)),
    rebuild(outputStructure.children[1] as Structure, outputs.slice(count)),
  ]
}

/**
 * The carry after `body(i, carry)` for i from `from` to `to` (exclusive). With bounds that are known it is a
 * {@link scan}; with traced ones a {@link whileLoop}, which has no reverse mode.
 */
export function foriLoop<C>(
  from: ArrayLike,
  to: ArrayLike,
  body: (i: Tensor, carry: Tensored<C>) => unknown,
  carry: C,
  options: Pick<ScanSettings, 'checkpoint'> = {},
): Tensored<C> {
  const [first, end] = [bound('from', from), bound('to', to)]
  if (first instanceof Tensor && end instanceof Tensor) {
    const length = Math.max(0, end.item() - first.item())
    const indices = new Tensor(Int32Array.from({ length }, (_, i) => first.item() + i))
    return scan(
      (c: Tensored<C>, i) => [body(i as Tensor, c), null],
      carry,
      indices,
      options,
    )[0] as Tensored<C>
  }
  const loop = whileLoop(
    ({ i }) => less(i as Value, end) as Tensor,
    ({ i, carry }) => ({ i: add(i as Value, 1), carry: body(i as Tensor, carry as Tensored<C>) }),
    { i: first as Tensor, carry },
  )
  return (loop as { carry: Tensored<C> }).carry
}

function bound(name: string, given: ArrayLike): Value {
  const value = toValue(given)
  expectScalar(`foriLoop: ${name}`, value)
  if (value.dtype === 'int32') return value
  if (value instanceof Tensor && Number.isInteger(value.item()))
    return new Tensor(Int32Array.of(value.item()), [])
  throw new Error(
    `foriLoop: ${name} is ${value instanceof Tensor ? value.item() : showType(value)}, expected an integer (int32)`,
  )
}

function stepsOf(sequences: readonly Type[], length: number | undefined): number {
  const steps = length ?? sequences[0]?.shape[0]
  if (steps === undefined)
    throw new Error('scan: xs has no axis to run along; give a sequence, or the number of steps as length')
  if (!Number.isInteger(steps) || steps < 0)
    throw new Error(`scan: length is ${steps}, expected an integer that is not negative`)
  sequences.forEach((x, i) => {
    if (x.shape[0] !== steps)
      throw new Error(`scan: leaf ${i} of xs is ${showType(x)}, expected ${steps} elements along axis 0`)
  })
  return steps
}

type Groups = [constants: Value[], carry: Value[], sequences: Value[]]

/** A checkpointed scan over whole segments, of each a scan; the steps left over are scanned after them. */
function inSegments(
  body: Program,
  [constants, carry, sequences]: Groups,
  options: { length: number; reverse: boolean; checkpoint: boolean },
  every: number,
): Value[] {
  const { length, reverse } = options
  if (!Number.isInteger(every) || every < (length > 0 ? 1 : 0))
    throw new Error(`scan: checkpoint is ${every}, expected true or a number of steps from 1`)
  const segments = every > 0 ? Math.floor(length / every) : 0
  const covered = segments * every
  const rest = length - covered
  if (segments <= 1) return bindScan(body, [constants, carry, sequences], options)
  const count = carry.length
  const folded = sequences.map((x) => {
    const main = reverse ? sliceAxis(x, 0, rest, length) : sliceAxis(x, 0, 0, covered)
    return reshape(main, [segments, every, ...x.shape.slice(1)])
  })
  const segment = traceGroups([constants, carry, folded.map(elementOf)], (c, h, x) =>
    bindScan(body, [c, h, x] as Groups, { ...options, length: every }),
  )
  const main = bindScan(segment, [constants, carry, folded], { length: segments, reverse, checkpoint: true })
  const flat = main.slice(count).map((y) => reshape(y, [covered, ...y.shape.slice(2)]))
  if (rest === 0) return [...main.slice(0, count), ...flat]
  const left = sequences.map((x) => (reverse ? sliceAxis(x, 0, 0, rest) : sliceAxis(x, 0, covered, length)))
  const last = bindScan(body, [constants, main.slice(0, count), left], { ...options, length: rest })
  const join = (y: Value, z: Value) => concatenate(reverse ? [z, y] : [y, z], 0)
  return [...last.slice(0, count), ...flat.map((y, i) => join(y, last[count + i] as Value))]
}
