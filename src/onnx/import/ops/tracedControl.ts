import { add } from '../../../ops/arithmetic.js'
import { reshape } from '../../../ops/broadcast.js'
import { and, less } from '../../../ops/compare.js'
import { moveAxis } from '../../../ops/gather.js'
import { reverse } from '../../../ops/slice.js'
import type { Value } from '../../../program/value.js'
import { normalizeAxis } from '../../../tensor/shape.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { tensor } from '../../../tensor/tensor.js'
import { cond, scan, whileLoop } from '../../../transforms/control/index.js'
import type { Context } from '../operation.js'
import type { ScanPlan } from './control.js'

// Control flow that depends on traced values: evolute's primitives, whose bodies are recorded once.

/** A condition as one value: ONNX allows the shape [1]. */
const single = (condition: Value) => reshape(condition, []) as Tensor

/** The results of the branch that a traced condition chooses; both must have them of the same shapes. */
export function tracedIf(condition: Value, whenTrue: () => Value[], whenFalse: () => Value[]): Value[] {
  return cond(single(condition), whenTrue as () => Tensor[], whenFalse as () => Tensor[])
}

/** The rest of a Loop from a step on: its state after the condition fails or `most` steps are made. */
export function tracedLoop(
  from: number,
  most: Value | undefined,
  goes: Value,
  state: readonly Value[],
  step: (at: Value, goes: Value, state: readonly Value[]) => { goes: Value; state: readonly Value[] },
): readonly Value[] {
  const start = { at: tensor(from, { dtype: 'int32' }), goes: single(goes), state: state as Tensor[] }
  const end = whileLoop(
    ({ at, goes }) => (most ? (and(goes, less(at, single(most))) as Tensor) : goes),
    ({ at, goes, state }) => {
      const next = step(at, goes, state)
      return { at: add(at, 1), goes: single(next.goes), state: next.state }
    },
    start,
  )
  return end.state
}

/** A Scan whose steps all do the same, whatever the numbers are. */
export function tracedScan(
  initial: readonly Value[],
  sequences: readonly Value[],
  axes: readonly number[],
  { body, backwards, outputAxes, outputBackwards }: ScanPlan,
  context: Context,
): Value[] {
  const taken = sequences.map((x, i) => {
    const first = moveAxis(x, axes[i] as number, 0)
    return (backwards[i] ? reverse(first, [0]) : first) as Tensor
  })
  const steps = taken[0]?.shape[0] ?? 0
  const [state, collected] = scan(
    (state: Tensor[], elements: Tensor[]) => {
      const results = context.run(body, [...state, ...elements])
      const made = results.slice(initial.length) as Tensor[]
      for (const { shape } of made) context.reserve([steps, ...shape])
      return [results.slice(0, initial.length), made]
    },
    [...initial] as Tensor[],
    taken,
  )
  const stacks = collected.map((y, i) => {
    const inOrder = outputBackwards[i] ? reverse(y, [0]) : y
    return moveAxis(inOrder, 0, normalizeAxis(outputAxes[i] ?? 0, y.shape.length, 'scan_output_axes'))
  })
  return [...state, ...stacks]
}
