import { describe, expect, test } from 'vitest'
import { readModel } from '../../src/onnx/file/read.js'
import { tensorFromProto } from '../../src/onnx/file/tensors.js'
import { writeModel } from '../../src/onnx/file/write.js'
import type { TensorProto } from '../../src/onnx/schema/onnx_pb.js'
import { onnxCases, onnxSuites } from '../helpers/onnxCases.js'

const skip = !process.env.EVOLUTE_DATA

/** The element type for which a tensor is refused; any other reason to refuse it is thrown. */
function refusedType(proto: TensorProto): string | undefined {
  try {
    tensorFromProto(proto)
    return undefined
  } catch (error) {
    const type = /element type (\w+) is not supported/.exec((error as Error).message)?.[1]
    if (!type) throw error
    return type
  }
}

describe.skipIf(skip)("ONNX's own test cases", () => {
  test('are all read as models: 1,615 of one node, and the others', () => {
    const counts = onnxSuites.map((suite) => {
      let count = 0
      for (const { name, modelBytes } of onnxCases(suite)) {
        readModel(modelBytes, { name })
        count++
      }
      return [suite, count]
    })
    expect(Object.fromEntries(counts)).toEqual({
      node: 1615,
      simple: 23,
      'pytorch-converted': 80,
      'pytorch-operator': 34,
      light: 9,
    })
  })

  test('are the same models after being written and read again', () => {
    for (const { name, modelBytes } of onnxCases()) {
      const model = readModel(modelBytes, { name })
      expect(readModel(writeModel(model)), name).toEqual(model)
    }
  })

  test('have sequences and optionals reported by kind', () => {
    const kinds: Record<string, number> = {}
    for (const { nonTensors, datasets } of onnxCases()) {
      for (const { kind } of nonTensors) kinds[kind] = (kinds[kind] ?? 0) + 1
      expect(datasets).toHaveLength(nonTensors.length > 0 ? 0 : 1)
    }
    expect(kinds).toEqual({ optional: 9, sequence: 48 })
  })

  test('hold tensors that are decoded, but for strings, 4-bit types and 8-bit floats', () => {
    const refused: Record<string, number> = {}
    let decoded = 0
    for (const { datasets } of onnxCases())
      for (const { inputs, outputs } of datasets)
        for (const proto of [...inputs, ...outputs]) {
          const type = refusedType(proto)
          if (type) refused[type] = (refused[type] ?? 0) + 1
          else decoded++
        }
    expect(decoded).toBe(5098)
    expect(refused).toEqual({
      FLOAT4E2M1: 20,
      FLOAT8E4M3FN: 32,
      FLOAT8E4M3FNUZ: 26,
      FLOAT8E5M2: 29,
      FLOAT8E5M2FNUZ: 26,
      FLOAT8E8M0: 4,
      INT4: 23,
      STRING: 50,
      UINT4: 23,
    })
  })
})
