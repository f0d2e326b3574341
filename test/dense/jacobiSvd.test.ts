import { describe, expect, test } from 'vitest'
import { jacobiSvd } from '../../src/dense/jacobiSvd.js'
import { type Entry, matrix, random, randomSymmetric } from './matrices.js'

describe('jacobiSvd', () => {
  const tall: Record<string, [rows: number, columns: number, entry: Entry]> = {
    'a random matrix': [90, 60, (i, j) => random(i, j)],
    zero: [20, 10, () => 0],
    ones: [30, 20, () => 1],
    'a graded matrix': [40, 30, (i, j) => random(i, j) * 10 ** (-j / 2)],
    'one column': [7, 1, (i) => i + 1],
    'a matrix of rank 3': [
      40,
      20,
      (i, j) =>
        [0, 1, 2].reduce((sum, k) => sum + randomSymmetric(i, k + 60) * randomSymmetric(j, k + 90), 0),
    ],
    'an orthogonal matrix': [
      30,
      30,
      (i, j) => Math.sqrt(2 / 31) * Math.sin((Math.PI * (i + 1) * (j + 1)) / 31),
    ],
  }

  test.each(Object.entries(tall))('of %s gives orthonormal factors of it', (_, [rows, columns, entry]) => {
    const a = matrix(rows, entry, columns)
    const [u, s, v] = jacobiSvd(a.slice(), rows, columns)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0
        for (let k = 0; k < columns; k++) sum += u[i * columns + k]! * s[k]! * v[j * columns + k]!
        expect(Math.abs(sum - a[i * columns + j]!)).toBeLessThan(1e-13 * Math.max(1, s[0]!))
      }
    for (const [x, length] of [
      [u, rows],
      [v, columns],
    ] as const)
      for (let i = 0; i < columns; i++)
        for (let j = 0; j <= i; j++) {
          let sum = 0
          for (let k = 0; k < length; k++) sum += x[k * columns + i]! * x[k * columns + j]!
          expect(Math.abs(sum - Number(i === j))).toBeLessThan(1e-13)
        }
  })
})
