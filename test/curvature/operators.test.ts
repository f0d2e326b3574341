import { Matrix } from 'ml-matrix'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  describePlan,
  gradientCovariance,
  lossAndGradient,
  losses,
  lossFisher,
  lossGaussNewton,
  lossHessian,
  outputJacobian,
  type Problem,
  parameterBlocks,
  tangentKernelOperator,
} from '../../src/curvature/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'
import { ravel } from '../../src/transforms/index.js'
import { expectMatrix } from '../helpers/dense.js'
import {
  handGradient,
  handHessian,
  handJacobian,
  handLogits,
  sizes,
  tinyLogits,
  tinyProblem,
} from '../helpers/tinyNetwork.js'

const seed = 11
const { parameters, x, y, problem } = tinyProblem(seed)
const { samples, classes } = sizes
const theta = ravel<typeof parameters>(parameters)[0].data as Float64Array
const softmaxRows = (logits: Float64Array) =>
  Array.from({ length: samples }, (_, n) => {
    const row = [...logits.subarray(n * classes, (n + 1) * classes)].map(Math.exp)
    const total = row.reduce((a, b) => a + b)
    return row.map((p) => p / total)
  })

const dense = {} as Record<'hessian' | 'jacobian' | 'gaussNewton' | 'empirical' | 'covariance', Matrix>
let gradients: Float64Array[]
const sample = (n: number) =>
  [
    new Tensor(x.data.slice(n * sizes.inputs, (n + 1) * sizes.inputs), [1, sizes.inputs]),
    new Tensor(y.data.slice(n, n + 1)),
  ] as const

beforeAll(() => {
  dense.hessian = new Matrix(handHessian(theta, x, y))
  dense.jacobian = new Matrix(handJacobian(theta, x))
  const p = softmaxRows(handLogits(theta, x))
  const middle = Matrix.zeros(samples * classes, samples * classes)
  p.forEach((row, n) => {
    for (let a = 0; a < classes; a++)
      for (let b = 0; b < classes; b++)
        middle.set(n * classes + a, n * classes + b, ((a === b ? row[a]! : 0) - row[a]! * row[b]!) / samples)
  })
  dense.gaussNewton = dense.jacobian.transpose().mmul(middle).mmul(dense.jacobian)
  gradients = Array.from({ length: samples }, (_, n) => handGradient(theta, ...sample(n)).gradient)
  const rows = new Matrix(gradients.map((g) => [...g]))
  dense.empirical = rows.transpose().mmul(rows).div(samples)
  const mean = Matrix.columnVector(
    Array.from(theta, (_, i) => gradients.reduce((sum, g) => sum + g[i]! / samples, 0)),
  )
  dense.covariance = Matrix.sub(dense.empirical, mean.mmul(mean.transpose()))
})

const ways = [
  ['in one batch', {}],
  ['in batches with a partial last one', { batch: 32 }],
  ['computed anew at each product', { batch: 32, residuals: 'recompute' }],
  ['one vector at a time', { batch: 64, block: 1 }],
] as const

describe(`operators of a network of ${theta.length} parameters (seed ${seed})`, () => {
  describe.each(ways)('%s', (_, options) => {
    test('the Hessian is that of hand-written loops', async () => {
      const hessian = await lossHessian(problem, options)
      expect(hessian.dtype).toBe('float64')
      expect(hessian.plan.keepsResiduals).toBe(!('residuals' in options))
      await expectMatrix(hessian, dense.hessian, 8)
      await hessian.dispose()
    })

    test('the Gauss-Newton matrix is J^T L J', async () => {
      const operator = await lossGaussNewton(problem, options)
      await expectMatrix(operator, dense.gaussNewton, 8)
      await operator.dispose()
    })

    test('the exact Fisher of a softmax is its Gauss-Newton matrix', async () => {
      const operator = await lossFisher(problem, { ...options, kind: 'exact' })
      await expectMatrix(operator, dense.gaussNewton, 8)
      await operator.dispose()
    })

    test('the empirical Fisher is the mean of g g^T', async () => {
      const operator = await lossFisher(problem, { ...options, kind: 'empirical' })
      await expectMatrix(operator, dense.empirical, 8)
      await operator.dispose()
    })

    test('the gradient covariance is that of the samples’ gradients', async () => {
      const { gradient } = await lossAndGradient(problem)
      const operator = await gradientCovariance(problem, gradient, options)
      await expectMatrix(operator, dense.covariance, 8)
      await operator.dispose()
    })

    test('the Jacobian and the tangent kernel are those of differences of the outputs', async () => {
      const jacobian = await outputJacobian(problem, options)
      await expectMatrix(jacobian, dense.jacobian, 8)
      await jacobian.dispose()
      const kernel = await tangentKernelOperator(problem, options)
      await expectMatrix(kernel, dense.jacobian.mmul(dense.jacobian.transpose()), 8)
      await kernel.dispose()
    })
  })

  test('in float32 they agree to its precision', async () => {
    const options = { precision: 'float32', batch: 50 } as const
    for (const [operator, matrix] of [
      [await lossHessian(problem, options), dense.hessian],
      [await lossGaussNewton(problem, options), dense.gaussNewton],
      [await outputJacobian(problem, options), dense.jacobian],
    ] as const) {
      expect(operator.dtype).toBe('float32')
      await expectMatrix(operator, matrix, 5)
      await operator.dispose()
    }
  })

  test('loss, gradient and accuracy are those of hand-written loops', async () => {
    const hand = handGradient(theta, x, y)
    const point = await lossAndGradient(problem, { batch: 32 })
    expect(point.loss).toBeCloseTo(hand.loss, 12)
    expect(point.accuracy).toBe(hand.right / samples)
    expect([...point.gradient]).toEqual(Array.from(hand.gradient, (g) => expect.closeTo(g, 12)))
  })

  test('a selection of parameters gives that block of the matrix', async () => {
    const all = parameterBlocks(problem)
    expect(all.map(({ name, offset, size }) => [name, offset, size])).toEqual([
      ['w1', 0, 42],
      ['b1', 42, 7],
      ['w2', 49, 28],
      ['b2', 77, 4],
    ])
    const chosen = all.filter(({ name }) => name.startsWith('b'))
    const places = chosen.flatMap(({ offset, size }) => Array.from({ length: size }, (_, i) => offset + i))
    const hessian = await lossHessian(problem, { parameters: ['b1', 'b2'], batch: 40 })
    expect(hessian.blocks.map(({ name }) => name)).toEqual(['b1', 'b2'])
    await expectMatrix(hessian, dense.hessian.selection(places, places), 8)
    await hessian.dispose()
  })

  test('the matrix of one batch is the mean over its samples', async () => {
    const batch = 40
    const hessian = await lossHessian(problem, { batch })
    for (const index of [0, 2]) {
      const count = Math.min(batch, samples - index * batch)
      const part = (t: Tensor, length: number) =>
        new Tensor(t.data.slice(index * batch * length, (index * batch + count) * length), [
          count,
          ...t.shape.slice(1),
        ])
      const some = new Matrix(handHessian(theta, part(x, sizes.inputs), part(y, 1)))
      const one = { ...hessian, apply: (v: Tensor) => hessian.applyBatch(index, v) }
      const { applyTranspose: _, ...products } = one
      await expectMatrix(products, some, 8)
    }
    await hessian.dispose()
  })

  test('an operator that moves is that of the new parameters', async () => {
    const moved = tinyProblem(seed + 1).parameters
    const at = ravel<typeof parameters>(moved)[0].data as Float64Array
    for (const options of [{ batch: 32 }, { batch: 32, residuals: 'recompute' }] as const) {
      const hessian = await lossHessian(problem, { ...options, moves: true })
      await expectMatrix(hessian, dense.hessian, 8)
      await hessian.moveTo(moved)
      await expectMatrix(hessian, new Matrix(handHessian(at, x, y)), 8)
      await hessian.dispose()
    }
  })

  test('the Monte-Carlo Fisher averages to the exact one, and is the same for the same seed', async () => {
    const draws = 400
    const options = { kind: 'monte-carlo', draws, batch: 90 } as const
    const operator = await lossFisher(problem, { ...options, seed: 4 })
    const vector = new Tensor(
      Float64Array.from(theta, (_, i) => Math.cos(i)),
      [1, theta.length],
    )
    const product = await operator.apply(vector)
    const exact = dense.gaussNewton.mmul(Matrix.columnVector([...vector.data])).to1DArray()
    const error = Math.hypot(...exact.map((value, i) => value - product.data[i]!))
    expect(error / Math.hypot(...exact)).toBeLessThan(0.1)
    await operator.dispose()
    const again = await lossFisher(problem, { ...options, draws: 1, seed: 5 })
    const same = await lossFisher(problem, { ...options, draws: 1, seed: 5 })
    const other = await lossFisher(problem, { ...options, draws: 1, seed: 6 })
    const first = [...(await again.apply(vector)).data]
    expect([...(await same.apply(vector)).data]).toEqual(first)
    expect([...(await other.apply(vector)).data]).not.toEqual(first)
  })
})

describe('the Fisher matrices of the other losses', () => {
  const values = new Tensor(
    Float64Array.from({ length: samples * classes }, (_, i) => (Math.sin(i) > 0 ? 1 : 0)),
    [samples, classes],
  )
  const model: Record<string, Pick<Problem, 'apply' | 'targets'>> = {
    mse: { apply: tinyLogits, targets: values },
    'binary-cross-entropy': { apply: tinyLogits, targets: values },
    nll: {
      apply: (p, inputs) => np.logSoftmax(tinyLogits(p, inputs), { axis: 1 }),
      targets: y,
    },
    'probability-cross-entropy': {
      apply: (p, inputs) => np.softmax(tinyLogits(p, inputs), { axis: 1 }),
      targets: y,
    },
  }

  test.each(['mse', 'binary-cross-entropy'] as const)('%s: exact is Gauss-Newton', async (name) => {
    const other: Problem = { parameters, inputs: x, loss: losses[name]!, ...model[name]! }
    const [fisher, ggn] = [await lossFisher(other, { kind: 'exact' }), await lossGaussNewton(other)]
    const v = new Tensor(
      Float64Array.from(theta, (_, i) => Math.cos(i)),
      [1, theta.length],
    )
    const expected = await ggn.apply(v)
    expect([...(await fisher.apply(v)).data]).toEqual(
      [...expected.data].map((value) => expect.closeTo(value, 12)),
    )
  })

  test.each(['nll', 'probability-cross-entropy'] as const)(
    '%s: exact is that of the softmax',
    async (name) => {
      const other: Problem = { parameters, inputs: x, loss: losses[name]!, ...model[name]! }
      const fisher = await lossFisher(other, { kind: 'exact' })
      await expectMatrix(fisher, dense.gaussNewton, 8)
    },
  )

  test.each(Object.keys(model))('%s: random targets average to the exact', async (name) => {
    const other: Problem = { parameters, inputs: x, loss: losses[name]!, ...model[name]! }
    const v = new Tensor(
      Float64Array.from(theta, (_, i) => Math.cos(i)),
      [1, theta.length],
    )
    const exact = await (await lossFisher(other, { kind: 'exact' })).apply(v)
    const drawn = await (await lossFisher(other, { kind: 'monte-carlo', draws: 300 })).apply(v)
    const error = Math.hypot(...Array.from(exact.data, (value, i) => value - drawn.data[i]!))
    expect(error / Math.hypot(...exact.data)).toBeLessThan(0.12)
  })
})

describe('budgets', () => {
  test('a smaller budget takes smaller blocks, then no residuals, then smaller batches, with the same products', async () => {
    let last = Number.POSITIVE_INFINITY
    const seen = new Set<string>()
    for (const memoryBytes of [2e6, 2e5, 1e5, 6e4, 3e4, 2e4]) {
      const hessian = await lossHessian(problem, { memoryBytes })
      const { plan } = hessian
      expect(plan.totalBytes).toBeLessThanOrEqual(memoryBytes)
      expect(plan.totalBytes).toBeLessThanOrEqual(last)
      last = plan.totalBytes
      seen.add(`${plan.keepsResiduals} ${plan.batch} ${plan.block}`)
      expect(describePlan(plan)).toContain('by forecast')
      await expectMatrix(hessian, dense.hessian, 8)
      await hessian.dispose()
    }
    expect(seen.size).toBeGreaterThan(2)
  })

  test('a budget too small for one sample is an error that says how much one takes', async () => {
    await expect(lossHessian(problem, { memoryBytes: 1000 })).rejects.toThrow(
      /lossHessian: memoryBytes is 1000 \(1\.00 kB\), but one sample and one vector at a time take \d.* kB by forecast; raise it/,
    )
  })
})

describe('bad input', () => {
  test('an unknown parameter names those there are', async () => {
    await expect(lossHessian(problem, { parameters: ['w3'] })).rejects.toThrow(
      'parameters: there is no "w3", expected some of w1, b1, w2, b2',
    )
  })

  test('a model without parameters has nothing to differentiate', async () => {
    await expect(lossHessian({ ...problem, parameters: {}, apply: (_, inputs) => inputs })).rejects.toThrow(
      'parameters: there are none',
    )
  })

  test('a model that draws random numbers is not deterministic', async () => {
    const noisy: Problem = {
      ...problem,
      apply: (p, inputs) => np.multiply(tinyLogits(p, inputs), 1 + Math.random()),
    }
    await expect(lossAndGradient(noisy)).rejects.toThrow('the model is not deterministic')
    await expect(lossHessian(noisy)).rejects.toThrow('draw random numbers once')
  })

  test('moving an operator that was made to stay is an error', async () => {
    const hessian = await lossHessian(problem)
    await expect(hessian.moveTo(parameters)).rejects.toThrow('moves: true')
  })
})
