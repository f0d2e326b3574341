import { neg, sub } from '../../ops/arithmetic.js'
import { reshape } from '../../ops/broadcast.js'
import { concatenate, sliceAxis } from '../../ops/slice.js'
import { bind, traceFlat } from '../../program/builder.js'
import { type MaybeZero, type Primitive, Unknown } from '../../program/primitive.js'
import { evaluate, type Program } from '../../program/program.js'
import { type Type, type Value, Var } from '../../program/value.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { Structure } from '../../tensor/tree.js'
import { rebuild } from '../call.js'
import type { Likes } from '../derivatives.js'
import { instantiate, jvpProgram } from '../jvp.js'
import { linearizeProgram } from '../linearize.js'
import {
  type Arguments,
  flattenLike,
  flattenValues,
  type Like,
  type Tensored,
  type TensorFunction,
} from '../stage.js'
import { transposeProgram } from '../transpose.js'
import { lazily, traceClosed } from './calls.js'

/** Solves A v = b for v, where `product` computes A v; trees like the solution's. Gets tensors, never traced values. */
export type LinearSolve<X> = (product: (v: X) => X, b: X) => Like<X>

export interface ImplicitOptions<X> {
  /** Solves with the Jacobian F_x of the conditions by the solution, and with its transpose. */
  readonly linearSolve: LinearSolve<X>
  /** For the transpose F_x^T, if that needs another method. */
  readonly transposeSolve?: LinearSolve<X>
}

type FlatSolve = (product: (v: Value[]) => Value[], b: readonly Value[]) => Value[]

interface LinearParams extends Record<string, unknown> {
  /** Residuals and v to A v. */
  readonly product: Program
  readonly residuals: number
  readonly solve: FlatSolve
  readonly transposeSolve: FlatSolve
}

/** v with A v = b, of the residuals of A and b: opaque, since a solver may iterate on numbers. */
const linearSolveOp: Primitive<LinearParams> = {
  name: 'linearSolve',
  infer: (inputs, { residuals }) => inputs.slice(residuals).map(({ dtype, shape }) => ({ dtype, shape })),
  evaluate(inputs, { product, residuals, solve }) {
    const known = inputs.slice(0, residuals)
    return solve((v) => evaluate(product, [...known, ...v]), inputs.slice(residuals)) as Tensor[]
  },
  /** A dv = db - dA v. */
  derivative({ inputs, outputs, tangents, params }) {
    const { product, residuals } = params
    const known = inputs.slice(0, residuals)
    const still = outputs.map(() => null)
    const turned = jvpProgram(
      product,
      [...known, ...outputs],
      [...tangents.slice(0, residuals), ...still],
    ).tangents
    const right = inputs.slice(residuals).map((b, i) => {
      const change = turned[i]
      const db = instantiate(tangents[residuals + i], b)
      return change ? sub(db, change) : db
    })
    return bind(linearSolveOp, [...known, ...right], params)
  },
  transpose({ cotangents, inputs, params: { product, residuals, solve, transposeSolve } }) {
    const known = inputs.slice(0, residuals)
    if (known.some((input) => input instanceof Unknown))
      throw new Error('linearSolve: is not linear in the matrix, so it has no transpose in it')
    const types = product.inputs.slice(residuals)
    const { program } = traceFlat(
      (values) => {
        const at = [...values.slice(0, residuals), ...types.map(() => null)]
        return transposeProgram(product, at, values.slice(residuals)).map((ct, i) =>
          instantiate(ct, types[i] as Type),
        )
      },
      [...product.inputs.slice(0, residuals), ...product.outputs],
    )
    const right = cotangents.map((ct, i) => instantiate(ct, types[i] as Type))
    const params = { product: program, residuals, solve: transposeSolve, transposeSolve: solve }
    return [...known.map(() => null), ...bind(linearSolveOp, [...(known as Value[]), ...right], params)]
  },
  batch: (at) => oneByOne(linearSolveOp, at),
}

interface SolutionParams extends Record<string, unknown> {
  /** How many inputs, at the start, are the guess; the rest are the parameters. */
  readonly size: number
  readonly solver: (inputs: readonly Tensor[]) => Value[]
  /** Solution and parameters to F, which is of the solution's types. */
  readonly conditions: () => Program
  readonly solve: FlatSolve
  readonly transposeSolve: FlatSolve
}

/** x with F(x, theta) = 0, of a guess of x and theta. */
const implicitOp: Primitive<SolutionParams> = {
  name: 'implicit',
  infer: (inputs, { size }) => inputs.slice(0, size).map(({ dtype, shape }) => ({ dtype, shape })),
  evaluate: (inputs, { solver }) => solver(inputs) as Tensor[],
  /** F_x dx = -F_theta dtheta. */
  derivative({ inputs, outputs, tangents, params: { size, conditions, solve, transposeSolve } }) {
    const program = conditions()
    const at = [...outputs, ...inputs.slice(size)]
    const directions: MaybeZero[] = [...outputs.map(() => null), ...tangents.slice(size)]
    if (directions.every((t) => t === null)) return outputs.map(() => null)
    const pushed = jvpProgram(program, at, directions).tangents
    const right = pushed.map((t, i) => neg(instantiate(t, outputs[i] as Value)))
    const { primal, linear, moves } = linearizeProgram(
      program,
      program.inputs.map((_, i) => i < size),
    )
    const residuals = evaluate(primal, at).slice(size)
    let next = 0
    const whole = moves.map((set, i) =>
      set ? (linear.outputs[next++] as Value) : instantiate(null, program.outputs[i]!),
    )
    const matrix = {
      product: { ...linear, outputs: whole },
      residuals: residuals.length,
      solve,
      transposeSolve,
    }
    return bind(linearSolveOp, [...residuals, ...right], matrix)
  },
  batch: (at) => oneByOne(implicitOp, at),
}

/** A batch one instance after another: solvers stop at different times. */
function oneByOne<P extends Record<string, unknown>>(
  primitive: Primitive<P>,
  { inputs, batched, size, params }: Parameters<Primitive<P>['batch']>[0],
): Value[] {
  const element = (x: Value, k: number) => reshape(sliceAxis(x, 0, k, k + 1), x.shape.slice(1))
  const each = Array.from({ length: size }, (_, k) =>
    bind(
      primitive,
      inputs.map((x, i) => (batched[i] ? element(x, k) : x)),
      params,
    ),
  )
  return (each[0] ?? []).map((first, i) =>
    concatenate(
      each.map((outputs) => reshape(outputs[i] as Value, [1, ...first.shape])),
      0,
    ),
  )
}

/**
 * A solver with the derivative of the solution that it finds: `solver(guess, ...theta)` returns x with
 * `conditions(x, ...theta)` = 0, a tree like x. By the implicit function theorem dx = -F_x^-1 F_theta dtheta,
 * of any order and in both modes; the solver itself is never differentiated, so it may be any JavaScript on
 * tensors, as may `linearSolve`. The derivative by the guess is zero. (Blondel et al. 2022, arXiv 2105.15183.)
 */
export function implicit<X, A extends Arguments>(
  solver: (guess: X, ...theta: A) => Like<X>,
  conditions: (x: X, ...theta: A) => Like<X>,
  { linearSolve, transposeSolve = linearSolve }: ImplicitOptions<X>,
): (guess: Like<X>, ...theta: Likes<A>) => Tensored<X> {
  return (guess, ...theta) => {
    const { values: start, structure } = flattenValues(guess)
    const flat = (theta as readonly unknown[]).map((x) => flattenValues(x))
    const values = [...start, ...flat.flatMap((x) => x.values)]
    const argumentsOf = (given: readonly Value[]) =>
      rebuild<unknown[]>({ kind: 'array', children: [structure, ...flat.map((x) => x.structure)] }, given)
    const call = (f: unknown, given: readonly Value[]) => (f as TensorFunction)(...argumentsOf(given))
    const params: SolutionParams = {
      size: start.length,
      solver: (given) =>
        expectTensors('solver', flattenLike('implicit: the solution', call(solver, given), structure, start)),
      conditions: lazily('conditions', () =>
        traceClosed(
          'implicit: the conditions function',
          (given) =>
            flattenLike('implicit: the result of the conditions', call(conditions, given), structure, start),
          values,
        ),
      ),
      solve: flatSolve('linearSolve', linearSolve, structure),
      transposeSolve: flatSolve('transposeSolve', transposeSolve, structure),
    }
    return rebuild(structure, bind(implicitOp, values, params))
  }
}

function flatSolve<X>(name: string, solve: LinearSolve<X>, structure: Structure): FlatSolve {
  const flat: FlatSolve = (product, b) => {
    const apply = (v: X): X =>
      rebuild(structure, product(flattenLike(`implicit: ${name}'s vector`, v, structure, b)))
    const solution = solve(apply, rebuild(structure, b))
    return expectTensors(name, flattenLike(`implicit: the result of ${name}`, solution, structure, b))
  }
  return Object.assign(flat, { toJSON: () => name })
}

function expectTensors(name: string, values: Value[]): Value[] {
  if (values.some((value) => value instanceof Var))
    throw new Error(`implicit: the ${name} uses a traced value from outside; pass it as an argument`)
  return values
}
