import { Matrix } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { Random, tridiagonalEigen } from '../../src/linalg/index.js'
import { denseEigenvalues } from '../linalg/operators/dense.js'

function tridiagonal(d: readonly number[], e: readonly number[]): Matrix {
  const a = Matrix.diag([...d])
  e.forEach((value, i) => {
    a.set(i, i + 1, value)
    a.set(i + 1, i, value)
  })
  return a
}

/** `count` times the same small matrix, connected by `link`: eigenvalues in groups that are equal up to the link. */
const glued = (count: number, link: number): [number[], number[]] => {
  const [d, e] = [
    [1, 2, 4, 4, 7],
    [1, 0.5, 1, 2, link],
  ]
  const times = Array.from({ length: count })
  return [times.flatMap(() => d), times.flatMap(() => e).slice(0, -1)]
}

const random = new Random(5)
const cases: [string, number[], number[]][] = [
  ['1 by 1', [3], []],
  ['random 2 by 2', [...random.normals(2)], [...random.normals(1)]],
  ['random 40 by 40', [...random.normals(40)], [...random.normals(39)]],
  ['random 300 by 300', [...random.normals(300)], [...random.normals(299)]],
  ['constant 200 by 200', new Array(200).fill(2), new Array(199).fill(-1)],
  ['identity 100 by 100', new Array(100).fill(1), new Array(99).fill(0)],
  [
    'zero inside, at the connections of halves',
    new Array(128).fill(3),
    Array.from({ length: 127 }, (_, i) => (i % 32 === 31 ? 0 : 1)),
  ],
  ...[1, 1e-3, 1e-8, 1e-14, 1e-16].map((link): [string, number[], number[]] => [
    `groups of 40 eigenvalues ${link} apart`,
    ...glued(40, link),
  ]),
  [
    'graded over 300 rows',
    Array.from({ length: 300 }, (_, i) => 0.9 ** i),
    Array.from({ length: 299 }, (_, i) => 0.9 ** (i + 1)),
  ],
  ['zero', [0, 0, 0], [0, 0]],
  ['already diagonal', [3, 1, 2], [0, 0]],
  ['zero diagonal', [0, 0, 0, 0], [1, 1, 1]],
  ['split in two', [1, 2, 3, 4], [1, 0, 1]],
  [
    'Wilkinson W21, with pairs that agree to 1e-14',
    Array.from({ length: 21 }, (_, i) => Math.abs(i - 10)),
    new Array(20).fill(1),
  ],
  [
    'graded over 16 decades',
    Array.from({ length: 9 }, (_, i) => 10 ** (-2 * i)),
    Array.from({ length: 8 }, (_, i) => 10 ** (-2 * i - 1)),
  ],
]

describe('tridiagonalEigen', () => {
  test.each(cases)(
    '%s: eigenvalues are those of the dense solver, eigenvectors solve the equation',
    (_, d, e) => {
      const m = d.length
      const a = tridiagonal(d, e)
      const { values, vectors } = tridiagonalEigen(d, e, { vectors: 'all' })
      const scale = Math.max(1, ...denseEigenvalues(a).map(Math.abs))
      denseEigenvalues(a)
        .reverse()
        .forEach((value, i) => {
          expect(Math.abs(values[i]! - value)).toBeLessThan(1e-13 * scale)
        })
      const z = new Matrix(vectors.map((v) => [...v]))
      expect(z.mmul(z.transpose()).sub(Matrix.eye(m)).norm()).toBeLessThan(1e-13 * m)
      expect(
        z
          .mmul(a)
          .sub(Matrix.diag([...values]).mmul(z))
          .norm(),
      ).toBeLessThan(1e-13 * scale * m)
    },
  )

  test('first and last components are those of the full eigenvectors', () => {
    const [, d, e] = cases[2]!
    const all = tridiagonalEigen(d, e, { vectors: 'all' }).vectors
    const first = tridiagonalEigen(d, e, { vectors: 'first' }).vectors
    const last = tridiagonalEigen(d, e, { vectors: 'last' }).vectors
    all.forEach((v, i) => {
      expect(Math.abs(first[i]![0]!)).toBeCloseTo(Math.abs(v[0]!), 13)
      expect(Math.abs(last[i]![0]!)).toBeCloseTo(Math.abs(v.at(-1)!), 13)
    })
  })

  test.each([1e300, 1e-300])('entries of size %d neither overflow nor underflow', (size) => {
    const { values } = tridiagonalEigen([size, 2 * size], [size])
    const exact = [1.5 - Math.sqrt(1.25), 1.5 + Math.sqrt(1.25)]
    exact.forEach((value, i) => {
      expect(values[i]! / size).toBeCloseTo(value, 12)
    })
  })

  test('what does not fit or is not finite is an error that says so', () => {
    expect(() => tridiagonalEigen([1, 2], [])).toThrow('diagonal has 2 and offDiagonal 0')
    expect(() => tridiagonalEigen([1, Number.NaN], [0])).toThrow('row 1 holds NaN')
  })
})
