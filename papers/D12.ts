import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { jvp, vjp } from 'evolute/transforms'
import type { Paper } from './paper.js'

/**
 * Circuits are polynomials over Z2. Taking remainders mod 2 is a homomorphism from the integers, and its derivative is
 * the identity, so the transformations of real functions give the formal derivatives of the polynomials: all numbers
 * stay whole and small, and float64 holds them exactly.
 */
const mod2 = (x: Tensor) => np.remainder(x, 2)
const xor = (x: Tensor, y: Tensor) => mod2(np.add(x, y))
const and = (x: Tensor, y: Tensor) => np.multiply(x, y)
const not = (x: Tensor) => mod2(np.add(x, 1))
const or = (x: Tensor, y: Tensor) => xor(xor(x, y), and(x, y))

type Circuit = (x: Tensor) => Tensor

/** R[f](x, b) over Z2. */
const reverse = (f: Circuit, x: Tensor, b: Tensor) => mod2(vjp(f, x)[1](b)[0])

/** Row k of [n, 2^n] is bit k of 0 .. 2^n - 1. */
function bits(n: number): Tensor {
  const size = 2 ** n
  return new Tensor(
    Float64Array.from({ length: n * size }, (_, i) => ((i % size) >> Math.floor(i / size)) & 1),
    [n, size],
  )
}

/** The model that can be any function: theta is its truth table [2^n, outputs], multiplied by the indicator of x. */
function tableModel(n: number) {
  const table = bits(n)
  return (theta: Tensor, x: Tensor): Tensor => {
    // The product over bits of x_i or 1 + x_i, which is 1 for the row of x alone.
    const factors = mod2(np.add(np.add(np.expandDims(x, 1), table), 1))
    return mod2(np.matmul(np.prod(factors, { axis: 0 }), theta))
  }
}

/** One step of reverse derivative ascent: theta + R[f]((theta, x), f(theta, x) + y), its part for theta. */
function ascend(model: (theta: Tensor, x: Tensor) => Tensor, theta: Tensor, x: Tensor, y: Tensor): Tensor {
  const f = (theta: Tensor) => model(theta, x)
  return xor(theta, reverse(f, theta, xor(f(theta), y)))
}

/** Input and wanted output, each a vector of bits. */
type Example = readonly [x: Tensor, y: Tensor]
type Model = (theta: Tensor, x: Tensor) => Tensor

const wrong = (model: Model, theta: Tensor, examples: readonly Example[]) =>
  examples.filter(([x, y]) => model(theta, x).data.some((bit, i) => bit !== y.data[i])).length

/** Circuits with their values by JavaScript's own bit operations. */
const pick = (x: Tensor, i: number) => np.reshape(np.slice(x, [i, i + 1]), [])
const circuits: readonly [name: string, f: Circuit, by: (x: number[]) => number][] = [
  [
    'majority',
    (x) => or(or(and(pick(x, 0), pick(x, 1)), and(pick(x, 1), pick(x, 2))), and(pick(x, 0), pick(x, 2))),
    ([a, b, c]) => (a! & b!) | (b! & c!) | (a! & c!),
  ],
  [
    'multiplexer',
    (x) => xor(and(not(pick(x, 0)), pick(x, 1)), and(pick(x, 0), pick(x, 2))),
    ([a, b, c]) => (a ? c! : b!),
  ],
  [
    'carry',
    (x) => xor(and(pick(x, 0), pick(x, 1)), and(pick(x, 2), xor(pick(x, 0), pick(x, 1)))),
    ([a, b, c]) => (a! + b! + c!) >> 1,
  ],
]

/**
 * Checks values against JavaScript's bits, the chain rule and the transpose law; in inputs in which a polynomial is of
 * degree 1 the derivative is the difference f(x + e_i) + f(x), counted where they differ for none.
 */
function violations(): { values: number; laws: number; differences: number } {
  const found = { values: 0, laws: 0, differences: 0 }
  const one = new Tensor(Float64Array.of(1), [])
  const inner: Circuit = (x) =>
    np.stack([xor(pick(x, 0), pick(x, 1)), and(pick(x, 1), pick(x, 2)), not(pick(x, 2))])
  for (const [name, f, by] of circuits)
    for (let k = 0; k < 8; k++) {
      const x = [k & 1, (k >> 1) & 1, k >> 2]
      const at = new Tensor(Float64Array.from(x))
      if (f(at).item() !== by(x)) found.values++
      const slope = reverse(f, at, one).data
      const through = reverse(inner, at, reverse(f, inner(at), one)).data
      if (reverse((z) => f(inner(z)), at, one).data.some((bit, i) => bit !== through[i])) found.laws++
      for (let i = 0; i < 3; i++) {
        const e = new Tensor(Float64Array.from([0, 1, 2], (j) => Number(i === j)))
        if (mod2(jvp(f, [at], [e])[1]).item() !== slope[i]) found.laws++
        const flipped = [...x]
        flipped[i]! ^= 1
        // Majority by or squares its inputs, whose formal derivative is not that difference.
        if (name !== 'majority' && (by(x) ^ by(flipped)) !== slope[i]) found.differences++
      }
    }
  return found
}

/** Three clusters of four measurements, like those of irises, two bits each, and their class as two bits. */
function flowers(random: Random, count: number): Example[] {
  return Array.from({ length: count }, (_, i): Example => {
    const kind = i % 3
    const x = Array.from(
      { length: 4 },
      (_, j) => [0.8, 1.9, 2.8][(kind + (j === 1 ? 1 : 0)) % 3]! + (j === 1 ? 0.7 : 0.35) * random.normal(),
    )
    const levels = x.map((value) => Math.max(0, Math.min(3, Math.floor(value))))
    return [
      new Tensor(Float64Array.from(levels.flatMap((level) => [level & 1, level >> 1]))),
      new Tensor(Float64Array.of(kind & 1, kind >> 1)),
    ]
  })
}

export const paper: Paper = {
  id: 'D12',
  title: 'Reverse derivative ascent: a categorical approach to learning boolean circuits',
  authors: 'Wilson, Zanasi',
  year: 2021,
  source: 'arXiv 2101.10488',
  claim:
    'The reverse derivative over Z2 learns the parameters of boolean circuits directly, by the update theta + R[f](x, theta, f(theta, x) + y).',
  async run({ onStep, full }) {
    const random = new Random('D12')
    const { values, laws, differences } = violations()
    const n = full ? 8 : 6
    const model = tableModel(n)
    const functions = 10
    let [before, after, changed] = [0, 0, 0]
    for (let k = 0; k < functions; k++) {
      await onStep(k / (functions + 2), 'random functions')
      const order = random.permutation(2 ** n)
      const examples = [...order].map(
        (code): Example => [
          new Tensor(Float64Array.from({ length: n }, (_, i) => (code >> i) & 1)),
          new Tensor(Float64Array.of(Number(random.uniform() < 0.5))),
        ],
      )
      let theta = np.zeros([2 ** n, 1])
      before += wrong(model, theta, examples)
      for (const [x, y] of examples) {
        const next = ascend(model, theta, x, y)
        changed += next.data.filter((bit, i) => bit !== theta.data[i]).length
        theta = next
      }
      after += wrong(model, theta, examples)
    }
    await onStep(functions / (functions + 2), 'classes from measurements')
    const [train, test] = [flowers(random, 120), flowers(random, 300)]
    const classifier = tableModel(8)
    let theta = np.zeros([256, 2])
    for (const [i, [x, y]] of train.entries()) {
      if (i % 10 === 0)
        await onStep((functions + i / train.length) / (functions + 2), 'classes from measurements')
      theta = ascend(classifier, theta, x, y)
    }
    const accuracy = 1 - wrong(classifier, theta, test) / test.length
    const holds = values + laws + differences + after === 0 && changed === before && accuracy > 0.8
    return {
      figures: [
        {
          name: 'violated laws of reverse derivatives',
          paper: 0,
          measured: values + laws + differences,
          note: 'chain rule, transpose, boolean differences, all inputs',
        },
        {
          name: 'wrong before learning',
          paper: null,
          measured: before,
          note: `of ${functions * 2 ** n}: ${functions} random functions of ${n} bits`,
        },
        { name: 'wrong after one pass', paper: 0, measured: after },
        { name: 'bits changed', paper: null, measured: changed, note: 'one for each wrong entry' },
        {
          name: 'accuracy on unseen measurements',
          paper: null,
          measured: accuracy,
          note: 'generated, three classes, 120 examples, one pass; guessing: 0.33',
        },
      ],
      holds,
      verdict: holds
        ? 'every random function is learnt exactly in one pass by the same vjp that serves real functions; the data sets of the paper are not shipped, so its accuracies on them are not compared.'
        : 'a circuit was not learnt, or a law over Z2 is violated.',
    }
  },
}
