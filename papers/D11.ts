import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { flatten, Tensor, type Tree } from 'evolute/tensor'
import { jvp, vjp } from 'evolute/transforms'
import { type Paper, worst } from './paper.js'

type Value = Tree<Tensor>
// biome-ignore lint/suspicious/noExplicitAny: maps between products of any shape, as in the category
type Map = (x: any) => any

/** The reverse derivative R[f] : A x B -> A of f : A -> B. */
const R =
  (f: Map): Map =>
  ([a, b]: [Value, Value]) =>
    (vjp(f, a) as [unknown, (b: unknown) => unknown[]])[1](b)[0]

/** The forward derivative that R gives: D[f](a, v) is the second part of R[R[f]]((a, 0), v). */
const D =
  (f: Map): Map =>
  ([a, v]: [Value, Value]) =>
    R(R(f))([[a, zeros(f(a))], v])[1]

const zeros = (x: Value): Value => mapTree(np.zerosLike, x)
const plus = (x: Value, y: Value): Value =>
  Array.isArray(x) ? x.map((part, i) => plus(part, (y as Value[])[i]!)) : np.add(x as Tensor, y as Tensor)
const mapTree = (f: (x: Tensor) => Tensor, x: Value): Value =>
  Array.isArray(x) ? x.map((part) => mapTree(f, part)) : f(x as Tensor)

const numbers = (x: Value) =>
  flatten<Tensor>(x, (node) => node instanceof Tensor).leaves.flatMap((leaf) => [...leaf.data])

/** A smooth map from [n] to [m] with random coefficients. */
function smoothMap(random: Random, n: number, m: number): Map {
  const [w, v, b] = [matrix(random, m, n), matrix(random, m, n), random.normals(m)]
  return (x: Tensor) =>
    np.add(
      np.multiply(np.tanh(np.matmul(w, x)), np.sin(np.add(np.matmul(v, x), b))),
      np.exp(np.multiply(np.matmul(v, x), 0.1)),
    )
}

const matrix = (random: Random, m: number, n: number) => new Tensor(random.normals(m * n), [m, n])

/** Both sides of each axiom at random maps and points. */
function axioms(random: Random): Record<string, [left: Value, right: Value][]> {
  const [n, m, l] = [3, 4, 2]
  const [f, g, h] = [smoothMap(random, n, m), smoothMap(random, n, m), smoothMap(random, m, l)]
  const vector = (size: number) => new Tensor(random.normals(size))
  const [a, b, c, d] = [vector(n), vector(m), vector(m), vector(l)]
  const [u, v, w] = [vector(n), vector(n), vector(n)]
  const sum: Map = (x) => plus(f(x), g(x))
  const pair: Map = (x) => [f(x), h(g(x))]
  const first: Map = ([x]) => x
  const identity: Map = (x) => x
  const after: Map = (x) => h(f(x))
  return {
    'RD.1 sums': [[R(sum)([a, b]), plus(R(f)([a, b]), R(g)([a, b]))]],
    'RD.2 additive in the second argument': [
      [R(f)([a, plus(b, c)]), plus(R(f)([a, b]), R(f)([a, c]))],
      [R(f)([a, zeros(b)]), zeros(a)],
    ],
    'RD.3 identities and projections': [
      [R(identity)([a, u]), u],
      [R(first)([[a, b], u]), [u, zeros(b)]],
    ],
    'RD.4 pairings': [[R(pair)([a, [b, d]]), plus(R(f)([a, b]), R((x) => h(g(x)))([a, d]))]],
    'RD.5 chain rule': [[R(after)([a, d]), R(f)([a, R(h)([f(a), d])])]],
    'RD.6 linear in the second argument': [
      [
        R(R(R(f)))([
          [[a, b], zeros(a)],
          [zeros(a), c],
        ])[1],
        R(f)([a, c]),
      ],
    ],
    'RD.7 symmetry': [
      [
        D(D(f))([
          [a, u],
          [v, w],
        ]),
        D(D(f))([
          [a, v],
          [u, w],
        ]),
      ],
    ],
    'forward from reverse': [[D(f)([a, u]), jvp(f as (x: Tensor) => Tensor, [a], [u])[1]]],
    'dagger: <R f(a,b), v> = <b, D f(a,v)>': [[np.vdot(R(f)([a, b]), v), np.vdot(b, D(f)([a, v]))]],
  }
}

export const paper: Paper = {
  id: 'D11',
  title: 'Reverse derivative categories',
  authors: 'Cockett, Cruttwell, Gallagher, Lemay, MacAdam, Plotkin, Pronk',
  year: 2019,
  source: 'arXiv 1910.07065',
  claim:
    'Seven axioms characterise the reverse derivative, and a category with one has a forward derivative too, ' +
    'of which the reverse is the dagger.',
  async run({ onStep, full }) {
    const random = new Random('D11')
    const trials = full ? 200 : 25
    const largest = new Map<string, number>()
    for (let trial = 0; trial < trials; trial++) {
      await onStep(trial / trials)
      for (const [name, sides] of Object.entries(axioms(random)))
        for (const [left, right] of sides)
          largest.set(name, Math.max(largest.get(name) ?? 0, worst(numbers(left), numbers(right))))
    }
    const holds = [...largest.values()].every((violation) => violation <= 1e-12)
    return {
      figures: [...largest].map(([name, measured]) => ({ name, paper: 0, measured })),
      holds,
      verdict: holds
        ? `no axiom is violated by more than rounding in ${trials} random maps; the forward derivative made of vjp alone is jvp.`
        : 'an axiom is violated by more than 1e-12.',
    }
  },
}
