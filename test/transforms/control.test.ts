/** Control flow against the same code unrolled, under every transformation; points are fixed. */
import { describe, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { optimize } from '../../src/ops/optimize.js'
import { check } from '../../src/program/check.js'
import { evaluate } from '../../src/program/program.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, hessian, jacobian, jvp, linearize, trace, vjp, vmap } from '../../src/transforms/index.js'
import { jet } from '../../src/transforms/taylor/jet.js'
import { expectClose } from '../helpers/derivatives.js'
import { programs, real, unrolled, whilePrograms } from './controlPrograms.js'

type Map = (x: Tensor) => Tensor
type Transform = (f: Map) => (x: Tensor) => Tensor

const point = tensor([0.9, 0.4, 1.3, -0.5])
const direction = tensor([0.3, -1.1, 0.7, 0.2])
const points = tensor([0.9, 0.4, 1.3, -0.5, 0.1, 1.2, 0.65, 0.8, 0.2, 0.7, -0.4, 0.61], { shape: [3, 4] })

const total =
  (f: Map): Map =>
  (x) =>
    np.sum(np.sin(f(x)))
const tangent =
  (f: Map): Map =>
  (x) =>
    jvp(f, [x], [direction])[1]

const forward: Readonly<Record<string, Transform>> = {
  value: (f) => f,
  jvp: tangent,
  'jvp of jvp': (f) => tangent(tangent(f)),
  linearize: (f) => (x) => linearize(f, x)[1](direction),
  jet: (f) => (x) => {
    const [value, derivatives] = jet(f, x, [direction, null, np.cos(direction)])
    return np.stack([value, ...derivatives])
  },
  'third derivative by a jet': (f) => (x) => jet(f, x, [direction, null, null])[1][2] as Tensor,
  'forward Jacobian': (f) => jacobian(f, { mode: 'forward' }) as Map,
}
const reverse: Readonly<Record<string, Transform>> = {
  vjp: (f) => (x) => vjp(f, x)[1](direction as never)[0] as Tensor,
  'reverse Jacobian': (f) => jacobian(f, { mode: 'reverse' }) as Map,
  grad: (f) => grad(total(f)) as Map,
  'grad of grad': (f) => grad((x: Tensor) => np.sum(np.multiply(grad(total(f))(x), direction))) as Map,
  hessian: (f) => hessian(total(f)) as Map,
  'jvp of grad': (f) => tangent(grad(total(f)) as Map),
  'grad of jvp': (f) => grad((x: Tensor) => np.sum(tangent(f)(x))) as Map,
}
const shapedLikeInput = new Set(['scan whose carry only starts to move in a later step'])

function compare(name: string, list: typeof programs, transforms: Readonly<Record<string, Transform>>) {
  const [mine, theirs] = [list[name]!(real), list[name]!(unrolled)]
  for (const [what, transform] of Object.entries(transforms)) {
    if (what === 'vjp' && shapedLikeInput.has(name)) continue
    const [f, g] = [transform(mine), transform(theirs)]
    const expected = g(point)
    expectClose(f(point), [...expected.data], 1e-12)

    const { program } = trace(f, point)
    check(program)
    const better = optimize(program)
    check(better)
    expectClose(evaluate(better, [point])[0] as Tensor, [...expected.data], 1e-12)
    expectClose(vmap(f)(points) as Tensor, [...(vmap(g)(points) as Tensor).data], 1e-12)
  }
}

describe.each(Object.keys(programs))('%s', (name) => {
  test('agrees with unrolled code in forward mode, batched and simplified', () => {
    compare(name, programs, forward)
  })
  test('agrees with unrolled code in reverse mode, batched and simplified', () => {
    compare(name, programs, reverse)
  })
})

test.each(Object.keys({ ...programs, ...whilePrograms }))(
  'jets of orders 1 to 6 through %s are those of unrolled code and nested forward mode',
  (name) => {
    const make = (programs[name] ?? whilePrograms[name])!
    const [mine, theirs] = [make(real), make(unrolled)]
    const curve = [direction, ...[1, 2, 3, 4, 5].map((k) => np.multiply(0.3, np.cos(np.multiply(k, point))))]
    for (let order = 1; order <= 6; order++) {
      const expected = jet(theirs, point, curve.slice(0, order))[1]
      jet(mine, point, curve.slice(0, order))[1].forEach((d, k) => {
        expectClose(d, expected[k]!.data, 1e-12, `order ${k + 1} of ${order}`)
      })
    }
    const straight = jet(mine, point, [direction, null, null, null, null, null])[1]
    let nested: Map = theirs
    straight.forEach((d, k) => {
      nested = tangent(nested)
      expectClose(d, nested(point).data, 1e-11, `nested, order ${k + 1}`)
    })
  },
)

describe.each(Object.keys(whilePrograms))('%s', (name) => {
  test('agrees with unrolled code in forward mode', () => {
    const [f, g] = [whilePrograms[name]!(real), whilePrograms[name]!(unrolled)]
    for (const transform of Object.values(forward)) {
      const expected = [...transform(g)(point).data]
      expectClose(transform(f)(point), expected, 1e-12)
      const { program } = trace(transform(f), point)
      check(program)
      const better = optimize(program)
      check(better)
      expectClose(evaluate(better, [point])[0] as Tensor, expected, 1e-12)
    }
  })

  test('is batched as if each instance ran alone', () => {
    const f = whilePrograms[name]!(real)
    for (const transform of Object.values(forward)) {
      const alone = [0, 1, 2].flatMap((i) => [...transform(f)(np.take(points, i, { axis: 0 })).data])
      expectClose(vmap(transform(f))(points), alone, 1e-12)
    }
  })
})
