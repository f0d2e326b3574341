import type { Equation } from '../../program/program.js'
import type { Type } from '../../program/value.js'
import type { DType } from '../../tensor/dtype.js'

/** A number as an operand: negative ones in parentheses, and -0 kept. */
export function literal(x: number): string {
  const text = Object.is(x, -0) ? '-0' : String(x)
  return text.startsWith('-') ? `(${text})` : text
}

/** Converts a number to what an array of `dtype` would hold. */
export function rounded(dtype: DType, text: string): string {
  if (dtype === 'float32') return `Math.fround(${text})`
  if (dtype === 'int32') return `(${text}) | 0`
  return text
}

/** Names of the functions of Math, which the JavaScript compiler knows. */
const mathNames = new Map(
  Object.getOwnPropertyNames(Math)
    .filter((name) => typeof Math[name as keyof Math] === 'function')
    .map((name) => [Math[name as keyof Math] as unknown, `Math.${name}`]),
)

type ElementText = (operands: readonly string[], equation: Equation) => string

/** Elementwise operations that depend on their parameters. */
const special: Readonly<Record<string, ElementText>> = {
  cast: ([x], { outputs: [out] }) => ((out as Type).dtype === 'bool' ? `+(${x} !== 0)` : (x as string)),
  integerPow: ([x], { params, outputs: [out] }) => {
    const exponent = params.exponent as number
    const small = exponent <= 4 && (out as Type).dtype !== 'int32'
    return small ? new Array(exponent).fill(x).join(' * ') : `${x} ** ${literal(exponent)}`
  },
  reduceSum: ([x]) => `0 + ${x}`,
  reduceMax: ([x]) => x as string,
  reduceMin: ([x]) => x as string,
}

export function isElementwise({ primitive, outputs }: Equation): boolean {
  if (primitive.name === 'cast' || primitive.name === 'integerPow') return true
  return outputs.length === 1 && Boolean(primitive.expression ?? primitive.scalar)
}

/** One element of an elementwise equation as JavaScript; `capture` names a function of the table. */
export function elementText(
  equation: Equation,
  operands: readonly string[],
  capture: (f: (...x: number[]) => number, name: string) => string,
): string {
  const { name, expression, scalar } = equation.primitive
  if (expression) return expression(...operands)
  const rule = special[name]
  if (rule) return rule(operands, equation)
  const f = scalar as (...x: number[]) => number
  const call = `${mathNames.get(f) ?? capture(f, name)}(${operands.join(', ')})`
  return (equation.outputs[0] as Type).dtype === 'bool' ? `+${call}` : call
}
