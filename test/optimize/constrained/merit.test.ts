import { describe, expect, test } from 'vitest'
import { Random } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import {
  type ConstrainedFunction,
  plainConstrained,
  tracedConstrained,
} from '../../../src/optimize/constrained/functions.js'
import { lagrangianOf } from '../../../src/optimize/constrained/lagrangian.js'
import { meritAt, meritSlopes } from '../../../src/optimize/constrained/merit.js'
import { denseRows } from '../../../src/optimize/leastSquares/sparse/sparseRows.js'
import type { Tensor } from '../../../src/tensor/index.js'

const value = (x: Tensor) => np.sum(np.multiply(np.exp(np.multiply(0.3, x)), np.sin(np.flip(x))))
const constraints = (x: Tensor) => np.stack([np.sum(np.power(x, 3)), np.prod(np.cos(x))])
const traced = tracedConstrained(value, constraints, new Float64Array(4), 2)
const plainValue = (x: Float64Array) =>
  x.reduce((sum, xi, i) => sum + Math.exp(0.3 * xi) * Math.sin(x[x.length - 1 - i]!), 0)
const plainConstraints = (x: Float64Array) =>
  Float64Array.of(
    x.reduce((sum, xi) => sum + xi ** 3, 0),
    x.reduce((product, xi) => product * Math.cos(xi), 1),
  )
const everywhere = { lower: new Float64Array(4).fill(-Infinity), upper: new Float64Array(4).fill(Infinity) }
const target = Float64Array.of(0.3, -0.2)

const around = (x: Float64Array, v: Float64Array, t: number) => x.map((xi, i) => xi + t * v[i]!)

describe('the exact augmented Lagrangian', () => {
  test('has the value of its formula and slopes that differences of it confirm, for many penalties', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const random = new Random(seed)
      const [x, l, move, change] = [4, 2, 4, 2].map((n) => random.normals(n)) as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
      ]
      const penalties = { constraints: 10 ** (seed % 4), gradient: 10 ** -(seed % 3) }
      const at = async (t: number) => {
        const model = await lagrangianOf(traced).at(around(x, move, t), around(l, change, t))
        return meritAt(model, target).value(penalties)
      }
      const model = await lagrangianOf(traced).at(x, l)
      const residual = plainConstraints(x).map((c, j) => c - target[j]!)
      const squares = (v: Float64Array) => v.reduce((sum, vi) => sum + vi * vi, 0)
      const expected =
        plainValue(x) +
        residual.reduce((sum, r, j) => sum + r * l[j]!, 0) +
        (penalties.constraints * squares(residual) + penalties.gradient * squares(model.gradient)) / 2
      expect(await at(0)).toBeCloseTo(expected, 9)
      const slope = (await meritSlopes(model, residual))({ move, change }, penalties)
      const h = 1e-4
      const difference =
        (8 * ((await at(h)) - (await at(-h))) - ((await at(2 * h)) - (await at(-2 * h)))) / (12 * h)
      expect(Math.abs(slope / difference - 1)).toBeLessThan(1e-7)
    }
  })
})

describe('functions of numbers', () => {
  const plain = plainConstrained(plainValue, plainConstraints, everywhere)
  test('have the derivatives of traced ones, by finite differences', async () => {
    const random = new Random('plain')
    const [x, l, v, w] = [4, 2, 4, 2].map((n) => random.normals(n)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    const all = async (f: ConstrainedFunction) => {
      const { value, constraints, gradient } = await f.linearize(x, l)
      const [byPoint, byMultipliers] = await f.product(x, l, v, w)
      return {
        exact: [value, ...constraints],
        first: [...gradient, ...denseRows(await f.jacobian(x), 4)],
        second: [...(await f.hessian(x, l)), ...byPoint, ...byMultipliers],
      }
    }
    const [a, b] = [await all(traced), await all(plain)]
    for (const [key, digits] of [
      ['exact', 14],
      ['first', 9],
      ['second', 6],
    ] as const)
      a[key].forEach((expected, i) => {
        expect(b[key][i]).toBeCloseTo(expected, digits)
      })
  })
})
