import { broadcastTo, reduceSum } from '../../ops/broadcast.js'
import { zeros } from '../../ops/slice.js'
import { bind, traceFlat } from '../../program/builder.js'
import { type MaybeZero, type Primitive, Unknown } from '../../program/primitive.js'
import { evaluate, type Program } from '../../program/program.js'
import { showType, type Type, type Value } from '../../program/value.js'
import { rebuild } from '../call.js'
import type { Likes } from '../derivatives.js'
import { instantiate, jvpProgram } from '../jvp.js'
import {
  type Arguments,
  flattenLike,
  flattenValues,
  type Like,
  stageCall,
  type Tensored,
  type TensorFunction,
} from '../stage.js'
import { transposeProgram } from '../transpose.js'
import { batchedProgram, type CallParams, callRules, isFloatType, lazily, traceClosed } from './calls.js'
import { argumentTrees, argumentTypes, expectStill } from './customJvp.js'

interface Rule {
  /** Arguments to results and residuals. */
  readonly forward: Program
  /** Residuals and cotangents of the float results, to cotangents of the float arguments. */
  readonly backward: Program
}

interface CustomVjpParams extends CallParams {
  /** How many inputs, at the start, the function used without being given them. */
  readonly captured: number
  readonly rule: () => Rule
}

const customVjpOp: Primitive<CustomVjpParams> = {
  ...callRules<CustomVjpParams>('customVjp'),
  name: 'customVjp',

  differentiate({ inputs, tangents, params: { program, captured, rule } }) {
    expectStill('customVjp', tangents.slice(0, captured))
    const { forward, backward } = rule()
    const at = inputs.slice(captured)
    const results = evaluate(forward, at)
    const count = program.outputs.length
    const residuals = results.slice(count)
    const directions = at.flatMap((x, i) => (isFloatType(x) ? [instantiate(tangents[captured + i], x)] : []))
    const moved = bind(pushOp, [...residuals, ...directions], { backward, residuals: residuals.length })
    let next = 0
    return {
      outputs: results.slice(0, count),
      tangents: program.outputs.map((output) => (isFloatType(output) ? (moved[next++] as Value) : null)),
    }
  },
  derivative: ({ inputs, tangents, params }) =>
    customVjpOp.differentiate!({ inputs, tangents, params }).tangents,

  batch: ({ inputs, batched, size, params: { program, captured, rule } }) =>
    bind(customVjpOp, inputs, {
      program: batchedProgram(program, batched, size),
      captured,
      rule: lazily('batched rule', () => batchedRule(rule(), batched.slice(captured), size)),
    }),
}

/** Both programs over a batch; cotangents of arguments that the batch shares are summed over it. */
function batchedRule({ forward, backward }: Rule, batched: readonly boolean[], size: number): Rule {
  const back = batchedProgram(
    backward,
    backward.inputs.map(() => true),
    size,
  )
  const floats = batched.filter((_, i) => isFloatType(forward.inputs[i] as Type))
  const summed = traceFlat(
    (inputs) => evaluate(back, inputs).map((ct, i) => (floats[i] ? ct : reduceSum(ct, [0]))),
    back.inputs,
  ).program
  return { forward: batchedProgram(forward, batched, size), backward: summed }
}

interface PushParams extends Record<string, unknown> {
  readonly backward: Program
  /** How many of the inputs are residuals; the rest are tangents. */
  readonly residuals: number
}

/** The linear map whose transpose is the backward rule: forward mode transposes the rule, reverse mode runs it. */
const pushOp: Primitive<PushParams> = {
  name: 'customVjpTangent',
  infer: (_, { backward, residuals }) =>
    backward.inputs.slice(residuals).map(({ dtype, shape }) => ({ dtype, shape })),
  evaluate: (inputs, params) => push(inputs, params) as never,
  inline: (inputs, params) => push(inputs, params),
  derivative({ inputs, tangents, params }) {
    const still = tangents.slice(0, params.residuals).every((t) => t === null)
    if (!still) return jvpProgram(pushProgram(inputs, params), inputs, tangents).tangents
    const moved = inputs.map((input, i) => (i < params.residuals ? input : instantiate(tangents[i], input)))
    return bind(pushOp, moved, params)
  },
  transpose({ cotangents, inputs, params: { backward, residuals } }) {
    const known = inputs.slice(0, residuals)
    if (known.some((input) => input instanceof Unknown))
      throw new Error('customVjp: the tangent is not linear in the residuals, so it has no transpose')
    const cts = backward.inputs.slice(residuals).map((type, i) => instantiate(cotangents[i], type))
    const back = evaluate(backward, [...(known as Value[]), ...cts])
    return [
      ...known.map(() => null),
      ...back.map((ct, i): MaybeZero => (inputs[residuals + i] instanceof Unknown ? ct : null)),
    ]
  },
  batch({ inputs, batched, size, params }) {
    const flags = [
      ...batched.slice(0, params.residuals),
      ...params.backward.inputs.slice(params.residuals).map(() => true),
    ]
    const given = inputs.map((x, i) =>
      i < params.residuals || batched[i] ? x : broadcastTo(x, [size, ...x.shape]),
    )
    return bind(pushOp, given, { ...params, backward: batchedProgram(params.backward, flags, size) })
  },
  lower: (onnx, inputs, { inputs: types, outputs, params }) =>
    outputs.map((_, i) => onnx.compose((...x) => push(x, params)[i] as Value, inputs, types)),
}

function push(inputs: readonly Value[], { backward, residuals }: PushParams): Value[] {
  const results = backward.inputs.slice(residuals)
  const known = [...inputs.slice(0, residuals), ...results.map(() => null)]
  try {
    const back = transposeProgram(backward, known, inputs.slice(residuals))
    return back.map((t, i) => instantiate(t, results[i] as Type))
  } catch (error) {
    const reason = (error as Error).message
    throw new Error(`customVjp: forward mode transposes the backward rule, which is not linear: ${reason}`, {
      cause: error,
    })
  }
}

const pushProgram = (inputs: readonly Value[], params: PushParams) =>
  traceFlat((x) => push(x, params), inputs).program

type Cotangents<A extends Arguments> = { readonly [K in keyof A]: Like<A[K]> | null }

/**
 * `f` with its own reverse mode: `forward(...args)` returns the value and what the backward pass needs, any
 * tree; `backward(residuals, cotangent)` returns one cotangent tree for each argument (null for zero).
 * Both are differentiated for higher orders. Forward mode transposes `backward`, which must then be linear
 * in the cotangent; reverse mode takes any, as rules that clip or quantise need.
 * @throws when differentiated, if results do not have the trees, shapes and dtypes of f's results and arguments.
 */
export function customVjp<A extends Arguments, R, S>(
  f: (...args: A) => R,
  forward: (...args: A) => readonly [value: Like<R>, residuals: S],
  backward: (residuals: S, cotangent: Tensored<R>) => Cotangents<A>,
): (...args: Likes<A>) => R {
  return (...args) => {
    const call = stageCall(f as TensorFunction, args)
    const types = argumentTypes(call)
    const { outputs } = call.program
    const rule = lazily('rule', (): Rule => {
      let residuals = flattenValues([])
      const ahead = traceClosed(
        'customVjp: the forward rule',
        (values) => {
          const result = forward(...(argumentTrees(call, values) as unknown as A))
          if (!Array.isArray(result) || result.length !== 2)
            throw new Error('customVjp: the forward rule must return [value, residuals]')
          residuals = flattenValues(result[1])
          return [
            ...flattenLike("customVjp: the forward rule's value", result[0], call.outputStructure, outputs),
            ...residuals.values,
          ]
        },
        types,
      )
      const kept = ahead.outputs.slice(outputs.length)
      const back = traceClosed(
        'customVjp: the backward rule',
        (values) => {
          let next = kept.length
          const cts = outputs.map((output) =>
            isFloatType(output) ? (values[next++] as Value) : zeros(output),
          )
          const given = rebuild<S>(residuals.structure, values.slice(0, kept.length))
          return cotangentsOf(call, types, backward(given, rebuild(call.outputStructure, cts)))
        },
        [...kept, ...outputs.filter(isFloatType)],
      )
      return { forward: ahead, backward: back }
    })
    const params = { program: call.program, captured: call.captured.length, rule }
    return rebuild(call.outputStructure, bind(customVjpOp, call.inputs, params))
  }
}

/** The cotangents of all float leaves of the arguments from what a backward rule returned. */
function cotangentsOf(
  call: ReturnType<typeof stageCall>,
  types: readonly Type[],
  returned: unknown,
): Value[] {
  const count = call.structures.length
  if (!Array.isArray(returned) || returned.length !== count)
    throw new Error(
      `customVjp: the backward rule returned ${Array.isArray(returned) ? `${returned.length} cotangents` : 'no array'}, ` +
        `expected an array with one for each of ${count} argument(s), of ${types.map(showType).join(', ')}`,
    )
  const owners = call.argument.slice(call.captured.length)
  return call.structures.flatMap((structure, i) => {
    const own = types.filter((_, k) => owners[k] === i)
    const cts =
      returned[i] === null
        ? own.map(zeros)
        : flattenLike(`customVjp: the backward rule's cotangent ${i}`, returned[i], structure, own)
    return cts.filter((_, k) => isFloatType(own[k] as Type))
  })
}
