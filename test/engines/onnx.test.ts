import { describe, expect, test } from 'vitest'
import { compileProgramOnnx } from '../../src/engines/onnx/session.js'
import { programToModel } from '../../src/onnx/export/model.js'
import { tensorFromProto } from '../../src/onnx/file/tensors.js'
import { add, cast, div, mul, neg, select } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../../src/ops/broadcast.js'
import { less } from '../../src/ops/compare.js'
import { convolution } from '../../src/ops/convolution.js'
import { dot } from '../../src/ops/dot.js'
import { reduceMax } from '../../src/ops/reduce.js'
import { concatenate, sliceAxis } from '../../src/ops/slice.js'
import { exp, logistic, softplus } from '../../src/ops/smooth.js'
import { traceFlat } from '../../src/program/builder.js'
import { evaluate, type Program } from '../../src/program/program.js'
import type { Type, Value } from '../../src/program/value.js'
import { fullTensor, type Tensor, tensor } from '../../src/tensor/tensor.js'
import { randomTensor } from './onnxCases.js'

const float64 = (...shape: number[]): Type => ({ dtype: 'float64', shape })

function programOf(f: (...x: Value[]) => Value | readonly Value[], ...types: Type[]): Program {
  return traceFlat((x) => [f(...x)].flat() as Value[], types).program
}

/** The operators of the exported graph, in order. */
const operators = (program: Program) => programToModel(program).graph!.node.map((node) => node.opType)

async function run(
  program: Program,
  inputs = program.inputs.map((x, i) => randomTensor(x.shape, x.dtype, i + 1)),
) {
  const compiled = await compileProgramOnnx(program)
  const outputs = await compiled.run(inputs)
  await compiled.dispose()
  return { inputs, outputs }
}

async function expectAsInterpreted(program: Program) {
  const { inputs, outputs } = await run(program)
  const expected = evaluate(program, inputs) as Tensor[]
  expect(outputs.map(String)).toEqual(expected.map(String))
  outputs.forEach((y, i) => {
    y.data.forEach((n, k) => {
      expect(n).toBeCloseTo(expected[i]!.data[k]!, 10)
    })
  })
}

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

  test('are put together by one node', () => {
    const program = programOf((p) => concatenate(unflatten(p).map(exp), 0), float64(12))
    expect(operators(program)).toEqual(['Split', 'Exp', 'Exp', 'Exp', 'Concat'])
  })
})

test('a product that is transposed, and used for nothing else, is the product of swapped operands', async () => {
  const product = (x: Value, y: Value) => dot(x, y, [[2], [2]], [[0], [0]])
  const types = [float64(2, 3, 4), float64(2, 5, 4)] as const
  const swapped = programOf((x, y) => transpose(product(x, y), [0, 2, 1]), ...types)
  expect(operators(swapped)).toEqual(['Transpose', 'MatMul'])
  await expectAsInterpreted(swapped)
  const both = programOf((x, y) => [transpose(product(x, y), [0, 2, 1]), product(x, y)], ...types)
  await expectAsInterpreted(both)
  const other = programOf((x, y) => transpose(product(x, y), [1, 0, 2]), ...types)
  expect(operators(other)).toEqual(['Transpose', 'MatMul', 'Transpose'])
  await expectAsInterpreted(other)
})

describe('compileProgramOnnx', () => {
  test('returns inputs and constants as they are, and needs no model where nothing is computed', async () => {
    const one = tensor([1, 2, 3])
    const program = programOf((x, y) => [y, one, x, y], float64(2), float64(0))
    const { inputs, outputs } = await run(program)
    expect(outputs).toEqual([inputs[1], one, inputs[0], inputs[1]])
    expect(outputs[2]).toBe(inputs[0])
  })

  test('leaves out inputs that are not used, and returns an output twice that is asked for twice', async () => {
    const program = programOf((x, _unused, y) => add(x, y), float64(2), float64(3), float64(2))
    await expectAsInterpreted({ ...program, outputs: [...program.outputs, ...program.outputs] })
  })

  test('computes with tensors without elements', async () => {
    const program = programOf(
      (x, y) => [
        exp(x),
        reduceSum(x, [0]),
        concatenate([x, y, x], 0),
        dot(transpose(x, [1, 0]), x, [[1], [0]]),
        concatenate([x, x], 0),
        convolution(reshape(x, [0, 3, 1]), fullTensor([2, 3, 1], 1, 'float64'), {
          strides: [1],
          padding: [[0, 0]],
          dilation: [1],
          groups: 1,
        }),
      ],
      float64(0, 3),
      float64(2, 3),
    )
    await expectAsInterpreted(program)
  })

  test('reads views into larger buffers, and shared memory', async () => {
    const program = programOf(exp, { dtype: 'float32', shape: [2] })
    const view = tensor(new Float32Array(Float32Array.of(9, 0, 1, 9).buffer, 4, 2))
    const shared = tensor(new Float32Array(new SharedArrayBuffer(8)).fill(1))
    expect((await run(program, [view])).outputs[0]!.data[0]).toBe(1)
    expect((await run(program, [shared])).outputs[0]!.data[1]).toBeCloseTo(Math.E)
  })

  test('takes and returns bool and int32', async () => {
    const program = programOf(
      (x, y) => [less(x, y), select(less(x, y), x, y)],
      { dtype: 'int32', shape: [3] },
      { dtype: 'int32', shape: [] },
    )
    const { outputs } = await run(program, [tensor(Int32Array.of(1, 2, 3)), tensor(2, { dtype: 'int32' })])
    expect(outputs.map((y) => [y.dtype, y.toArray()])).toEqual([
      ['bool', [1, 0, 0]],
      ['int32', [1, 2, 2]],
    ])
  })

  test('gives small values of the float32 logistic function, where ONNX Runtime alone returns 0', async () => {
    const program = programOf(logistic, { dtype: 'float32', shape: [2] })
    const { outputs } = await run(program, [tensor(Float32Array.of(-17, -30))])
    expect(outputs[0]!.data[0]! / 4.13993771e-8).toBeCloseTo(1, 5)
    expect(outputs[0]!.data[1]! / 9.3576e-14).toBeCloseTo(1, 4)
  })

  test('runs several times, also at once, with its own outputs each time', async () => {
    const compiled = await compileProgramOnnx(programOf(exp, float64(2)), { threads: 2 })
    const results = await Promise.all([0, 1, 2].map((x) => compiled.run([tensor([x, -x])])))
    results.forEach(([y], x) => {
      expect(y!.data[0]).toBeCloseTo(Math.exp(x), 12)
    })
    await compiled.dispose()
  })

  test('gives the same unoptimised', async () => {
    const program = programOf((x) => div(exp(x), reduceSum(exp(x), [0])), float64(5))
    const plain = await compileProgramOnnx(program, { optimize: false })
    const { inputs, outputs } = await run(program)
    expect(await plain.run(inputs)).toEqual(outputs)
    await plain.dispose()
  })

  test('does not write out a constant that is broadcast', async () => {
    const program = programOf(
      (x) => dot(broadcastTo(exp(tensor([1, 2])), [4, 2]), x, [[1], [0]]),
      float64(2, 3),
    )
    await expectAsInterpreted(program)
  })
})

describe('errors', () => {
  test('say which input is wrong and what the program was compiled for', async () => {
    const compiled = await compileProgramOnnx(programOf(add, float64(2), float64(3, 1)))
    await expect(compiled.run([tensor([1, 2])])).rejects.toThrow('run: got 1 inputs, the program takes 2')
    await expect(compiled.run([tensor([1, 2]), tensor([1])])).rejects.toThrow(
      'run: input 1 is float64[1], the program was compiled for float64[3,1]',
    )
    await compiled.dispose()
    await compiled.dispose()
    await expect(compiled.run([])).rejects.toThrow('disposed of')
  })

  test('of ONNX Runtime name the operation, and keep the original as their cause', async () => {
    const program = programOf(div, { dtype: 'int32', shape: [1] }, { dtype: 'int32', shape: [1] })
    const zero = tensor(Int32Array.of(0))
    await expect(run(program, [zero, zero])).rejects.toThrow(/failed while running.*div_0.*division by zero/)
  })

  test.skipIf(Boolean(process.env.EVOLUTE_WEBGPU))('say that there is no WebGPU device', async () => {
    await expect(compileProgramOnnx(programOf(exp, float64(2)), { device: 'webgpu' })).rejects.toThrow(
      "no WebGPU device to ONNX Runtime; use device: 'cpu'",
    )
  })
})
