import * as np from '../../numpy/index.js'
import type { Tensor } from '../../tensor/tensor.js'

/** A function that expressions may call. */
export interface ExpressionFunction {
  readonly apply: (...operands: np.ArrayLike[]) => Tensor
  readonly operands: number
}

const ofOne = {
  abs: np.abs,
  acos: np.arccos,
  acosh: np.arccosh,
  arccos: np.arccos,
  arcsin: np.arcsin,
  arctan: np.arctan,
  asin: np.arcsin,
  asinh: np.arcsinh,
  atan: np.arctan,
  atanh: np.arctanh,
  cbrt: np.cbrt,
  cos: np.cos,
  cosh: np.cosh,
  erf: np.erf,
  erfc: np.erfc,
  exp: np.exp,
  expm1: np.expm1,
  ln: np.log,
  log: np.log,
  log10: np.log10,
  log1p: np.log1p,
  log2: np.log2,
  sign: np.sign,
  sin: np.sin,
  sinh: np.sinh,
  sqrt: np.sqrt,
  tan: np.tan,
  tanh: np.tanh,
} satisfies Record<string, (x: np.ArrayLike) => Tensor>

const ofTwo = {
  atan2: np.arctan2,
  hypot: np.hypot,
  max: np.maximum,
  min: np.minimum,
  pow: np.power,
} satisfies Record<string, (x: np.ArrayLike, y: np.ArrayLike) => Tensor>

/** The functions of expressions by name; `log` is the natural logarithm. */
export const functions: ReadonlyMap<string, ExpressionFunction> = new Map([
  ...Object.entries(ofOne).map(([name, f]) => [name, { apply: (x) => f(x!), operands: 1 }] as Row),
  ...Object.entries(ofTwo).map(([name, f]) => [name, { apply: (x, y) => f(x!, y!), operands: 2 }] as Row),
])

type Row = [string, ExpressionFunction]
