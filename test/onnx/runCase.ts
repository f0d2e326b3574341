import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { expect } from 'vitest'
import { compileProgram } from '../../src/engines/compile.js'
import { float16ToNumber } from '../../src/onnx/file/half.js'
import { readModel } from '../../src/onnx/file/read.js'
import { tensorFromProto } from '../../src/onnx/file/tensors.js'
import { valueInfo, writeModel } from '../../src/onnx/file/write.js'
import { neededNodes } from '../../src/onnx/import/check.js'
import { importModel, type OnnxModel } from '../../src/onnx/import/index.js'
import { type TensorProto, TensorProto_DataType as Type } from '../../src/onnx/schema/onnx_pb.js'
import { traceFlat } from '../../src/program/builder.js'
import { isFloat } from '../../src/tensor/dtype.js'
import { range } from '../../src/tensor/shape.js'
import { castTensor, Tensor } from '../../src/tensor/tensor.js'
import type { OnnxCase } from '../helpers/onnxCases.js'
import { isRounded } from './outOfScope.js'

type Tensors = Record<string, Tensor>

export interface Run {
  readonly model: OnnxModel
  readonly inputs: Tensors
  /** The results that the case states, in the order of the outputs. */
  readonly expected: readonly Tensor[]
  /** Relative to each element, and to the largest one. */
  readonly tolerance: number
}

const halves: readonly number[] = [Type.FLOAT16, Type.BFLOAT16]

/** A case ready to run, for each of its data sets. Models of 16-bit floats compute with float32 here, and are judged to their digits. */
export function prepare({ name, modelBytes, datasets }: OnnxCase): Run[] {
  return datasets.map(({ inputs: given, outputs }) => {
    const all = [...given, ...outputs].map((proto) => proto.dataType)
    const isHalf = all.some((type) => halves.includes(type))
    const options = { name, ...(isHalf && { precision: 'float32' as const }) }
    const read = (proto: TensorProto) => {
      const { tensor } = tensorFromProto(proto)
      return isHalf && isFloat(tensor.dtype) ? castTensor(tensor, 'float32') : tensor
    }
    const tensors = given.map(read)
    const names = importInputs(modelBytes, name)
    const inputShapes = Object.fromEntries(tensors.map((x, i) => [names[i] as string, x.shape]))
    const model = importModel(modelBytes, { ...options, inputShapes })
    const inputs = Object.fromEntries(tensors.map((x, i) => [names[i] as string, x]))
    const known = model.inputs.map((input) => input.name)
    return {
      model,
      inputs: Object.fromEntries(Object.entries(inputs).filter(([key]) => known.includes(key))),
      expected: outputs.map(read),
      tolerance: isHalf ? (all.includes(Type.BFLOAT16) ? 2 ** -7 : 2 ** -10) : isRounded(name) ? 1e-3 : 1e-5,
    }
  })
}

function importInputs(bytes: Uint8Array, name: string): string[] {
  return readModel(bytes, { name }).graph?.input.map((input) => input.name) ?? []
}

/** The model's function traced and run by ONNX Runtime. Inputs whose values decide shapes stay constants. */
export async function runTraced({ model, inputs }: Run): Promise<Tensor[]> {
  const names = Object.keys(inputs)
  const trace = (isTraced: (x: Tensor) => boolean) => {
    const traced = names.filter((name) => isTraced(inputs[name] as Tensor))
    const program = traceFlat(
      (values) => {
        const given = {
          ...inputs,
          ...Object.fromEntries(traced.map((name, i) => [name, values[i] as never])),
        }
        return Object.values(model.apply(model.parameters, given))
      },
      traced.map((name) => inputs[name] as Tensor),
    ).program
    return { program, values: traced.map((name) => inputs[name] as Tensor) }
  }
  const { program, values } = firstThatTraces([
    () => trace(() => true),
    () => trace((x) => isFloat(x.dtype)),
    () => trace(() => false),
  ])
  const executable = await compileProgram(program, { engine: 'onnx', threads: 1 })
  const outputs = await executable.run(values)
  await executable.dispose()
  return outputs
}

function firstThatTraces<T>(attempts: readonly (() => T)[]): T {
  for (const attempt of attempts.slice(0, -1))
    try {
      return attempt()
    } catch (error) {
      if (!(error as Error).message.includes('must be known')) throw error
    }
  return (attempts.at(-1) as () => T)()
}

/** The file, with those values as outputs that the model has been imported for. */
export function stockBytes(bytes: Uint8Array, model: OnnxModel): Uint8Array {
  const proto = readModel(bytes)
  const graph = proto.graph
  if (!graph || model.outputs.every((name) => graph.output.some((output) => output.name === name)))
    return bytes
  graph.output = model.outputs.map((name) => valueInfo(name, Type.FLOAT))
  graph.node = neededNodes(graph.node, model.outputs)
  return writeModel(proto)
}

/** The results of ONNX Runtime for the file as it stands. */
export async function runStock(
  bytes: Uint8Array,
  inputs: Tensors,
  outputs: readonly string[],
): Promise<Tensor[]> {
  const session = await InferenceSession.create(bytes, {
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
  })
  const types = new Map(session.inputMetadata.map((m) => [m.name, m.isTensor ? m.type : 'float32']))
  const feeds = Object.entries(inputs).map(([name, x]) => [name, toStock(x, types.get(name))])
  const results = await session.run(Object.fromEntries(feeds), outputs)
  await session.release()
  return outputs.map((name) => fromStock(results[name] as OrtTensor))
}

function toStock({ dtype, data, shape }: Tensor, type: string = dtype): OrtTensor {
  if (type === 'int64') return new OrtTensor('int64', BigInt64Array.from(data, BigInt), shape)
  if (type === 'float16') return new OrtTensor('float16', Uint16Array.from(data, halfBits), shape)
  return new OrtTensor(type as 'float32', data as Float32Array, shape)
}

function fromStock({ type, data, dims }: OrtTensor): Tensor {
  if (type === 'int64') return new Tensor(Int32Array.from(data as BigInt64Array, Number), dims)
  if (type === 'float16') return new Tensor(Float32Array.from(data as Uint16Array, float16ToNumber), dims)
  return new Tensor(data as Float32Array, dims)
}

const bitsOfHalves = new Map(range(2 ** 16).map((bits) => [float16ToNumber(bits), bits]))

/** The bits of a number that came from 16 bits. */
function halfBits(value: number): number {
  return bitsOfHalves.get(value) as number
}

/** The largest difference, as a multiple of what is tolerated; NaN and infinities must be the same. */
export function compare(got: Tensor, expected: Tensor, tolerance: number): void {
  expect(`${got}`).toBe(`${expected}`)
  const finite = Array.from(expected.data).filter(Number.isFinite)
  const largest = finite.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  expected.data.forEach((want, i) => {
    const is = got.data[i] as number
    if (Object.is(is, want) || is === want) return
    const allowed = tolerance * Math.abs(want) + 0.1 * tolerance * largest + 1e-7
    if (!(Math.abs(is - want) <= allowed))
      throw new Error(`element ${i} is ${is}, expected ${want} within ${allowed}`)
  })
}
