import { describe, expect, test } from 'vitest'
import { differences, errorsOf, polynomialFits, type Values } from '../../papers/fieldOperators.js'
import { field, fieldGradient, fieldHessian, initialField, locate } from '../../papers/hashGrid.js'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { expectClose } from '../helpers/derivatives.js'

const random = new Random('hash grid')
const double = (x: Tensor) => np.astype(x, 'float64')
/** Its units are all active, so that differences meet no kink. */
const f = {
  table: new Tensor(random.normals(5 * 2 ** 14), [5 * 2 ** 13, 2]),
  weights: initialField(random).weights.map((w) => np.add(double(w), w.shape.length === 1 ? 100 : 0)),
}
const located = (points: Float64Array) => {
  const { origins, indices } = locate(points)
  return { points: new Tensor(points, [points.length / 3, 3]), origins: double(origins), indices }
}
/** Points a third into cells of the finest grid, so that small steps stay inside all cells. */
const inside = Float64Array.from({ length: 60 }, () => (Math.floor(64 * random.uniform()) + 1 / 3) / 64)
const values: Values = (points) => field(f, located(points)).data

describe('the hash-grid field', () => {
  test('is continuous across the faces of cells', () => {
    const [below, above] = [-1e-6, 1e-6].map((step) => values(Float64Array.of(0.5 + step, 0.3, 0.7)))
    expect(Math.abs(below![0]! - above![0]!)).toBeLessThan(1e-2)
    expect(values(Float64Array.of(0, 0, 0, 1, 1, 1))).toHaveLength(2)
  })

  test('has the gradient and the Hessian of differences inside a cell', () => {
    const { gradients, hessians } = differences(1e-3)(values, inside)
    expectClose(fieldGradient(f, located(inside)), gradients, 1e-9)
    expectClose(fieldHessian(f, located(inside)), hessians, 1e-6)
  })
})

describe('operators on fields', () => {
  /** |x - c| for c = (0.5, 0.5, 0.5): the mean curvature is 1 / |x - c|. */
  const sphere: Values = (points) =>
    Float64Array.from({ length: points.length / 3 }, (_, i) =>
      Math.hypot(...[0, 1, 2].map((k) => points[3 * i + k]! - 0.5)),
    )
  const quadratic: Values = (points) =>
    Float64Array.from({ length: points.length / 3 }, (_, i) => {
      const [x, y, z] = points.slice(3 * i, 3 * i + 3) as unknown as [number, number, number]
      return 2 * x + x * x - 3 * x * y + y * z + 0.5 * z * z
    })
  const hessian = [2, -3, 0, -3, 0, 1, 0, 1, 1]

  test.each([
    ['differences', differences(0.01)],
    ['polynomial fits', polynomialFits(random, 0.01)],
  ])('%s are exact for quadratic fields', (_, operator) => {
    const points = Float64Array.of(0.2, 0.4, 0.9, 0.5, 0.1, 0.3)
    const { gradients, hessians } = operator(quadratic, points)
    expectClose(new Tensor(Float64Array.from(hessians)), [...hessian, ...hessian], 1e-7)
    const slope = [0, 1].flatMap((i) => {
      const [x, y, z] = points.slice(3 * i, 3 * i + 3) as unknown as [number, number, number]
      return [2 + 2 * x - 3 * y, -3 * x + z, y + z]
    })
    expectClose(new Tensor(Float64Array.from(gradients)), slope, 1e-9)
  })

  test('errors are the angle and the relative error of the mean curvature', () => {
    const points = Float64Array.of(0.7, 0.5, 0.5, 0.5, 0.9, 0.5)
    const found = differences(1e-3)(sphere, points)
    const exact = {
      gradients: [1, 0, 0, 0, 1, 0],
      hessians: [0, 0, 0, 0, 5, 0, 0, 0, 5, 2.5, 0, 0, 0, 0, 0, 0, 0, 2.5],
    }
    const { angle, curvature } = errorsOf(found, exact)
    expect(angle).toBeLessThan(1e-4)
    expect(curvature).toBeLessThan(1e-3)
    const turned = { gradients: [1, 1, 0, 0, 1, 1], hessians: exact.hessians }
    expect(errorsOf(turned, exact).angle).toBeCloseTo(45, 10)
    const bent = { gradients: exact.gradients, hessians: exact.hessians.map((h) => 1.5 * h) }
    expect(errorsOf(bent, exact).curvature).toBeCloseTo((0.5 * 5) / 3.75, 10)
  })
})
