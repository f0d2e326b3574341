import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { forecast } from 'evolute/program'
import { Tensor } from 'evolute/tensor'
import { foriLoop, grad, hessian, jacobian, jvp, trace, vjp, vmap } from 'evolute/transforms'
import { type Paper, worst } from './paper.js'

const T = np.transpose
const mm = (...factors: readonly Tensor[]) => factors.reduce((product, x) => np.matmul(product, x))
const data = (x: Tensor) => x.data as Float64Array
const apart = (a: Tensor, b: Tensor) => worst(data(a), data(b))
const normals = (random: Random, shape: readonly number[]) =>
  new Tensor(random.normals(shape.reduce((a, b) => a * b, 1)), shape)

/** What the course derives of matrix functions, each beside the library's derivative along dA: the distance. */
function matrixRules(random: Random, n: number): Record<string, number> {
  const a = np.add(normals(random, [n, n]), np.multiply(3, np.eye(n)))
  const da = normals(random, [n, n])
  const spd = np.add(mm(a, T(a)), np.eye(n))
  const ds = np.add(da, T(da))
  const along = <R>(f: (x: Tensor) => R, x: Tensor, dx: Tensor) => jvp(f, [x], [dx]) as [R, R]

  const [inverse, dInverse] = along(np.inv, a, da)
  const [det, dDet] = along(np.det, a, da)
  const second = vjp((x: Tensor) => jvp((y: Tensor) => np.slogdet(y).logabsdet, [x], [da])[1] as Tensor, a)
  const [{ q, r }, { q: dq, r: dr }] = along(np.qr, a, da)
  const [l, dl] = along(np.cholesky, spd, ds)
  const [eigen, dEigen] = along((x: Tensor) => np.eigh(x), spd, ds)
  const [s, dS] = along(np.svd, a, da)
  const [root, dRoot] = along(np.sqrtm, spd, ds)
  const { eigenvectors: v } = eigen
  const left = normals(random, [3, n])
  const right = normals(random, [n, 2])
  const product = jacobian((x: Tensor) => np.reshape(mm(left, x, right), [6]))(a) as Tensor
  const kronecker = np.reshape(np.einsum('ia,bj->ijab', left, right), [6, n, n])
  return {
    'd(A^-1) = -A^-1 dA A^-1': apart(dInverse, np.negative(mm(inverse, da, inverse))),
    'd det A = det A tr(A^-1 dA)': apart(dDet, np.multiply(det, np.trace(mm(inverse, da)))),
    'd2 log det A [dA, dA] = -tr(A^-1 dA A^-1 dA)': apart(
      np.sum(np.multiply(da, second[1](1)[0] as Tensor)),
      np.negative(np.trace(mm(inverse, da, inverse, da))),
    ),
    'vec(B A C) has the Jacobian of a Kronecker product': apart(product, kronecker),
    'd lambda = diag(V^T dS V)': apart(dEigen.eigenvalues, np.diagonal(mm(T(v), ds, v))),
    'd sigma = diag(U^T dA V)': apart(dS.s, np.diagonal(mm(T(s.u), da, T(s.vh)))),
    'dA = dQ R + Q dR, Q^T dQ skew': Math.max(
      apart(np.add(mm(dq, r), mm(q, dr)), da),
      apart(mm(T(q), dq), np.negative(T(mm(T(q), dq)))),
    ),
    'dS = dL L^T + L dL^T': apart(np.add(mm(dl, T(l)), mm(l, T(dl))), ds),
    'dS = dX X + X dX for X^2 = S': apart(np.add(mm(dRoot, root), mm(root, dRoot)), ds),
  }
}

/** d lambda along dS from central differences, for what the rule of eigenvalues is built on. */
function eigenvalueDifference(random: Random, n: number): number {
  const [a, b] = [normals(random, [n, n]), normals(random, [n, n])]
  const [s, ds] = [np.add(a, T(a)), np.add(b, T(b))]
  const h = 1e-5
  const moved = (by: number) => np.eigvalsh(np.add(s, np.multiply(by, ds)))
  const difference = np.divide(np.subtract(moved(h), moved(-h)), 2 * h)
  return apart(jvp(np.eigvalsh, [s], [ds])[1] as Tensor, difference)
}

const steps = 400
const horizon = 4

/** Prey and predators at the end, from four rates, by Runge and Kutta's fourth-order steps. */
function populations(rates: Tensor): Tensor {
  const flow = (u: Tensor) => field(u, rates)
  const h = horizon / steps
  return foriLoop(0, steps, (_, u: Tensor) => rungeKutta(flow, u, h), np.asarray([1.5, 1])) as Tensor
}

const at = (x: Tensor, i: number) => np.reshape(np.slice(x, [i, i + 1]), [])

function field(u: Tensor, rates: Tensor): Tensor {
  const [x, y] = [at(u, 0), at(u, 1)]
  const meetings = np.multiply(x, y)
  return np.stack([
    np.subtract(np.multiply(at(rates, 0), x), np.multiply(at(rates, 1), meetings)),
    np.subtract(np.multiply(at(rates, 2), meetings), np.multiply(at(rates, 3), y)),
  ])
}

function rungeKutta(f: (u: Tensor) => Tensor, u: Tensor, h: number): Tensor {
  const step = (by: number, k: Tensor) => np.add(u, np.multiply(by * h, k))
  const k1 = f(u)
  const k2 = f(step(0.5, k1))
  const k3 = f(step(0.5, k2))
  const k4 = f(step(1, k3))
  const sum = np.add(np.add(k1, k4), np.multiply(2, np.add(k2, k3)))
  return step(1 / 6, sum)
}

/** d(prey at the end)/d(rates) by the adjoint equation, integrated backwards beside the solution. */
function adjointGradient(rates: Tensor): Tensor {
  const back = (state: Tensor): Tensor => {
    const u = np.slice(state, [0, 2])
    const lambda = np.slice(state, [2, 4])
    const [value, pull] = vjp(field, u, rates)
    const [byState, byRates] = pull(lambda) as [Tensor, Tensor]
    // Time runs backwards: u' = -f, lambda' = f_u^T lambda, gradient' = f_rates^T lambda.
    return np.concatenate([np.negative(value), byState, byRates])
  }
  const end = np.concatenate([populations(rates), np.asarray([1, 0, 0, 0, 0, 0])])
  const h = horizon / steps
  const start = foriLoop(0, steps, (_, state: Tensor) => rungeKutta(back, state, h), end) as Tensor
  return np.slice(start, [4, 8])
}

/** Mean and standard error. */
function meanOf(values: readonly number[]): [mean: number, error: number] {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0)
  return [mean, Math.sqrt(squares / (values.length - 1) / values.length)]
}

/**
 * d/dp of E f(X), X the number of successes among n of probability p, from single runs: how f changes when the next
 * failure becomes a success, at the rate at which a rising p turns failures, 1 / (1 - p), over; and by the score.
 */
function discreteSamples(random: Random, f: (x: number) => number, n: number, p: number, count: number) {
  const [coupled, score]: [number[], number[]] = [[], []]
  for (let k = 0; k < count; k++) {
    let x = 0
    for (let i = 0; i < n; i++) if (random.uniform() < p) x++
    coupled.push(((n - x) / (1 - p)) * (f(x + 1) - f(x)))
    score.push(f(x) * (x / p - (n - x) / (1 - p)))
  }
  return { coupled: meanOf(coupled), score: meanOf(score) }
}

/** E f(X) for X binomial, as a function of p that the library differentiates. */
const expected = (f: (x: number) => number, n: number) => (p: Tensor) => {
  let sum: Tensor = np.asarray(0)
  let choose = 1
  for (let x = 0; x <= n; x++) {
    const chance = np.multiply(np.power(p, x), np.power(np.subtract(1, p), n - x))
    sum = np.add(sum, np.multiply(choose * f(x), chance))
    choose = (choose * (n - x)) / (x + 1)
  }
  return sum
}

export const paper: Paper = {
  id: 'D3',
  title: 'Matrix calculus (for machine learning and beyond)',
  authors: 'Bright, Edelman, Johnson',
  year: 2025,
  source: 'arXiv 2501.14787',
  claim:
    'Derivatives are linear maps, of functions of matrices as of numbers: of inverses, determinants, factorisations and ' +
    'eigenvalues, of solutions of differential equations by an adjoint run backwards, and of means of random functions.',
  async run({ onStep, full }) {
    const random = new Random('D3')
    const largest = new Map<string, number>()
    const trials = full ? 200 : 20
    for (let trial = 0; trial < trials; trial++) {
      await onStep((0.5 * trial) / trials, 'matrices')
      for (const [rule, gap] of Object.entries(matrixRules(random, 6)))
        largest.set(rule, Math.max(largest.get(rule) ?? 0, gap))
    }

    const difference = eigenvalueDifference(random, 6)

    await onStep(0.5, 'a differential equation')
    const rates = np.asarray([1.1, 0.4, 0.1, 0.4])
    const prey = (theta: Tensor) => at(populations(theta), 0)
    const reverse = grad(prey)(rates) as Tensor
    const forward = jacobian(prey, { mode: 'forward' })(rates) as Tensor
    const adjoint = adjointGradient(rates)
    const operations = (f: (theta: Tensor) => Tensor) => forecast(trace(f, rates).program).flops
    const cost = operations(grad(prey) as (theta: Tensor) => Tensor) / operations(prey)

    await onStep(0.7, 'random functions')
    const samples = full ? 1_000_000 : 100_000
    const f = (x: number) => x ** 2 / (1 + x)
    const exact = (grad(expected(f, 10)) as (p: Tensor) => Tensor)(np.asarray(0.4)).item()
    const discrete = discreteSamples(random, f, 10, 0.4, samples)
    const noise = new Tensor(random.normals(samples))
    // Along x = mu + sigma z: E cos(x) = cos(mu) exp(-sigma^2 / 2).
    const paths = vmap(
      (z: Tensor, theta: Tensor) =>
        grad((t: Tensor) => np.cos(np.add(at(t, 0), np.multiply(at(t, 1), z))))(theta),
      { inAxes: [0, null] },
    )(noise, np.asarray([0.7, 0.5])) as Tensor
    const column = (j: number) => Array.from({ length: samples }, (_, i) => data(paths)[2 * i + j]!)
    const factor = Math.exp(-0.125)
    const truth = [-Math.sin(0.7) * factor, -0.5 * Math.cos(0.7) * factor]
    const misses = [
      ...truth.map((t, j) => {
        const [mean, error] = meanOf(column(j))
        return Math.abs(mean - t) / error
      }),
      Math.abs(discrete.coupled[0] - exact) / discrete.coupled[1],
    ]
    const hessianGap = await symmetryOfHessian(random)

    const holds =
      [...largest.values()].every((gap) => gap < 1e-10) &&
      apart(reverse, forward) < 1e-12 &&
      apart(reverse, adjoint) < 1e-7 &&
      cost < 5 &&
      difference < 1e-6 &&
      hessianGap < 1e-12 &&
      misses.every((miss) => miss < 4)
    return {
      figures: [
        ...[...largest].map(([rule, measured]) => ({ name: rule, paper: 'equal', measured })),
        {
          name: 'd lambda from central differences',
          paper: 'equal',
          measured: difference,
          note: 'to their error',
        },
        { name: 'asymmetry of the Hessian of log det', paper: 0, measured: hessianGap },
        {
          name: 'solution of an ODE: reverse from forward mode',
          paper: 'equal',
          measured: apart(reverse, forward),
        },
        {
          name: 'from the adjoint equation run backwards',
          paper: 'equal',
          measured: apart(reverse, adjoint),
          note: 'to the error of 400 steps',
        },
        { name: 'operations of value and gradient over those of the solution', paper: null, measured: cost },
        {
          name: 'means of random functions, largest distance from the truth',
          paper: 0,
          measured: Math.max(...misses),
          unit: 'standard errors',
        },
        {
          name: 'standard error of the score’s estimate over the coupled one',
          paper: '> 1',
          measured: discrete.score[1] / discrete.coupled[1],
        },
      ],
      holds,
      verdict: holds
        ? 'every rule of the course holds to rounding, the adjoint gives the gradient of a solution, and derivatives of means come out of single random runs without bias.'
        : 'a rule is violated.',
    }
  },
}

/** The Hessian of a function of a matrix is a symmetric bilinear form. */
async function symmetryOfHessian(random: Random): Promise<number> {
  const a = np.add(normals(random, [4, 4]), np.multiply(3, np.eye(4)))
  const h = np.reshape(hessian((x: Tensor) => np.slogdet(x).logabsdet)(a) as Tensor, [16, 16])
  return apart(h, T(h))
}
