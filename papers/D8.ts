import { compileJs } from 'evolute/engines/js'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { grad, vmap } from 'evolute/transforms'
import { distanceToHull } from './hull.js'
import type { Paper } from './paper.js'

/** A piecewise linear activation: as the library computes it, and its slopes by a definition of its own. */
interface Activation {
  readonly apply: (x: Tensor) => Tensor
  readonly value: (x: number) => number
  readonly slope: (x: number) => number
  readonly kinks: number
}

const activations: Readonly<Record<string, Activation>> = {
  relu: { apply: np.relu, value: (x) => (x > 0 ? x : 0), slope: (x) => (x > 0 ? 1 : 0), kinks: 1 },
  abs: { apply: np.abs, value: (x) => (x > 0 ? x : -x), slope: (x) => (x > 0 ? 1 : -1), kinks: 1 },
  'max(x, 0)': {
    apply: (x) => np.maximum(x, 0),
    value: (x) => (x > 0 ? x : 0),
    slope: (x) => (x > 0 ? 1 : 0),
    kinks: 1,
  },
  'hard tanh': {
    apply: (x) => np.clip(x, -0.5, 0.5),
    value: (x) => Math.min(0.5, Math.max(-0.5, x)),
    slope: (x) => (x > -0.5 && x < 0.5 ? 1 : 0),
    kinks: 2,
  },
}

/** A network of one number, its parameters in one vector; `gradient` by hand, where it is differentiable. */
interface Network {
  readonly parameters: number
  readonly units: number
  apply(activation: Activation, p: Tensor): Tensor
  gradient(activation: Activation, p: Float64Array): number[]
}

const at = (p: Tensor, i: number) => np.reshape(np.slice(p, [i, i + 1]), [])
const affine = (w: Tensor, x: Tensor | number, b: Tensor) => np.add(np.multiply(w, x), b)

/** v1 s(w1 x + b1) + v2 s(w2 x + b2) at x = 1; the outer bias has slope 1 everywhere and is left out. */
const wide: Network = {
  parameters: 6,
  units: 2,
  apply: ({ apply }, p) =>
    np.add(
      np.multiply(at(p, 4), apply(affine(at(p, 0), 1, at(p, 1)))),
      np.multiply(at(p, 5), apply(affine(at(p, 2), 1, at(p, 3)))),
    ),
  gradient({ value, slope }, p) {
    const [z1, z2] = [p[0]! + p[1]!, p[2]! + p[3]!]
    const [g1, g2] = [p[4]! * slope(z1), p[5]! * slope(z2)]
    return [g1, g1, g2, g2, value(z1), value(z2)]
  },
}

/** w3 s(w2 s(w1 x + b1) + b2) at x = 1. */
const deep: Network = {
  parameters: 5,
  units: 2,
  apply: ({ apply }, p) =>
    np.multiply(at(p, 4), apply(affine(at(p, 2), apply(affine(at(p, 0), 1, at(p, 1))), at(p, 3)))),
  gradient({ value, slope }, p) {
    const z1 = p[0]! + p[1]!
    const z2 = p[2]! * value(z1) + p[3]!
    const g2 = p[4]! * slope(z2)
    const g1 = g2 * p[2]! * slope(z1)
    return [g1, g1, g2 * value(z1), g2, value(z2)]
  },
}

/** Gradients at points very near, where the network is differentiable almost surely: the limits that Clarke's are made of. */
function limits(
  network: Network,
  activation: Activation,
  p: Float64Array,
  random: Random,
  samples: number,
): number[][] {
  const found = new Map<string, number[]>()
  for (let k = 0; k < samples; k++) {
    const near = p.map((value) => value + 1e-9 * random.normal())
    const gradient = network.gradient(activation, near).map((g) => Math.round(g * 1e6) / 1e6 + 0)
    found.set(gradient.join(), gradient)
  }
  return [...found.values()]
}

function grid(values: readonly number[], n: number): Tensor {
  const rows = values.length ** n
  const data = new Float64Array(rows * n)
  for (let row = 0; row < rows; row++)
    for (let i = 0, rest = row; i < n; i++, rest = Math.floor(rest / values.length))
      data[row * n + i] = values[rest % values.length]!
  return new Tensor(data, [rows, n])
}

export const paper: Paper = {
  id: 'D8',
  title:
    'On the correctness of automatic differentiation for neural networks with machine-representable parameters',
  authors: 'Lee, Park, Aiken',
  year: 2023,
  source: 'arXiv 2301.13370',
  claim:
    'With biases, automatic differentiation is right wherever the network is differentiable, gives a Clarke subderivative ' +
    'elsewhere, and the share of parameters where it is not differentiable is at most the number of kinks over that of representable numbers.',
  async run({ onStep, full, log }) {
    const values = full ? [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1] : [-1, -0.5, 0, 0.5, 1]
    const random = new Random('D8')
    const total = { points: 0, incorrect: 0, kinks: 0, notClarke: 0, overBound: 0 }
    const cases = Object.entries(activations).flatMap(([name, activation]) =>
      Object.entries({ wide, deep }).map(([shape, network]) => ({ name, activation, shape, network })),
    )
    for (const [i, { name, activation, shape, network }] of cases.entries()) {
      const points = grid(values, network.parameters)
      const derivative = compileJs(vmap(grad((p: Tensor) => network.apply(activation, p))))
      const gradients = derivative(points).data
      let kinked = 0
      for (let row = 0; row < points.shape[0]!; row++) {
        if (row % 2000 === 0)
          await onStep((i + row / points.shape[0]!) / cases.length, `${name}, ${shape} network`)
        const from = row * network.parameters
        const ours = [...gradients.subarray(from, from + network.parameters)]
        const p = (points.data as Float64Array).subarray(from, from + network.parameters)
        let around = limits(network, activation, p, random, 24)
        let distance = distanceToHull(ours, around)
        // Few neighbours may all have missed one of the limits.
        if (distance > 1e-5) {
          around = limits(network, activation, p, random, 2000)
          distance = distanceToHull(ours, around)
        }
        if (around.length > 1) kinked++
        else if (distance > 1e-5) total.incorrect++
        if (distance > 1e-5) total.notClarke++
      }
      const bound = (network.units * activation.kinks) / values.length
      if (kinked / points.shape[0]! > bound) total.overBound++
      log(
        `${name}, ${shape}: ${((100 * kinked) / points.shape[0]!).toFixed(1)}% not differentiable, bound ${(100 * bound).toFixed(0)}%`,
      )
      total.points += points.shape[0]!
      total.kinks += kinked
    }
    // Outside the theorem: relu(w) - relu(-w) = w uses one parameter twice and has no bias.
    const shared = (w: Tensor) => np.subtract(np.relu(w), np.relu(np.negative(w)))
    const wrong = values.filter((w) => Math.abs(grad(shared)(w).item() - 1) > 1e-12).length
    const holds = total.incorrect + total.notClarke + total.overBound === 0
    return {
      figures: [
        {
          name: 'parameter vectors',
          paper: null,
          measured: total.points,
          note: `${cases.length} networks, ${values.length} numbers`,
        },
        { name: 'differentiable there, but AD wrong', paper: 0, measured: total.incorrect },
        { name: 'not differentiable there', paper: null, measured: total.kinks },
        {
          name: 'not a Clarke subderivative',
          paper: 0,
          measured: total.notClarke,
          note: 'distance to the hull of limits of gradients > 1e-5',
        },
        { name: 'networks over the bound on that share', paper: 0, measured: total.overBound },
        {
          name: 'wrong for relu(w) - relu(-w), outside the theorem',
          paper: null,
          measured: wrong,
          note: 'shared parameter, no bias',
        },
      ],
      holds,
      verdict: holds
        ? 'every parameter vector of the grids has a correct gradient or a Clarke subderivative, and no network is over the bound.'
        : 'a parameter vector has a gradient that the theorem excludes.',
    }
  },
}
