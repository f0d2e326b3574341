import { describe, expect, test } from 'vitest'
import { addProduct, blockOf, transposedBlock } from '../../src/dense/block.js'
import { cholesky } from '../../src/dense/cholesky.js'
import { factorize, solveFactored } from '../../src/dense/lu.js'
import { qr } from '../../src/dense/qr.js'
import { solveTriangular } from '../../src/dense/triangular.js'
import { matrix, random } from './matrices.js'

/** Below, at and above the widths of panels and halves. */
const orders = [0, 1, 2, 31, 32, 33, 64, 65, 100, 149]

function times(x: Float64Array, y: Float64Array, n: number, m = n): Float64Array {
  const z = new Float64Array(n * m)
  const inner = n === 0 ? 0 : x.length / n
  for (let i = 0; i < n; i++)
    for (let k = 0; k < inner; k++)
      for (let j = 0; j < m; j++) z[i * m + j]! += x[i * inner + k]! * y[k * m + j]!
  return z
}

const transpose = (x: Float64Array, n: number) => matrix(n, (i, j) => x[j * n + i]!)
const apart = (x: Float64Array, y: Float64Array) =>
  x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i]!)), 0)
const identity = (n: number) => matrix(n, (i, j) => Number(i === j))

describe.each(orders)('of order %i', (n) => {
  const a = matrix(n, random)
  const spd = times(a, transpose(a, n), n)
  for (let i = 0; i < n; i++) spd[i * (n + 1)]! += 1

  test('cholesky: L L^T is the matrix, L has zeros above', () => {
    const l = cholesky(spd.slice(), n)
    expect(apart(times(l, transpose(l, n), n), spd)).toBeLessThan(1e-14 * (n + 1))
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) expect(l[i * n + j]).toBe(0)
  })

  test('lu: L U is P A, no factor above 1, and systems are solved', () => {
    const { packed, order } = factorize(a.slice(), n)
    const lower = matrix(n, (i, j) => (i === j ? 1 : i > j ? packed[i * n + j]! : 0))
    const upper = matrix(n, (i, j) => (i <= j ? packed[i * n + j]! : 0))
    expect(
      apart(
        times(lower, upper, n),
        matrix(n, (i, j) => random(order[i]!, j)),
      ),
    ).toBeLessThan(1e-14 * (n + 1))
    expect(Math.max(0, ...lower.map(Math.abs))).toBeLessThanOrEqual(1)
    const b = matrix(n, (i, j) => random(j, i), 3)
    const { packed: solvable, order: rows } = factorize(spd.slice(), n)
    expect(apart(times(spd, solveFactored(solvable, rows, b.slice(), n), n, 3), b)).toBeLessThan(1e-12)
    const skew = matrix(n, (i, j) => random(i, j) + 10 * Number(i === j))
    const factors = factorize(skew.slice(), n)
    const x = solveFactored(factors.packed, factors.order, b.slice(), n, true)
    expect(apart(times(transpose(skew, n), x, n, 3), b)).toBeLessThan(1e-11)
  })

  test('qr of tall matrices: orthonormal Q, upper R with diagonal >= 0, Q R the matrix', () => {
    const columns = Math.ceil((2 * n) / 3)
    const tall = matrix(n, random, columns)
    const [q, r] = qr(tall, n, columns)
    expect(apart(times(q, r, n, columns), tall)).toBeLessThan(1e-14 * (n + 1))
    const gram = blockOf(new Float64Array(columns ** 2), columns, columns)
    addProduct(gram, transposedBlock(blockOf(q, n, columns)), blockOf(q, n, columns))
    expect(apart(gram.data, identity(columns))).toBeLessThan(1e-14 * (n + 1))
    for (let i = 0; i < columns; i++) {
      expect(r[i * (columns + 1)]).toBeGreaterThanOrEqual(0)
      for (let j = 0; j < i; j++) expect(r[i * columns + j]).toBe(0)
    }
  })

  test.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('triangular systems, lower %s, diagonal of ones %s', (lower, unit) => {
    const t = matrix(n, (i, j) => (i === j ? 4 : random(i, j) / (n + 1)))
    const read = matrix(n, (i, j) => (i === j ? (unit ? 1 : 4) : i > j === lower ? t[i * n + j]! : 0))
    const b = matrix(n, random, 5)
    const x = b.slice()
    solveTriangular(blockOf(t, n, n), blockOf(x, n, 5), { lower, unit })
    expect(apart(times(read, x, n, 5), b)).toBeLessThan(1e-13)
  })
})

test('qr of linearly dependent columns keeps Q orthonormal', () => {
  const n = 70
  const a = matrix(n, (i, j) => random(i, j % 5))
  const [q, r] = qr(a, n, n)
  expect(apart(times(q, r, n), a)).toBeLessThan(1e-13)
  expect(apart(times(transpose(q, n), q, n), identity(n))).toBeLessThan(1e-13)
})

test('cholesky names the pivot that is not positive, behind the first panel too', () => {
  const n = 70
  const a = matrix(n, (i, j) => (i === j ? (i === 50 ? -1 : 1) : 0))
  expect(() => cholesky(a, n)).toThrow('pivot 50 of 70 is -1')
})

test('a singular matrix has a zero pivot, and its systems are refused', () => {
  const n = 40
  const { packed, order } = factorize(
    matrix(n, (i, j) => (j === 35 ? 0 : random(i, j))),
    n,
  )
  expect(() => solveFactored(packed, order, new Float64Array(n), n)).toThrow('pivot 35 of 40 is 0')
})
