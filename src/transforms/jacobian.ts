import { broadcastTo, reshape } from '../ops/broadcast.js'
import { moveAxis } from '../ops/gather.js'
import { sliceAxis } from '../ops/slice.js'
import { traceFlat } from '../program/builder.js'
import type { Program } from '../program/program.js'
import type { Type, Value } from '../program/value.js'
import { allocate } from '../tensor/dtype.js'
import { sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { unflatten } from '../tensor/tree.js'
import { batchProgram } from './batch.js'
import { chooseInputs, typesOf } from './call.js'
import { grad, type Likes } from './derivatives.js'
import { instantiate } from './jvp.js'
import { type LinearizedAt, linearizeAt } from './linearize.js'
import { type Arguments, stageCall, type Tensored, type TensorFunction } from './stage.js'
import { transposeProgram } from './transpose.js'

/** The tree of `R` with each tensor replaced by the tree of `X`: derivatives of every output by every input. */
export type Jacobian<R, X> = R extends Tensor
  ? X
  : R extends object
    ? { readonly [K in keyof R]: Jacobian<R[K], X> }
    : X

export interface JacobianOptions {
  /** Which argument to differentiate. Default 0. */
  readonly argument?: number
  /** Forward costs a product for each input element, reverse for each output element. Default: the fewer. */
  readonly mode?: 'forward' | 'reverse'
}

/**
 * The function from the arguments of `f` to its full Jacobian: for each output of shape r and input of
 * shape x a tensor of shape r + x holding d output / d input.
 */
export function jacobian<A extends Arguments, R>(
  f: (...args: A) => R,
  { argument = 0, mode }: JacobianOptions = {},
): (...args: Likes<A>) => Jacobian<R, Tensored<A[0]>> {
  return (...args) => {
    const call = stageCall(f as TensorFunction, args)
    const at = linearizeAt(call.program, call.inputs, chooseInputs('jacobian', call, [argument]))
    const inputs = typesOf(call, argument)
    const forward = mode ? mode === 'forward' : total(inputs) <= total(at.outputs)
    const blocks = forward ? forwardBlocks(at, inputs) : reverseBlocks(at, inputs)
    const rows = blocks.map((row) => unflatten(call.structures[argument]!, row as Tensor[]))
    return unflatten(call.outputStructure, rows) as Jacobian<R, Tensored<A[0]>>
  }
}

/**
 * The function from the arguments of `f`, which returns one number, to its matrix of second derivatives,
 * forward over reverse. For a tree of inputs, the tree of blocks d2f / dx_i dx_j.
 */
export function hessian<A extends Arguments>(
  f: (...args: A) => Tensor | number,
  options: { readonly argument?: 0 } = {},
): (...args: Likes<A>) => Jacobian<Tensored<A[0]>, Tensored<A[0]>> {
  const gradient = grad(f, options) as unknown as (...args: A) => Tensored<A[0]>
  return jacobian<A, Tensored<A[0]>>(gradient, { mode: 'forward' })
}

const total = (types: readonly Type[]) => types.reduce((sum, { shape }) => sum + sizeOf(shape), 0)

/** The rows of the identity on the concatenation of all leaves, cut into leaves: [total, ...shape] each. */
function basis(types: readonly Type[]): Tensor[] {
  const rows = total(types)
  let offset = 0
  return types.map(({ dtype, shape }) => {
    const size = sizeOf(shape)
    const data = allocate(dtype, rows * size)
    for (let i = 0; i < size; i++) data[(offset + i) * size + i] = 1
    offset += size
    return new Tensor(data, [rows, ...shape])
  })
}

/** A linear program applied to every vector of the basis of its last inputs; every result is batched. */
function applyToBasis(program: Program, known: readonly Value[], types: readonly Type[]): Value[] {
  const vectors = basis(types)
  const rows = total(types)
  const flags = [...known.map(() => false), ...vectors.map(() => true)]
  const { outputs, batched } = batchProgram(program, [...known, ...vectors], flags, rows)
  return outputs.map((output, i) => (batched[i] ? output : broadcastTo(output, [rows, ...output.shape])))
}

/** Cuts axis 0 of a batch over the basis into one piece for each leaf. */
function cut(batch: Value, types: readonly Type[]): Value[] {
  let offset = 0
  return types.map(({ shape }) => {
    offset += sizeOf(shape)
    return sliceAxis(batch, 0, offset - sizeOf(shape), offset)
  })
}

function forwardBlocks(at: LinearizedAt, inputs: readonly Type[]): Value[][] {
  const moved = applyToBasis(at.linear, at.residuals, inputs)
  let next = 0
  return at.outputs.map((output, i) => {
    const columns = at.moves[i] ? cut(moved[next++]!, inputs) : undefined
    return inputs.map((input, j) => {
      if (!columns)
        return instantiate(null, { dtype: output.dtype, shape: [...output.shape, ...input.shape] })
      return reshape(moveAxis(columns[j]!, 0, output.shape.length), [...output.shape, ...input.shape])
    })
  })
}

function reverseBlocks(at: LinearizedAt, inputs: readonly Type[]): Value[][] {
  const moving = at.outputs.filter((_, i) => at.moves[i])
  const { program } = traceFlat(
    (values) => {
      const residuals = values.slice(0, at.residuals.length)
      const cotangents = values.slice(at.residuals.length)
      const back = transposeProgram(at.linear, [...residuals, ...inputs.map(() => null)], cotangents)
      return inputs.map((input, i) => instantiate(back[i], input))
    },
    [...at.residuals, ...moving],
  )
  const rows = applyToBasis(program, at.residuals, moving).map((batch) => cut(batch, moving))
  let next = 0
  return at.outputs.map((output, i) => {
    const place = at.moves[i] ? next++ : -1
    return inputs.map((input, j) => {
      const shape = [...output.shape, ...input.shape]
      return place < 0 ? instantiate(null, { dtype: output.dtype, shape }) : reshape(rows[j]![place]!, shape)
    })
  })
}
