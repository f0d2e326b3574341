/** Random nests of scans, branches and counting loops against the same code unrolled, under every transformation. */
import { describe, expect, test } from 'vitest'
import { compileProgramJs } from '../../src/engines/js/index.js'
import * as np from '../../src/numpy/index.js'
import { optimize } from '../../src/ops/optimize.js'
import { check } from '../../src/program/check.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, hessian, jvp, trace, vmap } from '../../src/transforms/index.js'
import { jet } from '../../src/transforms/taylor/jet.js'
import { expectClose } from '../helpers/derivatives.js'
import { uniform } from '../helpers/random.js'
import { type Control, real, unrolled } from './controlPrograms.js'

type Map = (x: Tensor) => Tensor
type Values = readonly Tensor[]

const size = 3

/** A random function of vectors of three, the same for every call with the same seed: values in (-2, 2). */
function randomFunction(control: Control, seed: number): Map {
  const choose = (random: () => number, n: number) => Math.floor(random() * n)

  /** A new value from those in scope, the same for the same seed. */
  const expression = (own: number, depth: number, scope: Values): Tensor => {
    const random = uniform(own)
    const pick = () => scope[choose(random, scope.length)] as Tensor
    const inner = (which: number) => (values: Values) => block(own * 31 + which, depth - 1, values)
    const kind = choose(random, depth > 0 ? 9 : 4)
    const [a, b, c] = [pick(), pick(), pick()]
    if (kind === 0) return np.sin(np.multiply(a, b))
    if (kind === 1) return np.tanh(np.add(a, np.multiply(b, 0.7)))
    if (kind === 2) return np.multiply(np.cos(a), np.mean(b))
    if (kind === 3) return np.subtract(np.flip(a), np.tanh(b))
    const [f, g] = [inner(1), inner(2)]
    const outer = scope.slice(0, 2)
    if (kind === 4)
      return control.cond(
        np.greater(np.sum(a), np.sum(b)),
        (x) => f([...outer, x]),
        (x) => g([...outer, x]),
        c,
      )
    if (kind === 5)
      return control.foriLoop(
        0,
        1 + choose(random, 3),
        (i, h) => {
          return f([...outer, h, np.multiply(np.astype(i, 'float64'), a)])
        },
        b,
      )
    const reverse = random() < 0.5
    const xs = np.stack([a, b, np.sin(c)].slice(0, 1 + choose(random, 3)))
    const [{ h, k }, ys] = control.scan(
      ({ h, k }, x) => {
        const next = f([...outer, h, x])
        return [{ h: next, k: kind === 6 ? h : k }, g([next, x, k])]
      },
      { h: c, k: np.cos(np.zeros([size])) },
      xs,
      { reverse },
    )
    return kind === 7 ? np.tanh(np.sum(ys, { axis: 0 })) : np.tanh(np.add(h, np.multiply(k, np.mean(ys))))
  }
  const block = (own: number, depth: number, given: Values): Tensor => {
    const random = uniform(own + 7)
    const scope = [...given]
    const steps = 1 + choose(random, 2)
    for (let i = 0; i < steps; i++) scope.unshift(expression(own * 17 + i, depth, scope))
    return scope[0] as Tensor
  }
  return (x) => block(seed, 3, [x, np.multiply(x, x), np.sin(x)])
}

const point = tensor([0.8, -0.3, 0.5])
const points = tensor([0.8, -0.3, 0.5, -0.6, 0.9, 0.2], { shape: [2, size] })
const total =
  (f: Map): Map =>
  (x) =>
    np.sum(np.sin(f(x)))
const transforms: Readonly<Record<string, (f: Map) => Map>> = {
  value: (f) => f,
  jvp: (f) => (x) => jvp(f, [x], [np.cos(x)])[1],
  jet: (f) => (x) => jet(f, x, [np.sin(x), null])[1][1] as Tensor,
  gradient: (f) => grad(total(f)) as Map,
  hessian: (f) => hessian(total(f)) as Map,
  'gradient of a jet': (f) => grad((x: Tensor) => np.sum(jet(f, x, [point, null])[1][1] as Tensor)) as Map,
}

describe('random nests', () => {
  const seeds = Array.from({ length: 24 }, (_, i) => 1000 + i)
  test.each(seeds)('of seed %s agree with unrolled code', (seed) => {
    const [mine, theirs] = [randomFunction(real, seed), randomFunction(unrolled, seed)]
    for (const [name, transform] of Object.entries(transforms)) {
      const [f, g] = [transform(mine), transform(theirs)]
      const expected = [...g(point).data]
      const scale = Math.max(1, ...expected.map(Math.abs))
      const close = (got: Tensor, wanted: number[]) => expectClose(got, wanted, 1e-11 * scale)
      expect(expected.every(Number.isFinite), name).toBe(true)
      close(f(point), expected)
      const program = optimize(trace(f, point).program)
      check(program)
      close(compileProgramJs(program)([point])[0] as Tensor, expected)
      const batch = [...(vmap(g)(points) as Tensor).data]
      close(vmap(f)(points) as Tensor, batch)
    }
  })
})
