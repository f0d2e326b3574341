import { join } from 'node:path'
import { inverse, Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { openProblem } from '../../src/cli/model.js'
import {
  kernelRegression,
  losses,
  type Problem,
  parameterBlocks,
  type TangentKernelOptions,
  tangentKernel,
  tangentKernelOperator,
} from '../../src/curvature/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'
import { ravel } from '../../src/transforms/index.js'
import { handJacobian, sizes, tinyLogits, tinyProblem } from '../helpers/tinyNetwork.js'

const data = process.env.EVOLUTE_DATA ?? ''
const seed = 12
const { parameters, x, y } = tinyProblem(seed)
const { classes: c } = sizes
const [n, m] = [13, 7]
const some = (from: number, count: number) =>
  new Tensor(x.data.slice(from * sizes.inputs, (from + count) * sizes.inputs), [count, sizes.inputs])
const [inputs, others] = [some(0, n), some(n, m)]
const problem: Problem = {
  parameters,
  apply: tinyLogits,
  loss: losses['cross-entropy']!,
  inputs,
  targets: new Tensor(y.data.slice(0, n)),
}
const theta = ravel<typeof parameters>(parameters)[0].data as Float64Array
const jacobian = new Matrix(handJacobian(theta, some(0, n + m)))
const gram = jacobian.mmul(jacobian.transpose())
const dense = (i: number, j: number, a: number, b: number) => gram.get(i * c + a, j * c + b)
const mean = (i: number, j: number) =>
  Array.from({ length: c }, (_, a) => dense(i, j, a, a) / c).reduce((sum, value) => sum + value)
const sumOfLogits = (i: number, j: number) => {
  let sum = 0
  for (let a = 0; a < c; a++) for (let b = 0; b < c; b++) sum += dense(i, j, a, b) / c
  return sum
}
const values: Record<string, (i: number, j: number) => number[]> = {
  full: (i, j) => Array.from({ length: c * c }, (_, k) => dense(i, j, Math.floor(k / c), k % c)),
  trace: (i, j) => [mean(i, j)],
  'sum-of-logits': (i, j) => [sumOfLogits(i, j)],
}

function expectKernel(kernel: Tensor, kind: string, columns: readonly number[], digits: number) {
  const side = kind === 'full' ? [c, c] : []
  expect(kernel.shape).toEqual([n, columns.length, ...side])
  const expected = Array.from({ length: n }, (_, i) => columns.flatMap((j) => values[kind]!(i, j))).flat()
  expect([...kernel.data]).toEqual(expected.map((value) => expect.closeTo(value, digits)))
}

const own = Array.from({ length: n }, (_, i) => i)
const further = Array.from({ length: m }, (_, i) => n + i)

const ways: readonly [string, TangentKernelOptions][] = [
  ['in one block', {}],
  ['in blocks with a partial last one', { batch: 4 }],
  ['one sample at a time', { batch: 1 }],
]

describe.each(ways)('tangent kernels %s are J J^T of differences of the outputs', (_, options) => {
  test.each(['contraction', 'products'] as const)('all entries, by %s', async (method) => {
    const square = await tangentKernel(problem, { ...options, method })
    expect(square.method).toBe(method)
    expectKernel(square.kernel, 'full', own, 8)
    expectKernel((await tangentKernel(problem, { ...options, method, others })).kernel, 'full', further, 8)
  })

  test.each(['trace', 'sum-of-logits'] as const)('the %s', async (kind) => {
    expectKernel((await tangentKernel(problem, { ...options, kind })).kernel, kind, own, 8)
    expectKernel((await tangentKernel(problem, { ...options, kind, others })).kernel, kind, further, 8)
  })
})

describe('tangentKernel', () => {
  test('in float32 agrees to its precision', async () => {
    const { kernel } = await tangentKernel(problem, { precision: 'float32' })
    expect(kernel.dtype).toBe('float32')
    expectKernel(kernel, 'full', own, 4)
  })

  test('a selection of parameters gives their part, and the parts add up', async () => {
    const { kernel } = await tangentKernel(problem)
    const parts = await Promise.all(
      parameterBlocks(problem).map(({ name }) => tangentKernel(problem, { parameters: [name] })),
    )
    const sum = parts.map((part) => part.kernel).reduce((a, b) => np.add(a, b))
    expect([...sum.data]).toEqual(Array.from(kernel.data, (value) => expect.closeTo(value, 10)))
  })

  test('the method is the one with fewer operations, and a smaller budget makes smaller blocks', async () => {
    const [a, b] = [
      await tangentKernel(problem, { method: 'contraction' }),
      await tangentKernel(problem, { method: 'products' }),
    ]
    const chosen = await tangentKernel(problem)
    expect(chosen.flops).toBe(Math.min(a.flops, b.flops))
    const memoryBytes = Math.floor(chosen.totalBytes / 2)
    const small = await tangentKernel(problem, { memoryBytes })
    expect(small.batch).toBeLessThan(chosen.batch)
    expect(small.totalBytes).toBeLessThanOrEqual(memoryBytes)
    expectKernel(small.kernel, 'full', own, 8)
  })

  test('dense layers with many outputs go by products, weights shared over many places by contraction', async () => {
    const model = (places: number, outputs: number): Problem => ({
      ...problem,
      parameters: [np.reshape(np.linspace(-1, 1, 6 * outputs), [6, outputs])],
      apply: ([w]: [Tensor], x: Tensor) => {
        const at = np.reshape(np.linspace(0, 1, places), [places, 1])
        return np.mean(np.tanh(np.matmul(np.multiply(np.expandDims(x, 1), at), w)), { axis: 1 })
      },
    })
    for (const [places, outputs, method] of [
      [1, 24, 'products'],
      [40, 2, 'contraction'],
    ] as const) {
      const chosen = await tangentKernel(model(places, outputs))
      expect(chosen.method).toBe(method)
      const other = method === 'products' ? 'contraction' : 'products'
      const { kernel } = await tangentKernel(model(places, outputs), { method: other })
      expect([...chosen.kernel.data]).toEqual(Array.from(kernel.data, (value) => expect.closeTo(value, 10)))
    }
  })

  test('each sample is taken by itself, by both methods, where a model mixes those of a batch', async () => {
    const mixing: Problem = {
      ...problem,
      apply: (p, x: Tensor) => np.subtract(tinyLogits(p, x), np.mean(tinyLogits(p, x), { axis: 0 })),
    }
    for (const method of ['contraction', 'products'] as const) {
      const { kernel } = await tangentKernel(mixing, { method })
      expect(Math.max(...kernel.data)).toBe(0)
    }
  })

  test('outputs of any shape count as one row of outputs', async () => {
    const square: Problem = { ...problem, apply: (p, x) => np.reshape(tinyLogits(p, x), [-1, 2, 2]) }
    expectKernel((await tangentKernel(square)).kernel, 'full', own, 8)
  })

  test('progress is told for each pair of blocks, and a signal stops it between them', async () => {
    const steps: string[] = []
    await tangentKernel(problem, { batch: 5, onStep: ({ done, total }) => steps.push(`${done}/${total}`) })
    expect(steps).toEqual(['1/6', '2/6', '3/6', '4/6', '5/6', '6/6'])
    const stop = new AbortController()
    const running = tangentKernel(problem, {
      batch: 5,
      signal: stop.signal,
      onStep: ({ done }) => done === 2 && stop.abort(new Error('enough')),
    })
    await expect(running).rejects.toThrow('enough')
  })

  test.each<[string, TangentKernelOptions, string]>([
    ['other samples of another shape', { others: y }, 'others has shape'],
    ['an unknown kind', { kind: 'diagonal' as never }, "kind is diagonal, expected 'full'"],
    ['an unknown method', { method: 'fast' as never }, "method is fast, expected 'auto'"],
    ['products of a trace', { kind: 'trace', method: 'products' }, 'kind trace does not have'],
    ['a budget too small', { memoryBytes: 1000 }, 'memoryBytes is 1000 (1.00 kB), but the kernel'],
    ['no batch', { batch: 0 }, 'batch is 0, expected an integer >= 1'],
  ])('%s is refused', async (_, options, message) => {
    await expect(tangentKernel(problem, options)).rejects.toThrow(message)
  })
})

describe('kernelRegression', () => {
  const targets = new Tensor(
    Float64Array.from({ length: n * c }, (_, i) => Math.sin(i)),
    [n, c],
  )

  test('with all entries is the minimum-norm solution of the linearised network', async () => {
    const { kernel } = await tangentKernel(problem)
    const { kernel: wide } = await tangentKernel({ ...problem, inputs: others }, { others: inputs })
    const [train, test] = [
      jacobian.subMatrix(0, n * c - 1, 0, theta.length - 1),
      jacobian.subMatrix(n * c, (n + m) * c - 1, 0, theta.length - 1),
    ]
    const ridge = 0.1
    const normal = train.transpose().mmul(train).add(Matrix.eye(theta.length, theta.length).mul(ridge))
    const solution = Matrix.columnVector([...targets.data])
    const step = inverse(normal).mmul(train.transpose()).mmul(solution)
    const expected = test.mmul(step).to1DArray()
    const predicted = kernelRegression(kernel, wide, targets, ridge)
    expect([...predicted.data]).toEqual(expected.map((value) => expect.closeTo(value, 6)))
  })

  test('interpolates its training samples, output by output', async () => {
    const { kernel } = await tangentKernel(problem, { kind: 'trace' })
    const predicted = kernelRegression(kernel, kernel, targets)
    expect([...predicted.data]).toEqual(Array.from(targets.data, (value) => expect.closeTo(value, 6)))
  })

  test('names the array whose shape does not fit', async () => {
    const { kernel } = await tangentKernel(problem, { kind: 'trace' })
    expect(() => kernelRegression(kernel, np.ones([3, 5]), targets)).toThrow(
      `cross has shape [3,5], expected [3,${n}] for targets [${n},${c}]`,
    )
    expect(() => kernelRegression(np.ones([2, 2]), kernel, targets)).toThrow('kernel has shape [2,2]')
  })
})

describe.skipIf(!data)('the tangent kernel of a published convolutional network (EVOLUTE_DATA)', () => {
  test.each(['cnn_mnist_pytorch.onnx', 'mnist_pytorch_onnx2c.onnx'])(
    '%s is the same by both methods and by products with J J^T',
    async (name) => {
      const files = {
        model: join(data, 'onnx/models', name),
        inputs: join(data, 'mnist/t10k-images-idx3-ubyte.gz'),
        labels: join(data, 'mnist/t10k-labels-idx1-ubyte.gz'),
        samples: 3,
        std: [255],
      }
      const { problem } = await openProblem(files, losses['cross-entropy']!)
      const operator = await tangentKernelOperator(problem, { precision: 'float64' })
      const unit = Float64Array.from({ length: 30 }, (_, i) => (i === 7 ? 1 : 0))
      const column = await operator.apply(new Tensor(unit, [1, 30]))
      await operator.dispose()
      const largest = Math.max(...column.data)
      for (const method of ['contraction', 'products'] as const) {
        const { kernel } = await tangentKernel(problem, { method })
        // Entry 7 is output 7 of the first sample.
        const got = Array.from(
          { length: 30 },
          (_, i) => kernel.data[Math.floor(i / 10) * 300 + (i % 10) * 10 + 7]!,
        )
        expect(got.map((value) => value / largest)).toEqual(
          Array.from(column.data, (value) => expect.closeTo(value / largest, 8)),
        )
      }
    },
  )
})
