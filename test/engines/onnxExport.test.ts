import { describe, expect, test } from 'vitest'
import { programToModel } from '../../src/onnx/export/model.js'
import { tensorFromProto } from '../../src/onnx/file/tensors.js'
import { add, cast, mul, neg, select } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../../src/ops/broadcast.js'
import { less } from '../../src/ops/compare.js'
import { dot } from '../../src/ops/dot.js'
import { reduceMax } from '../../src/ops/reduce.js'
import { concatenate, slice, sliceAxis } from '../../src/ops/slice.js'
import { exp, softplus } from '../../src/ops/smooth.js'
import type { Value } from '../../src/program/value.js'
import { fullTensor, tensor } from '../../src/tensor/tensor.js'
import { uniform } from '../helpers/random.js'
import { expectAsInterpreted, float64, operators, programOf } from './onnxPrograms.js'

describe('programToModel', () => {
  test('names nodes after primitives and keeps the names given to inputs and outputs', () => {
    const program = programOf((x, w) => softplus(dot(x, w, [[1], [0]])), float64(2, 3), float64(3, 4))
    const graph = programToModel(program, { inputNames: ['x', 'w'], outputNames: ['y'], name: 'layer' })
      .graph!
    expect(graph.name).toBe('layer')
    expect([graph.input, graph.output].map((list) => list.map((value) => value.name))).toEqual([
      ['x', 'w'],
      ['y'],
    ])
    expect(graph.node[0]).toMatchObject({ opType: 'MatMul', name: 'dot_0', input: ['x', 'w'] })
    expect(new Set(graph.node.slice(1).map((node) => node.name.replace(/_\d+$/, '')))).toEqual(
      new Set(['softplus']),
    )
    expect(graph.node.at(-1)!.output).toEqual(['y'])
  })

  test('declares IR version 10 and the operator set asked for', () => {
    const program = programOf(exp, float64(2))
    const model = programToModel(program, { opset: 20 })
    expect([model.irVersion, model.opsetImport[0]!.version]).toEqual([10n, 20n])
    expect(() => programToModel(program, { opset: 17 })).toThrow(
      'opset is 17, expected an integer from 18 to 26',
    )
  })

  test('rejects names that are missing, empty or equal', () => {
    const program = programOf(add, float64(2), float64(2))
    expect(() => programToModel(program, { inputNames: ['x'] })).toThrow('got 1 input names, expected 2')
    expect(() => programToModel(program, { inputNames: ['x', 'x'] })).toThrow("'x' is empty or given twice")
    expect(() => programToModel(program, { outputNames: [''] })).toThrow("'' is empty or given twice")
  })

  test('gives its own values names that no input or output has', async () => {
    const program = programOf((x) => exp(exp(x)), float64(2))
    const graph = programToModel(program, { inputNames: ['exp_0'], outputNames: ['exp_1'] }).graph!
    expect(graph.node.map((node) => [...node.input, ...node.output])).toEqual([
      ['exp_0', 'exp_2'],
      ['exp_2', 'exp_1'],
    ])
  })

  test('stores equal small constants once, and tells 0 from -0', () => {
    const twice = programOf((x) => add(mul(x, 2), 2), float64(3))
    expect(programToModel(twice).graph!.initializer).toHaveLength(1)
    const signs = programOf((x) => [add(x, 0), add(x, -0)], float64(3))
    expect(programToModel(signs).graph!.initializer).toHaveLength(2)
  })

  test('stores a constant of equal elements as one number', () => {
    const program = programOf((x) => mul(x, fullTensor([1000, 1000], 3, 'float64')), float64(1000, 1000))
    const [constant] = programToModel(program).graph!.initializer
    expect(tensorFromProto(constant!).tensor.toArray()).toBe(3)
  })

  test('returns inputs, constants and repeated values through Identity', async () => {
    const program = programOf((x) => [x, tensor([1, 2]), exp(x), x], float64(2))
    const twice = { ...program, outputs: [...program.outputs, program.outputs[2]!] }
    expect(operators(twice)).toEqual(['Exp', 'Identity', 'Identity', 'Identity', 'Identity'])
  })
})

describe('broadcasts', () => {
  test('are left to elementwise operators', async () => {
    const program = programOf(
      (x, y) => add(broadcastTo(x, [4, 3]), broadcastTo(reshape(y, [4, 1]), [4, 3])),
      float64(3),
      float64(4),
    )
    expect(operators(program)).toEqual(['Reshape', 'Add'])
    await expectAsInterpreted(program)
  })

  test('come after elementwise operations, at the output', async () => {
    const program = programOf((x) => exp(neg(broadcastTo(x, [4, 3]))), float64(3))
    expect(operators(program)).toEqual(['Neg', 'Exp', 'Expand'])
    await expectAsInterpreted(program)
  })

  test('become a factor in sums and nothing in extrema', async () => {
    const all = programOf((x) => reduceSum(broadcastTo(x, [4, 3]), [0]), float64(3))
    expect(operators(all)).toEqual(['Mul'])
    await expectAsInterpreted(all)
    const both = programOf((x) => reduceSum(broadcastTo(x, [5, 4, 3]), [0, 2]), float64(4, 3))
    expect(operators(both)).toEqual(['ReduceSum', 'Mul'])
    await expectAsInterpreted(both)
    const most = programOf((x) => reduceMax(broadcastTo(x, [4, 3]), [0]), float64(3))
    expect(operators(most)).toEqual(['Identity'])
    await expectAsInterpreted(most)
  })

  test('pass reshapes and transposes that keep their axes apart', async () => {
    const program = programOf(
      (x, y) => mul(transpose(reshape(broadcastTo(x, [4, 6]), [2, 2, 3, 2]), [2, 0, 3, 1]), y),
      float64(6),
      float64(3, 2, 2, 2),
    )
    expect(operators(program)).not.toContain('Expand')
    await expectAsInterpreted(program)
  })

  test('are carried out where a reshape mixes axes', async () => {
    const program = programOf((x) => exp(reshape(broadcastTo(x, [4, 3]), [6, 2])), float64(3))
    expect(operators(program)).toEqual(['Expand', 'Reshape', 'Exp'])
    await expectAsInterpreted(program)
  })

  test('are carried out once for all that need the whole', async () => {
    const program = programOf(
      (x, y) => {
        const wide = broadcastTo(x, [4, 3])
        return [dot(wide, y, [[1], [0]]), concatenate([wide, wide], 0)]
      },
      float64(3),
      float64(3, 2),
    )
    expect(operators(program).filter((op) => op === 'Expand')).toHaveLength(1)
    await expectAsInterpreted(program)
  })

  test('of a scalar reach every kind of operation', async () => {
    const program = programOf((x) => {
      const wide = broadcastTo(x, [2, 3])
      const sum = reduceSum(transpose(reshape(wide, [3, 2]), [1, 0]), [1])
      return [sum, reduceMax(wide, [0, 1]), select(less(wide, 0), wide, 1), cast(wide, 'int32')]
    }, float64())
    await expectAsInterpreted(program)
  })
})

describe('parameters in one vector', () => {
  const unflatten = (p: Value) => [sliceAxis(p, 0, 0, 6), sliceAxis(p, 0, 6, 8), sliceAxis(p, 0, 8, 12)]

  test('are split by one node, however often and in whatever order they are read', async () => {
    const program = programOf((p) => {
      const [a, b, c] = unflatten(p) as [Value, Value, Value]
      const again = sliceAxis(p, 0, 8, 12)
      return [exp(c), exp(a), mul(add(b, reduceSum(again, [0])), 2)]
    }, float64(12))
    expect(operators(program).filter((op) => op === 'Split' || op === 'Slice')).toEqual(['Split'])
    await expectAsInterpreted(program)
  })

  test('are sliced where the slices overlap or leave gaps', async () => {
    const gap = programOf((p) => [sliceAxis(p, 0, 0, 6), sliceAxis(p, 0, 8, 12)].map(exp), float64(12))
    const overlap = programOf((p) => [...unflatten(p), sliceAxis(p, 0, 5, 7)].map(exp), float64(12))
    for (const program of [gap, overlap]) {
      expect(operators(program)).not.toContain('Split')
      await expectAsInterpreted(program)
    }
  })

  test('are split also in a batch of vectors', async () => {
    const program = programOf(
      (p) => [exp(slice(p, [0, 0], [2, 3])), exp(slice(p, [0, 3], [2, 5]))],
      float64(2, 5),
    )
    expect(operators(program)).toEqual(['Split', 'Exp', 'Exp'])
    await expectAsInterpreted(program)
    await expectAsInterpreted(
      programOf((p) => [slice(p, [0, 0], [0, 3]), slice(p, [0, 3], [0, 5])], float64(0, 5)),
    )
  })

  test('are put together by one node', () => {
    const program = programOf((p) => concatenate(unflatten(p).map(exp), 0), float64(12))
    expect(operators(program)).toEqual(['Split', 'Exp', 'Exp', 'Exp', 'Concat'])
  })
})

describe('products', () => {
  test('that are transposed, and used for nothing else, are written in that order', async () => {
    const product = (x: Value, y: Value) => dot(x, y, [[2], [2]], [[0], [0]])
    const types = [float64(2, 20, 4), float64(2, 15, 4)] as const
    const fused = programOf((x, y) => transpose(product(x, y), [0, 2, 1]), ...types)
    expect(operators(fused)).toEqual(['Transpose', 'MatMul'])
    await expectAsInterpreted(fused)
    const both = programOf((x, y) => [transpose(product(x, y), [0, 2, 1]), product(x, y)], ...types)
    await expectAsInterpreted(both)
  })

  test('of one matrix with a batch in the middle repeat the matrix instead of moving the batch', async () => {
    const program = programOf(
      (x, batch) => transpose(dot(x, batch, [[1], [1]]), [1, 0, 2]),
      float64(20, 3),
      float64(5, 3, 16),
    )
    expect(operators(program)).toEqual(['MatMul'])
    await expectAsInterpreted(program)
  })

  test('of any axes, in any order, compute what the interpreter computes (seeds 1 to 150)', async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = uniform(seed)
      const below = (n: number) => Math.floor(random() * n)
      const shuffled = <T>(list: readonly T[]) =>
        list
          .map((x) => ({ x, key: random() }))
          .sort((a, b) => a.key - b.key)
          .map(({ x }) => x)
      const axes = (kind: string, most: number) =>
        Array.from({ length: below(most + 1) }, (_, i) => ({ kind, i, size: [1, 2, 3, 17][below(4)]! }))
      const [k, b, free] = [axes('k', 2), axes('b', 2), [axes('free', 2), axes('free', 2)]]
      const layouts = free.map((own) => shuffled([...k, ...b, ...own]))
      const places = (kind: 'k' | 'b') =>
        layouts.map((layout) => (kind === 'k' ? k : b).map((axis) => layout.indexOf(axis))) as [
          number[],
          number[],
        ]
      const order = shuffled([...b, ...free.flat()].map((_, i) => i))
      const program = programOf(
        (x, y) => transpose(dot(x, y, places('k'), places('b')), order),
        ...layouts.map((layout) => float64(...layout.map(({ size }) => size))),
      )
      await expectAsInterpreted(program)
    }
  })
})
