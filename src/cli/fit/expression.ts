import * as np from '../../numpy/index.js'
import type { Tensor } from '../../tensor/tensor.js'
import { UsageError, unknown } from '../arguments.js'
import { functions } from './functions.js'
import { expressionError, type Token, tokenize } from './tokens.js'

/** A formula; `at` is where a name stands in its text. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | {
      readonly kind: 'call'
      readonly apply: (...operands: np.ArrayLike[]) => Tensor
      readonly operands: readonly Expression[]
    }

type Call = Extract<Expression, { kind: 'call' }>

const call = (f: (x: np.ArrayLike, y: np.ArrayLike) => Tensor, ...operands: Expression[]): Call => ({
  kind: 'call',
  apply: (x, y) => f(x!, y!),
  operands,
})

/** Deeper formulas would need more stack than there is. */
const mostTokens = 1500

const sums = { '+': np.add, '-': np.subtract }
const products = { '*': np.multiply, '/': np.divide }
const powers = { '^': np.power, '**': np.power }

/**
 * Reads a formula by recursive descent:
 *
 *     sum     = product (("+" | "-") product)*
 *     product = signed (("*" | "/") signed)*
 *     signed  = ("-" | "+") signed | power
 *     power   = operand (("^" | "**") signed)?
 *     operand = number | name | name "(" sum ("," sum)* ")" | "(" sum ")"
 *
 * so that -x^2 is -(x^2), and 2^3^2 is 2^(3^2). @throws UsageError pointing at what does not fit.
 */
export function parseExpression(text: string): Expression {
  const tokens = tokenize(text)
  if (tokens.length > mostTokens)
    throw new UsageError(
      `expression: got more than ${mostTokens} words and signs, expected a shorter formula`,
    )
  let position = 0
  const next = () => tokens[position]!
  const fail = ({ kind, text: got, at }: Token, expected: string) =>
    expressionError(text, at, `got ${kind === 'end' ? 'the end' : JSON.stringify(got)}, expected ${expected}`)

  function accept<Symbol extends string>(...symbols: readonly Symbol[]): Symbol | undefined {
    const found = symbols.find((symbol) => next().kind === 'symbol' && next().text === symbol)
    if (found) position++
    return found
  }

  function leftToRight<Symbol extends string>(
    operand: () => Expression,
    operators: Record<Symbol, (x: np.ArrayLike, y: np.ArrayLike) => Tensor>,
  ): Expression {
    let left = operand()
    for (;;) {
      const operator = accept(...(Object.keys(operators) as Symbol[]))
      if (!operator) return left
      left = call(operators[operator], left, operand())
    }
  }

  const sum = () => leftToRight(product, sums)
  const product = () => leftToRight(signed, products)

  function signed(): Expression {
    const sign = accept('-', '+')
    if (sign === '-') return call(np.negative, signed())
    return sign === '+' ? signed() : power()
  }

  function power(): Expression {
    const base = operand()
    const operator = accept('^', '**')
    return operator ? call(powers[operator], base, signed()) : base
  }

  function operand(): Expression {
    const token = next()
    if (accept('(')) {
      const inner = sum()
      if (!accept(')')) throw fail(next(), 'an operator or ")"')
      return inner
    }
    if (token.kind !== 'number' && token.kind !== 'name') throw fail(token, 'a number, a name or "("')
    position++
    if (token.kind === 'number') return { kind: 'number', value: Number(token.text) }
    return accept('(') ? application(token) : { kind: 'name', name: token.text, at: token.at }
  }

  function application({ text: name, at }: Token): Expression {
    const known = functions.get(name)
    if (!known) {
      const hint = unknown(`function ${name}`, name, [...functions.keys()])
      throw expressionError(text, at, `${hint} (for a product write ${name}*(...))`)
    }
    const operands = [sum()]
    while (accept(',')) operands.push(sum())
    if (operands.length !== known.operands)
      throw expressionError(
        text,
        at,
        `${name} got ${operands.length} argument(s), expected ${known.operands}`,
      )
    if (!accept(')')) throw fail(next(), 'an operator or ")"')
    return { kind: 'call', apply: known.apply, operands }
  }

  const whole = sum()
  if (next().kind !== 'end') throw fail(next(), 'an operator or the end')
  return whole
}

/** The value of a formula whose names have these values. */
export function evaluateExpression(
  expression: Expression,
  values: ReadonlyMap<string, np.ArrayLike>,
): np.ArrayLike {
  if (expression.kind === 'number') return expression.value
  if (expression.kind === 'name') return values.get(expression.name)!
  return expression.apply(...expression.operands.map((operand) => evaluateExpression(operand, values)))
}

/** The names in a formula, each with where it stands first. */
export function namesIn(expression: Expression, found = new Map<string, number>()): Map<string, number> {
  if (expression.kind === 'name' && !found.has(expression.name)) found.set(expression.name, expression.at)
  if (expression.kind === 'call') for (const operand of expression.operands) namesIn(operand, found)
  return found
}
