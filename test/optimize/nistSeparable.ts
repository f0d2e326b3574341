import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'
import type { NistProblem } from './nist.js'

type Named = Readonly<Record<string, Tensor>>
type Terms = (b: Named, x: Tensor, more: Tensor) => Record<string, np.ArrayLike>

const { add, subtract, multiply, divide, exp, power, square, negative, cos, sin } = np
const decay = (rate: Tensor, x: Tensor) => exp(negative(multiply(rate, x)))
const peak = (centre: Tensor, width: Tensor, x: Tensor) =>
  exp(negative(square(divide(subtract(x, centre), width))))
const saturation: Terms = ({ b2 }, x) => ({ b1: subtract(1, decay(b2!, x)) })
const lanczos: Terms = ({ b2, b4, b6 }, x) => ({ b1: decay(b2!, x), b3: decay(b4!, x), b5: decay(b6!, x) })
const gauss: Terms = ({ b2, b4, b5, b7, b8 }, x) => ({
  b1: decay(b2!, x),
  b3: peak(b4!, b5!, x),
  b6: peak(b7!, b8!, x),
})
/** Powers of x over 1 + d1 x + d2 x^2 + ... */
const rational = (x: Tensor, count: number, denominator: readonly Tensor[]) => {
  const below = denominator.reduceRight((sum: np.ArrayLike, d) => add(d, multiply(x, sum)), 0)
  const terms = Array.from({ length: count }, (_, k) => divide(power(x, k), add(1, multiply(x, below))))
  return Object.fromEntries(terms.map((term, k) => [`b${k + 1}`, term]))
}
const angle = (x: Tensor, period: np.ArrayLike) => divide(multiply(2 * Math.PI, x), period)

/** What the linear parameters of a problem multiply, of its other parameters. */
const bases: Readonly<Record<string, Terms>> = {
  Misra1a: saturation,
  Misra1b: ({ b2 }, x) => ({ b1: subtract(1, power(add(1, divide(multiply(b2!, x), 2)), -2)) }),
  Misra1c: ({ b2 }, x) => ({ b1: subtract(1, power(add(1, multiply(multiply(2, b2!), x)), -0.5)) }),
  Misra1d: ({ b2 }, x) => ({ b1: divide(multiply(b2!, x), add(1, multiply(b2!, x))) }),
  BoxBOD: saturation,
  DanWood: ({ b2 }, x) => ({ b1: power(x, b2!) }),
  Lanczos1: lanczos,
  Lanczos2: lanczos,
  Lanczos3: lanczos,
  Gauss1: gauss,
  Gauss2: gauss,
  Gauss3: gauss,
  MGH17: ({ b4, b5 }, x) => ({ b1: 1, b2: decay(b4!, x), b3: decay(b5!, x) }),
  Nelson: ({ b3 }, x, x2) => ({ b1: 1, b2: negative(multiply(x, decay(b3!, x2))) }),
  ENSO: ({ b4, b7 }, x) => ({
    b1: 1,
    b2: cos(angle(x, 12)),
    b3: sin(angle(x, 12)),
    b5: cos(angle(x, b4!)),
    b6: sin(angle(x, b4!)),
    b8: cos(angle(x, b7!)),
    b9: sin(angle(x, b7!)),
  }),
  Kirby2: ({ b4, b5 }, x) => rational(x, 3, [b4!, b5!]),
  Hahn1: ({ b5, b6, b7 }, x) => rational(x, 4, [b5!, b6!, b7!]),
  Thurber: ({ b5, b6, b7 }, x) => rational(x, 4, [b5!, b6!, b7!]),
  MGH09: ({ b2, b3, b4 }, x) => ({
    b1: divide(add(square(x), multiply(x, b2!)), add(square(x), add(multiply(x, b3!), b4!))),
  }),
  MGH10: ({ b2, b3 }, x) => ({ b1: exp(divide(b2!, add(x, b3!))) }),
  Rat42: ({ b2, b3 }, x) => ({ b1: divide(1, add(1, exp(subtract(b2!, multiply(b3!, x))))) }),
  Rat43: ({ b2, b3, b4 }, x) => ({
    b1: power(add(1, exp(subtract(b2!, multiply(b3!, x)))), divide(-1, b4!)),
  }),
  Eckerle4: ({ b2, b3 }, x) => ({
    b1: divide(exp(multiply(-0.5, square(divide(subtract(x, b3!), b2!)))), b2!),
  }),
  Bennett5: ({ b2, b3 }, x) => ({ b1: power(add(b2!, x), divide(-1, b3!)) }),
}

/** A problem whose model is linear in some of its parameters. */
export interface SeparableProblem {
  readonly basis: (b: Named) => Record<string, np.ArrayLike>
  readonly y: Tensor
  /** Each start without the linear parameters. */
  readonly starts: readonly Record<string, number>[]
}

/** All but Chwirut1, Chwirut2 and Roszman1, which are linear in none or not in that alone. */
export const isSeparable = ({ name }: NistProblem) => Object.hasOwn(bases, name)

export function separable({ name, x, y, starts }: NistProblem): SeparableProblem {
  const column = (numbers: readonly number[]) => new Tensor(Float64Array.from(numbers))
  const [first, second] = x.map(column)
  const terms = bases[name]!
  const all = Object.fromEntries(starts[0]!.map((_, i) => [`b${i + 1}`, new Tensor(Float64Array.of(1), [])]))
  const linear = Object.keys(terms(all, first!, second ?? first!))
  return {
    basis: (b) => terms(b, first!, second ?? first!),
    y: column(name === 'Nelson' ? y.map(Math.log) : y),
    starts: starts.map((start) => {
      const named = start.map((value, i): [string, number] => [`b${i + 1}`, value])
      return Object.fromEntries(named.filter(([key]) => !linear.includes(key)))
    }),
  }
}

/** Values of a result in the order of NIST's parameters. */
export function inOrder(names: readonly string[], values: Float64Array): number[] {
  return names.map((_, i) => values[names.indexOf(`b${i + 1}`)]!)
}
