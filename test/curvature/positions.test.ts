import { describe, expect, test } from 'vitest'
import {
  analyze,
  kfac,
  lossAndGradient,
  losses,
  lossFisher,
  lossGaussNewton,
  lossHessian,
  type Problem,
} from '../../src/curvature/index.js'
import { Random, toDense } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'
import { sizes, tinyLogits, tinyProblem } from '../helpers/tinyNetwork.js'

const { parameters, x, y, problem: flat } = tinyProblem(17)
const [sequences, positions] = [sizes.samples / 3, 3]
/** The same samples, three at a time as the positions of a sequence: the mean over all of them stays the same. */
const folded: Problem = {
  ...flat,
  inputs: np.reshape(x, [sequences, positions, sizes.inputs]),
  targets: np.reshape(y, [sequences, positions]),
}

async function expectSameMatrix(a: Parameters<typeof toDense>[0], b: Parameters<typeof toDense>[0]) {
  const [first, second] = [await toDense(a), await toDense(b)]
  const largest = np.max(np.abs(first)).item()
  expect(largest).toBeGreaterThan(0)
  expect(np.max(np.abs(np.subtract(first, second))).item() / largest).toBeLessThan(1e-12)
}

describe('classes at every position of a sequence', () => {
  test.each(['cross-entropy', 'nll', 'probability-cross-entropy'])(
    'loss, gradient and accuracy of %s are the means over all positions',
    async (name) => {
      const apply = {
        'cross-entropy': tinyLogits,
        nll: (p: typeof parameters, x: Tensor) => np.logSoftmax(tinyLogits(p, x), { axis: -1 }),
        'probability-cross-entropy': (p: typeof parameters, x: Tensor) =>
          np.softmax(tinyLogits(p, x), { axis: -1 }),
      }[name]!
      const change = { loss: losses[name]!, apply }
      const [a, b] = [
        await lossAndGradient({ ...flat, ...change }),
        await lossAndGradient({ ...folded, ...change }, { batch: 7 }),
      ]
      expect(b.loss).toBeCloseTo(a.loss, 12)
      expect(b.accuracy).toBeCloseTo(a.accuracy!, 12)
      expect([...b.gradient]).toEqual(Array.from(a.gradient, (g) => expect.closeTo(g, 12)))
    },
  )

  test('Hessian, Gauss-Newton and the exact Fisher matrix are the same', async () => {
    await expectSameMatrix(await lossHessian(flat), await lossHessian(folded))
    await expectSameMatrix(await lossGaussNewton(flat), await lossGaussNewton(folded))
    await expectSameMatrix(
      await lossFisher(flat, { kind: 'exact' }),
      await lossFisher(folded, { kind: 'exact' }),
    )
  })

  test('K-FAC over positions is K-FAC over samples', async () => {
    await expectSameMatrix(await kfac(flat, { kind: 'exact' }), await kfac(folded, { kind: 'exact' }))
  })

  test('random scores have the Fisher matrix of the outputs as their second moment', () => {
    const loss = losses['cross-entropy']!
    const outputs = new Tensor(new Random(1).normals(6), [1, 2, 3])
    const root = np.reshape(loss.fisherRoot(outputs), [-1, 6])
    const matrix = np.matmul(np.transpose(root), root)
    const units = np.reshape(np.eye(6), [6, 1, 2, 3])
    const products = Array.from({ length: 6 }, (_, i) =>
      np.reshape(loss.fisher(outputs, np.take(units, i, { axis: 0 })), [6]),
    )
    expect(np.max(np.abs(np.subtract(np.stack(products), matrix))).item()).toBeLessThan(1e-15)
    const random = new Random(2)
    const draws = 40_000
    const sum = new Float64Array(36)
    const noise = new Tensor(
      Float64Array.from({ length: draws * 6 }, () => -Math.log(-Math.log(random.uniform()))),
      [draws, 2, 3],
    )
    const scores = loss.score(np.broadcastTo(outputs, [draws, 2, 3]), noise).data
    for (let n = 0; n < draws; n++)
      for (let i = 0; i < 6; i++)
        for (let j = 0; j < 6; j++) sum[6 * i + j]! += (scores[6 * n + i]! * scores[6 * n + j]!) / draws
    sum.forEach((value, k) => {
      expect(Math.abs(value - matrix.data[k]!)).toBeLessThan(6 / Math.sqrt(draws))
    })
  })

  test('targets of another shape are refused, naming sample and positions', async () => {
    await expect(analyze({ ...folded, targets: new Tensor(y.data.slice(0, sequences)) })).rejects.toThrow(
      'targets: has shape [30], expected one class number for each of 30 samples, at each of the 3 positions of the [3,4] that the model returns',
    )
    const wrong = y.data.slice()
    wrong[7] = 9
    await expect(analyze({ ...folded, targets: new Tensor(wrong, [sequences, positions]) })).rejects.toThrow(
      'label 9 of sample 2 is not a class',
    )
  })
})
