import { isProgram, type Program } from './program.js'
import { sameType, type Value, Var } from './value.js'

/**
 * Whether two programs do the same equation by equation, up to the names of variables: the same primitives, parameters
 * and constants, to the bit. What is no plain data in parameters is not compared.
 */
export function samePrograms(a: Program, b: Program): boolean {
  const partner = new Map<Var, Var>()
  const declare = (x: readonly Var[], y: readonly Var[]) =>
    x.length === y.length &&
    x.every((variable, i) => {
      partner.set(variable, y[i]!)
      return sameType(variable, y[i]!)
    })
  const same = (x: readonly Value[], y: readonly Value[]) =>
    x.length === y.length &&
    x.every((value, i) => (value instanceof Var ? partner.get(value) === y[i] : sameConstant(value, y[i]!)))
  return (
    declare(a.inputs, b.inputs) &&
    a.equations.length === b.equations.length &&
    a.equations.every((equation, i) => {
      const other = b.equations[i]!
      return (
        equation.primitive === other.primitive &&
        same(equation.inputs, other.inputs) &&
        sameData(equation.params, other.params) &&
        declare(equation.outputs, other.outputs)
      )
    }) &&
    same(a.outputs, b.outputs)
  )
}

function sameConstant(x: Value, y: Value): boolean {
  if (x instanceof Var || y instanceof Var || !sameType(x, y)) return false
  return x.data === y.data || x.data.every((value, i) => Object.is(value, y.data[i]))
}

function sameData(x: unknown, y: unknown): boolean {
  if (isProgram(x) && isProgram(y)) return samePrograms(x, y)
  if (Array.isArray(x) && Array.isArray(y))
    return x.length === y.length && x.every((item, i) => sameData(item, y[i]))
  if (typeof x !== 'object' || typeof y !== 'object' || x === null || y === null)
    return typeof x === 'function' || Object.is(x, y)
  if (Object.getPrototypeOf(x) !== Object.prototype) return true
  const [left, right] = [x as Record<string, unknown>, y as Record<string, unknown>]
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => sameData(left[key], right[key]))
}
