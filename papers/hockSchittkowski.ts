import * as np from 'evolute/numpy'
import type { Constraint } from 'evolute/optimize'
import type { Tensor } from 'evolute/tensor'

/** A problem with equations for constraints. */
export interface EquationProblem {
  readonly name: string
  readonly start: readonly number[]
  readonly value: (x: Tensor) => Tensor
  readonly equations: (x: Tensor) => Tensor
  /** The least value as published. */
  readonly least: number
}

const { add, subtract: sub, multiply: mul, square: sq } = np
const pow = np.power
const sum = (...terms: readonly (Tensor | number)[]) =>
  terms.reduce<Tensor>((a, b) => add(a, b), np.asarray(0) as Tensor)
const scale = (factor: number, x: Tensor) => mul(factor, x)
const all = (x: Tensor): Tensor[] =>
  Array.from({ length: x.shape[0]! }, (_, i) => np.reshape(np.slice(x, [i, i + 1]), []))
const sine = (x: Tensor) => sq(np.sin(x))

type Elements = Tensor[]
const problem = (
  name: string,
  start: readonly number[],
  least: number,
  value: (x: Elements) => Tensor,
  equations: (x: Elements) => Tensor[],
): EquationProblem => ({
  name,
  start,
  least,
  value: (x) => value(all(x)),
  equations: (x) => np.stack(equations(all(x))),
})
const nothing = () => np.asarray(0) as Tensor
const [root2, root3] = [Math.SQRT2, Math.sqrt(3)]
const [quarter, fifth] = [Math.asin(Math.sqrt(1 / 4.2)), Math.asin(Math.sqrt(5 / 7.2))]

/**
 * Of the equality-constrained problems of Hock and Schittkowski (1981), Boggs and Tolle, and CUTEst, written from their
 * formulas; least values as in the collections.
 */
export const equationProblems: readonly EquationProblem[] = [
  problem(
    'HS6',
    [-1.2, 1],
    0,
    ([x]) => sq(sub(1, x!)),
    ([x, y]) => [scale(10, sub(y!, sq(x!)))],
  ),
  problem(
    'HS7',
    [2, 2],
    -root3,
    ([x, y]) => sub(np.log(add(1, sq(x!))), y!),
    ([x, y]) => [sum(sq(add(1, sq(x!))), sq(y!), -4)],
  ),
  problem(
    'HS9',
    [0, 0],
    -0.5,
    ([x, y]) => mul(np.sin(scale(Math.PI / 12, x!)), np.cos(scale(Math.PI / 16, y!))),
    ([x, y]) => [sub(scale(4, x!), scale(3, y!))],
  ),
  problem(
    'HS26',
    [-2.6, 2, 2],
    0,
    ([x, y, z]) => add(sq(sub(x!, y!)), pow(sub(y!, z!), 4)),
    ([x, y, z]) => [sum(mul(add(1, sq(y!)), x!), pow(z!, 4), -3)],
  ),
  problem(
    'HS27',
    [2, 2, 2],
    0.04,
    ([x, y]) => add(scale(0.01, sq(sub(x!, 1))), sq(sub(y!, sq(x!)))),
    ([x, , z]) => [sum(x!, sq(z!), 1)],
  ),
  problem(
    'HS28',
    [-4, 1, 1],
    0,
    ([x, y, z]) => add(sq(add(x!, y!)), sq(add(y!, z!))),
    ([x, y, z]) => [sum(x!, scale(2, y!), scale(3, z!), -1)],
  ),
  problem(
    'HS39',
    [2, 2, 2, 2],
    -1,
    ([x]) => scale(-1, x!),
    ([x, y, z, w]) => [sub(sub(y!, pow(x!, 3)), sq(z!)), sub(sub(sq(x!), y!), sq(w!))],
  ),
  problem(
    'HS40',
    [0.8, 0.8, 0.8, 0.8],
    -0.25,
    ([x, y, z, w]) => scale(-1, mul(mul(x!, y!), mul(z!, w!))),
    ([x, y, z, w]) => [sum(pow(x!, 3), sq(y!), -1), sub(mul(sq(x!), w!), z!), sub(sq(w!), y!)],
  ),
  problem(
    'HS42',
    [1, 1, 1, 1],
    28 - 10 * root2,
    ([x, y, z, w]) => sum(sq(sub(x!, 1)), sq(sub(y!, 2)), sq(sub(z!, 3)), sq(sub(w!, 4))),
    ([x, , z, w]) => [sub(x!, 2), sum(sq(z!), sq(w!), -2)],
  ),
  problem(
    'HS48',
    [3, 5, -3, 2, -2],
    0,
    ([a, b, c, d, e]) => sum(sq(sub(a!, 1)), sq(sub(b!, c!)), sq(sub(d!, e!))),
    ([a, b, c, d, e]) => [sum(a!, b!, c!, d!, e!, -5), sum(c!, scale(-2, add(d!, e!)), 3)],
  ),
  problem(
    'HS50',
    [35, -31, 11, 5, -5],
    0,
    ([a, b, c, d, e]) => sum(sq(sub(a!, b!)), sq(sub(b!, c!)), pow(sub(c!, d!), 4), sq(sub(d!, e!))),
    ([a, b, c, d, e]) => [
      sum(a!, scale(2, b!), scale(3, c!), -6),
      sum(b!, scale(2, c!), scale(3, d!), -6),
      sum(c!, scale(2, d!), scale(3, e!), -6),
    ],
  ),
  problem(
    'HS51',
    [2.5, 0.5, 2, -1, 0.5],
    0,
    ([a, b, c, d, e]) => sum(sq(sub(a!, b!)), sq(sum(b!, c!, -2)), sq(sub(d!, 1)), sq(sub(e!, 1))),
    ([a, b, c, d, e]) => [sum(a!, scale(3, b!), -4), sum(c!, d!, scale(-2, e!)), sub(b!, e!)],
  ),
  problem(
    'HS52',
    [2, 2, 2, 2, 2],
    1859 / 349,
    ([a, b, c, d, e]) => sum(sq(sub(scale(4, a!), b!)), sq(sum(b!, c!, -2)), sq(sub(d!, 1)), sq(sub(e!, 1))),
    ([a, b, c, d, e]) => [add(a!, scale(3, b!)), sum(c!, d!, scale(-2, e!)), sub(b!, e!)],
  ),
  problem(
    'HS56',
    [1, 1, 1, quarter, quarter, quarter, fifth],
    -3.456,
    ([a, b, c]) => scale(-1, mul(mul(a!, b!), c!)),
    ([a, b, c, d, e, f, g]) => [
      sub(a!, scale(4.2, sine(d!))),
      sub(b!, scale(4.2, sine(e!))),
      sub(c!, scale(4.2, sine(f!))),
      sum(a!, scale(2, b!), scale(2, c!), scale(-7.2, sine(g!))),
    ],
  ),
  problem(
    'HS61',
    [0, 0, 0],
    -143.6461422,
    ([x, y, z]) =>
      sum(
        ...[scale(4, sq(x!)), scale(2, sq(y!)), scale(2, sq(z!))],
        ...[scale(-33, x!), scale(16, y!), scale(-24, z!)],
      ),
    ([x, y, z]) => [sum(scale(3, x!), scale(-2, sq(y!)), -7), sum(scale(4, x!), scale(-1, sq(z!)), -11)],
  ),
  problem(
    'HS77',
    [2, 2, 2, 2, 2],
    0.24150513,
    ([a, b, c, d, e]) =>
      sum(sq(sub(a!, 1)), sq(sub(a!, b!)), sq(sub(c!, 1)), pow(sub(d!, 1), 4), pow(sub(e!, 1), 6)),
    ([a, b, c, d, e]) => [
      sum(mul(sq(a!), d!), np.sin(sub(d!, e!)), -2 * root2),
      sum(b!, mul(pow(c!, 4), sq(d!)), -8 - root2),
    ],
  ),
  problem(
    'HS78',
    [-2, 1.5, 2, -1, -1],
    -2.91970041,
    ([a, b, c, d, e]) => mul(mul(mul(a!, b!), mul(c!, d!)), e!),
    ([a, b, c, d, e]) => [
      sum(sq(a!), sq(b!), sq(c!), sq(d!), sq(e!), -10),
      sub(mul(b!, c!), scale(5, mul(d!, e!))),
      sum(pow(a!, 3), pow(b!, 3), 1),
    ],
  ),
  problem(
    'HS79',
    [2, 2, 2, 2, 2],
    0.0787768209,
    ([a, b, c, d, e]) =>
      sum(sq(sub(a!, 1)), sq(sub(a!, b!)), sq(sub(b!, c!)), pow(sub(c!, d!), 4), pow(sub(d!, e!), 4)),
    ([a, b, c, d, e]) => [
      sum(a!, sq(b!), pow(c!, 3), -2 - 3 * root2),
      sum(b!, scale(-1, sq(c!)), d!, 2 - 2 * root2),
      sub(mul(a!, e!), 2),
    ],
  ),
  problem(
    'HS100LNP',
    [1, 2, 0, 4, 0, 1, 1],
    680.6300573,
    ([a, b, c, d, e, f, g]) =>
      sum(
        ...[sq(sub(a!, 10)), scale(5, sq(sub(b!, 12))), pow(c!, 4), scale(3, sq(sub(d!, 11)))],
        ...[scale(10, pow(e!, 6)), scale(7, sq(f!)), pow(g!, 4), scale(-4, mul(f!, g!))],
        ...[scale(-10, f!), scale(-8, g!)],
      ),
    ([a, b, c, d, e, f, g]) => [
      sum(scale(-2, sq(a!)), scale(-3, pow(b!, 4)), scale(-1, c!), scale(-4, sq(d!)), scale(-5, e!), 127),
      sum(
        ...[scale(-4, sq(a!)), scale(-1, sq(b!)), scale(3, mul(a!, b!)), scale(-2, sq(c!))],
        ...[scale(-5, f!), scale(11, g!)],
      ),
    ],
  ),
  problem(
    'BT2',
    [10, 10, 10],
    0.0325682,
    ([x, y, z]) => sum(sq(sub(x!, 1)), sq(sub(x!, y!)), pow(sub(y!, z!), 4)),
    ([x, y, z]) => [sum(mul(x!, add(1, sq(y!))), pow(z!, 4), -4 - 3 * root2)],
  ),
  problem(
    'BT3',
    [20, 20, 20, 20, 20],
    176 / 43,
    ([a, b, c, d, e]) => sum(sq(sub(a!, b!)), sq(sum(b!, c!, -2)), sq(sub(d!, 1)), sq(sub(e!, 1))),
    ([a, b, c, d, e]) => [add(a!, scale(3, b!)), sum(c!, d!, scale(-2, e!)), sub(b!, e!)],
  ),
  problem(
    'GENHS28',
    [-4, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    0.927173691,
    (x) => sum(...x.slice(1).map((b, i) => sq(add(x[i]!, b)))),
    (x) => x.slice(2).map((c, i) => sum(x[i]!, scale(2, x[i + 1]!), scale(3, c), -1)),
  ),
  problem('BOOTH', [0, 0], 0, nothing, ([x, y]) => [sum(x!, scale(2, y!), -7), sum(scale(2, x!), y!, -5)]),
  problem('RSNBRNE', [-1.2, 1], 0, nothing, ([x, y]) => [scale(10, sub(y!, sq(x!))), sub(x!, 1)]),
  problem('CUBENE', [-1.2, 1], 0, nothing, ([x, y]) => [sub(x!, 1), scale(10, sub(y!, pow(x!, 3)))]),
  problem('HIMMELBC', [1, 1], 0, nothing, ([x, y]) => [sum(sq(x!), y!, -11), sum(x!, sq(y!), -7)]),
  problem('DENSCHNFNE', [2, 0], 0, nothing, ([x, y]) => [
    sum(scale(2, sq(add(x!, y!))), sq(sub(x!, y!)), -8),
    sum(scale(5, sq(x!)), sq(sub(y!, 3)), -9),
  ]),
  problem('ZANGWIL3', [100, -1, 2.5], 0, nothing, ([x, y, z]) => [
    sum(x!, scale(-1, y!), z!),
    sum(scale(-1, x!), y!, z!),
    sum(x!, y!, scale(-1, z!)),
  ]),
]

export const constraintsOf = ({ equations }: EquationProblem): Constraint[] => [
  { value: equations, equal: 0 },
]
