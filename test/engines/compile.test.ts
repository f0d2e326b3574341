import { describe, expect, test } from 'vitest'
import { chooseEngine, compile, compileJs, compileProgram } from '../../src/engines/index.js'
import * as np from '../../src/numpy/index.js'
import { type Tensor, tensor } from '../../src/tensor/index.js'
import { grad, trace } from '../../src/transforms/index.js'

const f = (x: Tensor) => np.sum(np.multiply(np.sin(x), np.exp(np.multiply(x, 0.3))))
const slope = (x: number) => Math.exp(0.3 * x) * (Math.cos(x) + 0.3 * Math.sin(x))
const points = [0.1, -1.2, 2.5]

describe('compile', () => {
  test.each(['interpret', 'js', 'onnx', 'auto'] as const)(
    'computes the same on the engine %s',
    async (engine) => {
      const gradient = await compile(grad(f), { engine })(points)
      expect(gradient.toArray()).toEqual(points.map((x) => expect.closeTo(slope(x), 12)))
    },
  )

  test('traces once for each combination of shapes and dtypes', async () => {
    let traced = 0
    const counted = compile((x: Tensor) => {
      traced++
      return np.multiply(x, 2)
    })
    await counted([1, 2])
    await counted([3, 4])
    expect(traced).toBe(1)
    await counted([1, 2, 3])
    await counted(new Float32Array(2))
    expect(traced).toBe(3)
  })

  test('keeps the tree and dtype of the result', async () => {
    const g = compile((p: { a: Tensor; b: [Tensor, Tensor] }) => ({
      sum: np.add(p.a, p.b[0]),
      pair: [p.b[1], np.less(p.a, 0)],
    }))
    const { sum, pair } = await g({
      a: new Float32Array([1, -2]),
      b: [tensor(3, { dtype: 'float32' }), tensor([5])],
    })
    expect(sum.toArray()).toEqual([4, 1])
    expect(sum.dtype).toBe('float32')
    expect(pair.map((x) => [x!.dtype, x!.toArray()])).toEqual([
      ['float64', [5]],
      ['bool', [0, 1]],
    ])
  })

  test('can itself be differentiated, and used inside another compiled function', async () => {
    const inner = compileJs(f)
    expect(grad(inner)(points).toArray()).toEqual(points.map((x) => expect.closeTo(slope(x), 12)))
    const outer = compileJs((x: Tensor) => np.multiply(inner(x), 2))
    expect(outer(points).item()).toBeCloseTo(2 * f(tensor(points)).item(), 12)
  })

  test('gives independent results from call to call', () => {
    const g = compileJs((x: Tensor) => np.multiply(x, 2))
    const [a, b] = [g([1, 2]), g([3, 4])]
    expect([a.toArray(), b.toArray()]).toEqual([
      [2, 4],
      [6, 8],
    ])
  })

  test('chooses generated JavaScript for small programs and ONNX Runtime for large ones', () => {
    const program = (n: number) => trace((x: Tensor) => np.matmul(x, x), np.zeros([n, n])).program
    expect(chooseEngine(program(8))).toBe('js')
    expect(chooseEngine(program(256))).toBe('onnx')
  })

  test('refuses an engine that there is not', async () => {
    const { program } = trace(f, points)
    await expect(compileProgram(program, { engine: 'cuda' as never })).rejects.toThrow(
      'engine: got cuda, expected one of auto, interpret, js, onnx',
    )
  })

  test('says what is wrong when the device is missing or the program was disposed of', async () => {
    const { program } = trace(f, points)
    await expect(compileProgram(program, { engine: 'onnx', device: 'webgpu' })).rejects.toThrow(/WebGPU/)
    const executable = await compileProgram(program, { engine: 'onnx' })
    await executable.dispose()
    await expect(executable.run([tensor(points)])).rejects.toThrow('disposed')
  })
})
