/**
 * Derivatives at zeros, ties, huge and tiny values and edges of the domain, stated by hand. For each
 * operation of scalars: the arguments, the value, the slope in each argument and, where stated, the second
 * derivative in each. Infinities are the one-sided limits inside the domain.
 */
export interface Point {
  readonly at: readonly number[]
  readonly value: number
  readonly slopes: readonly number[]
  readonly curvatures?: readonly number[]
}

const inf = Number.POSITIVE_INFINITY
const one = (at: number, value: number, slope: number, curvature?: number): Point => ({
  at: [at],
  value,
  slopes: [slope],
  ...(curvature !== undefined && { curvatures: [curvature] }),
})
const two = (
  at: [number, number],
  value: number,
  slopes: [number, number],
  curvatures?: [number, number],
): Point => ({ at, value, slopes, ...(curvatures && { curvatures }) })

const step = (f: (x: number) => number) =>
  [0, -0, 0.5, 1.5, 1, -1, 1e300, 1e-300, inf].map((x) => one(x, f(x), 0, 0))
const turn = 2 / Math.sqrt(Math.PI)

export const points: Readonly<Record<string, readonly Point[]>> = {
  add: [two([1e308, 1e308], inf, [1, 1], [0, 0]), two([0, -0], 0, [1, 1], [0, 0])],
  sub: [two([inf, 1], inf, [1, -1], [0, 0]), two([1e-320, 0], 1e-320, [1, -1], [0, 0])],
  mul: [
    two([0, 0], 0, [0, 0], [0, 0]),
    two([0, 3], 0, [3, 0], [0, 0]),
    two([1e200, 1e200], inf, [1e200, 1e200], [0, 0]),
    two([1e-200, 1e-200], 0, [1e-200, 1e-200], [0, 0]),
  ],
  div: [
    two([0, 2], 0, [0.5, 0], [0, 0]),
    two([1, 0], inf, [inf, -inf]),
    two([1, 1e200], 1e-200, [1e-200, 0], [0, 0]),
    two([1, 1e-150], 1e150, [1e150, -1e300]),
    two([1e300, 1e300], 1, [1e-300, -1e-300]),
    two([1, inf], 0, [0, 0], [0, 0]),
  ],
  neg: [one(0, 0, -1, 0), one(inf, -inf, -1, 0)],
  floor: step(Math.floor),
  ceil: step(Math.ceil),
  round: [
    one(0.5, 0, 0),
    one(1.5, 2, 0),
    one(2.5, 2, 0),
    one(-0.5, 0, 0),
    one(-1.5, -2, 0),
    one(2 ** 53, 2 ** 53, 0),
  ],
  sign: step(Math.sign),
  abs: [one(0, 0, 0, 0), one(-1e-300, 1e-300, -1, 0), one(1e300, 1e300, 1, 0), one(-inf, inf, -1, 0)],
  relu: [one(0, 0, 0, 0), one(1e-320, 1e-320, 1, 0), one(-1e300, 0, 0, 0), one(inf, inf, 1, 0)],
  maximum: [
    two([1, 1], 1, [0.5, 0.5], [0, 0]),
    two([0, -0], 0, [0.5, 0.5], [0, 0]),
    two([inf, 0], inf, [1, 0], [0, 0]),
    two([inf, inf], inf, [0.5, 0.5], [0, 0]),
    two([-1e300, 1e-300], 1e-300, [0, 1], [0, 0]),
  ],
  minimum: [
    two([1, 1], 1, [0.5, 0.5], [0, 0]),
    two([-inf, 0], -inf, [1, 0], [0, 0]),
    two([-1e300, 1e-300], -1e300, [1, 0], [0, 0]),
  ],
  exp: [one(0, 1, 1, 1), one(710, inf, inf, inf), one(-800, 0, 0, 0), one(-inf, 0, 0, 0)],
  expm1: [one(0, 0, 1, 1), one(1e-20, 1e-20, 1, 1), one(-800, -1, 0, 0), one(800, inf, inf, inf)],
  log: [
    one(0, -inf, inf, -inf),
    one(1, 0, 1, -1),
    one(1e-300, Math.log(1e-300), 1e300, -inf),
    one(1e300, Math.log(1e300), 1e-300, 0),
    one(inf, inf, 0, 0),
  ],
  log1p: [one(0, 0, 1, -1), one(1e-20, 1e-20, 1, -1), one(-1, -inf, inf, -inf), one(inf, inf, 0, 0)],
  sqrt: [
    one(0, 0, inf, -inf),
    one(1e-300, 1e-150, 0.5e150, -inf),
    one(1e300, 1e150, 0.5e-150, 0),
    one(inf, inf, 0, 0),
  ],
  tanh: [one(0, 0, 1, 0), one(1000, 1, 0, 0), one(-inf, -1, 0, 0), one(1e-200, 1e-200, 1, -2e-200)],
  logistic: [
    one(0, 0.5, 0.25, 0),
    one(800, 1, 0, 0),
    one(-700, Math.exp(-700), Math.exp(-700), Math.exp(-700)),
    one(700, 1, Math.exp(-700), -Math.exp(-700)),
    one(-inf, 0, 0, 0),
    one(inf, 1, 0, 0),
  ],
  softplus: [
    one(0, Math.LN2, 0.5, 0.25),
    one(1e300, 1e300, 1, 0),
    one(-700, Math.exp(-700), Math.exp(-700), Math.exp(-700)),
    one(-inf, 0, 0, 0),
    one(inf, inf, 1, 0),
  ],
  pow: [
    two([0, 3], 0, [0, 0], [0, 0]),
    two([0, 2], 0, [0, 0], [2, 0]),
    two([0, 1], 0, [1, 0], [0, 0]),
    two([0, 0.5], 0, [inf, 0]),
    two([2, 0], 1, [0, Math.LN2], [0, Math.LN2 ** 2]),
    two([1e200, 2], inf, [2e200, inf]),
    two([1e-200, 2], 0, [2e-200, 0], [2, 0]),
    two([1, 1e300], 1, [1e300, 0]),
    two([-2, 3], -8, [12, Number.NaN]),
    two([-2, 2], 4, [-4, Number.NaN]),
    two([0, -1], inf, [-inf, -inf]),
  ],
  sin: [one(0, 0, 1, 0), one(1e15, Math.sin(1e15), Math.cos(1e15), -Math.sin(1e15))],
  cos: [one(0, 1, 0, -1), one(1e15, Math.cos(1e15), -Math.sin(1e15), -Math.cos(1e15))],
  tan: [one(0, 0, 1, 0)],
  asin: [one(0, 0, 1, 0), one(1, Math.PI / 2, inf), one(-1, -Math.PI / 2, inf)],
  acos: [one(0, Math.PI / 2, -1, 0), one(1, 0, -inf), one(-1, Math.PI, -inf)],
  atan: [one(0, 0, 1, 0), one(1e75, Math.PI / 2, 1e-150, -2e-225), one(1e200, Math.PI / 2, 0, 0)],
  sinh: [one(0, 0, 1, 0), one(800, inf, inf, inf), one(1e-200, 1e-200, 1, 1e-200)],
  cosh: [one(0, 1, 0, 1), one(-800, inf, -inf, inf)],
  asinh: [one(0, 0, 1, 0), one(1e100, Math.asinh(1e100), 1e-100)],
  acosh: [one(1, 0, inf), one(1e100, Math.acosh(1e100), 1e-100), one(1e200, Math.acosh(1e200), 1e-200)],
  atanh: [one(0, 0, 1, 0), one(1, inf, inf), one(-1, -inf, inf)],
  erfc: [
    one(0, 1, -turn, 0),
    one(10, 2.088487583762545e-45, -turn * Math.exp(-100), 20 * turn * Math.exp(-100)),
    one(-30, 2, 0, 0),
    one(1e200, 0, 0, 0),
  ],
  erf: [
    one(0, 0, turn, 0),
    one(30, 1, 0, 0),
    one(1e200, 1, 0, 0),
    one(-inf, -1, 0),
    one(1e-200, turn * 1e-200, turn),
  ],
  atan2: [
    two([0, 1], 0, [1, 0], [0, 0]),
    two([1, 0], Math.PI / 2, [0, -1], [0, 0]),
    two([0, -1], Math.PI, [-1, 0], [0, 0]),
    two([1e100, 1e100], Math.PI / 4, [0.5e-100, -0.5e-100]),
    two([1e-100, 1e-100], Math.PI / 4, [0.5e100, -0.5e100]),
    two([1e-200, 1e-200], Math.PI / 4, [0.5e200, -0.5e200]),
    two([1e200, 1e200], Math.PI / 4, [0.5e-200, -0.5e-200], [0, 0]),
    two([0, 1e-320], 0, [inf, 0]),
  ],
  remainder: [
    two([0, 2], 0, [1, 0], [0, 0]),
    two([4, 2], 0, [1, -2], [0, 0]),
    two([-5, 3], -2, [1, 1], [0, 0]),
  ],
}
