import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { costOf } from '../../src/program/forecast.js'
import { eliminateDeadCode } from '../../src/program/passes/deadCode.js'
import { isFloat } from '../../src/tensor/dtype.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import {
  biharmonic,
  collapsedJet,
  grad,
  hessian,
  jacobian,
  jet,
  laplacian,
  secondOrderOperator,
  trace,
  vmap,
} from '../../src/transforms/index.js'
import { cases } from '../helpers/cases.js'
import { atPoint, expectClose, randomDirections, randomLike } from '../helpers/derivatives.js'

const seed = 20261121

const output = (c: (typeof cases)[number]) => c.call(...c.sample(seed))
const smooth = cases.filter(
  (c) => c.active.length > 0 && isFloat(output(c).dtype) && c.primitive.name !== 'stopGradient',
)
const stack = (rows: readonly Tensor[]) => np.stack(rows as Tensor[]) as Tensor

describe(`primitives, seed ${seed}`, () => {
  test.each(smooth.map((c): [string, typeof c] => [c.name, c]))(
    '%s: the collapsed jets of orders 1 to 4 are the weighted sums of jets along each curve',
    (_, c) => {
      const { f, at } = atPoint(c, seed)
      const g = (xs: Tensor[]) => f(...xs)
      const curves = [0, 1, 2].map((r) => [1, 2, 3, 4].map((k) => randomDirections(at, seed + 10 * r + k)))
      const weights = [0.5, -2, 1.25]
      for (const order of [1, 2, 3, 4]) {
        const each = curves.map((vs) => jet(g, at, vs.slice(0, order))[1])
        const tangents = Array.from({ length: order }, (_, k) =>
          at.map((_, i) => stack(curves.map((vs) => vs[k]![i] as Tensor))),
        )
        for (const w of [null, tensor(weights)]) {
          const { value, lower, sum } = collapsedJet(g, at, tangents, w)
          expectClose(value, f(...at).data, 0)
          const expected = Array.from(sum.data, (_, i) =>
            each.reduce((s, ds, r) => s + (w ? weights[r]! : 1) * ds[order - 1]!.data[i]!, 0),
          )
          expectClose(sum, expected, 1e-11, `order ${order}`)
          lower.forEach((d, k) => {
            expectClose(
              d,
              each.flatMap((ds) => [...ds[k]!.data]),
              1e-12,
              `lower ${k + 1} of ${order}`,
            )
          })
        }
      }
    },
  )
})

describe('operators', () => {
  const w1 = randomLike(new Tensor(new Float64Array(5 * 7), [5, 7]), seed)
  const w2 = randomLike(new Tensor(new Float64Array(7 * 2), [7, 2]), seed + 1)
  const net = (x: Tensor) => np.matmul(np.tanh(np.matmul(x, w1)), w2) as Tensor
  const x = randomLike(new Tensor(new Float64Array(5), [5]), seed + 2)

  /** The tensor of second derivatives [outputs, D, D]. */
  const second = (f: (x: Tensor) => Tensor, x: Tensor) => jacobian(jacobian(f))(x) as unknown as Tensor
  const contract = (h: Tensor, c: (i: number, j: number) => number, n: number, outputs: number) =>
    Array.from({ length: outputs }, (_, o) => {
      let sum = 0
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) sum += c(i, j) * (h.data[(o * n + i) * n + j] as number)
      return sum
    })

  test('the Laplacian is the trace of the Hessian of every output', () => {
    const expected = contract(second(net, x), (i, j) => Number(i === j), 5, 2)
    expectClose(laplacian(net)(x), expected, 1e-13)
  })

  test('over trees it sums over all leaves, and takes further arguments', () => {
    const f = (p: { a: Tensor; b: [Tensor] }, scale: Tensor) =>
      np.multiply(scale, np.add(np.sum(np.power(p.a, 3)), np.prod(np.sin(p.b[0])))) as Tensor
    const a = tensor([0.5, -2])
    const b = tensor([0.3, 0.9])
    const expected = 2 * (6 * 0.5 - 6 * 2 - 2 * Math.sin(0.3) * Math.sin(0.9))
    expectClose(laplacian(f)({ a, b: [b] }, tensor(2)), [expected], 1e-14)
  })

  test('second-order operators: a matrix of any signature, weights, low rank, a traced factor', () => {
    const h = second(net, x)
    const c = randomLike(new Tensor(new Float64Array(25), [5, 5]), seed + 3)
    const at = (i: number, j: number) => c.data[i * 5 + j] as number
    expectClose(secondOrderOperator(net, c)(x), contract(h, at, 5, 2), 1e-12)
    const saddle = (i: number, j: number) => Number(i + j === 1) + 3 * Number(i * j === 6 && i !== j)
    const matrix = Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => saddle(i, j)))
    expectClose(secondOrderOperator(net, matrix)(x), contract(h, saddle, 5, 2), 1e-12)
    const weights = [1, 0, -2, 0.5, 0]
    expectClose(
      secondOrderOperator(net, weights)(x),
      contract(h, (i, j) => (i === j ? weights[i]! : 0), 5, 2),
      1e-12,
    )
    const factor = randomLike(new Tensor(new Float64Array(10), [5, 2]), seed + 4)
    const f = factor.data
    const low = (i: number, j: number) => f[2 * i]! * f[2 * j]! + f[2 * i + 1]! * f[2 * j + 1]!
    expectClose(secondOrderOperator(net, { factor })(x), contract(h, low, 5, 2), 1e-12)
    const moving = grad((s: Tensor) => np.sum(secondOrderOperator(net, { factor: s })(x)))
    expect(moving(factor).shape).toEqual([5, 2])
    expectClose(secondOrderOperator(net, np.zeros([5, 5]))(x), [0, 0], 0)
  })

  test('the biharmonic is the Laplacian twice, and closed under grad', () => {
    const twice = laplacian(laplacian(net))(x)
    expectClose(biharmonic(net)(x), twice.data, 1e-11)
    const g = grad((x: Tensor) => np.sum(biharmonic(net)(x)))(x)
    const h = grad((x: Tensor) => np.sum(laplacian(laplacian(net))(x)))(x)
    expectClose(g, h.data, 1e-10)
  })

  test('vmap over points is a loop over them', () => {
    const points = randomLike(new Tensor(new Float64Array(15), [3, 5]), seed + 5)
    const mapped = vmap(laplacian(net))(points)
    const loop = [0, 1, 2].flatMap((i) => [...laplacian(net)(np.take(points, i, { axis: 0 }) as Tensor).data])
    expectClose(mapped, loop, 1e-13)
  })

  test('a layer costs the value, a coefficient for each direction, and one sum: D + 2 products', () => {
    const deep = (x: Tensor) => {
      const square = randomLike(new Tensor(new Float64Array(64), [8, 8]), seed)
      const first = randomLike(new Tensor(new Float64Array(40), [5, 8]), seed)
      let h = np.tanh(np.matmul(x, first)) as Tensor
      for (let k = 0; k < 3; k++) h = np.tanh(np.matmul(h, square)) as Tensor
      return np.sum(h)
    }
    const dots = (f: (x: Tensor) => Tensor) =>
      eliminateDeadCode(trace(f, x).program)
        .equations.filter(
          ({ primitive, inputs }) => primitive.name === 'dot' && inputs.some((y) => y.shape.join() === '8,8'),
        )
        .reduce((sum, equation) => sum + costOf(equation).flops, 0)
    // Coefficient 1 of the 5 directions, the value and the sum; the biharmonic: 25 directions, 3 coefficients.
    expect(dots(laplacian(deep)) / dots(deep)).toBe(5 + 2)
    expect(dots(biharmonic(deep)) / dots(deep)).toBe(25 * 3 + 2)
  })

  test('float32 stays float32, and mistakes are named', () => {
    const f = (x: Tensor) => np.sum(np.tanh(x))
    expect(laplacian(f)(tensor([1, 2], { dtype: 'float32' })).dtype).toBe('float32')
    const g = (x: Tensor) => np.sum(np.divide(np.tanh(np.multiply(x, x)), np.exp(np.negative(x))))
    const [single, double] = [tensor([0.3, 0.8], { dtype: 'float32' }), tensor([0.3, 0.8])]
    expect(biharmonic(g)(single).dtype).toBe('float32')
    expectClose(biharmonic(g)(single), biharmonic(g)(double).data, 1e-4)
    expect(() => secondOrderOperator(f, [[1, 2]])).toThrow('expected a square matrix')
    expect(() => secondOrderOperator(f, [[1]])(tensor([1, 2]))).toThrow('x has 2 elements')
    expect(() => collapsedJet(f, tensor([1, 2]), [null])).toThrow('no tangent is given')
    expect(() => collapsedJet(f, tensor([1, 2]), [tensor([1, 2])])).toThrow('tangent 1')
    expect(() => collapsedJet(f, tensor([1, 2]), [tensor([[1, 2]]), null], tensor([1, 2]))).toThrow(
      'weights are',
    )
    expect(hessian(f)(tensor([1, 2])).shape).toEqual([2, 2])
  })
})
