import { expect, test } from 'vitest'
import { constrainedLogistic, ellipticControl } from '../../papers/constrainedProblems.js'
import { equationProblems } from '../../papers/hockSchittkowski.js'
import { Random } from '../../src/linalg/index.js'
import { Tensor } from '../../src/tensor/index.js'

test('elliptic control is the difference equation of its formula', () => {
  const [n, price] = [5, 1e-3]
  const h = 1 / (n + 1)
  const z = new Random('control').normals(2 * n)
  const [y, v] = [z.slice(0, n), z.slice(n)]
  const { value, equations } = ellipticControl(n, price)
  const miss = y.reduce((sum, yi, i) => sum + (yi - Math.sin(Math.PI * (i + 1) * h)) ** 2, 0)
  const cost = v.reduce((sum, vi) => sum + (vi / h ** 2) ** 2, 0)
  expect(value(new Tensor(z)).item()).toBeCloseTo((miss + price * cost) / 2, 8)
  equations(new Tensor(z)).data.forEach((left, i) => {
    const bend = 2 * y[i]! - (y[i - 1] ?? 0) - (y[i + 1] ?? 0)
    expect(left).toBeCloseTo(bend + h * h * y[i]! ** 3 - v[i]!, 12)
  })
})

test('constrained logistic regression holds its weights on a sphere and in a plane through 0', () => {
  const { value, equations, start } = constrainedLogistic(new Random('logistic'), 20, 4)
  const at = (w: readonly number[]) => equations(new Tensor(Float64Array.from(w))).data
  expect(at([0, 0, 0, 0])).toEqual(Float64Array.of(0, 0, -1))
  expect(at(start)[2]).toBeCloseTo(0, 14)
  const [once, twice] = [at(start), at(start.map((x) => 2 * x))]
  expect(twice[0]).toBeCloseTo(2 * (once[0] as number), 12)
  expect(twice[2]).toBeCloseTo(3, 12)
  expect(value(new Tensor(new Float64Array(4))).item()).toBeCloseTo(Math.LN2, 12)
})

test('no two problems are the same', () => {
  expect(new Set(equationProblems.map(({ name }) => name)).size).toBe(equationProblems.length)
  for (const { start, equations, value } of equationProblems) {
    const x = new Tensor(Float64Array.from(start))
    expect(value(x).size).toBe(1)
    expect(equations(x).size).toBeLessThanOrEqual(start.length)
  }
})
