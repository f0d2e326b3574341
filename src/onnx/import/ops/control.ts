import { reshape } from '../../../ops/broadcast.js'
import { concatenate, sliceAxis } from '../../../ops/slice.js'
import { showType, type Value, Var } from '../../../program/value.js'
import { normalizeAxis, range } from '../../../tensor/shape.js'
import { tensor } from '../../../tensor/tensor.js'
import type { GraphProto } from '../../schema/onnx_pb.js'
import { type Context, knownNumber, type Operations, operation } from '../operation.js'
import { tracedIf, tracedLoop, tracedScan } from './tracedControl.js'

/** Values stacked along a new axis. */
function stack(values: readonly Value[], axis: number): Value {
  const [first] = values
  if (!first) throw new Error('the loop makes no step, so the shape of what it collects is not known')
  const at = normalizeAxis(axis, first.shape.length + 1, 'scan_output_axes')
  const unit = (x: Value) => reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)])
  return concatenate(values.map(unit), at)
}

/** The element at an index along an axis, which goes. */
function element(x: Value, axis: number, index: number): Value {
  return reshape(
    sliceAxis(x, axis, index, index + 1),
    x.shape.filter((_, i) => i !== axis),
  )
}

/** Unrolled for as long as it is known whether it goes on; a loop that collects nothing may go on unknown. The body maps (step, condition, state...) to (condition, state..., collected...). */
const loop = operation<[Value?, Value?, ...Value[]]>(
  0,
  Number.POSITIVE_INFINITY,
  ([trips, condition, ...initial], attributes, context) => {
    const body = attributes.graph('body')
    const collected: Value[][] = range(Math.max(0, body.output.length - 1 - initial.length)).map(() => [])
    const mayTrace = collected.length === 0
    const isTraced = (x: Value | undefined) => mayTrace && x instanceof Var
    const most =
      !trips || isTraced(trips) ? Number.POSITIVE_INFINITY : knownNumber(trips, 'the trip count of Loop')
    const run = (at: Value, goes: Value, state: readonly Value[]) => {
      const results = context.run(body, [at, goes, ...state])
      // Without a condition from outside, the one inside is not looked at.
      const next = condition ? (results[0] as Value) : goes
      return {
        goes: next,
        state: results.slice(1, 1 + initial.length),
        made: results.slice(1 + initial.length),
      }
    }
    let state: readonly Value[] = initial
    let goes: Value = condition ?? tensor(true)
    let step = 0
    for (; step < most; step++) {
      if (isTraced(trips) || isTraced(goes)) return tracedLoop(step, trips, goes, state, run)
      if (!knownNumber(goes, 'the condition of Loop')) break
      const next = run(tensor(step, { dtype: 'int32' }), goes, state)
      goes = next.goes
      state = next.state
      collect(next.made, collected, context)
    }
    return [...state, ...collected.map((values) => stack(values, 0))]
  },
)

/** How the steps of a scan take their elements and put their results together. */
export interface ScanPlan {
  readonly body: GraphProto
  /** For each scanned input: the axis, and whether it is run through backwards. */
  readonly axes: readonly number[]
  readonly backwards: readonly number[]
  /** For each collected output: the axis of the steps, and whether they are put in backwards. */
  readonly outputAxes: readonly number[]
  readonly outputBackwards: readonly number[]
}

/** The body maps (state..., element...) to (state..., collected...). */
function scanOver(
  initial: readonly Value[],
  sequences: readonly Value[],
  plan: ScanPlan,
  context: Context,
): Value[] {
  const axes = sequences.map((x, i) => normalizeAxis(plan.axes[i] ?? 0, x.shape.length, 'scan_input_axes'))
  const steps = sequences[0]?.shape[axes[0] as number] ?? 0
  for (const [i, x] of sequences.entries())
    if (x.shape[axes[i] as number] !== steps)
      throw new Error(
        `${showType(x)} has not the ${steps} elements along its axis ${axes[i]} that the first one has`,
      )
  try {
    return tracedScan(initial, sequences, axes, plan, context)
  } catch {
    // A step that needs to know numbers, such as shapes computed from the state, is run on its own.
    return unrolledScan(initial, sequences, axes, steps, plan, context)
  }
}

function unrolledScan(
  initial: readonly Value[],
  sequences: readonly Value[],
  axes: readonly number[],
  steps: number,
  plan: ScanPlan,
  context: Context,
): Value[] {
  const collected: Value[][] = plan.body.output.slice(initial.length).map(() => [])
  let state: readonly Value[] = initial
  for (let step = 0; step < steps; step++) {
    const at = (i: number) => (plan.backwards[i] ? steps - 1 - step : step)
    const elements = sequences.map((x, i) => element(x, axes[i] as number, at(i)))
    const results = context.run(plan.body, [...state, ...elements])
    state = results.slice(0, initial.length)
    collect(results.slice(initial.length), collected, context)
  }
  const inOrder = (values: readonly Value[], i: number) =>
    plan.outputBackwards[i] ? [...values].reverse() : values
  return [...state, ...collected.map((values, i) => stack(inOrder(values, i), plan.outputAxes[i] ?? 0))]
}

/** Over the elements of the scanned inputs. In operator set 8 all inputs have a batch axis first, and each sample is scanned. */
const scan = operation<[Value?, ...Value[]]>(0, Number.POSITIVE_INFINITY, (given, attributes, context) => {
  const isBatched = context.opset < 9
  if (isBatched && given[0]) throw new Error('sequence_lens of operator set 8 is not supported')
  const inputs = given.slice(isBatched ? 1 : 0) as Value[]
  const states = inputs.length - attributes.int('num_scan_inputs')
  const plan: ScanPlan = {
    body: attributes.graph('body'),
    axes: attributes.ints('scan_input_axes', []),
    backwards: attributes.ints(isBatched ? 'directions' : 'scan_input_directions', []),
    outputAxes: attributes.ints('scan_output_axes', []),
    outputBackwards: attributes.ints('scan_output_directions', []),
  }
  if (!isBatched) return scanOver(inputs.slice(0, states), inputs.slice(states), plan, context)
  const samples = range(inputs[0]?.shape[0] ?? 0).map((b) => {
    const own = inputs.map((x) => element(x, 0, b))
    return scanOver(own.slice(0, states), own.slice(states), plan, context)
  })
  return (samples[0] ?? []).map((_, i) =>
    stack(
      samples.map((sample) => sample[i] as Value),
      0,
    ),
  )
})

/** Adds the results of one step to those before, within the budget for one tensor. */
function collect(results: readonly Value[], collected: readonly Value[][], context: Context): void {
  results.forEach((value, i) => {
    const list = collected[i] as Value[]
    list.push(value)
    context.reserve([list.length, ...value.shape])
  })
}

/** Control flow: decided when the model is traced where that is possible, else recorded. */
export const controlOperations: Operations = {
  If: operation<[Value]>(1, 1, ([condition], attributes, context) => {
    const branch = (name: string) => context.run(attributes.graph(name))
    if (condition instanceof Var)
      return tracedIf(
        condition,
        () => branch('then_branch'),
        () => branch('else_branch'),
      )
    return branch(knownNumber(condition, 'the condition of If') ? 'then_branch' : 'else_branch')
  }),
  Loop: loop,
  Scan: scan,
}
