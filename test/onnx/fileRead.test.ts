import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { OnnxError } from '../../src/onnx/error.js'
import { readModel } from '../../src/onnx/file/read.js'
import { tensorFromProto } from '../../src/onnx/file/tensors.js'
import { node, valueInfo, writeModel } from '../../src/onnx/file/write.js'
import {
  FunctionProtoSchema,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
} from '../../src/onnx/schema/onnx_pb.js'
import { branching, chain, modelOf } from '../helpers/onnxModels.js'
import { uniform } from '../helpers/random.js'

const data = process.env.EVOLUTE_DATA

function reasonFor(model: ModelProto | Uint8Array): string {
  const bytes = model instanceof Uint8Array ? model : writeModel(model)
  try {
    readModel(bytes, { name: 'm.onnx' })
  } catch (error) {
    expect(error).toBeInstanceOf(OnnxError)
    return (error as OnnxError).message
  }
  return 'read'
}

/** A length-delimited field. */
function field(number: number, body: readonly number[]): number[] {
  const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)])
  return [...varint(number * 8 + 2), ...varint(body.length), ...body]
}

describe('a good model', () => {
  test('comes back from its bytes as it was written', () => {
    const model = branching()
    expect(readModel(writeModel(model))).toEqual(model)
  })

  test('comes back with its nodes sorted when the file has them out of order', () => {
    const shuffled = chain(node('Exp', ['b'], ['y']), node('Neg', ['x'], ['a']), node('Abs', ['a'], ['b']))
    const read = readModel(writeModel(shuffled))
    expect(read.graph?.node.map((n) => n.opType)).toEqual(['Neg', 'Abs', 'Exp'])
  })

  test('is sorted by what the graphs inside its nodes use, too', () => {
    const model = branching()
    model.graph?.node.unshift(node('Neg', ['y'], ['z']))
    model.graph?.node.reverse()
    const order = readModel(writeModel(model)).graph?.node.map((n) => n.opType)
    expect(order?.slice(-2)).toEqual(['If', 'Neg'])
  })

  test('may be a chain of 50,000 nodes in reverse order', () => {
    const nodes = Array.from({ length: 50_000 }, (_, i) => node('Neg', [i ? `v${i - 1}` : 'x'], [`v${i}`]))
    nodes.push(node('Neg', ['v49999'], ['y']))
    const read = readModel(writeModel(chain(...nodes.reverse())))
    expect(read.graph?.node[0]?.input).toEqual(['x'])
  })

  test('keeps fields that the schema does not know', () => {
    const bytes = new Uint8Array([...writeModel(chain(node('Neg', ['x'], ['y']))), ...field(900, [1, 2, 3])])
    expect(writeModel(readModel(bytes))).toEqual(bytes)
  })

  test.skipIf(!data)('is every file among the collected models', () => {
    const folder = join(data ?? '', 'onnx/models')
    const files = readdirSync(folder).filter((file) => file.endsWith('.onnx'))
    for (const name of files) {
      const model = readModel(readFileSync(join(folder, name)), { name })
      for (const proto of model.graph?.initializer ?? []) tensorFromProto(proto, undefined, { file: name })
    }
    expect(files.length).toBeGreaterThanOrEqual(23)
  })
})

describe('a bad graph is refused with the file, the node and the reason:', () => {
  const neg = node('Neg', ['x'], ['y'])

  test('no graph at all', () => {
    expect(reasonFor(create(ModelProtoSchema, { irVersion: 8n }))).toBe(
      'm.onnx: holds no graph (is it an ONNX model?)',
    )
  })

  test('no nodes, or no outputs', () => {
    expect(reasonFor(chain())).toBe('m.onnx: the graph is empty (it has no nodes)')
    expect(reasonFor(modelOf({ node: [neg], input: [valueInfo('x', 1)] }))).toBe(
      'm.onnx: the graph has no outputs',
    )
  })

  test('no operator set', () => {
    const model = chain(neg)
    model.opsetImport = []
    expect(reasonFor(model)).toBe('m.onnx: declares no operator set (opset_import is missing)')
    model.opsetImport = chain(neg).opsetImport.map((set) => ({ ...set, version: -3n }))
    expect(reasonFor(model)).toContain('has version -3')
  })

  test('an operator of a domain that is not imported', () => {
    expect(reasonFor(chain(node('Gelu', ['x'], ['y'], {}, { domain: 'com.other', name: 'g' })))).toBe(
      'm.onnx: node "g" (Gelu): no operator set is imported for domain "com.other"',
    )
  })

  test('a cycle', () => {
    const reason = reasonFor(
      chain(node('Add', ['x', 'b'], ['a'], {}, { name: 'first' }), node('Neg', ['a'], ['b']), neg),
    )
    expect(reason).toBe('m.onnx: unnamed node of output "b" (Neg): the graph has a cycle through input "a"')
    expect(reasonFor(chain(node('Add', ['x', 'y'], ['y'])))).toContain('cycle through input "y"')
  })

  test('a value that nothing produces', () => {
    expect(reasonFor(chain(node('Add', ['x', 'w'], ['y'], {}, { name: 'sum' })))).toBe(
      'm.onnx: node "sum" (Add): input "w" is never produced',
    )
    expect(reasonFor(chain(node('Neg', ['x'], ['z'])))).toBe('m.onnx: graph output "y" is never produced')
  })

  test('two values of one name', () => {
    expect(reasonFor(chain(neg, node('Abs', ['x'], ['y'])))).toBe(
      'm.onnx: unnamed node of output "y" (Abs): duplicate value name "y"',
    )
    expect(reasonFor(chain(neg, node('Abs', ['y'], ['x'])))).toMatch(/cycle|duplicate/)
  })

  test('a graph inside a node that uses an unknown value', () => {
    const model = branching()
    const inner = model.graph?.node.at(-1)?.attribute[0]?.g?.node[0]
    inner!.input[1] = 'nowhere'
    expect(reasonFor(model)).toBe(
      'm.onnx: unnamed node of output "then_y" (Mul): input "nowhere" is never produced',
    )
  })

  test('a function that uses an unknown value', () => {
    const model = chain(neg)
    const body = [node('Add', ['a', 'c'], ['b'])]
    model.functions = [
      create(FunctionProtoSchema, {
        name: 'f',
        domain: 'own',
        input: ['a'],
        output: ['b'],
        node: body,
        opsetImport: model.opsetImport,
      }),
    ]
    expect(reasonFor(model)).toContain('(Add): input "c" is never produced')
  })

  test('no operation, and an attribute twice', () => {
    expect(reasonFor(chain(create(NodeProtoSchema, { input: ['x'], output: ['y'] })))).toContain(
      'has no op_type',
    )
    const twice = node('Elu', ['x'], ['y'], { alpha: { float: 1 } })
    twice.attribute.push(twice.attribute[0]!)
    expect(reasonFor(chain(twice))).toContain('duplicate attribute name "alpha"')
  })

  test('names from the file are escaped and shortened in the message', () => {
    const reason = reasonFor(chain(node('Add', ['x', `\u001b[31m${'w'.repeat(100_000)}`], ['y'])))
    expect(reason).toContain('"\\u001b[31mwww')
    expect(reason.length).toBeLessThan(300)
  })
})

describe('bytes that are no model are refused:', () => {
  test('an empty file', () => {
    expect(reasonFor(new Uint8Array())).toContain('holds no graph')
  })

  test('text, and a compressed file', () => {
    expect(reasonFor(new TextEncoder().encode('<!doctype html><html></html>'))).toMatch(/^m.onnx: .*at byte/)
    expect(reasonFor(new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]))).toMatch(/^m.onnx: .*at byte/)
  })

  test('a file cut at any byte', () => {
    const bytes = writeModel(chain(node('Neg', ['x'], ['y'])))
    for (let length = 0; length < bytes.length; length++)
      expect(reasonFor(bytes.slice(0, length)), `${length} bytes`).not.toBe('read')
  })

  test('a field of the wrong wire type', () => {
    expect(reasonFor(new Uint8Array([7 * 8, 1]))).toBe(
      'm.onnx: wrong wire type 0 for ModelProto.graph at byte 1',
    )
    expect(reasonFor(new Uint8Array([1 * 8 + 5, 0, 0, 0, 0]))).toContain('for ModelProto.ir_version')
  })

  test('a message longer than the one that holds it', () => {
    expect(reasonFor(new Uint8Array(field(7, [1 * 8 + 2, 200, 1])))).toContain(
      'truncated (NodeProto announces 200',
    )
  })

  test('graphs nested a thousand deep', () => {
    let graph: number[] = []
    for (let depth = 0; depth < 400; depth++) graph = field(1, field(5, field(6, graph)))
    expect(reasonFor(new Uint8Array(field(7, graph)))).toContain('nested more than 100 levels deep')
  })

  test('a small file that would decode to gigabytes', () => {
    const bytes = new Uint8Array(2 * 3_000_000 + 5)
    bytes.set([7 * 8 + 2, 0x80, 0x9b, 0xee, 0x02]) // a graph of 6,000,000 bytes
    for (let i = 5; i < bytes.length; i += 2) bytes[i] = 1 * 8 + 2 // of empty nodes
    expect(reasonFor(bytes)).toContain('would exhaust the memory')
  })

  test('more than protobuf allows', () => {
    expect(reasonFor(new Uint8Array(2 ** 31))).toBe(
      'm.onnx: 2147483648 bytes, protobuf allows at most 2147483647',
    )
  })

  test('text that is not UTF-8', () => {
    const graph = toBinary(GraphProtoSchema, chain(node('Neg', ['x'], ['y'])).graph!)
    const bytes = [...field(7, [...graph, ...field(2, [0xff, 0xfe])]), ...field(8, [2 * 8, 17])]
    expect(reasonFor(new Uint8Array(bytes))).toMatch(/^m.onnx: /)
  })
})

test('2,000 damaged models are each read or refused with an OnnxError', () => {
  const seed = 20261121
  const random = uniform(seed)
  const whole = (n: number) => Math.floor(random() * n)
  const outcomes = { read: 0, refused: 0 }
  const good = writeModel(branching())
  for (let trial = 0; trial < 2000; trial++) {
    let bytes = good.slice()
    if (trial % 4 === 0) bytes = bytes.slice(0, whole(bytes.length))
    else for (let i = whole(4); i >= 0; i--) bytes[whole(bytes.length)] = whole(256)
    try {
      const { graph } = readModel(bytes)
      for (const proto of graph?.initializer ?? []) tensorFromProto(proto)
      outcomes.read++
    } catch (error) {
      if (!(error instanceof OnnxError)) throw new Error(`seed ${seed}, trial ${trial}`, { cause: error })
      outcomes.refused++
    }
  }
  console.info(`seed ${seed}: ${JSON.stringify(outcomes)}`)
  expect(outcomes.refused).toBeGreaterThan(500)
  expect(outcomes.read).toBeGreaterThan(50)
})
