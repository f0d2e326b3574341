import { toValue } from '../../numpy/convert.js'
import { cast } from '../../ops/arithmetic.js'
import type { Value } from '../../program/value.js'
import { showType } from '../../program/value.js'
import { isFloat } from '../../tensor/dtype.js'
import { Tensor, tensor } from '../../tensor/tensor.js'
import type { Structure } from '../../tensor/tree.js'
import { rebuild } from '../call.js'
import {
  type ArrayLike,
  flattenEach,
  flattenLike,
  type Staged,
  stage,
  type Tensored,
  type TensorFunction,
} from '../stage.js'
import { closeTogether, expectScalar } from './record.js'
import { bindSwitch } from './switchOp.js'

type Operands = readonly unknown[]
type TensoredAll<A extends Operands> = { [K in keyof A]: Tensored<A[K]> }

/**
 * `whenTrue(...operands)` if the predicate holds, else `whenFalse(...operands)`: one of them runs. A
 * predicate that is known chooses at once; a traced one records both, whose results must then be trees of
 * the same shapes and dtypes. Under vmap over the predicate both run, and each instance takes its own.
 */
export function cond<A extends Operands, R>(
  predicate: ArrayLike,
  whenTrue: (...operands: TensoredAll<A>) => R,
  whenFalse: (...operands: TensoredAll<A>) => R,
  ...operands: A
): R {
  const value = toValue(predicate)
  expectScalar('cond: the predicate', value)
  const branches = [whenFalse, whenTrue] as unknown as readonly TensorFunction<R>[]
  const names = ['whenFalse', 'whenTrue']
  const holds = value instanceof Tensor ? tensor(Number(value.item() !== 0), { dtype: 'int32' }) : undefined
  const index = holds ?? cast(value.dtype === 'bool' ? value : cast(value, 'bool'), 'int32')
  return choose('cond', index, branches, names, operands)
}

/**
 * `branches[index](...operands)`, with the index brought within 0 and the number of branches minus 1. See
 * {@link cond}.
 */
export function switchCase<A extends Operands, R>(
  index: ArrayLike,
  branches: readonly ((...operands: TensoredAll<A>) => R)[],
  ...operands: A
): R {
  const value = toValue(index)
  expectScalar('switchCase: the index', value)
  if (value instanceof Tensor && isFloat(value.dtype) && !Number.isInteger(value.item()))
    throw new Error(`switchCase: the index is ${value.item()}, expected an integer`)
  if (!(value instanceof Tensor) && isFloat(value.dtype))
    throw new Error(`switchCase: the index is ${showType(value)}, expected int32; cast it`)
  if (branches.length === 0) throw new Error('switchCase: got no branches, expected at least one')
  const names = branches.map((_, i) => `branch ${i}`)
  const listed = branches as unknown as readonly TensorFunction<R>[]
  return choose('switchCase', cast(value, 'int32'), listed, names, operands)
}

function choose<R>(
  where: string,
  index: Value,
  branches: readonly TensorFunction<R>[],
  names: readonly string[],
  operands: Operands,
): R {
  const flat = flattenEach(operands)
  if (index instanceof Tensor) {
    const place = Math.max(0, Math.min(branches.length - 1, index.item()))
    return (branches[place] as TensorFunction<R>)(...flat.map((x) => rebuild(x.structure, x.values)))
  }
  const values = flat.flatMap((x) => x.values)
  const structure: Structure = { kind: 'array', children: flat.map((x) => x.structure) }
  const [first, ...others] = branches as [TensorFunction, ...TensorFunction[]]
  const model = stage(first, structure, values)
  const alike = (f: TensorFunction, i: number): Staged => {
    const what = `${where}: the result of ${names[i + 1]}, compared with ${names[0]}`
    const same: TensorFunction = (...x) =>
      flattenLike(what, f(...x), model.outputStructure, model.program.outputs)
    return stage(same, structure, values)
  }
  const { programs, captured } = closeTogether([model, ...others.map(alike)], values)
  return rebuild(model.outputStructure, bindSwitch(programs, index, [...captured, ...values]))
}
