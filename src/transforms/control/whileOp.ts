import { cast, select } from '../../ops/arithmetic.js'
import { broadcastTo, padRank, reduceSum } from '../../ops/broadcast.js'
import { and, less } from '../../ops/compare.js'
import { bind } from '../../program/builder.js'
import { forecast, totalBytes } from '../../program/forecast.js'
import { eliminateDeadCode } from '../../program/passes/deadCode.js'
import type { Cut, MaybeZero, Primitive } from '../../program/primitive.js'
import { type Equation, evaluate, type Program } from '../../program/program.js'
import { prepareProgram } from '../../program/run.js'
import { sameType, showType, type Type, type Value, type Var } from '../../program/value.js'
import type { Tensor } from '../../tensor/tensor.js'
import { batchProgram } from '../batch.js'
import { instantiate } from '../jvp.js'
import { splitProgram } from '../partial.js'
import { chosen, cutLike, grow, readsOf, spread, traceGroups } from './groups.js'
import { type Along, forwardRules, type Push, repeated, rows } from './push.js'

interface WhileParams extends Record<string, unknown> {
  /** Constants and carry to whether to go on. */
  readonly condition: Program
  /** Constants and carry to the next carry. */
  readonly body: Program
  /** How many of the inputs are constants; the rest are the carry. */
  readonly constants: number
}

/** The carry after as many steps as the condition holds. */
export function bindWhile(
  condition: Program,
  body: Program,
  constants: readonly Value[],
  carry: readonly Value[],
): Value[] {
  return bind(whileOp, [...constants, ...carry], { condition, body, constants: constants.length })
}

const groupsOf = <T>(list: readonly T[], { constants }: WhileParams): [T[], T[]] => [
  list.slice(0, constants),
  list.slice(constants),
]

const whileOp: Primitive<WhileParams> = {
  name: 'while',

  infer(inputs, params) {
    const { condition, body } = params
    const [test] = condition.outputs
    if (condition.outputs.length !== 1 || test?.dtype !== 'bool' || test.shape.length > 0)
      throw new Error(
        `while: the condition returns ${condition.outputs.map(showType).join(', ')}, expected bool[]`,
      )
    for (const program of [condition, body])
      program.inputs.forEach((type, i) => {
        const given = inputs[i]
        if (!given || !sameType(given, type) || inputs.length !== program.inputs.length)
          throw new Error(
            `while: input ${i} is ${given ? showType(given) : 'missing'}, expected ${showType(type)}`,
          )
      })
    return groupsOf(inputs, params)[1].map(({ dtype, shape }, i) => {
      const made = body.outputs[i]
      if (!made || !sameType(made, { dtype, shape }))
        throw new Error(
          `while: carry ${i} is ${showType({ dtype, shape })}, the body makes ${made && showType(made)}`,
        )
      return { dtype, shape }
    })
  },

  evaluate(inputs, params, _, prepare = prepareProgram) {
    const [constants, initial] = groupsOf(inputs, params)
    const [goesOn, step] = [prepare(params.condition), prepare(params.body)]
    let carry = initial
    while ((goesOn([...constants, ...carry])[0] as Tensor).item()) carry = step([...constants, ...carry])
    return carry
  },

  ...forwardRules(pushWhile),
  split,

  transpose() {
    throw new Error(
      'whileLoop: reverse mode has to keep every step, and their number is not known; ' +
        'use foriLoop with constant bounds or scan, or forward mode (jvp, jacobian with mode forward)',
    )
  },

  prune(equation, used, params) {
    const { condition, body } = params
    const carry = groupsOf(body.inputs, params)[1]
    const tested = readsOf(condition)
    const start = groupsOf(condition.inputs, params)[1].map((x, i) => tested.has(x) || Boolean(used[i]))
    const { flags: kept, result } = grow(start, (flags) => {
      const smaller = eliminateDeadCode({ ...body, outputs: chosen(body.outputs, flags) })
      const reads = readsOf(smaller)
      return { flags: carry.map((x) => reads.has(x)), result: { smaller, reads } }
    })
    const constants = groupsOf(body.inputs, params)[0].map(
      (x, i) => result.reads.has(x) || tested.has(condition.inputs[i] as Var),
    )
    const marks = [...constants, ...kept]
    if (!marks.includes(false) && result.smaller.equations === body.equations) return equation
    return {
      ...equation,
      inputs: chosen(equation.inputs, marks),
      outputs: chosen(equation.outputs, kept),
      params: {
        condition: { ...condition, inputs: chosen(condition.inputs, marks) },
        body: { ...result.smaller, inputs: chosen(body.inputs, marks) },
        constants: chosen(constants, constants).length,
      },
    }
  },

  batch,

  /** ONNX's Loop: the graph computes the next carry, and whether to go on from there. */
  lower(onnx, inputs, { inputs: types, outputs, params }) {
    const { condition, body } = params
    const [constants, carry] = groupsOf(inputs, params)
    const start = onnx.compose((...x) => evaluate(condition, x)[0] as Value, inputs, types)
    const [cs, hs] = groupsOf(types, params)
    const step = traceGroups([cs, hs], (c, h) => {
      const next = evaluate(body, [...(c as Value[]), ...(h as Value[])])
      return [...evaluate(condition, [...(c as Value[]), ...next]), ...next]
    })
    return onnx.nodes('Loop', ['', start, ...carry], outputs.length, {
      body: onnx.subgraph(step, constants, ['int64', 'bool']),
    })
  },

  /** The cost of one iteration: their number is not known. */
  forecast({ params }) {
    const [test, step] = [forecast(params.condition), forecast(params.body)]
    return {
      flops: test.flops + step.flops,
      bytes: test.bytes + step.bytes,
      peakBytes: Math.max(test.peakBytes, step.peakBytes) - totalBytes(params.body.inputs),
    }
  },
}

/** What goes along joins the carry; a carry moves if what it starts from or becomes does. */
function pushWhile(push: Push, inputs: readonly Value[], along: Along, params: WhileParams) {
  const { condition, body } = params
  const [types, carryTypes] = groupsOf<Type>(body.inputs, params)
  const [constants, carry] = groupsOf(inputs, params)
  const [ts, starts] = groupsOf(along, params).map((group) => group.flat()) as [MaybeZero[], MaybeZero[]]
  const moves = ts.map((t) => t !== null)
  const moving = ts.filter((t) => t !== null)
  const movedTypes = repeated(carryTypes, push)
  const { flags, result: joint } = grow(
    starts.map((t) => t !== null),
    (flags) => {
      let out: boolean[] = []
      const groups = [types, moving, carryTypes, chosen(movedTypes, flags)]
      const program = traceGroups(groups, (c, ct, h, ht) => {
        const directions = [...spread(moves, ct as Value[]), ...spread(flags, ht as Value[])]
        const at = push.run(body, [...(c as Value[]), ...(h as Value[])], rows(directions, push.order))
        const moved = at.along.flat()
        out = moved.map((t) => t !== null)
        const carried = movedTypes.map((type, i) => instantiate(moved[i], type))
        return [...at.outputs, ...chosen(carried, flags)]
      })
      return { flags: out, result: program }
    },
  )
  const initial = chosen(
    movedTypes.map((type, i) => instantiate(starts[i], type)),
    flags,
  )
  const test = traceGroups([types, moving, carryTypes, initial], (c, _, h) =>
    evaluate(condition, [...(c as Value[]), ...(h as Value[])]),
  )
  const results = bindWhile(test, joint, [...constants, ...moving], [...carry, ...initial])
  const [outputs, moved] = cutLike([carry, initial], results) as [Value[], Value[]]
  return { outputs, along: rows(spread(flags, moved), push.order) }
}

/** The known part of the carry is run on its own, and again, as the condition needs it, with the rest. */
function split(equation: Equation, unknown: readonly boolean[], params: WhileParams): Cut {
  const { condition, body } = params
  const [ofConstants, start] = groupsOf(unknown, params)
  const { flags } = grow(start, (flags) => {
    const { knownOutputs } = splitProgram(body, [...ofConstants, ...flags])
    return { flags: knownOutputs.map((known) => !known), result: undefined }
  })
  const marks = [...ofConstants, ...flags]
  const test = splitProgram(condition, marks)
  if (!test.knownOutputs[0] || !flags.includes(false)) return { known: [], unknown: [equation] }
  const known: Equation = {
    ...equation,
    inputs: chosen(equation.inputs, marks, false),
    outputs: chosen(equation.outputs, flags, false),
    params: {
      condition: { ...test.known, outputs: condition.outputs },
      body: {
        ...splitProgram(body, marks).known,
        outputs: chosen(body.outputs, flags, false),
      },
      constants: ofConstants.filter((is) => !is).length,
    },
  }
  const outputs = equation.outputs.map((y, i) => (flags[i] ? y : y.builder.variable(y)))
  return { known: [known], unknown: [{ ...equation, outputs }] }
}

function batch({ inputs, batched, size, params }: Parameters<Primitive<WhileParams>['batch']>[0]): Value[] {
  const { condition, body } = params
  const [constants, initial] = groupsOf(inputs, params)
  const [ofConstants, start] = groupsOf(batched, params)
  const [types, carryTypes] = groupsOf<Type>(body.inputs, params)
  const wide = (list: readonly Type[], marks: readonly boolean[]) =>
    list.map(({ dtype, shape }, i): Type => ({ dtype, shape: marks[i] ? [size, ...shape] : shape }))
  const spreadOut = (x: Value) => broadcastTo(x, [size, ...x.shape])
  const { flags, result } = grow(start, (flags) => {
    let test: { outputs: Value[]; batched: boolean[] } = { outputs: [], batched: [] }
    let out: boolean[] = []
    const marks = [...ofConstants, ...flags]
    const groups = [wide(types, ofConstants), wide(carryTypes, flags)]
    const widen = (y: Value, i: number) => (flags[i] && !out[i] ? spreadOut(y) : y)
    const goesOn = traceGroups(groups, (c, h) => {
      test = batchProgram(condition, [...(c as Value[]), ...(h as Value[])], marks, size)
      return test.outputs
    })
    const step = traceGroups(groups, (c, h) => {
      const at = batchProgram(body, [...(c as Value[]), ...(h as Value[])], marks, size)
      out = at.batched
      return at.outputs.map(widen)
    })
    const each = Boolean(test.batched[0])
    return { flags: each ? flags.map(() => true) : out, result: { goesOn, step, each } }
  })
  const carry = initial.map((x, i) => (flags[i] && !start[i] ? spreadOut(x) : x))
  const results = result.each
    ? untilAllAreDone(result.goesOn, result.step, constants, carry)
    : bindWhile(result.goesOn, result.step, constants, carry)
  return results.map((y, i) => (flags[i] ? y : spreadOut(y)))
}

/** Runs while the condition holds for some instance; the carry of the others stays as it is. */
function untilAllAreDone(
  goesOn: Program,
  step: Program,
  constants: readonly Value[],
  carry: readonly Value[],
): Value[] {
  const [active] = evaluate(goesOn, [...constants, ...carry]) as [Value]
  const groups = [constants, [active], carry]
  const any = traceGroups(groups, (_, [mask]) => [less(0, reduceSum(cast(mask as Value, 'int32'), [0]))])
  const masked = traceGroups(groups, (c, mask, h) => {
    const [m] = mask as [Value]
    const made = evaluate(step, [...(c as Value[]), ...(h as Value[])])
    const next = made.map((y, i) => select(padRank(m, y.shape.length - 1), y, h?.[i] as Value))
    return [and(m, evaluate(goesOn, [...(c as Value[]), ...next])[0] as Value), ...next]
  })
  return bindWhile(any, masked, constants, [active, ...carry]).slice(1)
}
