import { describe, expect, test } from 'vitest'
import { explain } from '../../src/engines/onnx/explain.js'
import { compileProgramOnnx } from '../../src/engines/onnx/session.js'
import { add, div, mul, select } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../../src/ops/broadcast.js'
import { less } from '../../src/ops/compare.js'
import { convolution } from '../../src/ops/convolution.js'
import { dot } from '../../src/ops/dot.js'
import { concatenate } from '../../src/ops/slice.js'
import { exp, logistic } from '../../src/ops/smooth.js'
import { evaluate } from '../../src/program/program.js'
import { fullTensor, type Tensor, tensor } from '../../src/tensor/tensor.js'
import { expectAsInterpreted, float64, programOf, run } from './onnxPrograms.js'
import { randomProgram } from './randomProgram.js'

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

  test('scales float64 matrix products by float64 factors, which ONNX Runtime alone rounds to float32', async () => {
    const program = programOf((x, y) => mul(dot(x, y, [[1], [0]]), 0.3), float64(2, 3), float64(3, 2))
    await expectAsInterpreted(program)
  })

  test('does not write out a constant that is broadcast', async () => {
    const program = programOf(
      (x) => dot(broadcastTo(exp(tensor([1, 2])), [4, 2]), x, [[1], [0]]),
      float64(2, 3),
    )
    await expectAsInterpreted(program)
  })
})

test.each(['float64', 'float32', 'int32', 'bool'] as const)(
  'random programs of %s compute what the interpreter computes',
  async (dtype) => {
    for (let seed = 1; seed <= 30; seed++) {
      const { program, inputs } = randomProgram(seed, dtype)
      const [{ outputs }, expected] = [await run(program, inputs), evaluate(program, inputs) as Tensor[]]
      expect(outputs.map(String), `seed ${seed}`).toEqual(expected.map(String))
      outputs.forEach((y, i) => {
        const wanted = expected[i]!.data
        const scale = Math.max(1, ...[...wanted].map(Math.abs).filter(Number.isFinite))
        const allowed = scale * (dtype === 'float32' ? 1e-4 : 1e-11)
        const wrong = [...y.data].filter(
          (n, k) => !(Object.is(n, wanted[k]) || Math.abs(n - wanted[k]!) <= allowed),
        )
        expect(wrong, `seed ${seed}, output ${i}`).toEqual([])
      })
    }
  },
)

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

  test('name an operation that has no kernel, and say what to do', () => {
    const mend = "The operation 'tan' has no Tan kernel for its dtype; use the JavaScript engine, or float32"
    for (const reason of [
      "Could not find an implementation for Tan(7) node with name 'tan_12'",
      "Type Error: Type 'tensor(bool)' of input parameter (x) of operator (Tan) in node (tan_12) is invalid.",
    ]) {
      const error = explain(new Error(reason), 'ONNX Runtime could not prepare it', 'cpu')
      expect(error.message).toContain(mend)
      expect(error.cause).toBeInstanceOf(Error)
    }
  })

  test.skipIf(Boolean(process.env.EVOLUTE_WEBGPU))('say that there is no WebGPU device', async () => {
    await expect(compileProgramOnnx(programOf(exp, float64(2)), { device: 'webgpu' })).rejects.toThrow(
      "no WebGPU device to ONNX Runtime; use device: 'cpu'",
    )
  })
})
