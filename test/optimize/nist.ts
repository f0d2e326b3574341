import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'

/** A NIST StRD nonlinear regression problem as its file states it. */
export interface NistProblem {
  readonly name: string
  readonly level: 'Lower' | 'Average' | 'Higher'
  readonly starts: readonly (readonly number[])[]
  readonly certified: readonly number[]
  readonly standardErrors: readonly number[]
  readonly residualSumOfSquares: number
  readonly residualStandardDeviation: number
  readonly x: readonly (readonly number[])[]
  readonly y: readonly number[]
}

type Model = (x: Tensor, b: readonly Tensor[], more: readonly Tensor[]) => Tensor

const { add, subtract, multiply, divide, exp, power, square, negative, cos, sin, arctan } = np
const peak = (height: Tensor, centre: Tensor, width: Tensor, x: Tensor) =>
  multiply(height, exp(negative(square(divide(subtract(x, centre), width)))))
const decay = (height: Tensor, rate: Tensor, x: Tensor) => multiply(height, exp(negative(multiply(rate, x))))
const polynomial = (x: Tensor, [first, ...rest]: readonly (Tensor | number)[]): Tensor | number =>
  rest.length === 0 ? first! : add(first!, multiply(x, polynomial(x, rest)))
const rational = (x: Tensor, above: readonly Tensor[], below: readonly Tensor[]) =>
  divide(polynomial(x, above), polynomial(x, [1, ...below]))
const gauss: Model = (x, [b1, b2, b3, b4, b5, b6, b7, b8]) =>
  add(decay(b1!, b2!, x), add(peak(b3!, b4!, b5!, x), peak(b6!, b7!, b8!, x)))
const lanczos: Model = (x, [b1, b2, b3, b4, b5, b6]) =>
  add(decay(b1!, b2!, x), add(decay(b3!, b4!, x), decay(b5!, b6!, x)))
const chwirut: Model = (x, [b1, b2, b3]) =>
  divide(exp(negative(multiply(b1!, x))), add(b2!, multiply(b3!, x)))
const saturation: Model = (x, [b1, b2]) => multiply(b1!, subtract(1, exp(negative(multiply(b2!, x)))))
const wave = (x: Tensor, period: Tensor | number, c: Tensor, s: Tensor) => {
  const angle = divide(multiply(2 * Math.PI, x), period)
  return add(multiply(c, cos(angle)), multiply(s, sin(angle)))
}

/** The models of the files, of the predictors and the parameters in order. */
const models: Readonly<Record<string, Model>> = {
  Misra1a: saturation,
  Chwirut1: chwirut,
  Chwirut2: chwirut,
  Lanczos1: lanczos,
  Lanczos2: lanczos,
  Lanczos3: lanczos,
  Gauss1: gauss,
  Gauss2: gauss,
  Gauss3: gauss,
  DanWood: (x, [b1, b2]) => multiply(b1!, power(x, b2!)),
  Misra1b: (x, [b1, b2]) => multiply(b1!, subtract(1, power(add(1, divide(multiply(b2!, x), 2)), -2))),
  Kirby2: (x, [b1, b2, b3, b4, b5]) => rational(x, [b1!, b2!, b3!], [b4!, b5!]),
  Hahn1: (x, [b1, b2, b3, b4, b5, b6, b7]) => rational(x, [b1!, b2!, b3!, b4!], [b5!, b6!, b7!]),
  Nelson: (x1, [b1, b2, b3], [x2]) =>
    subtract(b1!, multiply(multiply(b2!, x1), exp(negative(multiply(b3!, x2!))))),
  MGH17: (x, [b1, b2, b3, b4, b5]) => add(b1!, add(decay(b2!, b4!, x), decay(b3!, b5!, x))),
  Misra1c: (x, [b1, b2]) => multiply(b1!, subtract(1, power(add(1, multiply(multiply(2, b2!), x)), -0.5))),
  Misra1d: (x, [b1, b2]) => divide(multiply(multiply(b1!, b2!), x), add(1, multiply(b2!, x))),
  Roszman1: (x, [b1, b2, b3, b4]) =>
    subtract(subtract(b1!, multiply(b2!, x)), divide(arctan(divide(b3!, subtract(x, b4!))), Math.PI)),
  ENSO: (x, [b1, b2, b3, b4, b5, b6, b7, b8, b9]) =>
    add(add(b1!, wave(x, 12, b2!, b3!)), add(wave(x, b4!, b5!, b6!), wave(x, b7!, b8!, b9!))),
  MGH09: (x, [b1, b2, b3, b4]) =>
    divide(multiply(b1!, add(square(x), multiply(x, b2!))), add(square(x), add(multiply(x, b3!), b4!))),
  Thurber: (x, [b1, b2, b3, b4, b5, b6, b7]) => rational(x, [b1!, b2!, b3!, b4!], [b5!, b6!, b7!]),
  BoxBOD: saturation,
  Rat42: (x, [b1, b2, b3]) => divide(b1!, add(1, exp(subtract(b2!, multiply(b3!, x))))),
  MGH10: (x, [b1, b2, b3]) => multiply(b1!, exp(divide(b2!, add(x, b3!)))),
  Eckerle4: (x, [b1, b2, b3]) =>
    multiply(divide(b1!, b2!), exp(multiply(-0.5, square(divide(subtract(x, b3!), b2!))))),
  Rat43: (x, [b1, b2, b3, b4]) =>
    divide(b1!, power(add(1, exp(subtract(b2!, multiply(b3!, x)))), divide(1, b4!))),
  Bennett5: (x, [b1, b2, b3]) => multiply(b1!, power(add(b2!, x), divide(-1, b3!))),
}

/** The residuals of a problem's model, of its parameters. */
export function nistResidual({ name, x, y }: NistProblem): (b: readonly Tensor[]) => Tensor {
  const column = (numbers: readonly number[]) => new Tensor(Float64Array.from(numbers))
  const [first, ...more] = x.map(column)
  // The response of Nelson is the logarithm of what the file holds.
  const response = column(name === 'Nelson' ? y.map(Math.log) : y)
  return (b) => subtract(models[name]!(first!, b, more), response)
}

/** All problems of a folder of .dat files. */
export function nistProblems(folder: string): NistProblem[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.dat'))
  return files.sort().map((file) => parse(file.replace('.dat', ''), readFileSync(join(folder, file), 'utf8')))
}

function parse(name: string, text: string): NistProblem {
  const lines = text.split(/\r?\n/)
  const after = (label: string) => Number(lines.find((line) => line.startsWith(label))!.split(':')[1])
  const rows = lines
    .filter((line) => /^\s*b\d+ =/.test(line))
    .map((line) => line.split('=')[1]!.trim().split(/\s+/).map(Number))
  const from = lines.map((line) => line.startsWith('Data:')).lastIndexOf(true)
  const data = lines.slice(from + 1).flatMap((line) => {
    const numbers = line.trim().split(/\s+/).map(Number)
    return line.trim() === '' ? [] : [numbers]
  })
  return {
    name,
    level: /(Lower|Average|Higher) Level/.exec(text)![1] as NistProblem['level'],
    starts: [rows.map((row) => row[0]!), rows.map((row) => row[1]!)],
    certified: rows.map((row) => row[2]!),
    standardErrors: rows.map((row) => row[3]!),
    residualSumOfSquares: after('Residual Sum of Squares'),
    residualStandardDeviation: after('Residual Standard Deviation'),
    x: data[0]!.slice(1).map((_, k) => data.map((row) => row[k + 1]!)),
    y: data.map((row) => row[0]!),
  }
}

/** The least number of digits that agree, -log10 |value / certified - 1|, at most 11. */
export function logRelativeError(values: ArrayLike<number>, certified: readonly number[]): number {
  const digits = certified.map((exact, i) => -Math.log10(Math.abs(values[i]! / exact - 1)))
  return Math.min(11, ...digits.map((d) => (Number.isNaN(d) ? 0 : d)))
}
