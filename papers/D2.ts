import * as np from 'evolute/numpy'
import { type Tensor, tensor } from 'evolute/tensor'
import { grad, jet, jvp, trace, vmap } from 'evolute/transforms'
import { optimize } from '../src/ops/optimize.js'
import type { Paper } from './paper.js'

type Unary = (x: Tensor) => Tensor
const forward =
  (f: Unary): Unary =>
  (x) =>
    jvp(f, [x], [np.onesLike(x)])[1]
const reverse =
  (f: Unary): Unary =>
  (x) =>
    grad(f)(x)

/** e^x sin x, whose n-th derivative is 2^(n/2) e^x sin(x + n pi/4). */
const wave: Unary = (x) => np.multiply(np.exp(x), np.sin(x))
const waveDerivative = (x: number, n: number) => 2 ** (n / 2) * Math.exp(x) * Math.sin(x + (n * Math.PI) / 4)

/** The derivatives of orders 0 to n along the line, by one jet. */
const byJet = (f: Unary, n: number) => (x: Tensor) => {
  const [value, rest] = jet(f, x, [np.onesLike(x), ...Array<null>(n - 1).fill(null)])
  return [value, ...rest]
}

/** The published programs that implementations have got wrong: what they gave, and the right value. */
const confusions: readonly [name: string, right: number, ours: () => number][] = [
  // Siskind and Pearlmutter 2005: d/dx (x d/dy (x + y)) is 1; without tags, 2.
  [
    'x d/dy (x + y)',
    1,
    () => forward((x) => np.multiply(x, forward((y) => np.add(x, y))(tensor(1))))(tensor(1)).item(),
  ],
  [
    'the same in reverse',
    1,
    () => reverse((x) => np.multiply(x, reverse((y) => np.add(x, y))(tensor(1))))(tensor(1)).item(),
  ],
  // Manzyuk et al. 2019: the derivative of a function that returns functions, applied to its own result.
  [
    'shift of a derivative by shift',
    Math.E,
    () => {
      const shift = (x: Tensor) => (f: Unary) => (y: Tensor) => f(np.add(x, y))
      const derived = (f: Unary) => (y: Tensor) => forward((x) => shift(x)(f)(y))(tensor(0))
      return derived(derived(np.exp))(tensor(1)).item()
    },
  ],
  // A map of functions over an array whose elements capture an outer variable.
  [
    'sum over a map of derivatives',
    8,
    () =>
      reverse((x) => np.sum(vmap(forward((y: Tensor) => np.multiply(np.square(x), y)))(tensor([1, 2]))))(
        tensor(2),
      ).item(),
  ],
]

export const paper: Paper = {
  id: 'D2',
  title: 'Higher order automatic differentiation of higher order functions',
  authors: 'Huot, Staton, Vákár',
  year: 2021,
  source: 'arXiv 2101.06757',
  claim:
    'A macro on a language with functions as values gives correct derivatives, nested or by Taylor approximation to any order.',
  async run({ onStep, full }) {
    const at = 0.7
    let mixes = 0
    for (let mix = 0; mix < 16; mix++) {
      await onStep(mix / 32, 'nested modes')
      let f = wave
      for (let k = 0; k < 4; k++) f = (mix >> k) % 2 ? forward(f) : reverse(f)
      mixes = Math.max(mixes, Math.abs(f(tensor(at)).item() / waveDerivative(at, 4) - 1))
    }
    const confused = confusions.filter(([, right, ours]) => Math.abs(ours() - right) > 1e-12).length
    await onStep(0.6, 'Taylor mode')
    const highest = full ? 20 : 12
    const series = byJet(wave, highest)(tensor(at))
    const taylor = series.reduce(
      (most, value, n) =>
        Math.max(most, Math.abs(value.item() - waveDerivative(at, n)) / (2 ** (n / 2) * Math.exp(at))),
      0,
    )
    const [low, high] = [2, full ? 9 : 8]
    const program = (f: (x: Tensor) => unknown) => trace(f, tensor(at)).program
    const nested = (n: number): Unary =>
      Array.from({ length: n }).reduce<Unary>(
        (f) => forward(f),
        (x) => np.tanh(wave(x)),
      )
    const taylored = (n: number) => byJet((x) => np.tanh(wave(x)), n)
    const [lowNested, highNested] = [low, high].map((n) => program(nested(n)).equations.length) as [
      number,
      number,
    ]
    const [lowJet, highJet] = [low, high].map((n) => program(taylored(n)).equations.length) as [
      number,
      number,
    ]
    const simplified = optimize(program(nested(high))).equations.length
    await onStep(0.9, 'functions of functions')
    // A functional: the slope at a of the function that a higher-order function returns, differentiated in a parameter.
    const iterate = (f: Unary, n: number): Unary => (n === 0 ? (x) => x : (x) => f(iterate(f, n - 1)(x)))
    const chaos = (r: Tensor) =>
      forward(iterate((x) => np.multiply(np.multiply(r, x), np.subtract(1, x)), 3))(tensor(0.3))
    const [h, r] = [1e-5, 3.2]
    const difference = (chaos(tensor(r + h)).item() - chaos(tensor(r - h)).item()) / (2 * h)
    const functional = Math.abs(reverse(chaos)(tensor(r)).item() / difference - 1)
    const holds =
      mixes < 1e-12 &&
      confused === 0 &&
      taylor < 1e-13 &&
      functional < 1e-7 &&
      highJet / lowJet < highNested / lowNested
    return {
      figures: [
        {
          name: 'error of 16 mixes of modes, order 4',
          paper: 'correct',
          measured: mixes,
          note: 'relative, against a closed form',
        },
        {
          name: 'confused perturbations',
          paper: 0,
          measured: confused,
          note: `of ${confusions.length} published programs`,
        },
        {
          name: `error of Taylor mode, orders to ${highest}`,
          paper: 'correct',
          measured: taylor,
          note: 'relative, against a closed form',
        },
        {
          name: 'error through functions of functions',
          paper: 'correct',
          measured: functional,
          note: 'against central differences',
        },
        {
          name: `equations at order ${high} over order ${low}, nested`,
          paper: null,
          measured: highNested / lowNested,
          note: `${highNested}; simplification leaves ${simplified}`,
        },
        {
          name: `equations at order ${high} over order ${low}, Taylor`,
          paper: null,
          measured: highJet / lowJet,
          note: `${highJet}`,
        },
      ],
      holds,
      verdict: holds
        ? 'nested and Taylor derivatives of every order agree with closed forms, no published confusion occurs, and Taylor mode grows slower with the order.'
        : 'a nested or a Taylor derivative is wrong, or Taylor mode does not grow slower.',
    }
  },
}
