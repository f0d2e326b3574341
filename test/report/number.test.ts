import { expect, test } from 'vitest'
import {
  formatNumber,
  formatPercent,
  formatScientific,
  formatSeconds,
  formatToError,
  formatWithError,
} from '../../src/report/number.js'

test.each([
  [0, '0'],
  [-0, '0'],
  [1, '1'],
  [-1.5, '−1.5'],
  [41.23741, '41.24'],
  [0.99999, '1'],
  [12345.6, '12,346'],
  [0.00012, '0.00012'],
  [0.0000123456, '1.235 × 10⁻⁵'],
  [-1.5e30, '−1.5 × 10³⁰'],
  [Number.NaN, 'unknown'],
  [Number.NEGATIVE_INFINITY, '−∞'],
])('%d is written %s', (value, text) => {
  expect(formatNumber(value)).toBe(text)
})

test.each([
  [316.42, 6.31, '316.4 ± 6.3'],
  [-316.42, 63.1, '−316 ± 63'],
  [41.2374, 0.00123, '41.2374 ± 0.0012'],
  [5612.3, 1234, '5,600 ± 1,200'],
  [3.14159e-8, 2e-10, '(3.142 ± 0.020) × 10⁻⁸'],
  [2e9, 3e7, '(2.000 ± 0.030) × 10⁹'],
  [41.237412, 3e-9, '41.2374 (± 3 × 10⁻⁹)'],
  [0, 0, '0 (± 0)'],
  [0.1, 2, '0.1 ± 2.0'],
  [3, Number.NaN, '3 (error unknown)'],
])('%d with error %d is written %s', (value, error, text) => {
  expect(formatWithError(value, error)).toBe(text)
})

test('a number keeps the digits its error leaves', () => {
  expect(formatToError(316.4237, 6.3)).toBe('316.4')
  expect(formatToError(316.4237, 63)).toBe('316')
  expect(formatToError(1.5, 400)).toBe('2')
  expect(formatScientific(0.0005)).toBe('5.0 × 10⁻⁴')
})

test('times and shares are written in units a reader knows', () => {
  expect([0, 2.5e-5, 0.00437, 6.03, 59.99, 125, 3780].map(formatSeconds)).toEqual(
    ['0 s', '25 µs', '4.37 ms', '6.03 s', '1 min 0 s', '2 min 5 s', '1 h 3 min'], // rounded, never truncated
  )
  expect([1, 0.974, 0.0049].map(formatPercent)).toEqual(['100%', '97.4%', '0.5%'])
})
