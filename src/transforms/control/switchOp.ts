import { select } from '../../ops/arithmetic.js'
import { broadcastTo, padRank } from '../../ops/broadcast.js'
import { lessEqual } from '../../ops/compare.js'
import { bind } from '../../program/builder.js'
import { forecast, totalBytes } from '../../program/forecast.js'
import type { Lowering } from '../../program/lowering.js'
import { eliminateDeadCode } from '../../program/passes/deadCode.js'
import { type Cut, type Primitive, Unknown } from '../../program/primitive.js'
import type { Equation, Program } from '../../program/program.js'
import { prepareProgram } from '../../program/run.js'
import { sameType, showType, type Type, type Value, type Var } from '../../program/value.js'
import type { Tensor } from '../../tensor/tensor.js'
import { batchProgram } from '../batch.js'
import { instantiate } from '../jvp.js'
import { splitProgram } from '../partial.js'
import { transposeProgram } from '../transpose.js'
import { chosen, readsOf, spread, traceGroups } from './groups.js'
import { type Along, forwardRules, type Push, repeated, rows } from './push.js'

interface SwitchParams extends Record<string, unknown> {
  /** Programs of the same operands with results of the same types. */
  readonly branches: readonly Program[]
}

/** The results of the branch that `index` (int32, brought within their number) says. */
export function bindSwitch(branches: readonly Program[], index: Value, operands: readonly Value[]): Value[] {
  return bind(switchOp, [index, ...operands], { branches })
}

const clamp = (index: number, branches: readonly Program[]) =>
  Math.max(0, Math.min(branches.length - 1, index))

const switchOp: Primitive<SwitchParams> = {
  name: 'switch',

  infer([index, ...operands], { branches }) {
    const [first] = branches as [Program]
    if (index?.dtype !== 'int32' || index.shape.length > 0)
      throw new Error(`switch: the index is ${index && showType(index)}, expected int32[]`)
    branches.forEach(({ inputs, outputs }, k) => {
      const list = (types: readonly Type[]) => types.map(showType).join(', ')
      const same = (a: readonly Type[], b: readonly Type[]) =>
        a.length === b.length && a.every((type, i) => sameType(type, b[i] as Type))
      if (!same(inputs, operands))
        throw new Error(`switch: branch ${k} takes ${list(inputs)}, the operands are ${list(operands)}`)
      if (!same(outputs, first.outputs))
        throw new Error(`switch: branch ${k} returns ${list(outputs)}, branch 0 ${list(first.outputs)}`)
    })
    return first.outputs.map(({ dtype, shape }) => ({ dtype, shape }))
  },

  evaluate: ([index, ...operands], { branches }, _, prepare = prepareProgram) =>
    prepare(branches[clamp((index as Tensor).item(), branches)] as Program)(operands),

  ...forwardRules(pushSwitch),
  split,

  prune(equation, used, { branches }) {
    const smaller = branches.map((branch) =>
      eliminateDeadCode({ ...branch, outputs: chosen(branch.outputs, used) }),
    )
    const reads = smaller.map(readsOf)
    const kept = equation.inputs
      .slice(1)
      .map((_, i) => branches.some((b, k) => reads[k]?.has(b.inputs[i] as Var)))
    const unchanged = !used.includes(false) && !kept.includes(false)
    if (unchanged && smaller.every(({ equations }, k) => equations === branches[k]?.equations))
      return equation
    return {
      ...equation,
      inputs: chosen(equation.inputs, [true, ...kept]),
      outputs: chosen(equation.outputs, used),
      params: { branches: smaller.map((branch) => ({ ...branch, inputs: chosen(branch.inputs, kept) })) },
    }
  },

  transpose({ cotangents, inputs: [index, ...operands], params: { branches } }) {
    const linear = operands.map((x) => x instanceof Unknown)
    const arrives = cotangents.map((ct) => ct !== null)
    const arriving = cotangents.filter((ct) => ct !== null)
    const types = chosen(operands, linear)
    const back = branches.map((branch) => {
      const returns: boolean[] = []
      const make = (all: readonly boolean[]) =>
        traceGroups([chosen(operands, linear, false), arriving], (known, cts) => {
          const given = spread(
            linear.map((is) => !is),
            known as Value[],
          )
          const result = transposeProgram(branch, given, spread(arrives, cts as Value[]))
          result.forEach((ct, i) => {
            returns[i] = ct !== null
          })
          return chosen(
            result.map((ct, i) => instantiate(ct, types[i] as Type)),
            all,
          )
        })
      make([])
      return { returns, make }
    })
    const all = types.map((_, i) => back.some(({ returns }) => returns[i]))
    const known = operands.filter((x): x is Value => !(x instanceof Unknown))
    const results = bindSwitch(
      back.map(({ make }) => make(all)),
      index as Value,
      [...known, ...arriving],
    )
    return [null, ...spread(linear, spread(all, results))]
  },

  /** One index for all runs one branch over the batch; an index for each runs all branches and selects. */
  batch({ inputs: [index, ...operands], batched: [each, ...marks], size, params: { branches } }) {
    const wide = (branch: Program, given: readonly Value[]) => {
      const at = batchProgram(branch, given, marks, size)
      return at.outputs.map((y, i) => (at.batched[i] ? y : broadcastTo(y, [size, ...y.shape])))
    }
    if (!each)
      return bindSwitch(
        branches.map((branch) => traceGroups([operands], (given) => wide(branch, given as Value[]))),
        index as Value,
        operands,
      )
    const results = branches.map((branch) => wide(branch, operands))
    return (results[0] as Value[]).map((_, i) =>
      results.slice(1).reduce((chosen, list, k) => {
        const y = list[i] as Value
        const isLater = lessEqual(k + 1, index as Value)
        return select(padRank(isLater, y.shape.length - 1), y, chosen)
      }, results[0]?.[i] as Value),
    )
  },

  /** A chain of ONNX's If: `else` is the first branch, or the choice among those before. */
  lower(onnx, [index, ...operands], { outputs, params: { branches } }) {
    return lowerChain(onnx, index as string, operands, branches, outputs)
  },

  forecast({ params: { branches } }) {
    const costs = branches.map(forecast)
    const most = (key: 'flops' | 'bytes' | 'peakBytes') => Math.max(...costs.map((cost) => cost[key]))
    const outside = totalBytes((branches[0] as Program).inputs)
    return { flops: most('flops'), bytes: most('bytes'), peakBytes: most('peakBytes') - outside }
  },
}

function lowerChain(
  onnx: Lowering,
  index: string,
  operands: readonly string[],
  branches: readonly Program[],
  outputs: readonly Type[],
): string[] {
  const last = branches.length - 1
  const condition =
    branches.length === 2
      ? onnx.node('Greater', [index, onnx.constant(0, 'int32')])
      : onnx.node('GreaterOrEqual', [index, onnx.constant(last, 'int32')])
  if (branches.length <= 2)
    return onnx.nodes('If', [condition], outputs.length, {
      then_branch: onnx.subgraph(branches[last] as Program, operands),
      else_branch: onnx.subgraph(branches[0] as Program, operands),
    })
  const types = (branches[0] as Program).inputs
  const before = traceGroups([[{ dtype: 'int32', shape: [] }], types], ([k], given) =>
    bindSwitch(branches.slice(0, last), k as Value, given as Value[]),
  )
  return onnx.nodes('If', [condition], outputs.length, {
    then_branch: onnx.subgraph(branches[last] as Program, operands),
    else_branch: onnx.subgraph(before, [index, ...operands]),
  })
}

/** Each branch with what goes along; a result moves if it does in any branch. */
function pushSwitch(push: Push, inputs: readonly Value[], along: Along, { branches }: SwitchParams) {
  const [index, ...operands] = inputs as [Value, ...Value[]]
  const directions = along.slice(1).flat()
  const moves = directions.map((t) => t !== null)
  const moving = directions.filter((t) => t !== null)
  const { outputs } = branches[0] as Program
  const types = repeated<Type>(outputs, push)
  const joined = (branch: Program, wanted: (moved: boolean[]) => readonly boolean[]) =>
    traceGroups([operands, moving], (given, ts) => {
      const at = push.run(branch, given as Value[], rows(spread(moves, ts as Value[]), push.order))
      const moved = at.along.flat()
      const flags = wanted(moved.map((t) => t !== null))
      const whole = types.map((type, i) => instantiate(moved[i], type))
      return [...at.outputs, ...chosen(whole, flags)]
    })
  let all = types.map(() => false)
  for (const branch of branches)
    joined(branch, (moved) => {
      all = all.map((set, i) => set || Boolean(moved[i]))
      return []
    })
  const joint = branches.map((branch) => joined(branch, () => all))
  const results = bindSwitch(joint, index, [...operands, ...moving])
  const moved = spread(all, results.slice(outputs.length))
  return { outputs: results.slice(0, outputs.length), along: rows(moved, push.order) }
}

/** Both halves branch on the same index; the first returns the residuals of whichever branch it takes. */
function split(equation: Equation, unknown: readonly boolean[], { branches }: SwitchParams): Cut {
  const [ofIndex, ...marks] = unknown
  if (ofIndex) return { known: [], unknown: [equation] }
  const [index, ...operands] = equation.inputs as [Value, ...Value[]]
  const first = branches.map((branch) => splitProgram(branch, marks).knownOutputs)
  const later = equation.outputs.map((_, i) => first.some((known) => !known[i]))
  const parts = branches.map((branch) => splitProgram(branch, marks, { later }))
  const count = later.filter((is) => !is).length

  // Residuals of the same type in different branches share a place.
  const slots: Type[] = []
  const placed = parts.map(({ known }, k) => {
    const taken = new Set<number>()
    const places = new Map<number, Var>()
    for (const residual of known.outputs.slice(count) as Var[]) {
      if (branches[k]?.inputs.includes(residual)) continue
      const free = slots.findIndex((type, i) => !taken.has(i) && sameType(type, residual))
      const place = free >= 0 ? free : slots.push(residual) - 1
      taken.add(place)
      places.set(place, residual)
    }
    return places
  })
  const { builder } = equation.outputs[0] as Var
  const residuals = slots.map((type) => builder.variable(type))
  const known: Equation = {
    ...equation,
    inputs: [index, ...chosen(operands, marks, false)],
    outputs: [...chosen(equation.outputs, later, false), ...residuals],
    params: {
      branches: parts.map(({ known }, k) => ({
        ...known,
        outputs: [
          ...known.outputs.slice(0, count),
          ...slots.map((type, i) => placed[k]?.get(i) ?? instantiate(null, type)),
        ],
      })),
    },
  }
  const rest: Equation = {
    ...equation,
    inputs: [index, ...operands, ...residuals],
    outputs: chosen(equation.outputs, later),
    params: {
      branches: parts.map(({ unknown: rest }, k) => ({
        ...rest,
        inputs: [
          ...(branches[k] as Program).inputs,
          ...slots.map((type, i) => placed[k]?.get(i) ?? builder.variable(type)),
        ],
      })),
    },
  }
  const needed = switchOp.prune?.(rest, later.filter(Boolean), rest.params as SwitchParams) ?? rest
  return { known: known.outputs.length > 0 ? [known] : [], unknown: [needed] }
}
