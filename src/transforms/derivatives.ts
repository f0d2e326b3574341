import { evaluate } from '../program/program.js'
import type { Value } from '../program/value.js'
import { fullTensor, type Tensor } from '../tensor/tensor.js'
import { chooseInputs, rebuild, rebuildArguments, scalarOutput, typesOf } from './call.js'
import { instantiate, jvpProgram } from './jvp.js'
import { type LinearizedAt, linearizeAt } from './linearize.js'
import {
  type Arguments,
  flattenLike,
  type Like,
  type StagedCall,
  stageCall,
  type Tensored,
  type TensorFunction,
} from './stage.js'
import { transposeProgram } from './transpose.js'

export type Likes<A extends Arguments> = { readonly [K in keyof A]: Like<A[K]> }
type Results<A extends Arguments> = { [K in keyof A]: Tensored<A[K]> }

const indices = (items: readonly unknown[]) => items.map((_, i) => i)

/**
 * Forward mode: f(x...) and its derivative along v..., df/dx v, in about the cost of two evaluations.
 * Each tangent has the tree, shapes and dtypes of its argument.
 */
export function jvp<A extends Arguments, R>(
  f: (...args: A) => R,
  args: Likes<A>,
  tangents: Likes<A>,
): [value: R, tangent: R] {
  const call = stageCall(f as TensorFunction, args)
  chooseInputs('jvp', call, indices(args))
  const directions = args.flatMap((_, i) =>
    flattenLike(`jvp: tangent ${i}`, tangents[i], call.structures[i]!, typesOf(call, i)),
  )
  const captured = call.captured.map(() => null)
  const at = jvpProgram(call.program, call.inputs, [...captured, ...directions])
  const moved = at.tangents.map((t, i) => instantiate(t, at.outputs[i]!))
  return [rebuild(call.outputStructure, at.outputs), rebuild(call.outputStructure, moved)]
}

/**
 * f(x...) and its derivative at x as a function of v: what does not depend on v is computed once, so
 * that each further product costs only the linear part.
 */
export function linearize<A extends Arguments, R>(
  f: (...args: A) => R,
  ...args: Likes<A>
): [value: R, apply: (...tangents: Likes<A>) => R] {
  const call = stageCall(f as TensorFunction, args)
  const at = linearizeAt(call.program, call.inputs, chooseInputs('linearize', call, indices(args)))
  const apply = (...tangents: Likes<A>): R => {
    const directions = args.flatMap((_, i) =>
      flattenLike(`linearize: tangent ${i}`, tangents[i], call.structures[i]!, typesOf(call, i)),
    )
    const moved = evaluate(at.linear, [...at.residuals, ...directions])
    let next = 0
    return rebuild(
      call.outputStructure,
      at.outputs.map((output, i) => instantiate(at.moves[i] ? moved[next++] : null, output)),
    )
  }
  return [rebuild(call.outputStructure, at.outputs), apply]
}

/**
 * Reverse mode: f(x...) and the function from a cotangent u of its result to u^T df/dx, one tree for each
 * argument.
 */
export function vjp<A extends Arguments, R>(
  f: (...args: A) => R,
  ...args: Likes<A>
): [value: R, pullback: (cotangent: Like<R>) => Results<A>] {
  const call = stageCall(f as TensorFunction, args)
  const chosen = indices(args)
  const at = linearizeAt(call.program, call.inputs, chooseInputs('vjp', call, chosen))
  const pullback = (cotangent: Like<R>): Results<A> => {
    const cts = flattenLike('vjp: cotangent', cotangent, call.outputStructure, at.outputs)
    return rebuildArguments<Tensor>(call, chosen, pullBack(call, at, chosen, cts)) as unknown as Results<A>
  }
  return [rebuild(call.outputStructure, at.outputs), pullback]
}

/** Cotangents of the chosen arguments' leaves from those of the outputs. */
function pullBack(
  call: StagedCall,
  at: LinearizedAt,
  chosen: readonly number[],
  cotangents: readonly Value[],
): Value[] {
  const targets = chosen.flatMap((argument) => typesOf(call, argument))
  const moving = cotangents.filter((_, i) => at.moves[i])
  const back = transposeProgram(at.linear, [...at.residuals, ...targets.map(() => null)], moving)
  return targets.map((target, i) => instantiate(back[i], target))
}

export interface GradOptions {
  /** Which argument to differentiate (the first), or several: then the gradient is an array of trees. */
  readonly argument?: number | readonly number[]
}

/**
 * The function from the arguments of `f` to [f, df/dx], by reverse mode: about three times the cost of f.
 * @throws when f does not return one float number, or the argument is not float.
 */
export function valueAndGrad<A extends Arguments>(
  f: (...args: A) => Tensor | number,
  options?: { readonly argument?: 0 },
): (...args: Likes<A>) => [value: Tensor, gradient: Tensored<A[0]>]
export function valueAndGrad<A extends Arguments, I extends number>(
  f: (...args: A) => Tensor | number,
  options: { readonly argument: I },
): (...args: Likes<A>) => [value: Tensor, gradient: Tensored<A[I]>]
export function valueAndGrad<A extends Arguments>(
  f: (...args: A) => Tensor | number,
  options: { readonly argument: readonly number[] },
): (...args: Likes<A>) => [value: Tensor, gradient: Tensored<A[number]>[]]
export function valueAndGrad(f: TensorFunction, { argument = 0 }: GradOptions = {}): TensorFunction<never> {
  return (...args: unknown[]) => gradientOf('valueAndGrad', f, args, argument) as never
}

/** The function from the arguments of `f` to its gradient. See {@link valueAndGrad}. */
export function grad<A extends Arguments>(
  f: (...args: A) => Tensor | number,
  options?: { readonly argument?: 0 },
): (...args: Likes<A>) => Tensored<A[0]>
export function grad<A extends Arguments, I extends number>(
  f: (...args: A) => Tensor | number,
  options: { readonly argument: I },
): (...args: Likes<A>) => Tensored<A[I]>
export function grad<A extends Arguments>(
  f: (...args: A) => Tensor | number,
  options: { readonly argument: readonly number[] },
): (...args: Likes<A>) => Tensored<A[number]>[]
export function grad(f: TensorFunction, { argument = 0 }: GradOptions = {}): TensorFunction<never> {
  return (...args: unknown[]) => gradientOf('grad', f, args, argument)[1] as never
}

function gradientOf(
  where: string,
  f: TensorFunction,
  args: readonly unknown[],
  argument: number | readonly number[],
): [Tensor, unknown] {
  const call = stageCall(f, args)
  const chosen = typeof argument === 'number' ? [argument] : argument
  const wrt = chooseInputs(where, call, chosen)
  const output = scalarOutput(where, call.program.outputs)
  const at = linearizeAt(call.program, call.inputs, wrt)
  const one = fullTensor(output.shape, 1, output.dtype)
  const trees = rebuildArguments<Tensor>(call, chosen, pullBack(call, at, chosen, [one]))
  return [at.outputs[0] as Tensor, typeof argument === 'number' ? trees[0] : trees]
}
