import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { attribute, node, valueInfo, writeModel } from '../../src/onnx/file/write.js'
import { AttributeProto_AttributeType, TensorProto_DataType as Type } from '../../src/onnx/schema/onnx_pb.js'
import { branching, modelOf } from '../helpers/onnxModels.js'

async function run(bytes: Uint8Array, x: number[]): Promise<number[]> {
  const session = await InferenceSession.create(bytes)
  const { y } = await session.run({ x: new OrtTensor('float32', x) })
  const values = Array.from(y?.data as Float32Array)
  await session.release()
  return values
}

test('a written model with graphs in its nodes runs in ONNX Runtime', async () => {
  const bytes = writeModel(branching())
  expect(await run(bytes, [1, 2, 3])).toEqual([2, 4, 6])
  expect(await run(bytes, [-1, 0.25])).toEqual([1.5, 0.25])
})

test('attributes whose value is zero reach ONNX Runtime as zero, not as the default', async () => {
  const model = modelOf({
    input: [valueInfo('x', Type.FLOAT, ['n'])],
    output: [valueInfo('y', Type.FLOAT, ['n'])],
    node: [node('LeakyRelu', ['x'], ['y'], { alpha: { float: 0 } })], // the default is 0.01
  })
  expect(await run(writeModel(model), [-100, 3])).toEqual([-0, 3])
})

test('each kind of attribute states its type', () => {
  const types = AttributeProto_AttributeType
  expect(attribute('a', { int: 3 })).toMatchObject({ name: 'a', type: types.INT, i: 3n })
  expect(attribute('a', { float: 0.5 })).toMatchObject({ type: types.FLOAT, f: 0.5 })
  expect(attribute('a', { string: 'é' })).toMatchObject({
    type: types.STRING,
    s: new Uint8Array([0xc3, 0xa9]),
  })
  expect(attribute('a', { ints: [1, 2n] })).toMatchObject({ type: types.INTS, ints: [1n, 2n] })
  expect(attribute('a', { floats: [1] })).toMatchObject({ type: types.FLOATS, floats: [1] })
  expect(attribute('a', { strings: ['b'] })).toMatchObject({
    type: types.STRINGS,
    strings: [new Uint8Array([98])],
  })
})

test('a declared shape holds sizes and symbols, and may be left out', () => {
  const { type } = valueInfo('x', Type.FLOAT, ['batch', 3])
  expect(type?.value.value).toMatchObject({
    elemType: Type.FLOAT,
    shape: { dim: [{ value: { value: 'batch' } }, { value: { value: 3n } }] },
  })
  expect(valueInfo('x', Type.FLOAT).type?.value.value).not.toHaveProperty('shape.dim')
})
