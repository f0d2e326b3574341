import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { blockTraces } from '../../src/curvature/analysis/blockTraces.js'
import type { SymmetricCurvature } from '../../src/curvature/index.js'
import { denseOperator, hutchinsonTrace, Random } from '../../src/linalg/index.js'
import { Tensor } from '../../src/tensor/index.js'

/** A symmetric matrix with three large eigenvalues, in two blocks. */
const n = 24
const random = new Random(1)
const basis = new Matrix(Array.from({ length: n }, () => [...random.normals(n)]))
const spectrum = Matrix.diag(Array.from({ length: n }, (_, i) => (i < 3 ? 50 - 10 * i : 1 / (1 + i))))
const dense = basis.mmul(spectrum).mmul(basis.transpose()).div(n)
const sizes = [7, 17]
const operator = {
  ...denseOperator(new Tensor(Float64Array.from(dense.to1DArray()), [n, n])),
  blocks: [
    { name: 'a', shape: [7], offset: 0, size: 7 },
    { name: 'b', shape: [17], offset: 7, size: 17 },
  ],
} as unknown as SymmetricCurvature
const eigen = new EigenvalueDecomposition(dense, { assumeSymmetric: true })
const top = [n - 1, n - 2, n - 3]
const known = {
  values: top.map((i) => eigen.realEigenvalues[i]!),
  vectors: Float64Array.from(top.flatMap((i) => eigen.eigenvectorMatrix.getColumn(i))),
}
const none = { values: [], vectors: new Float64Array(0) }
const exact = [
  dense.subMatrix(0, 6, 0, 6).trace(),
  dense.subMatrix(7, n - 1, 7, n - 1).trace(),
  dense.trace(),
]

describe('blockTraces', () => {
  test.each([
    ['without known eigenpairs', none],
    ['with known eigenpairs', known],
  ])('%s errors cover the truth at their nominal rate over 200 seeds', async (_, pairs) => {
    const inside = [0, 0, 0]
    for (let seed = 0; seed < 200; seed++) {
      const found = await blockTraces(operator, { known: pairs, probes: 30, seed })
      for (const [b, { estimate, standardError }] of [...found.blocks, found].entries())
        if (Math.abs(estimate - exact[b]!) <= 1.96 * standardError) inside[b]!++
    }
    // Nominal 190; Student's t with 29 degrees of freedom gives 188.
    for (const count of inside) expect(count).toBeGreaterThan(176)
  })

  test('known eigenpairs cut the error, whatever their accuracy leave it unbiased', async () => {
    const plain = await blockTraces(operator, { known: none, probes: 50 })
    const cut = await blockTraces(operator, { known, probes: 50 })
    expect(cut.standardError).toBeLessThan(plain.standardError / 20)
    const wrong = {
      values: [60, 30],
      vectors: Float64Array.from({ length: 2 * n }, (_, i) => Math.sin(i) / 3),
    }
    const rough = await blockTraces(operator, { known: wrong, probes: 4000 })
    expect(Math.abs(rough.estimate - exact[2]!)).toBeLessThan(3 * rough.standardError)
  })

  test('without known pairs has the error of Hutchinson’s estimate of the whole', async () => {
    const own = await blockTraces(operator, { known: none, probes: 400 })
    const whole = await hutchinsonTrace(operator, { probes: 400 })
    expect(own.standardError / whole.standardError).toBeGreaterThan(0.85)
    expect(own.standardError / whole.standardError).toBeLessThan(1.18)
    expect(own.blocks.reduce((sum, { estimate }) => sum + estimate, 0)).toBeCloseTo(own.estimate, 10)
    expect(sizes.reduce((a, b) => a + b)).toBe(n)
  })
})
