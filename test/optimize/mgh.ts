import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'

/** A problem of More, Garbow and Hillstrom (1981), with the residuals of their section 3 or of MINPACK's test problems. */
export interface MghProblem {
  readonly name: string
  readonly start: readonly number[]
  /** The least sum of squares. */
  readonly minimum: number
  readonly residual: (x: readonly Tensor[]) => Tensor
}

const { add, subtract, multiply, divide, exp, power, square, negative } = np
const vector = (numbers: ArrayLike<number>) => new Tensor(Float64Array.from(numbers as number[]))
const counted = (n: number, f: (i: number) => number) => vector(Array.from({ length: n }, (_, i) => f(i + 1)))
const sum = (...terms: (Tensor | number)[]) => terms.reduce((a, b) => add(a, b)) as Tensor
const times = (...factors: (Tensor | number)[]) => factors.reduce((a, b) => multiply(a, b)) as Tensor
const stack = (...residuals: (Tensor | number)[]) => np.stack(residuals.map((r) => np.asarray(r)))
const decay = (rate: Tensor, t: Tensor) => exp(negative(multiply(rate, t)))
const ones = (n: number, value = 1) => new Array<number>(n).fill(value)

const linear =
  (n: number, m: number): MghProblem['residual'] =>
  (x) => {
    const level = sum(multiply(-2 / m, sum(...x)), -1)
    return stack(...x.map((xi) => add(xi, level)), ...new Array<Tensor>(m - n).fill(level))
  }
const weighted = (x: readonly Tensor[], from: number, to: number) =>
  sum(...x.slice(from, to).map((xi, j) => multiply(from + j + 1, xi)))

const bardY = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.1, 4.39]
const kowalikY = [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
const kowalikU = vector([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
const meyerY = [
  34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872,
]
const gaussianY = [
  0.0009, 0.0044, 0.0175, 0.054, 0.1295, 0.242, 0.3521, 0.3989, 0.3521, 0.242, 0.1295, 0.054, 0.0175, 0.0044,
  0.0009,
]
const osborne1Y = [
  0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628,
  0.603, 0.58, 0.558, 0.538, 0.522, 0.506, 0.49, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.42, 0.414,
  0.411, 0.406,
]
const osborne2Y = [
  1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616,
  0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495,
  0.5, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672,
  0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.71, 0.729, 0.72, 0.636, 0.581,
  0.428, 0.292, 0.162, 0.098, 0.054,
]

const rosenbrock: MghProblem['residual'] = ([x1, x2]) =>
  stack(multiply(10, subtract(x2!, square(x1!))), subtract(1, x1!))

const helicalValley: MghProblem['residual'] = ([x1, x2, x3]) => {
  const turn = multiply(np.arctan(divide(x2!, x1!)), 0.5 / Math.PI)
  const theta = np.where(np.less(x1!, 0), add(turn, 0.5), turn)
  const radius = np.sqrt(add(square(x1!), square(x2!)))
  return stack(multiply(10, subtract(x3!, multiply(10, theta))), multiply(10, subtract(radius, 1)), x3!)
}

const powellSingular: MghProblem['residual'] = ([x1, x2, x3, x4]) =>
  stack(
    sum(x1!, multiply(10, x2!)),
    multiply(Math.sqrt(5), subtract(x3!, x4!)),
    square(subtract(x2!, multiply(2, x3!))),
    multiply(Math.sqrt(10), square(subtract(x1!, x4!))),
  )

const freudensteinRoth: MghProblem['residual'] = ([x1, x2]) =>
  stack(
    sum(-13, x1!, multiply(subtract(multiply(subtract(5, x2!), x2!), 2), x2!)),
    sum(-29, x1!, multiply(subtract(multiply(add(x2!, 1), x2!), 14), x2!)),
  )

const bard: MghProblem['residual'] = ([x1, x2, x3]) => {
  const [u, v] = [counted(15, (i) => i), counted(15, (i) => 16 - i)]
  const below = add(multiply(v, x2!), multiply(np.minimum(u, v), x3!))
  return subtract(vector(bardY), add(x1!, divide(u, below)))
}

const kowalikOsborne: MghProblem['residual'] = ([x1, x2, x3, x4]) => {
  const [u, uu] = [kowalikU, square(kowalikU)]
  const model = divide(multiply(x1!, add(uu, multiply(u, x2!))), sum(uu, multiply(u, x3!), x4!))
  return subtract(vector(kowalikY), model)
}

const meyer: MghProblem['residual'] = ([x1, x2, x3]) =>
  subtract(
    multiply(
      x1!,
      exp(
        divide(
          x2!,
          add(
            counted(16, (i) => 45 + 5 * i),
            x3!,
          ),
        ),
      ),
    ),
    vector(meyerY),
  )

const watson: MghProblem['residual'] = (x) => {
  const t = counted(29, (i) => i / 29)
  const value = sum(...x.map((xj, j) => multiply(xj, power(t, j))))
  const slope = sum(...x.slice(1).map((xj, j) => times(j + 1, xj, power(t, j))))
  const first = sum(slope, negative(square(value)), -1)
  return np.concatenate([first, stack(x[0]!, sum(x[1]!, negative(square(x[0]!)), -1))])
}

const box: MghProblem['residual'] = ([x1, x2, x3]) => {
  const t = counted(10, (i) => i / 10)
  const known = subtract(exp(negative(t)), exp(multiply(-10, t)))
  return subtract(subtract(decay(x1!, t), decay(x2!, t)), multiply(x3!, known))
}

const jennrichSampson: MghProblem['residual'] = ([x1, x2]) => {
  const i = counted(10, (i) => i)
  return subtract(add(2, multiply(2, i)), add(exp(multiply(i, x1!)), exp(multiply(i, x2!))))
}

const brownDennis: MghProblem['residual'] = ([x1, x2, x3, x4]) => {
  const t = counted(20, (i) => i / 5)
  const first = sum(x1!, multiply(t, x2!), negative(exp(t)))
  const second = sum(x3!, multiply(x4!, np.sin(t)), negative(np.cos(t)))
  return add(square(first), square(second))
}

const chebyquad =
  (m: number): MghProblem['residual'] =>
  (x) => {
    const shifted = subtract(multiply(2, np.stack([...x])), 1)
    const polynomials = [np.onesLike(shifted), shifted]
    while (polynomials.length <= m)
      polynomials.push(subtract(times(2, shifted, polynomials.at(-1)!), polynomials.at(-2)!))
    return stack(
      ...polynomials.slice(1).map((t, k) => add(np.mean(t), k % 2 === 0 ? 0 : 1 / ((k + 1) ** 2 - 1))),
    )
  }

const brownAlmostLinear: MghProblem['residual'] = (x) => {
  const total = sum(...x, -(x.length + 1))
  return stack(...x.slice(1).map((_, i) => add(x[i]!, total)), subtract(times(...x), 1))
}

const osborne1: MghProblem['residual'] = ([x1, x2, x3, x4, x5]) => {
  const t = counted(33, (i) => 10 * (i - 1))
  return subtract(vector(osborne1Y), sum(x1!, multiply(x2!, decay(x4!, t)), multiply(x3!, decay(x5!, t))))
}

const osborne2: MghProblem['residual'] = (x) => {
  const t = counted(65, (i) => (i - 1) / 10)
  const peaks = [1, 2, 3].map((k) => multiply(x[k]!, decay(x[k + 4]!, square(subtract(t, x[k + 7]!)))))
  return subtract(vector(osborne2Y), sum(multiply(x[0]!, decay(x[4]!, t)), ...peaks))
}

const osborne2Start = [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5]

const problem = (
  name: string,
  start: readonly number[],
  minimum: number,
  residual: MghProblem['residual'],
): MghProblem => ({ name, start, minimum, residual })

const shared = {
  rosenbrock: problem('Rosenbrock', [-1.2, 1], 0, rosenbrock),
  helicalValley: problem('helical valley', [-1, 0, 0], 0, helicalValley),
  powellSingular: problem('Powell singular', [3, -1, 0, 1], 0, powellSingular),
  freudensteinRoth: problem('Freudenstein-Roth', [0.5, -2], 0, freudensteinRoth),
  bard: problem('Bard', [1, 1, 1], 8.2148773065789e-3, bard),
  kowalikOsborne: problem('Kowalik-Osborne', [0.25, 0.39, 0.415, 0.39], 3.0750560384924e-4, kowalikOsborne),
  meyer: problem('Meyer', [0.02, 4000, 250], 87.945855170963, meyer),
  box: problem('Box', [0, 10, 20], 0, box),
  jennrichSampson: problem('Jennrich-Sampson', [0.3, 0.4], 124.36218235561, jennrichSampson),
  brownDennis: problem('Brown-Dennis', [25, 5, -5, -1], 85822.201626356, brownDennis),
  osborne1: problem('Osborne 1', [0.5, 1.5, -1, 0.01, 0.02], 5.4648946974925e-5, osborne1),
  osborne2: problem('Osborne 2', osborne2Start, 4.0137736293548e-2, osborne2),
}

/** The 19 problems without bounds of Ceres' example more_garbow_hillstrom; Gulf as published corrected (y - x2). */
export const ceresProblems: readonly MghProblem[] = [
  shared.rosenbrock,
  shared.freudensteinRoth,
  problem('Powell badly scaled', [0, 1], 0, ([x1, x2]) =>
    stack(sum(times(1e4, x1!, x2!), -1), sum(exp(negative(x1!)), exp(negative(x2!)), -1.0001)),
  ),
  problem('Brown badly scaled', [1, 1], 0, ([x1, x2]) =>
    stack(subtract(x1!, 1e6), subtract(x2!, 2e-6), subtract(multiply(x1!, x2!), 2)),
  ),
  problem('Beale', [1, 1], 0, ([x1, x2]) =>
    stack(...[1.5, 2.25, 2.625].map((y, i) => subtract(y, multiply(x1!, subtract(1, power(x2!, i + 1)))))),
  ),
  shared.jennrichSampson,
  shared.helicalValley,
  shared.bard,
  problem('Gaussian', [0.4, 1, 0], 1.12793276961871e-8, ([x1, x2, x3]) => {
    const t = counted(15, (i) => (8 - i) / 2)
    const model = multiply(x1!, exp(times(-0.5, x2!, square(subtract(t, x3!)))))
    return subtract(model, vector(gaussianY))
  }),
  shared.meyer,
  problem('Gulf', [5, 2.5, 0.15], 0, ([x1, x2, x3]) => {
    const t = counted(99, (i) => i / 100)
    const y = counted(99, (i) => 25 + (-50 * Math.log(i / 100)) ** (2 / 3))
    const scaled = divide(power(np.abs(subtract(y, x2!)), x3!), x1!)
    return subtract(exp(negative(scaled)), t)
  }),
  shared.box,
  shared.powellSingular,
  problem('Wood', [-3, -1, -3, -1], 0, ([x1, x2, x3, x4]) =>
    stack(
      multiply(10, subtract(x2!, square(x1!))),
      subtract(1, x1!),
      multiply(Math.sqrt(90), subtract(x4!, square(x3!))),
      subtract(1, x3!),
      multiply(Math.sqrt(10), sum(x2!, x4!, -2)),
      multiply(Math.sqrt(0.1), subtract(x2!, x4!)),
    ),
  ),
  shared.kowalikOsborne,
  shared.brownDennis,
  shared.osborne1,
  problem('Biggs', [1, 2, 1, 1, 1, 1], 0, ([x1, x2, x3, x4, x5, x6]) => {
    const t = counted(13, (i) => i / 10)
    const y = counted(13, (i) => Math.exp(-i / 10) - 5 * Math.exp(-i) + 3 * Math.exp(-0.4 * i))
    const model = sum(
      multiply(x3!, decay(x1!, t)),
      negative(multiply(x4!, decay(x2!, t))),
      multiply(x6!, decay(x5!, t)),
    )
    return subtract(model, y)
  }),
  shared.osborne2,
]

/** MINPACK's problem of a number, for n parameters and m residuals. */
export function minpackProblem(number: number, n: number, m: number): MghProblem {
  const make: Readonly<Record<number, () => MghProblem>> = {
    1: () => problem('linear, full rank', ones(n), m - n, linear(n, m)),
    2: () =>
      problem('linear, rank 1', ones(n), (m * (m - 1)) / (2 * (2 * m + 1)), (x) =>
        subtract(
          multiply(
            counted(m, (i) => i),
            weighted(x, 0, n),
          ),
          1,
        ),
      ),
    3: () =>
      problem('linear, rank 1, zeros', ones(n), (m * m + 3 * m - 6) / (2 * (2 * m - 3)), (x) =>
        subtract(
          multiply(
            counted(m, (i) => (i === m ? 0 : i - 1)),
            weighted(x, 1, n - 1),
          ),
          1,
        ),
      ),
    4: () => shared.rosenbrock,
    5: () => shared.helicalValley,
    6: () => shared.powellSingular,
    7: () => shared.freudensteinRoth,
    8: () => shared.bard,
    9: () => shared.kowalikOsborne,
    10: () => shared.meyer,
    11: () =>
      problem(
        'Watson',
        ones(n, 0),
        { 6: 2.28767005355e-3, 9: 1.399760138e-6, 12: 4.7223811e-10 }[n]!,
        watson,
      ),
    12: () => shared.box,
    13: () => shared.jennrichSampson,
    14: () => shared.brownDennis,
    15: () =>
      problem(
        'Chebyquad',
        ones(n).map((_, i) => (i + 1) / (n + 1)),
        { 1: 3.550391297, 8: 3.516873725677e-3, 9: 0, 10: 6.503954800959e-3 }[n]!,
        chebyquad(m),
      ),
    16: () => problem('Brown almost linear', ones(n, 0.5), 0, brownAlmostLinear),
    17: () => shared.osborne1,
    18: () => shared.osborne2,
  }
  return make[number]!()
}

/** One run of MINPACK's test driver for lmder1. */
export interface MinpackRun {
  readonly number: number
  readonly n: number
  readonly m: number
  /** What the start was multiplied by. */
  readonly factor: number
  readonly initialNorm: number
  readonly finalNorm: number
}

/** The start of a run: times a factor, or the factor itself where all of it is 0. */
export function scaledStart({ start }: MghProblem, factor: number): number[] {
  if (factor !== 1 && start.every((x) => x === 0)) return start.map(() => factor)
  return start.map((x) => factor * x)
}

/** The runs of MINPACK's reference output in a folder. */
export function minpackRuns(folder: string): MinpackRun[] {
  const text = readFileSync(join(folder, 'lmddrv.fortran.ref'), 'utf8')
  const pattern =
    /problem\s+(\d+)\s+dimensions\s+(\d+)\s+(\d+)\s+initial l2 norm of the residuals\s+(\S+)\s+final l2 norm of the residuals\s+(\S+)/g
  const before = new Map<string, number>()
  return [...text.matchAll(pattern)].map(([, ...words]) => {
    const [number, n, m, initialNorm, finalNorm] = words.map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ]
    const key = `${number} ${n} ${m}`
    const factor = 10 ** (before.get(key) ?? 0)
    before.set(key, (before.get(key) ?? 0) + 1)
    return { number, n, m, factor, initialNorm, finalNorm }
  })
}

/** Whether a sum of squares is the least to 5 digits, as Ceres counts. */
export function isSolved(sumOfSquares: number, minimum: number): boolean {
  return Math.abs(sumOfSquares - minimum) <= 1e-5 * (minimum || 1)
}
