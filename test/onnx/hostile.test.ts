import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { OnnxError } from '../../src/onnx/error.js'
import { tensorToProto } from '../../src/onnx/file/tensors.js'
import { type AttributeValue, node, valueInfo } from '../../src/onnx/file/write.js'
import { type ImportOptions, importModel } from '../../src/onnx/import/index.js'
import {
  FunctionProtoSchema,
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  OperatorSetIdProtoSchema,
  type TensorProto,
  TensorProto_DataType as Type,
} from '../../src/onnx/schema/onnx_pb.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import { modelOf } from '../helpers/onnxModels.js'

const int64 = (name: string, values: number[]): TensorProto =>
  tensorToProto(tensor(values, { dtype: 'int32' }), name, Type.INT64)

const floats = (name: string, values: number[]): TensorProto =>
  tensorToProto(tensor(values, { dtype: 'float32' }), name)

/** A model from x [2] to y. */
function toY(nodes: NodeProto[], initializer: TensorProto[] = [], opset = 18): ModelProto {
  return modelOf(
    {
      node: nodes,
      initializer,
      input: [valueInfo('x', Type.FLOAT, [2])],
      output: [valueInfo('y', Type.FLOAT)],
    },
    opset,
  )
}

const x: Record<string, Tensor> = { x: tensor([1, 2], { dtype: 'float32' }) }

/** The message of the error that importing or applying a model ends with. */
function refusal(model: ModelProto, inputs = x, options: ImportOptions = {}): string {
  try {
    const imported = importModel(model, { name: 'bad.onnx', ...options })
    imported.apply(imported.parameters, inputs)
  } catch (error) {
    expect(error).toBeInstanceOf(OnnxError)
    return (error as OnnxError).message
  }
  throw new Error('the model was accepted')
}

describe('a small file that would make huge tensors is refused before they are made:', () => {
  const huge = [2 ** 30, 2 ** 30]
  const big = 2 ** 31 - 1
  const bomb = (
    opType: string,
    inputs: string[],
    tensors: TensorProto[],
    attributes: Record<string, AttributeValue> = {},
    opset = 18,
  ) => toY([node(opType, inputs, ['y'], attributes, { name: 'bomb' })], tensors, opset)

  test.each([
    ['ConstantOfShape', bomb('ConstantOfShape', ['shape'], [int64('shape', huge)])],
    [
      'ConstantOfShape with an axis of no elements',
      bomb('ConstantOfShape', ['shape'], [int64('shape', [0, ...huge])]),
    ],
    ['Expand', bomb('Expand', ['x', 'shape'], [int64('shape', [...huge, 2])])],
    ['Tile', bomb('Tile', ['x', 'repeats'], [int64('repeats', [big])])],
    [
      'Range',
      bomb(
        'Range',
        ['from', 'to', 'by'],
        ['from', 'to', 'by'].map((name, i) =>
          tensorToProto(tensor([0, 1e9, 1e-9][i] as number, { dtype: 'float32' }), name),
        ),
      ),
    ],
    ['Pad', bomb('Pad', ['x', 'pads'], [int64('pads', [big, big])])],
    [
      'OneHot',
      bomb(
        'OneHot',
        ['at', 'depth', 'values'],
        [int64('at', [0]), int64('depth', [big]), floats('values', [0, 1])],
      ),
    ],
    ['Resize', bomb('Resize', ['x', '', 'scales'], [floats('scales', [1e12])])],
    ['HannWindow', bomb('HannWindow', ['size'], [int64('size', [big])])],
    [
      'Einsum',
      bomb('Einsum', ['a', 'a', 'a', 'a'], [floats('a', new Array(1000).fill(1))], {
        equation: { string: 'a,b,c,d->abcd' },
      }),
    ],
    ['CenterCropPad', bomb('CenterCropPad', ['x', 'shape'], [int64('shape', [big])])],
  ])('%s', (_, model) => {
    expect(refusal(model)).toMatch(
      /^bad\.onnx: node "bomb" \(\w+\): the result would have shape .*beyond the budget of 1073741824 bytes/,
    )
  })

  test('broadcasting one column against one row', () => {
    const wide = floats('row', new Array(40_000).fill(1))
    const nodes = [
      node('Unsqueeze', ['row', 'axis'], ['column']),
      node('Add', ['row', 'column'], ['y'], {}, { name: 'outer' }),
    ]
    expect(refusal(toY(nodes, [wide, int64('axis', [1])]))).toContain(
      'node "outer" (Add): the result would have shape [40000,40000]',
    )
  })

  test('a budget may be set', () => {
    const model = bomb('Tile', ['x', 'repeats'], [int64('repeats', [1000])])
    expect(refusal(model, x, { maxBytes: 1000 })).toContain('beyond the budget of 1000 bytes')
    const imported = importModel(model)
    expect(imported.apply({}, x).y?.shape).toEqual([2000])
  })
})

describe('an operation that is not known is refused when the model is imported,', () => {
  test('naming the nearest', () => {
    expect(() => importModel(toY([node('Sofmax', ['x'], ['y'], {}, { name: 'n' })]))).toThrow(
      /^model\.onnx: node "n" \(Sofmax\): no operation "Sofmax" of domain "ai\.onnx"; the nearest of the \d+ supported is Softmax$/,
    )
  })

  test('and so are names of JavaScript, and domains without operations', () => {
    expect(() => importModel(toY([node('constructor', ['x'], ['y'])]))).toThrow('no operation "constructor"')
    const model = toY([node('Foo', ['x'], ['y'], {}, { domain: 'bar' })])
    model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'bar', version: 1n }))
    expect(() => importModel(model)).toThrow(
      'no operation "Foo" of domain "bar"; supported are the domains "ai.onnx" and "com.microsoft"',
    )
  })

  test('unless nothing needs it', () => {
    const model = toY([node('Relu', ['x'], ['y']), node('Mystery', ['y'], ['z'])])
    expect(importModel(model).apply({}, x).y?.toArray()).toEqual([1, 2])
    expect(() => importModel(model, { outputs: ['z'] })).toThrow('no operation "Mystery"')
    expect(() => importModel(model, { outputs: ['w'] })).toThrow('there is no value "w" to put out')
  })

  test('and an operator set that is newer than those implemented', () => {
    expect(() => importModel(toY([node('Relu', ['x'], ['y'])], [], 99))).toThrow(
      'version 99 of the ONNX operator set, expected 1 to 24',
    )
  })
})

describe('functions defined in the model', () => {
  const withFunctions = (functions: { name: string; nodes: NodeProto[] }[]): ModelProto => {
    const model = toY([node('f0', ['x'], ['y'], {}, { name: 'call', domain: 'local' })])
    model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'local', version: 1n }))
    model.functions = functions.map(({ name, nodes }) =>
      create(FunctionProtoSchema, {
        name,
        domain: 'local',
        input: ['a'],
        output: ['b'],
        opsetImport: [{ domain: '', version: 17n }],
        node: nodes,
      }),
    )
    return model
  }
  const call = (name: string, from: string, to: string) => node(name, [from], [to], {}, { domain: 'local' })

  test('that call themselves are refused', () => {
    const functions = [
      { name: 'f0', nodes: [call('f1', 'a', 'b')] },
      { name: 'f1', nodes: [call('f0', 'a', 'b')] },
    ]
    expect(() => importModel(withFunctions(functions))).toThrow('function "f0" calls itself')
  })

  test('that multiply are refused', () => {
    const functions = Array.from({ length: 40 }, (_, i) => ({
      name: `f${i}`,
      nodes:
        i === 39 ? [node('Relu', ['a'], ['b'])] : [call(`f${i + 1}`, 'a', 'c'), call(`f${i + 1}`, 'c', 'b')],
    }))
    expect(() => importModel(withFunctions(functions))).toThrow(
      "the model's functions expand to more than 1000000 nodes",
    )
  })

  test('in a long chain are refused', () => {
    const functions = Array.from({ length: 5000 }, (_, i) => ({
      name: `f${i}`,
      nodes: i === 4999 ? [node('Relu', ['a'], ['b'])] : [call(`f${i + 1}`, 'a', 'b')],
    }))
    expect(() => importModel(withFunctions(functions))).toThrow(
      'functions call each other more than 100 deep',
    )
  })

  test('that are plain are run', () => {
    const functions = [{ name: 'f0', nodes: [node('Neg', ['a'], ['c']), node('Relu', ['c'], ['b'])] }]
    expect(
      importModel(withFunctions(functions))
        .apply({}, { x: [-3, 2] })
        .y?.toArray(),
    ).toEqual([3, 0])
  })
})

describe('what is given is checked:', () => {
  const relu = toY([node('Relu', ['x'], ['y'])])

  test.each([
    ['a missing input', {}, 'bad.onnx: input "x" is missing, expected float32[2]'],
    ['an unknown input', { ...x, z: x.x! }, 'bad.onnx: there is no input "z", expected "x"'],
    ['another dtype', { x: tensor([1, 2]) }, 'bad.onnx: input "x" is float64[2], expected float32[2]'],
    [
      'another rank',
      { x: tensor([[1, 2]], { dtype: 'float32' }) },
      'bad.onnx: input "x" is float32[1,2], expected float32[2]',
    ],
    [
      'another length',
      { x: tensor([1, 2, 3], { dtype: 'float32' }) },
      'bad.onnx: input "x" is float32[3], expected float32[2]',
    ],
  ])('%s', (_, inputs, message) => {
    expect(refusal(relu, inputs as Record<string, Tensor>)).toBe(message)
  })

  test('one symbol bound to two lengths', () => {
    const model = modelOf({
      node: [node('Add', ['a', 'b'], ['y'])],
      input: ['a', 'b'].map((name) => valueInfo(name, Type.FLOAT, ['n'])),
      output: [valueInfo('y', Type.FLOAT, ['n'])],
    })
    const given = { a: tensor([1], { dtype: 'float32' }), b: tensor([1, 2], { dtype: 'float32' }) }
    expect(refusal(model, given)).toBe(
      'bad.onnx: input "b" is float32[2], but dimension "n" is 1 in another input',
    )
  })

  test('parameters', () => {
    const model = importModel(toY([node('Mul', ['x', 'w'], ['y'])], [floats('w', [1, 2])]), {
      name: 'm.onnx',
    })
    expect(Object.keys(model.parameters)).toEqual(['w'])
    expect(() => model.apply({ v: model.parameters.w! }, x)).toThrow('m.onnx: there is no parameter "v"')
    expect(() => model.apply({ w: tensor([1, 2]) }, x)).toThrow(
      'm.onnx: parameter "w" is float64[2], expected float32[2]',
    )
  })
})

describe('a loop', () => {
  const body = create(GraphProtoSchema, {
    name: 'body',
    input: ['i', 'goes', 'state'].map((name) => valueInfo(name, Type.FLOAT)),
    node: [node('Identity', ['goes'], ['still']), node('Add', ['state', 'state'], ['next'])],
    output: ['still', 'next', 'next'].map((name) => valueInfo(name, Type.FLOAT)),
  })
  const loop = (trips: string) =>
    node('Loop', [trips, 'yes', 'x'], ['z', 'y'], { body: { graph: body } }, { name: 'spin' })
  const yes = tensorToProto(tensor(true), 'yes')

  test('that ends is unrolled', () => {
    const model = importModel(toY([loop('three')], [int64('three', [3]), yes]))
    expect(model.apply({}, x).y?.toArray()).toEqual([
      [2, 4],
      [4, 8],
      [8, 16],
    ])
  })

  test('that does not end is refused', () => {
    expect(refusal(toY([loop('')], [yes]), x, { maxBytes: 2 ** 40 })).toMatch(
      /bad\.onnx: .*the model runs more than 1000000 nodes in one call; a loop may not end/,
    )
  })

  test('that collects beyond the budget is refused', () => {
    expect(refusal(toY([loop('')], [yes]), x, { maxBytes: 10_000 })).toContain(
      'node "spin" (Loop): the result would have shape',
    )
  })
})

describe('a node is refused by name and reason:', () => {
  test.each([
    [
      'a missing input',
      toY([node('Add', ['x', ''], ['y'])]),
      'input 1 is missing, expected 2 input(s), got float32[2]',
    ],
    ['an input too many', toY([node('Relu', ['x', 'x'], ['y'])]), 'got 2 inputs, expected at most 1'],
    ['an output too many', toY([node('Relu', ['x'], ['z', 'y'])]), 'output 1 ("y") is not computed'],
    [
      'mixed dtypes',
      toY([node('Add', ['x', 'i'], ['y'])], [int64('i', [1, 2])]),
      'add: got float32[2] and int32[2]',
    ],
    [
      'ranks that do not fit',
      toY([node('Conv', ['x', 'x'], ['y'])]),
      'input X is float32[2], expected at least 3 dimension(s)',
    ],
    [
      'lengths that do not fit',
      toY([node('MatMul', ['x', 'w'], ['y'])], [floats('w', [1, 2, 3])]),
      'inner lengths differ',
    ],
    [
      'an axis out of range',
      toY([node('Softmax', ['x'], ['y'], { axis: { int: 5 } })]),
      'axis 5 is out of range',
    ],
    [
      'an axis beyond all numbers',
      toY([node('Softmax', ['x'], ['y'], { axis: { int: 2n ** 62n } })]),
      'is out of range',
    ],
    [
      'an attribute of another type',
      toY([node('Softmax', ['x'], ['y'], { axis: { float: 1 } })]),
      'attribute "axis" is of type FLOAT, expected INT',
    ],
    [
      'a range without end',
      toY([node('Range', ['a', 'b', 'a'], ['y'])], [int64('a', [0]), int64('b', [5])]),
      'delta is 0',
    ],
    [
      'a slice without steps',
      toY([node('Slice', ['x', 'a', 'b', 'a', 'a'], ['y'])], [int64('a', [0]), int64('b', [5])]),
      'steps contains 0',
    ],
    [
      'a division of nothing',
      toY([node('Split', ['x'], ['y'], { num_outputs: { int: 10 ** 12 } })]),
      'num_outputs is 1000000000000, but the node has 1 outputs',
    ],
    [
      'a shape that does not hold the elements',
      toY([node('Reshape', ['x', 's'], ['y'])], [int64('s', [3])]),
      'float32[2] cannot take the shape [3]',
    ],
    [
      'an index outside',
      toY([node('Gather', ['x', 'i'], ['y'])], [int64('i', [7])]),
      'index 7 is outside 0..1',
    ],
    [
      'groups that do not divide',
      toY(
        [
          node('Reshape', ['x', 's'], ['z']),
          node('GroupNormalization', ['z', 'x', 'x'], ['y'], { num_groups: { int: 0 } }),
        ],
        [int64('s', [1, 2, 1])],
      ),
      '0 groups do not divide',
    ],
    [
      'random numbers',
      toY([node('Dropout', ['x', '', 't'], ['y'])], [tensorToProto(tensor(true), 't')]),
      'Dropout in training mode draws random numbers',
    ],
  ])('%s', (_, model, reason) => {
    const message = refusal(model)
    expect(message).toMatch(/^bad\.onnx: unnamed node of output "[yz]" \(\w+\): /)
    expect(message).toContain(reason)
  })

  test('16-bit floats, unless a precision is asked for', () => {
    const model = modelOf({
      node: [node('Relu', ['x'], ['y'])],
      input: [valueInfo('x', Type.FLOAT16, [2])],
      output: [valueInfo('y', Type.FLOAT16, [2])],
    })
    expect(refusal(model)).toContain(
      "computes with FLOAT16, which evolute does not; import it with { precision: 'float32' }",
    )
    expect(
      importModel(model, { precision: 'float64' })
        .apply({}, { x: [-1, 2] })
        .y?.toArray(),
    ).toEqual([0, 2])
  })
})
