import { describe, expect, test } from 'vitest'
import { mul } from '../../src/ops/arithmetic.js'
import { exp } from '../../src/ops/smooth.js'
import { check } from '../../src/program/check.js'
import type { Equation } from '../../src/program/program.js'
import { Var } from '../../src/program/value.js'
import { float, program, typed } from './programs.js'

const good = program([float(2)], (x) => exp(mul(x, x)))
const [first, second] = good.equations as [Equation, Equation]
const builder = (good.inputs[0] as Var).builder

describe('check', () => {
  test('accepts what a trace has recorded', () => {
    expect(() => check(good)).not.toThrow()
  })

  test('rejects use before definition', () => {
    expect(() => check({ ...good, equations: [second, first] })).toThrow(
      'equation 0 (exp) uses a float64[2] that is not computed before',
    )
    expect(() => check({ ...good, equations: [first] })).toThrow('the return uses a float64[2]')
    expect(() => check({ ...good, inputs: [] })).toThrow('equation 0 (mul) uses a float64[2]')
  })

  test('rejects double assignment', () => {
    expect(() => check({ ...good, equations: [first, first] })).toThrow(
      'equation 1 (mul) assigns a variable twice',
    )
    expect(() => check({ ...good, inputs: [...good.inputs, ...good.inputs] })).toThrow(
      'input 1 assigns a variable twice',
    )
  })

  test('rejects a wrong declared type', () => {
    const wrong = { ...second, outputs: [new Var(float(3), builder)] }
    expect(() => check({ ...good, equations: [first, wrong], outputs: wrong.outputs })).toThrow(
      'equation 1 (exp) is declared float64[3], expected float64[2]',
    )
  })

  test('rejects a wrong number of outputs', () => {
    const wrong = { ...second, outputs: [] }
    expect(() => check({ ...good, equations: [first, wrong] })).toThrow(
      'equation 1 (exp) has 0 outputs, expected 1',
    )
  })

  test('names the equation whose inputs do not fit', () => {
    const x = new Var(typed('int32', [2]), builder)
    const wrong = { ...second, inputs: [x] }
    expect(() => check({ inputs: [x], equations: [wrong], outputs: [] })).toThrow('equation 0 (exp): ')
  })
})
