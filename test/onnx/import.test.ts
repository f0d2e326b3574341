import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { add, multiply as mul, sum } from '../../src/numpy/index.js'
import { tensorToProto } from '../../src/onnx/file/tensors.js'
import { attribute, node, valueInfo, writeModel } from '../../src/onnx/file/write.js'
import { importModel, type OnnxModel } from '../../src/onnx/import/index.js'
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType as Type,
} from '../../src/onnx/schema/onnx_pb.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, hvp, vmap } from '../../src/transforms/index.js'
import { branching, modelOf } from '../helpers/onnxModels.js'
import { uniform } from '../helpers/random.js'

const seed = 7
const random = uniform(seed)

/** Seeded float32 numbers in [-1, 1). */
const draw = (...shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return tensor(
    Float32Array.from({ length: size }, () => 2 * random() - 1),
    { shape },
  )
}

const weights = (name: string, ...shape: number[]) => tensorToProto(draw(...shape), name)
const ints = (name: string, values: number[]) =>
  tensorToProto(tensor(values, { dtype: 'int32' }), name, Type.INT64)

/** A small convolutional classifier with BatchNormalization, flattened by a Reshape to `rows` rows. */
function classifier(batch: number | string, rows: number) {
  return modelOf({
    input: [valueInfo('image', Type.FLOAT, [batch, 1, 6, 6])],
    output: [valueInfo('logits', Type.FLOAT)],
    initializer: [
      weights('kernel', 3, 1, 3, 3),
      ...['scale', 'shift', 'mean'].map((name) => weights(name, 3)),
      tensorToProto(tensor([1, 2, 3], { dtype: 'float32' }), 'variance'),
      ints('shape', [rows, 12]),
      weights('matrix', 12, 4),
      tensorToProto(tensor(0.5, { dtype: 'float32' }), 'factor'),
    ],
    node: [
      node('Conv', ['image', 'kernel'], ['a']),
      node('BatchNormalization', ['a', 'scale', 'shift', 'mean', 'variance'], ['b']),
      node('Tanh', ['b'], ['c']),
      node('MaxPool', ['c'], ['d'], { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } }),
      node('Reshape', ['d', 'shape'], ['e']),
      node('MatMul', ['e', 'matrix'], ['f']),
      node('Mul', ['f', 'factor'], ['logits']),
    ],
  })
}

describe('an imported model', () => {
  test('tells its inputs, outputs, parameters, other floats and operator sets', () => {
    const model = importModel(classifier('N', -1), { name: 'classifier.onnx' })
    expect(model.inputs).toEqual([{ name: 'image', dtype: 'float32', shape: ['N', 1, 6, 6] }])
    expect(model.outputs).toEqual(['logits'])
    expect(Object.keys(model.parameters)).toEqual(['kernel', 'scale', 'shift', 'matrix'])
    expect(Object.keys(model.state)).toEqual(['mean', 'variance', 'factor'])
    expect([model.opset, model.opsets, model.metadata]).toEqual([17, { 'ai.onnx': 17 }, {}])
    expect(importModel(classifier('N', -1), { batch: 8 }).inputs[0]?.shape).toEqual([8, 1, 6, 6])
    const chosen = importModel(classifier('N', -1), { trainable: (name) => name === 'mean' })
    expect(Object.keys(chosen.parameters)).toEqual(['mean'])
  })

  test('is the same from its bytes', () => {
    const proto = classifier(1, 1)
    const image = draw(1, 1, 6, 6)
    const [a, b] = [importModel(proto), importModel(writeModel(proto))].map((m) =>
      m.apply(m.parameters, { image }),
    )
    expect(b?.logits?.toArray()).toEqual(a?.logits?.toArray())
  })

  test(`has derivatives that agree with central differences in float64, of orders 1 and 2 (seed ${seed})`, () => {
    const model = importModel(classifier('N', -1), { precision: 'float64' })
    const image = tensor(Float64Array.from(draw(2, 1, 6, 6).data), { shape: [2, 1, 6, 6] })
    const target = tensor(Float64Array.from(draw(2, 4).data), { shape: [2, 4] })
    const loss = (p: OnnxModel['parameters']): Tensor => {
      const error = add(model.apply(p, { image }).logits as Tensor, target)
      return sum(mul(error, error))
    }
    const p = model.parameters
    const v = Object.fromEntries(
      Object.entries(p).map(([name, w]) => [
        name,
        tensor(Float64Array.from(draw(w.size).data), { shape: w.shape }),
      ]),
    )
    const step = 1e-5
    const moved = (by: number) =>
      Object.fromEntries(Object.keys(p).map((k) => [k, add(p[k]!, mul(v[k]!, by))]))
    const dot = (a: OnnxModel['parameters']) =>
      Object.keys(p).reduce((s, k) => s + sum(mul(a[k]!, v[k]!)).item(), 0)
    const slope = (loss(moved(step)).item() - loss(moved(-step)).item()) / (2 * step)
    expect(dot(grad(loss)(p))).toBeCloseTo(slope, 6)
    const bend = (dot(grad(loss)(moved(step))) - dot(grad(loss)(moved(-step)))) / (2 * step)
    expect(dot(hvp(loss)(p, v) as never)).toBeCloseTo(bend, 5)
  })
})

describe('a batch', () => {
  const images = draw(3, 1, 6, 6)
  const one = (i: number) => tensor(images.data.slice(36 * i, 36 * (i + 1)), { shape: [1, 1, 6, 6] })
  const expectSame = (model: OnnxModel) => {
    const { logits } = model.applyBatch(model.parameters, { image: images })
    expect(logits?.shape).toEqual([3, 4])
    for (const i of [0, 1, 2]) {
      const single = model.apply(model.parameters, { image: one(i) }).logits as Tensor
      single.data.forEach((x, k) => {
        expect(logits?.data[4 * i + k]).toBeCloseTo(x, 5)
      })
    }
  }

  test('of a model with a symbolic batch is fed as it is', () => expectSame(importModel(classifier('N', -1))))

  test('of a model with a batch of one comes without that axis', () => {
    const model = importModel(classifier(1, 1))
    const { logits } = model.applyBatch(model.parameters, {
      image: tensor(images.data, { shape: [3, 1, 6, 6] }),
    })
    expect(logits?.shape).toEqual([3, 4])
    expectSame(model)
  })

  test('of a model that says it takes any batch, but reshapes to one row, is computed sample by sample', () =>
    expectSame(importModel(classifier('N', 1))))

  test('may be traced, as part of a vmap over parameters', () => {
    const model = importModel(classifier(1, 1))
    const stacked = Object.fromEntries(
      Object.entries(model.parameters).map(([k, w]) => [
        k,
        tensor(Float32Array.from([...w.data, ...w.data]), { shape: [2, ...w.shape] }),
      ]),
    )
    const run = (p: OnnxModel['parameters']) => model.applyBatch(p, { image: images }).logits as Tensor
    const both = vmap(run)(stacked)
    expect(both.shape).toEqual([2, 3, 4])
    Array.from(run(model.parameters).data).forEach((x, i) => {
      expect(both.data[12 + i]).toBeCloseTo(x, 5)
    })
  })

  test('of inputs that differ in number is refused', () => {
    const model = modelOf({
      node: [node('Add', ['a', 'b'], ['y'])],
      input: ['a', 'b'].map((name) => valueInfo(name, Type.FLOAT, [1, 2])),
      output: [valueInfo('y', Type.FLOAT)],
    })
    const imported = importModel(model, { name: 'm.onnx' })
    expect(() => imported.applyBatch({}, { a: draw(3, 2), b: draw(4, 2) })).toThrow(
      'm.onnx: input "b" has 4 samples, the others 3',
    )
  })
})

describe('a graph', () => {
  test('with If takes a branch, whether the condition is known or traced', () => {
    const model = importModel(branching(), { name: 'if.onnx' })
    const x = tensor([1, 2], { dtype: 'float32' })
    expect(model.apply(model.parameters, { x }).y?.toArray()).toEqual([2, 4])
    const loss = (x: Tensor) => sum(model.apply(model.parameters, { x }).y as Tensor)
    expect(grad(loss)(x).toArray()).toEqual([2, 2])
  })

  test('with functions passes attributes on to them, or their defaults', () => {
    const slope = create(AttributeProtoSchema, {
      name: 'alpha',
      refAttrName: 'slope',
      type: AttributeProto_AttributeType.FLOAT,
    })
    const leaky = node('LeakyRelu', ['a'], ['b'])
    leaky.attribute.push(slope)
    const model = modelOf({
      node: [
        node('leaky', ['x'], ['u'], { slope: { float: 0.5 } }, { domain: 'local' }),
        node('leaky', ['u'], ['y'], {}, { domain: 'local' }),
      ],
      input: [valueInfo('x', Type.FLOAT, ['n'])],
      output: [valueInfo('y', Type.FLOAT)],
    })
    model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'local', version: 1n }))
    model.functions = [
      create(FunctionProtoSchema, {
        name: 'leaky',
        domain: 'local',
        input: ['a'],
        output: ['b'],
        opsetImport: [{ domain: '', version: 17n }],
        node: [leaky],
        attributeProto: [attribute('slope', { float: 0.25 })],
      }),
    ]
    expect(
      importModel(model)
        .apply({}, { x: [-8, 3] })
        .y?.toArray(),
    ).toEqual([-1, 3])
  })

  test('reads tensors from files beside it', () => {
    const proto = weights('w', 2)
    const bytes = proto.rawData
    proto.rawData = new Uint8Array()
    proto.dataLocation = TensorProto_DataLocation.EXTERNAL
    proto.externalData = [
      ['location', 'weights.bin'],
      ['offset', '4'],
    ].map(([key, value]) => ({
      $typeName: 'onnx.StringStringEntryProto',
      key: key as string,
      value: value as string,
    }))
    const model = modelOf({
      node: [node('Mul', ['x', 'w'], ['y'])],
      input: [valueInfo('x', Type.FLOAT, [2])],
      output: [valueInfo('y', Type.FLOAT)],
      initializer: [proto],
    })
    const asked: unknown[] = []
    const externalData = (...request: [string, number, number]) => {
      asked.push(request)
      return bytes
    }
    expect(importModel(model, { externalData }).parameters.w?.shape).toEqual([2])
    expect(asked).toEqual([['weights.bin', 4, 8]])
    expect(() => importModel(model, { name: 'm.onnx' })).toThrow(
      'm.onnx: tensor "w": the data is in the external file "weights.bin"',
    )
  })

  test('may be cut at any of its values, and then asks only for the inputs that these need', () => {
    const model = modelOf({
      node: [node('Neg', ['a'], ['c']), node('Add', ['c', 'b'], ['y'])],
      input: [valueInfo('a', Type.FLOAT, [1]), valueInfo('b', Type.STRING, [1])],
      output: [valueInfo('y', Type.FLOAT)],
    })
    expect(() => importModel(model)).toThrow('input "b" cannot be used: element type STRING is not supported')
    expect(
      importModel(model, { outputs: ['c'] })
        .apply({}, { a: [2] })
        .c?.toArray(),
    ).toEqual([-2])
  })

  test('slices from a start that is computed, if its length is known', () => {
    const model = importModel(
      modelOf({
        node: [
          node('Cast', ['at'], ['from'], { to: { int: Type.INT64 } }),
          node('Add', ['from', 'two'], ['to']),
          node('Slice', ['x', 'from', 'to', 'axis'], ['y']),
        ],
        input: [valueInfo('x', Type.FLOAT, [5]), valueInfo('at', Type.FLOAT, [1])],
        output: [valueInfo('y', Type.FLOAT)],
        initializer: [ints('two', [2]), ints('axis', [0])],
      }),
    )
    const x = tensor([1, 2, 3, 4, 5], { dtype: 'float32' })
    const at = tensor([2], { dtype: 'float32' })
    expect(model.apply({}, { x, at }).y?.toArray()).toEqual([3, 4])
    const slope = grad((x: Tensor, at: Tensor) => sum(model.apply({}, { x, at }).y as Tensor))
    expect(slope(x, at).toArray()).toEqual([0, 0, 1, 1, 0])
  })
})
