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
import { type LinearOperator, Random, toDense } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'

const random = new Random('choices')
const draw = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1)
  return new Tensor(
    random.normals(size).map((x) => 0.6 * x),
    shape,
  )
}

/** Linear in each layer, so that K-FAC is the Gauss-Newton matrix's blocks. */
const deepLinear: Problem = {
  parameters: { w1: draw(3, 5), b1: draw(5), w2: draw(5, 4), w3: draw(4, 2), b3: draw(2) },
  apply: (p, x) => {
    const h = np.add(np.matmul(x, p.w1), p.b1)
    return np.add(np.matmul(np.matmul(h, p.w2), p.w3), p.b3)
  },
  loss: losses.mse!,
  inputs: draw(30, 3),
  targets: draw(30, 2),
}

/** A small language model: an embedding of tokens, a hidden layer, a read-out over all tokens at each position. */
const [vocabulary, width, length, samples] = [7, 3, 4, 6]
const tokens = () =>
  Int32Array.from({ length: samples * length }, () => Math.floor(vocabulary * random.uniform()))
const language: Problem = {
  parameters: {
    embedding: draw(vocabulary, width),
    hidden: draw(width, width),
    bias: draw(width),
    readOut: draw(width, vocabulary),
  },
  apply: (p, numbers) => {
    const x = np.take(p.embedding as Tensor, np.astype(numbers, 'int32'), { axis: 0 })
    return np.matmul(np.tanh(np.add(np.matmul(x, p.hidden), p.bias)), p.readOut)
  },
  loss: losses['cross-entropy']!,
  inputs: new Tensor(Float64Array.from(tokens()), [samples, length]),
  targets: new Tensor(tokens(), [samples, length]),
}

async function matrixOf(operator: LinearOperator): Promise<Matrix> {
  const { data, shape } = await toDense(operator)
  return Matrix.from1DArray(shape[0]!, shape[1]!, [...data])
}

/** The dense matrix with 0 wherever the factors have it: between layers, and off the diagonals of diagonal factors. */
function masked(matrix: Matrix, { factors, rows }: LayerCurvature): Matrix {
  const kept = Matrix.zeros(rows, rows)
  for (const { layer, outputs, inputs } of factors) {
    const q = inputs.shape[0]!
    const meets = (factor: Tensor, a: number, b: number) => factor.shape.length === 2 || a === b
    layer.places.forEach((row, i) => {
      layer.places.forEach((column, j) => {
        const [o1, i1, o2, i2] = [Math.floor(i / q), i % q, Math.floor(j / q), j % q]
        if (meets(outputs, o1, o2) && meets(inputs, i1, i2)) kept.set(row, column, matrix.get(row, column))
      })
    })
  }
  return kept
}

function expectClose(actual: Matrix, expected: Matrix): void {
  expect(Matrix.sub(actual, expected).norm('frobenius') / expected.norm('frobenius')).toBeLessThan(1e-9)
}

function expectNear(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape)
  expect([...actual.data]).toEqual([...expected.data].map((x) => expect.closeTo(x as number, 12)))
}

describe('factors with more rows than diagonalAbove', () => {
  test.each([
    [5, [2, 2], [2, 2], [2, 2]],
    [4, [1, 2], [2, 1], [2, 1]],
    [3, [1, 1], [1, 1], [2, 1]],
    [0, [1, 1], [1, 1], [1, 1]],
  ])('%i are diagonal, the others whole', async (diagonalAbove, ...axes) => {
    const operator = await kfac(deepLinear, { kind: 'exact', diagonalAbove, batch: 7 })
    expect(
      operator.factors.map(({ outputs, inputs }) => [outputs.shape.length, inputs.shape.length]),
    ).toEqual(axes)
    const dense = await matrixOf(await lossGaussNewton(deepLinear))
    expectClose(await matrixOf(operator), masked(dense, operator))
    const damped = masked(dense, operator).add(Matrix.eye(dense.rows).mul(0.1))
    expectClose((await matrixOf(operator.inverse(0.1))).mmul(damped), Matrix.eye(dense.rows))
  })

  test('make EK-FAC the exact diagonal where all are diagonal', async () => {
    for (const problem of [deepLinear, language]) {
      const operator = await ekfac(problem, { kind: 'exact', diagonalAbove: 0 })
      const exact = await matrixOf(await lossFisher(problem, { kind: 'exact' }))
      expectClose(await matrixOf(operator), Matrix.diag(exact.diagonal()))
    }
  })

  test('leave the whole factors of a language model as they are', async () => {
    const options = { kind: 'exact', sharing: 'expand' } as const
    const [plain, some] = [
      await kfac(language, options),
      await kfac(language, { ...options, diagonalAbove: width + 1 }),
    ]
    expect(plain.uncovered.map(({ block }) => block.name)).toEqual(['embedding'])
    const [hidden, readOut] = some.factors
    expectNear(hidden!.inputs, plain.factors[0]!.inputs)
    expectNear(hidden!.outputs, plain.factors[0]!.outputs)
    expectNear(readOut!.inputs, plain.factors[1]!.inputs)
    expectNear(readOut!.outputs, np.diagonal(plain.factors[1]!.outputs))
    const corrected = await ekfac(language, { kind: 'exact', diagonalAbove: width + 1 })
    const exact = await matrixOf(await lossFisher(language, { kind: 'exact' }))
    expect(corrected.trace()).toBeCloseTo(exact.trace(), 9)
  })
})

describe('parameters that are left out', () => {
  test('are constants: the other layers stay the same', async () => {
    const parameters = ['hidden', 'bias']
    for (const of of [kfac, ekfac]) {
      const [whole, part] = [
        await of(language, { kind: 'exact' }),
        await of(language, { kind: 'exact', parameters }),
      ]
      expect(part.rows).toBe(width * width + width)
      expect(part.uncovered).toEqual([])
      const at = vocabulary * width
      expectClose(
        await matrixOf(part),
        (await matrixOf(whole)).subMatrix(at, at + part.rows - 1, at, at + part.rows - 1),
      )
    }
  })

  test('do not count in the diagonal', async () => {
    const options = { kind: 'exact', parameters: (name: string) => name !== 'readOut' } as const
    const dense = await matrixOf(await lossFisher(language, options))
    const diagonal = (await fisherDiagonal(language, options)).diagonal()
    expect([...diagonal]).toEqual(dense.diagonal().map((value) => expect.closeTo(value, 10)))
  })
})

test('factors beyond the budget are named, with what can be done', async () => {
  // 7 x 7, 3 x 3 (twice) and 4 x 4 numbers of 8 bytes.
  for (const of of [kfac, ekfac])
    await expect(of(language, { kind: 'exact', memoryBytes: 600 })).rejects.toThrow(
      `${of.name}: the factors of 2 layers take 664 bytes, more than memoryBytes (600 bytes); the largest is that of the outputs of ` +
        'readOut, whose 7 rows take 392 bytes. Keep only the diagonals of such factors with diagonalAbove (less than 7), leave ' +
        'layers out by parameters, or raise memoryBytes',
    )
  await expect(kfac(language, { kind: 'exact', diagonalAbove: -1 })).rejects.toThrow(
    'kfac: diagonalAbove is -1, expected a number of rows, 0 or more',
  )
})
