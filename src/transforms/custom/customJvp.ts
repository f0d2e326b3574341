import { bind } from '../../program/builder.js'
import type { MaybeZero, Primitive } from '../../program/primitive.js'
import { evaluate, type Program } from '../../program/program.js'
import type { Type, Value } from '../../program/value.js'
import { rebuild, rebuildArguments } from '../call.js'
import type { Likes } from '../derivatives.js'
import { instantiate } from '../jvp.js'
import {
  type Arguments,
  flattenLike,
  type Like,
  type StagedCall,
  stageCall,
  type Tensored,
  type TensorFunction,
} from '../stage.js'
import { batchedProgram, type CallParams, callRules, isFloatType, lazily, traceClosed } from './calls.js'

interface CustomJvpParams extends CallParams {
  /** How many inputs, at the start, the function used without being given them. */
  readonly captured: number
  /** Arguments and their tangents, to results and their tangents. */
  readonly rule: () => Program
}

const customJvpOp: Primitive<CustomJvpParams> = {
  ...callRules<CustomJvpParams>('customJvp'),
  name: 'customJvp',

  differentiate({ inputs, tangents, params: { program, captured, rule } }) {
    expectStill('customJvp', tangents.slice(0, captured))
    const at = inputs.slice(captured)
    const directions = tangents.slice(captured).map((t, i) => instantiate(t, at[i] as Value))
    const results = evaluate(rule(), [...at, ...directions])
    const count = program.outputs.length
    const moved = results.slice(count).map((t, i) => (isFloatType(program.outputs[i]!) ? t : null))
    return { outputs: results.slice(0, count), tangents: moved }
  },
  derivative: ({ inputs, tangents, params }) =>
    customJvpOp.differentiate!({ inputs, tangents, params }).tangents,

  batch({ inputs, batched, size, params: { program, captured, rule } }) {
    const flags = batched.slice(captured)
    return bind(customJvpOp, inputs, {
      program: batchedProgram(program, batched, size),
      captured,
      rule: lazily('batched rule', () => batchedProgram(rule(), [...flags, ...flags], size)),
    })
  },
}

/** @throws when a derivative is asked for in a value that a custom rule knows nothing of. */
export function expectStill(where: string, tangents: readonly MaybeZero[]): void {
  if (tangents.some((t) => t !== null))
    throw new Error(
      `${where}: the function uses a value from outside that is being differentiated, which its rule does not know; ` +
        'pass it as an argument',
    )
}

/** What a rule is given for one argument after another. */
export function argumentTrees(call: StagedCall, values: readonly Value[]): unknown[] {
  return rebuildArguments(
    call,
    call.structures.map((_, i) => i),
    values,
  )
}

/** The types of all arguments' leaves, one after another. */
export const argumentTypes = (call: StagedCall): readonly Type[] => call.inputs.slice(call.captured.length)

/** The tangents of a function's arguments as its rule is given them, zeros where there is none. */
type Trees<A extends Arguments> = { [K in keyof A]: Tensored<A[K]> }

/**
 * `f` with its own rule of differentiation: `rule(args, tangents)` returns the value and its tangent, which
 * must be linear in the tangents. It serves every mode and, being differentiated itself, every order;
 * `f` alone runs where nothing is differentiated.
 * @throws when differentiated, if the rule's results do not have the tree, shapes and dtypes of f's.
 */
export function customJvp<A extends Arguments, R>(
  f: (...args: A) => R,
  rule: (args: Trees<A>, tangents: Trees<A>) => readonly [value: Like<R>, tangent: Like<R>],
): (...args: Likes<A>) => R {
  return (...args) => {
    const call = stageCall(f as TensorFunction, args)
    const types = argumentTypes(call)
    const staged = lazily('rule', () =>
      traceClosed(
        'customJvp: the rule',
        (values) => {
          const [primals, tangents] = [values.slice(0, types.length), values.slice(types.length)]
          const result = rule(
            argumentTrees(call, primals) as Trees<A>,
            argumentTrees(call, tangents) as Trees<A>,
          )
          if (!Array.isArray(result) || result.length !== 2)
            throw new Error('customJvp: the rule must return [value, tangent]')
          return ['value', 'tangent'].flatMap((part, i) =>
            flattenLike(
              `customJvp: the rule's ${part}`,
              result[i],
              call.outputStructure,
              call.program.outputs,
            ),
          )
        },
        [...types, ...types],
      ),
    )
    const params = { program: call.program, captured: call.captured.length, rule: staged }
    return rebuild(call.outputStructure, bind(customJvpOp, call.inputs, params))
  }
}
