import { Matrix, SVD } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import {
  kroneckerCosine,
  optimalKronecker,
  type Rearrangement,
  rearrangeGradients,
  rearrangeOperator,
  shampooFactors,
} from '../../../src/curvature/structured/index.js'
import { toDense } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import { Tensor, tensor } from '../../../src/tensor/index.js'
import { operatorOf } from '../../linalg/operators/dense.js'
import { expectDense, expectNear, randomMatrix, randomPositive, tensorOf } from './dense.js'

const [samples, p, q] = [30, 4, 3]
const rows = randomMatrix(samples, p * q, 1)
const gradients = new Tensor(tensorOf(rows).data, [samples, p, q])
const moment = rows.transpose().mmul(rows).div(samples)

const matrixOf = (x: Tensor) => new Matrix(x.toArray() as number[][])

/** The rearranged matrix, element by element. */
function rearrangedOf(m: Matrix): Matrix {
  const r = Matrix.zeros(p * p, q * q)
  for (let i = 0; i < p; i++)
    for (let k = 0; k < p; k++)
      for (let j = 0; j < q; j++)
        for (let l = 0; l < q; l++) r.set(i * p + k, j * q + l, m.get(i * q + j, k * q + l))
  return r
}

const cosineOf = (m: Matrix, kronecker: Matrix) =>
  Matrix.mul(m, kronecker).sum() / (m.norm('frobenius') * kronecker.norm('frobenius'))

const targets: [string, () => Rearrangement | Promise<Rearrangement>][] = [
  ['gradients', () => rearrangeGradients(gradients)],
  ['an operator', () => rearrangeOperator(operatorOf(moment), [p, q], { block: 5 })],
]

describe.each(targets)('the second moment known by %s', (_, make) => {
  test('is rearranged as Van Loan and Pitsianis do', async () => {
    const target = await make()
    await expectDense(target, rearrangedOf(moment))
    const transposed = await target.applyTranspose(np.eye(p * p))
    const expected = rearrangedOf(moment)
    transposed.data.forEach((value, at) => {
      expectNear(value, expected.get(Math.floor(at / (q * q)), at % (q * q)), 1e-12)
    })
    expectNear(await target.frobeniusNorm(), moment.norm('frobenius'), 1e-12)
  })

  test('its nearest Kronecker product is the first pair of singular vectors', async () => {
    const best = await optimalKronecker(await make(), { tolerance: 1e-12, maxSteps: 2000 })
    const svd = new SVD(rearrangedOf(moment))
    const kronecker = matrixOf(best.left).kroneckerProduct(matrixOf(best.right))
    const missed = moment.clone().sub(kronecker).norm('frobenius')
    expectNear(missed, Math.hypot(...svd.diagonal.slice(1)), 1e-9)
    expectNear(best.cosine, svd.diagonal[0]! / Math.hypot(...svd.diagonal), 1e-9)
    expectNear(best.cosine, cosineOf(moment, kronecker), 1e-9)
    expect(best).toMatchObject({ converged: true, reason: 'converged' })
  })

  test('one step from the identity gives Shampoo squared', async () => {
    const target = await make()
    const { left, right } = await shampooFactors(target)
    const gradient = (n: number) => Matrix.from1DArray(p, q, rows.getRow(n))
    let [expectedLeft, expectedRight] = [Matrix.zeros(p, p), Matrix.zeros(q, q)]
    for (let n = 0; n < samples; n++) {
      const g = gradient(n)
      expectedLeft = expectedLeft.add(g.mmul(g.transpose()).div(samples))
      expectedRight = expectedRight.add(g.transpose().mmul(g).div(samples))
    }
    expect(matrixOf(left).sub(expectedLeft).norm()).toBeLessThan(1e-12)
    expect(matrixOf(right).sub(expectedRight).norm()).toBeLessThan(1e-12)

    const step = await optimalKronecker(target, { maxSteps: 1 })
    expect(step).toMatchObject({ converged: false, reason: 'step limit', steps: 1 })
    for (const [got, shampoo] of [
      [step.left, left],
      [step.right, right],
    ] as const) {
      const [x, y] = [matrixOf(got), matrixOf(shampoo)]
      expect(x.div(x.norm()).sub(y.div(y.norm())).norm()).toBeLessThan(1e-12)
    }
    expectNear(step.cosine, await kroneckerCosine(target, left, right), 1e-12)
    const best = await optimalKronecker(target)
    const plain = await kroneckerCosine(target, np.sqrtm(left), np.sqrtm(right))
    expect(best.cosine).toBeGreaterThanOrEqual(step.cosine)
    expect(step.cosine).toBeGreaterThan(plain)
  })
})

test('a Kronecker product is found whole, with cosine 1', async () => {
  const [l, r] = [randomPositive(p, 2), randomPositive(q, 3)]
  const kronecker = l.kroneckerProduct(r)
  const best = await optimalKronecker(await rearrangeOperator(operatorOf(kronecker), [p, q]))
  expectNear(best.cosine, 1, 1e-12)
  const got = matrixOf(best.left).kroneckerProduct(matrixOf(best.right))
  expect(got.sub(kronecker).norm() / kronecker.norm()).toBeLessThan(1e-10)
})

test('one gradient is a product of rank one whose Kronecker cosine is 1 for a row', async () => {
  const row = new Tensor(Float64Array.of(1, -2, 3), [1, 1, 3])
  const best = await optimalKronecker(rearrangeGradients(row))
  expectNear(best.cosine, 1, 1e-12)
  expectNear(best.right.data[1]! * best.left.data[0]!, -2, 1e-12)
})

test('what does not fit is refused, and a search can be stopped', async () => {
  expect(() => rearrangeGradients(tensor([[1, 2]]))).toThrow('gradients has shape [1,2], expected [N, p, q]')
  await expect(rearrangeOperator(operatorOf(moment), [5, 3])).rejects.toThrow(
    'sides are 5 and 3, expected a product of 12',
  )
  const zero = rearrangeGradients(np.zeros([2, 2, 2]))
  await expect(optimalKronecker(zero)).rejects.toThrow('the matrix gives 0 for the identity')
  const target = rearrangeGradients(gradients)
  await expect(optimalKronecker(target, { tolerance: 0 })).rejects.toThrow('tolerance is 0')
  const controller = new AbortController()
  const onStep = ({ done }: { done: number }) => {
    if (done === 2) controller.abort(new Error('enough'))
  }
  const options = { tolerance: 1e-15, signal: controller.signal, onStep }
  await expect(optimalKronecker(target, options)).rejects.toThrow('enough')
  expect((await toDense(target)).shape).toEqual([p * p, q * q])
})
