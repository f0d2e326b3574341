import { bind, traceFlat } from '../../program/builder.js'
import { eliminateDeadCode } from '../../program/passes/deadCode.js'
import { type Primitive, Unknown } from '../../program/primitive.js'
import { evaluate, type Program } from '../../program/program.js'
import { typeOf, type Value, Var } from '../../program/value.js'
import { rebuild } from '../call.js'
import type { Likes } from '../derivatives.js'
import { instantiate, jvpProgram } from '../jvp.js'
import { type Arguments, stageCall, type TensorFunction } from '../stage.js'
import { transposeProgram } from '../transpose.js'
import { batchedProgram, type CallParams, callRules } from './calls.js'

/**
 * What is kept from the forward for the backward pass: `nothing` but the arguments, the results of `dots`
 * (matrix products and convolutions), `everything`, or the results of the operations that a function names.
 */
export type CheckpointPolicy = 'nothing' | 'dots' | 'everything' | ((operation: string) => boolean)

export interface CheckpointOptions {
  /** Default `nothing`. */
  readonly policy?: CheckpointPolicy
}

interface CheckpointParams extends CallParams {
  readonly policy: CheckpointPolicy
  /** Whether it computes again what has been computed before, so that the two must not be shared. */
  readonly again: boolean
}

const products = ['dot', 'convolution', 'convolutionImage', 'convolutionKernel']

function keeps(policy: CheckpointPolicy, operation: string): boolean {
  if (typeof policy === 'function') return policy(operation)
  return policy === 'everything' || (policy === 'dots' && products.includes(operation))
}

/** x, which no pass recognises as x: what is computed from it is computed again. */
const barrierOp: Primitive = {
  name: 'barrier',
  pattern: 'moves',
  infer: ([x]) => [typeOf(x!)],
  evaluate: ([x]) => [x!],
  derivative: ({ tangents: [t] }) => [t ?? null],
  transpose: ({ cotangents: [ct] }) => [ct ?? null],
  batch: ({ inputs: [x] }) => [barrier(x!)],
  lower: (onnx, [x]) => [onnx.node('Identity', [x!])],
  view: (index) => [...index],
  flops: () => 0,
}

function barrier(x: Value): Value {
  return x instanceof Var ? (bind(barrierOp, [x], {})[0] as Value) : x
}

const checkpointOp: Primitive<CheckpointParams> = {
  ...callRules<CheckpointParams>('checkpoint'),
  name: 'checkpoint',
  inline: (inputs, { program, again }) => evaluate(program, again ? inputs.map(barrier) : inputs),

  /** The outputs with what the policy keeps; and the tangents from that, the arguments, and their tangents. */
  differentiate({ inputs, tangents, params: { program, policy, again } }) {
    const { forward, tangent, moves } = splitAtPolicy(
      program,
      policy,
      tangents.map((t) => t !== null),
    )
    const results = bind(checkpointOp, inputs, { program: forward, policy, again })
    const outputs = results.slice(0, program.outputs.length)
    const saved = results.slice(program.outputs.length)
    const given = [...inputs, ...saved, ...tangents.filter((t) => t !== null)]
    const moved = moves.includes(true)
      ? bind(checkpointOp, given, { program: tangent, policy, again: false })
      : []
    let next = 0
    return { outputs, tangents: moves.map((set) => (set ? (moved[next++] as Value) : null)) }
  },
  derivative: ({ inputs, tangents, params }) => jvpProgram(params.program, inputs, tangents).tangents,

  transpose({ cotangents, inputs, params: { program, policy } }) {
    const linear = inputs.map((input) => input instanceof Unknown)
    const known = inputs.filter((input): input is Value => !(input instanceof Unknown))
    const arriving = cotangents.filter((ct) => ct !== null)
    const { program: back } = traceFlat(
      (values) => {
        let next = 0
        const at = linear.map((unknown) => (unknown ? null : (values[next++] as Value)))
        const cts = cotangents.map((ct) => ct && (values[next++] as Value))
        const unknown = inputs.filter((_, i) => linear[i])
        return transposeProgram(program, at, cts).map((ct, i) => instantiate(ct, unknown[i]!))
      },
      [...known, ...arriving],
    )
    const results = bind(checkpointOp, [...known, ...arriving], { program: back, policy, again: true })
    let next = 0
    return linear.map((unknown) => (unknown ? (results[next++] as Value) : null))
  },

  batch: ({ inputs, batched, size, params }) =>
    bind(checkpointOp, inputs, { ...params, program: batchedProgram(params.program, batched, size) }),
}

/**
 * The forward program that also returns what the policy keeps and the tangents need, and the program of the
 * tangents from arguments, kept values and tangents of the arguments that move.
 */
function splitAtPolicy(program: Program, policy: CheckpointPolicy, moving: readonly boolean[]) {
  const candidates = program.equations
    .filter(({ primitive }) => keeps(policy, primitive.name))
    .flatMap(({ outputs }) => outputs)
  const count = program.inputs.length
  const all = { ...program, outputs: [...program.outputs, ...candidates] }
  let moves: boolean[] = []
  const { program: both } = traceFlat(
    (inputs) => {
      let next = count
      const tangents = moving.map((set) => (set ? (inputs[next++] as Value) : null))
      const at = jvpProgram(all, inputs.slice(0, count), tangents)
      moves = at.tangents.slice(0, program.outputs.length).map((t) => t !== null)
      const values = at.outputs.slice(program.outputs.length)
      return [...values, ...at.tangents.slice(0, program.outputs.length).filter((t) => t !== null)]
    },
    [...program.inputs, ...program.inputs.filter((_, i) => moving[i])],
  )
  const values = both.outputs.slice(0, candidates.length)
  const given = new Set<Value>(values.filter((value) => value instanceof Var && !both.inputs.includes(value)))
  const rest = eliminateDeadCode({
    inputs: both.inputs,
    equations: both.equations.filter(({ outputs }) => !outputs.some((output) => given.has(output))),
    outputs: both.outputs.slice(candidates.length),
  })
  const read = new Set<Value>([...rest.equations.flatMap(({ inputs }) => inputs), ...rest.outputs])
  const used = candidates.map((_, i) => {
    const value = values[i] as Value
    return given.has(value) && read.has(value) && values.indexOf(value) === i
  })
  const saved = values.filter((_, i) => used[i]) as Var[]
  return {
    forward: { ...program, outputs: [...program.outputs, ...candidates.filter((_, i) => used[i])] },
    tangent: { ...rest, inputs: [...both.inputs.slice(0, count), ...saved, ...both.inputs.slice(count)] },
    moves,
  }
}

/**
 * `f`, whose intermediate values are not kept for the backward pass but computed again from its arguments:
 * less memory for up to one more evaluation (Griewank and Walther 2000; Chen et al. 2016, arXiv 1604.06174).
 * Results and derivatives of every order are those of `f`.
 */
export function checkpoint<A extends Arguments, R>(
  f: (...args: A) => R,
  { policy = 'nothing' }: CheckpointOptions = {},
): (...args: Likes<A>) => R {
  if (typeof policy !== 'function' && !['nothing', 'dots', 'everything'].includes(policy))
    throw new Error(
      `checkpoint: policy is ${String(policy)}, expected nothing, dots, everything or a function`,
    )
  return (...args) => {
    const call = stageCall(f as TensorFunction, args)
    return rebuild(
      call.outputStructure,
      bind(checkpointOp, call.inputs, { program: call.program, policy, again: false }),
    )
  }
}
