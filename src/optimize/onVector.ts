import * as np from '../numpy/index.js'
import { evaluate, isProgram, type Program } from '../program/program.js'
import { Var } from '../program/value.js'
import { Tensor } from '../tensor/tensor.js'
import { flatten, type Tree } from '../tensor/tree.js'
import { ravel } from '../transforms/index.js'
import { isLeaf } from '../transforms/stage.js'
import type { Parameters } from './parameters.js'

// biome-ignore lint/suspicious/noExplicitAny: its argument is what the parameters' tree makes
type UserFunction = (...args: any) => unknown

/**
 * A function of the tree, or a program of one vector, as a function of the vector of varying parameters.
 * @throws naming `where` when it is neither, or when it returns no tensors.
 */
export function onVector(
  where: string,
  f: UserFunction | Program,
  { tree }: Pick<Parameters<unknown>, 'tree'>,
): (vector: Tensor) => unknown {
  if (isProgram(f)) return (x) => evaluate(f, [tree(x) as Tensor])[0]
  checkFunction(where, f, 'a function of tensors, or a program')
  return (x) => {
    const result = f(tree(x))
    const { leaves } = flatten(result as Tree<unknown>, isLeaf, `what ${where} returns`)
    if ((x as unknown) instanceof Var && !leaves.some(isValue))
      throw new Error(
        `${where}: returns plain numbers, which hide how they depend on the parameters; make them with the functions of ` +
          'evolute/numpy, or choose finiteDifferences',
      )
    return result
  }
}

/**
 * A function of the tree in numbers as a function of the vector of varying parameters.
 * @throws naming `where` when it is none, or returns no numbers.
 */
export function onNumbers(
  where: string,
  f: UserFunction,
  { numbers }: Pick<Parameters<unknown>, 'numbers'>,
): (vector: Float64Array) => Float64Array {
  checkFunction(where, f, 'a function of numbers')
  return (x) => {
    const result = f(numbers(x))
    if (ArrayBuffer.isView(result) || isPlain(result)) return Float64Array.from(result as ArrayLike<number>)
    flatten(result as Tree<unknown>, isLeaf, `what ${where} returns`)
    return np.astype(ravel(result as Tensor)[0], 'float64').data as Float64Array
  }
}

const isValue = (leaf: unknown) => leaf instanceof Var || leaf instanceof Tensor

const isPlain = (result: unknown) => Array.isArray(result) && result.every((x) => typeof x === 'number')

function checkFunction(where: string, f: unknown, expected: string): void {
  if (typeof f !== 'function')
    throw new Error(`${where}: got ${JSON.stringify(f) ?? typeof f}, expected ${expected}`)
}
