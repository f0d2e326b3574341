/** Programs with control flow, written so that they run on the primitives or on loops and branches unrolled. */
import * as np from '../../src/numpy/index.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import * as primitives from '../../src/transforms/control/index.js'

// biome-ignore lint/suspicious/noExplicitAny: trees of several kinds
type Any = any

export interface Control {
  scan(body: (c: Any, x: Any) => Any, carry: Any, xs: Any, options?: primitives.ScanSettings): Any
  foriLoop(from: number, to: number, body: (i: Tensor, c: Any) => Any, carry: Any): Any
  /** `steps`: how often it runs, for the unrolled one. */
  whileLoop(condition: (c: Any) => Tensor, body: (c: Any) => Any, carry: Any, steps: number): Any
  cond(predicate: Tensor, whenTrue: (...x: Any[]) => Any, whenFalse: (...x: Any[]) => Any, ...x: Any[]): Any
  switchCase(index: Tensor, branches: readonly ((...x: Any[]) => Any)[], ...x: Any[]): Any
}

export const real: Control = {
  scan: primitives.scan as Control['scan'],
  foriLoop: primitives.foriLoop as Control['foriLoop'],
  whileLoop: (condition, body, carry) => primitives.whileLoop(condition, body, carry),
  cond: primitives.cond as Control['cond'],
  switchCase: primitives.switchCase as Control['switchCase'],
}

/** Every leaf of a tree of tensors. */
function map(tree: Any, f: (leaf: Any, path: string) => Any, path = ''): Any {
  if (tree === null) return null
  if (Array.isArray(tree)) return tree.map((x, i) => map(x, f, `${path}.${i}`))
  if (Object.getPrototypeOf(tree) === Object.prototype)
    return Object.fromEntries(Object.entries(tree).map(([k, x]) => [k, map(x, f, `${path}.${k}`)]))
  return f(tree, path)
}

const at = (tree: Any, path: string) =>
  path
    .split('.')
    .slice(1)
    .reduce((node, key) => node[key], tree)

function lengthOf(xs: Any): number {
  let length = 0
  map(xs, (x) => {
    length = x.shape[0]
  })
  return length
}

export const unrolled: Control = {
  scan(body, carry, xs, { length = lengthOf(xs), reverse = false } = {}) {
    const ys: Any[] = []
    let c = map(carry, (x) => (typeof x === 'number' ? tensor(x) : x))
    for (let step = 0; step < length; step++) {
      const i = reverse ? length - 1 - step : step
      const [next, y] = body(
        c,
        map(xs, (x) => np.take(x, i, { axis: 0 })),
      )
      c = next
      ys[i] = y
    }
    return [
      c,
      map(ys[0] ?? null, (_, path) =>
        np.stack(
          ys.map((y) => at(y, path)),
          { axis: 0 },
        ),
      ),
    ]
  },
  foriLoop(from, to, body, carry) {
    let c = carry
    for (let i = from; i < to; i++) c = body(tensor(i, { dtype: 'int32' }), c)
    return c
  },
  whileLoop(_, body, carry, steps) {
    let c = carry
    for (let i = 0; i < steps; i++) c = body(c)
    return c
  },
  cond(predicate, whenTrue, whenFalse, ...x) {
    const [a, b] = [whenTrue(...x), whenFalse(...x)]
    return map(a, (leaf, path) => np.where(predicate, leaf, at(b, path)))
  },
  switchCase(index, branches, ...x) {
    const results = branches.map((f) => f(...x))
    return map(results[0], (_, path) =>
      results
        .slice(1)
        .reduce((y, r, k) => np.where(np.greaterEqual(index, k + 1), at(r, path), y), at(results[0], path)),
    )
  },
}

/** Functions of a vector of four with a vector for result. */
export const programs: Readonly<Record<string, (control: Control) => (x: Tensor) => Tensor>> = {
  'scan with results and captured values':
    ({ scan }) =>
    (x) => {
      const weight = np.sin(x)
      const [c, ys] = scan(
        (c, e) => [np.tanh(np.add(np.multiply(c, weight), e)), np.sum(np.multiply(c, c))],
        np.cos(x),
        np.stack([x, np.multiply(x, 2), np.exp(x)]),
      )
      return np.add(c, np.sum(ys))
    },
  'scan in reverse over a tree, with an integer in the carry':
    ({ scan }) =>
    (x) => {
      const [c, ys] = scan(
        ({ n, h }, { a, b }) => {
          const next = np.add(np.multiply(h, a), np.multiply(np.sin(b), np.astype(n, 'float64')))
          return [{ n: np.add(n, 1), h: next }, [next, np.add(n, 1)]]
        },
        { n: tensor(1, { dtype: 'int32' }), h: tensor(0.5) },
        { a: x, b: np.flip(x) },
        { reverse: true },
      )
      return np.multiply(np.add(c.h, ys[0]), np.astype(np.add(ys[1], c.n), 'float64'))
    },
  'scan whose carry only starts to move in a later step':
    ({ scan }) =>
    (x) => {
      const [c] = scan(
        ([a, b, d], e) => [[e, a, np.add(np.multiply(b, b), d)], null],
        [tensor(1), tensor(2), tensor(3)],
        x,
      )
      return np.stack(c)
    },
  'scan of a conditional':
    ({ scan, cond }) =>
    (x) =>
      scan(
        (c, e) => {
          const y = cond(
            np.greater(e, 0.6),
            (c, e) => np.multiply(np.sin(c), e),
            (c, e) => np.add(np.exp(np.multiply(c, e)), np.sum(x)),
            c,
            e,
          )
          return [y, y]
        },
        tensor(0.3),
        x,
      )[1],
  'scan of a scan':
    ({ scan }) =>
    (x) =>
      scan(
        (c, e) => {
          const [inner, ys] = scan((d, g) => [np.sin(np.multiply(d, g)), np.add(d, e)], c, x)
          return [inner, np.sum(ys)]
        },
        tensor(0.7),
        np.multiply(x, x),
      )[1],
  'scan without sequences':
    ({ scan }) =>
    (x) =>
      scan((c) => [np.sin(np.multiply(c, x)), null], x, null, { length: 3 })[0],
  'scan of no steps':
    ({ scan }) =>
    (x) =>
      scan((c, e) => [np.multiply(c, e), e], x, np.zeros([0, 4]))[0],
  'counting loop':
    ({ foriLoop }) =>
    (x) =>
      foriLoop(2, 6, (i, c) => np.add(np.sin(c), np.multiply(x, np.astype(i, 'float64'))), np.square(x)),
  switch:
    ({ switchCase }) =>
    (x) =>
      switchCase(
        np.astype(np.multiply(np.take(x, 1, { axis: 0 }), 2), 'int32'),
        [
          (x) => ({ a: np.sin(x), b: tensor(1) }),
          (x) => ({ a: np.multiply(x, x), b: np.sum(x) }),
          (x) => ({ a: np.exp(x), b: np.sum(np.cos(x)) }),
        ],
        x,
      ).a,
  'branches with several results and different residuals':
    ({ cond }) =>
    (x) => {
      const { a, b } = cond(
        np.greater(np.sum(x), 1),
        (x) => ({ a: np.multiply(np.sin(x), np.cos(x)), b: np.sum(np.exp(np.sin(x))) }),
        (x) => ({ a: x, b: tensor(2) }),
        x,
      )
      return np.multiply(a, b)
    },
}

/** The same, with loops that reverse mode cannot go through. */
export const whilePrograms: typeof programs = {
  'while with a counter':
    ({ whileLoop }) =>
    (x) =>
      whileLoop(
        ({ i }) => np.less(i, 5),
        ({ i, y }) => ({ i: np.add(i, 1), y: np.add(np.sin(np.multiply(y, x)), np.astype(i, 'float64')) }),
        { i: tensor(0, { dtype: 'int32' }), y: np.square(x) },
        5,
      ).y,
  'while until a value is large':
    ({ whileLoop }) =>
    (x) =>
      whileLoop(
        (y) => np.less(np.sum(y), 40),
        (y) => np.add(np.multiply(y, 2), np.sin(y)),
        x,
        4,
      ),
}
