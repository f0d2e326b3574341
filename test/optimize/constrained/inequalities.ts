import * as np from '../../../src/numpy/index.js'
import type { ConstrainedOptions } from '../../../src/optimize/index.js'
import type { Tensor } from '../../../src/tensor/index.js'

/** A problem with inequalities or bounds. */
export interface InequalityProblem {
  readonly name: string
  readonly start: readonly number[]
  readonly value: (x: Tensor) => Tensor
  readonly options: Pick<ConstrainedOptions, 'constraints' | 'bounds'>
  readonly least: number
}

const elements = (x: Tensor): Tensor[] =>
  Array.from({ length: x.shape[0]! }, (_, i) => np.reshape(np.slice(x, [i, i + 1]), []))
const { subtract: sub, multiply: mul, square: sq } = np
const pow = np.power
const sum = (...terms: readonly (Tensor | number)[]) =>
  terms.reduce<Tensor>((a, b) => np.add(a, b), np.asarray(0) as Tensor)
const atLeast0 = (...rows: ((x: Tensor[]) => Tensor)[]) => ({
  value: (x: Tensor) => np.stack(rows.map((row) => row(elements(x)))),
  lower: 0,
})

/** Of Hock and Schittkowski (1981), with their least values. */
export const inequalityProblems: readonly InequalityProblem[] = [
  {
    name: 'HS10',
    start: [-10, 10],
    value: (p) => sub(...(elements(p) as [Tensor, Tensor])),
    options: {
      constraints: [atLeast0(([x, y]) => sum(mul(-3, sq(x!)), mul(2, mul(x!, y!)), mul(-1, sq(y!)), 1))],
    },
    least: -1,
  },
  {
    name: 'HS12',
    start: [0, 0],
    value: (p) => {
      const [x, y] = elements(p)
      return sum(mul(0.5, sq(x!)), sq(y!), mul(-1, mul(x!, y!)), mul(-7, x!), mul(-7, y!))
    },
    options: { constraints: [atLeast0(([x, y]) => sum(25, mul(-4, sq(x!)), mul(-1, sq(y!))))] },
    least: -30,
  },
  {
    name: 'HS21',
    start: [2, -1],
    value: (p) => {
      const [x, y] = elements(p)
      return sum(mul(0.01, sq(x!)), sq(y!), -100)
    },
    options: {
      constraints: [{ matrix: [[10, -1]], lower: 10 }],
      bounds: [
        [2, -50],
        [50, 50],
      ],
    },
    least: -99.96,
  },
  {
    name: 'HS35',
    start: [0.5, 0.5, 0.5],
    value: (p) => {
      const [x, y, z] = elements(p)
      return sum(
        ...[9, mul(-8, x!), mul(-6, y!), mul(-4, z!), mul(2, sq(x!)), mul(2, sq(y!)), sq(z!)],
        ...[mul(2, mul(x!, y!)), mul(2, mul(x!, z!))],
      )
    },
    options: { constraints: [{ matrix: [[1, 1, 2]], upper: 3 }], bounds: [0, Infinity] },
    least: 1 / 9,
  },
  {
    name: 'HS43',
    start: [0, 0, 0, 0],
    value: (p) => {
      const [a, b, c, d] = elements(p)
      return sum(
        ...[sq(a!), sq(b!), mul(2, sq(c!)), sq(d!)],
        ...[mul(-5, a!), mul(-5, b!), mul(-21, c!), mul(7, d!)],
      )
    },
    options: {
      constraints: [
        atLeast0(
          ([a, b, c, d]) =>
            sum(8, mul(-1, sum(sq(a!), sq(b!), sq(c!), sq(d!))), mul(-1, a!), b!, mul(-1, c!), d!),
          ([a, b, c, d]) =>
            sum(10, mul(-1, sq(a!)), mul(-2, sq(b!)), mul(-1, sq(c!)), mul(-2, sq(d!)), a!, d!),
          ([a, b, c, d]) => sum(5, mul(-2, sq(a!)), mul(-1, sq(b!)), mul(-1, sq(c!)), mul(-2, a!), b!, d!),
        ),
      ],
    },
    least: -44,
  },
  {
    name: 'HS65',
    start: [-4.5, 4.5, 0],
    value: (p) => {
      const [x, y, z] = elements(p)
      return sum(sq(sub(x!, y!)), mul(1 / 9, sq(sum(x!, y!, -10))), sq(sub(z!, 5)))
    },
    options: {
      constraints: [atLeast0(([x, y, z]) => sum(48, mul(-1, sum(sq(x!), sq(y!), sq(z!)))))],
      bounds: [
        [-4.5, -4.5, -5],
        [4.5, 4.5, 5],
      ],
    },
    least: 0.9535288567,
  },
  {
    name: 'HS71',
    start: [1, 5, 5, 1],
    value: (p) => {
      const [a, b, c, d] = elements(p)
      return sum(mul(mul(a!, d!), sum(a!, b!, c!)), c!)
    },
    options: {
      constraints: [
        { value: (x: Tensor) => np.prod(x), lower: 25 },
        { value: (x: Tensor) => np.sum(sq(x)), equal: 40 },
      ],
      bounds: [1, 5],
    },
    least: 17.0140173,
  },
  {
    name: 'HS76',
    start: [0.5, 0.5, 0.5, 0.5],
    value: (p) => {
      const [a, b, c, d] = elements(p)
      return sum(
        ...[sq(a!), mul(0.5, sq(b!)), sq(c!), mul(0.5, sq(d!)), mul(-1, mul(a!, c!)), mul(c!, d!)],
        ...[mul(-1, a!), mul(-3, b!), c!, mul(-1, d!)],
      )
    },
    options: {
      constraints: [
        {
          matrix: [
            [1, 2, 1, 1],
            [3, 1, 2, -1],
            [0, 1, 4, 0],
          ],
          lower: [-Infinity, -Infinity, 1.5],
          upper: [5, 4, Infinity],
        },
      ],
      bounds: [0, Infinity],
    },
    least: -4.681818182,
  },
  {
    name: 'HS100',
    start: [1, 2, 0, 4, 0, 1, 1],
    value: (p) => {
      const [a, b, c, d, e, f, g] = elements(p)
      return sum(
        ...[sq(sub(a!, 10)), mul(5, sq(sub(b!, 12))), pow(c!, 4), mul(3, sq(sub(d!, 11)))],
        ...[mul(10, pow(e!, 6)), mul(7, sq(f!)), pow(g!, 4), mul(-4, mul(f!, g!))],
        ...[mul(-10, f!), mul(-8, g!)],
      )
    },
    options: {
      constraints: [
        atLeast0(
          ([a, b, c, d, e]) =>
            sum(127, mul(-2, sq(a!)), mul(-3, pow(b!, 4)), mul(-1, c!), mul(-4, sq(d!)), mul(-5, e!)),
          ([a, b, c, d, e]) => sum(282, mul(-7, a!), mul(-3, b!), mul(-10, sq(c!)), mul(-1, d!), e!),
          ([a, b, , , , f, g]) => sum(196, mul(-23, a!), mul(-1, sq(b!)), mul(-6, sq(f!)), mul(8, g!)),
          ([a, b, c, , , f, g]) =>
            sum(
              ...[mul(-4, sq(a!)), mul(-1, sq(b!)), mul(3, mul(a!, b!))],
              ...[mul(-2, sq(c!)), mul(-5, f!), mul(11, g!)],
            ),
        ),
      ],
    },
    least: 680.6300573,
  },
]
