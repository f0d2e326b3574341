import { showType, type Value, Var } from '../../program/value.js'
import type { DType } from '../../tensor/dtype.js'
import { Tensor, tensor } from '../../tensor/tensor.js'
import type { ArrayLike } from '../../transforms/stage.js'
import { OnnxError, quote } from '../error.js'
import type { ValueInfoProto } from '../schema/onnx_pb.js'
import { dtypeOf, type Runtime } from './runtime.js'

/** An input of a model. A dimension is a length, or a symbol that the values given bind. */
export interface OnnxInput {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly (number | string)[]
}

export interface InputOptions {
  /** Shapes of inputs in place of those that the file declares. */
  readonly inputShapes?: Readonly<Record<string, readonly (number | string)[]>> | undefined
  /** The number that a symbolic first dimension stands for. */
  readonly batch?: number | undefined
}

/** The declaration of a graph input. @throws OnnxError when it is no tensor, or nothing tells its shape. */
export function readInput(info: ValueInfoProto, options: InputOptions, runtime: Runtime): OnnxInput {
  const { name, type } = info
  const fail = (reason: string): never => {
    throw new OnnxError(`input ${quote(name)} ${reason}`, { file: runtime.file })
  }
  if (type?.value.case !== 'tensorType')
    return fail(`is a ${type?.value.case?.replace('Type', '') ?? 'value without a type'}, expected a tensor`)
  const { elemType, shape } = type.value.value
  const stated = options.inputShapes?.[name]
  if (!shape && !stated) return fail(`declares no shape; give one as inputShapes: { ${quote(name)}: [...] }`)
  const dimensions = shape?.dim.map(({ value }, axis): number | string => {
    if (value.case === 'dimValue') return Number(value.value)
    return value.case === 'dimParam' && value.value ? value.value : `${name}.${axis}`
  })
  const [first, ...rest] = stated ?? (dimensions as (number | string)[])
  const bound = typeof first === 'string' && options.batch !== undefined ? options.batch : first
  let dtype: DType
  try {
    dtype = dtypeOf(elemType, runtime.precision)
  } catch (error) {
    return fail(`cannot be used: ${(error as Error).message}`)
  }
  return { name, dtype, shape: bound === undefined ? [] : [bound, ...rest] }
}

/** What was given for a name as a value; plain numbers take the dtype that is declared. */
export function toDeclared(given: unknown, dtype: DType): Value {
  if (given instanceof Tensor || given instanceof Var) return given
  return ArrayBuffer.isView(given)
    ? tensor(given as ArrayLike as Tensor)
    : tensor(given as ArrayLike as number, { dtype })
}

/**
 * Checks values against the declared inputs: all there, none unknown, their dtypes, ranks and lengths as declared,
 * and every symbol bound to one number. @throws OnnxError
 */
export function checkInputs(
  given: Readonly<Record<string, Value>>,
  inputs: readonly OnnxInput[],
  file: string,
): void {
  const where = { file }
  const names = inputs.map(({ name }) => name)
  for (const name of Object.keys(given))
    if (!names.includes(name))
      throw new OnnxError(
        `there is no input ${quote(name)}, expected ${names.map(quote).join(', ') || 'none'}`,
        where,
      )
  const symbols = new Map<string, number>()
  for (const { name, dtype, shape } of inputs) {
    const value = given[name]
    const expected = `${dtype}[${shape.join(',')}]`
    if (!value) throw new OnnxError(`input ${quote(name)} is missing, expected ${expected}`, where)
    const fits =
      value.shape.length === shape.length &&
      shape.every((n, i) => typeof n === 'string' || n === value.shape[i])
    if (value.dtype !== dtype || !fits)
      throw new OnnxError(`input ${quote(name)} is ${showType(value)}, expected ${expected}`, where)
    shape.forEach((symbol, axis) => {
      if (typeof symbol !== 'string') return
      const length = value.shape[axis] as number
      const before = symbols.get(symbol)
      if (before !== undefined && before !== length)
        throw new OnnxError(
          `input ${quote(name)} is ${showType(value)}, but dimension ${quote(symbol)} is ${before} in another input`,
          where,
        )
      symbols.set(symbol, length)
    })
  }
}
