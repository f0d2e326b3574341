import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import {
  ekfac,
  fisherDiagonal,
  kfac,
  type LayerCurvature,
  losses,
  lossFisher,
  lossGaussNewton,
  type Problem,
} from '../../src/curvature/index.js'
import { type LinearOperator, Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'
import { tinyLogits, tinyProblem } from '../helpers/tinyNetwork.js'

const seed = 5
const random = new Random(seed)
const draw = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1)
  return new Tensor(
    random.normals(size).map((x) => 0.6 * x),
    shape,
  )
}

async function matrixOf(operator: LinearOperator): Promise<Matrix> {
  const n = operator.rows
  const products = await operator.apply(np.eye(n))
  return Matrix.from1DArray(n, n, [...products.data]).transpose()
}

/** The matrix with 0 between parameters of different layers. */
function blocksOf(matrix: Matrix, { factors }: LayerCurvature): Matrix {
  const owner = new Int32Array(matrix.rows).fill(-1)
  factors.forEach(({ layer }, i) => {
    for (const place of layer.places) owner[place] = i
  })
  return Matrix.from1DArray(
    matrix.rows,
    matrix.columns,
    matrix.to1DArray().map((value, at) => {
      const [row, column] = [Math.floor(at / matrix.columns), at % matrix.columns]
      return owner[row] === owner[column] && (owner[row]! >= 0 || row === column) ? value : 0
    }),
  )
}

function expectClose(actual: Matrix, expected: Matrix, digits: number): void {
  const scale = Math.max(expected.max(), -expected.min())
  expect(actual.to1DArray().map((x) => x / scale)).toEqual(
    expected.to1DArray().map((x) => expect.closeTo(x / scale, digits)),
  )
}

const distance = (a: Matrix, b: Matrix) => Matrix.sub(a, b).norm('frobenius')

const deepLinear: Problem = {
  parameters: { w1: draw(5, 4), b1: draw(4), w2: draw(3, 4), w3: draw(3, 2), b3: draw(2) },
  apply: (p, x) => {
    const h = np.add(np.matmul(x, p.w1), p.b1)
    return np.add(np.matmul(np.matmul(h, np.transpose(p.w2)), p.w3), p.b3)
  },
  loss: losses.mse!,
  inputs: draw(30, 5),
  targets: draw(30, 2),
}

const convolutional: Problem = {
  parameters: {
    kernel: draw(3, 2, 2, 2),
    bias: draw(3),
    scale: draw(3, 1, 1),
    weight: draw(3, 12),
    offset: draw(3),
  },
  apply: (p, x) => {
    const y = np.add(np.conv(x, p.kernel, { strides: 2 }), np.reshape(p.bias, [1, 3, 1, 1]))
    const h = np.multiply(np.tanh(y), p.scale)
    return np.add(np.matmul(np.reshape(h, [x.shape[0]!, -1]), np.transpose(p.weight)), p.offset)
  },
  loss: losses['cross-entropy']!,
  inputs: draw(20, 2, 4, 4),
  targets: new Tensor(Int32Array.from({ length: 20 }, (_, i) => i % 3)),
}

describe(`K-FAC (seed ${seed})`, () => {
  test.each([{ batch: 256 }, { batch: 8 }])(
    'is the Gauss-Newton blocks of a deep linear network, %o',
    async (options) => {
      const operator = await kfac(deepLinear, { kind: 'exact', ...options })
      expect(operator.factors.map(({ layer }) => [layer.name, layer.bias])).toEqual([
        ['w1', true],
        ['w2', false],
        ['w3', true],
      ])
      const dense = await matrixOf(await lossGaussNewton(deepLinear))
      expectClose(await matrixOf(operator), blocksOf(dense, operator), 10)
      expect(operator.trace()).toBeCloseTo(dense.trace(), 9)
      const damped = blocksOf(dense, operator).add(Matrix.eye(dense.rows).mul(0.1))
      expectClose((await matrixOf(operator.inverse(0.1))).mmul(damped), Matrix.eye(dense.rows), 9)
    },
  )

  test('is g g^T of each layer for one sample', async () => {
    const one: Problem = {
      ...convolutional,
      apply: (p, x) =>
        np.matmul(np.tanh(np.matmul(np.reshape(x, [x.shape[0]!, -1]), p.v)), np.transpose(p.w)),
      parameters: { v: draw(32, 4), w: draw(3, 4) },
      inputs: new Tensor(convolutional.inputs.data.slice(0, 32), [1, 2, 4, 4]),
      targets: new Tensor(convolutional.targets.data.slice(0, 1)),
    }
    const operator = await kfac(one, { kind: 'empirical' })
    const dense = await matrixOf(await lossFisher(one, { kind: 'empirical' }))
    expectClose(await matrixOf(operator), blocksOf(dense, operator), 10)
  })

  test('expanded is exact where a linear model has a loss at every position', async () => {
    const sequence: Problem = {
      parameters: { w: draw(4, 3), b: draw(3), v: draw(3, 2) },
      apply: (p, x) => np.matmul(np.add(np.matmul(x, p.w), p.b), p.v),
      loss: losses.mse!,
      inputs: draw(12, 5, 4),
      targets: draw(12, 5, 2),
    }
    const operator = await kfac(sequence, { kind: 'exact', sharing: 'expand' })
    const dense = await matrixOf(await lossGaussNewton(sequence))
    expectClose(await matrixOf(operator), blocksOf(dense, operator), 10)
  })

  test('reduced is exact where a linear model averages over the positions', async () => {
    const averaged: Problem = {
      parameters: { w: draw(4, 3), b: draw(3), v: draw(3, 2) },
      apply: (p, x) => np.matmul(np.mean(np.add(np.matmul(x, p.w), p.b), { axis: 1 }), p.v),
      loss: losses.mse!,
      inputs: draw(12, 5, 4),
      targets: draw(12, 2),
    }
    const dense = await matrixOf(await lossGaussNewton(averaged))
    const reduced = await kfac(averaged, { kind: 'exact', sharing: 'reduce' })
    expectClose(await matrixOf(reduced), blocksOf(dense, reduced), 10)
    const expanded = await kfac(averaged, { kind: 'exact', sharing: 'expand' })
    expect(distance(await matrixOf(expanded), blocksOf(dense, expanded))).toBeGreaterThan(1e-3)
  })

  test('with random targets tends to the exact one', async () => {
    const exact = await matrixOf(await kfac(convolutional, { kind: 'exact' }))
    const drawn = await matrixOf(await kfac(convolutional, { kind: 'monte-carlo', draws: 200, seed: 1 }))
    expect(distance(drawn, exact) / exact.norm('frobenius')).toBeLessThan(0.1)
  })

  test('has the exact diagonal at parameters of no layer', async () => {
    const operator = await kfac(convolutional, { kind: 'exact' })
    expect(operator.uncovered.map(({ block }) => block.name)).toEqual(['scale'])
    const dense = await matrixOf(await lossGaussNewton(convolutional))
    const { offset, size } = operator.uncovered[0]!.block
    const diagonal = operator.diagonal()
    for (let i = offset; i < offset + size; i++) expect(diagonal[i]).toBeCloseTo(dense.get(i, i), 12)
  })
})

describe('EK-FAC', () => {
  test.each([
    ['a convolutional network', convolutional],
    ['a network of matrix products', tinyFor()],
  ])('of %s has the trace of the Fisher matrix and is nearer to it than K-FAC', async (_, problem) => {
    for (const kind of ['exact', 'empirical'] as const) {
      const dense = await matrixOf(await lossFisher(problem, { kind }))
      const [plain, corrected] = [
        await kfac(problem, { kind, batch: 16 }),
        await ekfac(problem, { kind, batch: 16 }),
      ]
      const blocks = blocksOf(dense, plain)
      expect(corrected.trace()).toBeCloseTo(dense.trace(), 9)
      const near = distance(await matrixOf(corrected), blocks)
      expect(near).toBeLessThan(distance(await matrixOf(plain), blocks))
      expect(near).toBeGreaterThan(0)
    }
  })
})

describe('the diagonal of a Fisher matrix', () => {
  test.each([
    ['a convolutional network', convolutional],
    ['a network of matrix products', tinyFor()],
  ])('of %s is that of the dense matrix', async (_, problem) => {
    for (const kind of ['exact', 'empirical', 'monte-carlo'] as const) {
      const options = { kind, draws: 3, seed: 2, batch: 256 }
      const dense = await matrixOf(await lossFisher(problem, options))
      const diagonal = (await fisherDiagonal(problem, options)).diagonal()
      expect([...diagonal]).toEqual(dense.diagonal().map((value) => expect.closeTo(value, 10)))
    }
  })
})

function tinyFor(): Problem {
  const { parameters, x, y } = tinyProblem(seed)
  return { parameters, apply: tinyLogits, loss: losses['cross-entropy']!, inputs: x, targets: y }
}

test('an unknown kind, sharing or number of draws is named', async () => {
  await expect(kfac(deepLinear, { kind: 'exact', sharing: 'none' as never })).rejects.toThrow(
    'sharing is none',
  )
  await expect(kfac(deepLinear, { kind: 'type-3' as never })).rejects.toThrow('kind is type-3')
  await expect(kfac(deepLinear, { kind: 'monte-carlo', draws: 0 })).rejects.toThrow('draws is 0')
})
