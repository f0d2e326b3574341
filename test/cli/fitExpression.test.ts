import { describe, expect, test } from 'vitest'
import { evaluateExpression, namesIn, parseExpression } from '../../src/cli/fit/expression.js'
import { functions } from '../../src/cli/fit/functions.js'
import { Tensor } from '../../src/tensor/index.js'
import { uniform } from '../helpers/random.js'

function calculated(text: string, values: Record<string, number> = {}): number {
  const value = evaluateExpression(parseExpression(text), new Map(Object.entries(values)))
  return typeof value === 'number' ? value : (value as Tensor).item()
}

describe('a formula', () => {
  test.each([
    ['1 + 2*3', 7],
    ['(1 + 2)*3', 9],
    ['8 - 3 - 2', 3],
    ['16/4/2', 2],
    ['16/4*2', 8],
    ['2^3^2', 512],
    ['2**3**2', 512],
    ['(2^3)^2', 64],
    ['-2^2', -4],
    ['(-2)^2', 4],
    ['2^-1', 0.5],
    ['2^-2^2', 0.0625],
    ['2*-3', -6],
    ['- -3', 3],
    ['--3', 3],
    ['+3 - +4', -1],
    ['.5 + 1. + 1.5e1 + 2E-1', 16.7],
    ['log(exp(2)) + ln(1)', 2],
    ['pow(2, 3) + hypot(3, 4) + atan2(0, 1)', 13],
    ['max(1, min(5, 3))', 3],
  ])('%s is %d', (text, value) => {
    expect(calculated(text)).toBeCloseTo(value, 14)
  })

  test('names stand for their values, and each is found where it stands first', () => {
    expect(calculated('b1*(1 - exp(-b2*x))', { b1: 3, b2: 0.5, x: 2 })).toBe(3 * (1 - Math.exp(-1)))
    expect([...namesIn(parseExpression('b2*x + b1*sin(b2*größe)'))]).toEqual([
      ['b2', 0],
      ['x', 3],
      ['b1', 7],
      ['größe', 17],
    ])
  })

  test('columns of numbers keep float64', () => {
    const x = new Tensor(Float64Array.of(1, 2, 3))
    const value = evaluateExpression(parseExpression('1/3 + x^2'), new Map([['x', x]])) as Tensor
    expect(value.dtype).toBe('float64')
    expect(Array.from(value.data)).toEqual([1 / 3 + 1, 1 / 3 + 4, 1 / 3 + 9])
  })

  test('functions are those of JavaScript of the same names', () => {
    const own = Math as unknown as Record<string, ((...x: number[]) => number) | undefined>
    const shared = [...functions].filter(([name]) => own[name])
    expect(shared.length).toBeGreaterThan(20)
    for (const [name, { operands }] of shared)
      for (const at of [0.3, 0.7, 1.4]) {
        const x = operands === 1 ? [at] : [at, 1.9]
        const exact = own[name]!(...x)
        if (Number.isFinite(exact)) expect(calculated(`${name}(${x})`)).toBeCloseTo(exact, 12)
      }
  })
})

test('a formula as long as may be has a value, and a longer one is refused', () => {
  const nested = (depth: number) => `${'('.repeat(depth)}1${')'.repeat(depth)}`
  expect(calculated(nested(700))).toBe(1)
  expect(calculated(`${'-'.repeat(1400)}1`)).toBe(1)
  expect(calculated(`1${'+1'.repeat(700)}`)).toBe(701)
  expect(() => parseExpression(nested(10000))).toThrow('expected a shorter formula')
})

test('random formulas have the values that JavaScript gives them', () => {
  const random = uniform(7)
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!
  const build = (depth: number): string => {
    if (depth === 0) return pick(['a', 'b', '2', '0.5', '3e-1'])
    const part = () => build(depth - 1 - Math.floor(random() * Math.min(2, depth)))
    return pick([
      () => `${part()} + ${part()}`,
      () => `${part()} - ${part()}`,
      () => `${part()}*${part()}`,
      () => `${part()}/(${part()})`,
      () => `(${part()})`,
      () => `(-(${part()}))`,
      () => `abs(${part()})**0.5**2`,
      () => `(${part()})**2`,
      () => `cos(${part()})`,
    ])()
  }
  for (let i = 0; i < 300; i++) {
    const text = build(4)
    const js = new Function('a', 'b', `const { abs, cos } = Math; return ${text}`) as (
      a: number,
      b: number,
    ) => number
    const [a, b] = [0.5 + random(), 0.5 + random()]
    const exact = js(a, b)
    if (!Number.isFinite(exact)) continue
    expect(Math.abs(calculated(text, { a, b }) - exact), text).toBeLessThanOrEqual(
      1e-9 * (1 + Math.abs(exact)),
    )
  }
})

describe('what is no formula is refused with the place', () => {
  test.each<[string, string, number]>([
    ['', 'got the end, expected a number, a name or "("', 0],
    ['b1*(1-)', 'got ")", expected a number, a name or "("', 6],
    ['b1*(1-x', 'got the end, expected an operator or ")"', 7],
    ['b1*1-x)', 'got ")", expected an operator or the end', 6],
    ['2x', 'got "x", expected an operator or the end', 1],
    ['a b', 'got "b", expected an operator or the end', 2],
    ['1..2', 'got ".2", expected an operator or the end', 2],
    ['a ? b', 'got "?", expected a number, a name, an operator or brackets ( )', 2],
    ['a = 😀', 'got "=", expected a number, a name, an operator or brackets ( )', 2],
    ['1 + expp(2)', 'unknown function expp; did you mean exp? (for a product write expp*(...))', 4],
    ['constructor(1)', 'unknown function constructor; expected one of abs', 0],
    ['exp(1, 2)', 'exp got 2 argument(s), expected 1', 0],
    ['1 + pow(2)', 'pow got 1 argument(s), expected 2', 4],
    ['exp()', 'got ")", expected a number, a name or "("', 4],
    ['*2', 'got "*", expected a number, a name or "("', 0],
  ])('%s', (text, message, at) => {
    const shown = (() => {
      try {
        parseExpression(text)
      } catch (error) {
        return (error as Error).message
      }
      return 'accepted'
    })()
    const [first, second, caret] = shown.split('\n')
    expect(first).toContain(`expression: ${message}`)
    expect(second).toBe(`  ${text}`)
    expect(caret).toBe(`  ${' '.repeat(at)}^`)
  })
})
