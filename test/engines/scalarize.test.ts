import { describe, expect, test } from 'vitest'
import { scalarize } from '../../src/engines/js/index.js'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { evaluate } from '../../src/program/program.js'
import { Tensor } from '../../src/tensor/index.js'
import { customJvp, foriLoop, stopGradient, trace } from '../../src/transforms/index.js'
import { jvpProgram } from '../../src/transforms/jvp.js'

const functions: Record<string, (x: Tensor, y: Tensor) => Tensor | Tensor[]> = {
  'elementwise operations that broadcast': (x, y) =>
    np.multiply(np.sin(x), np.add(np.slice(y, [0, 1], [0, 3]), 2)),
  'powers, casts and choices': (x, y) =>
    np.where(np.greater(x, 0), np.power(x, 3), np.astype(np.less(np.sum(y), 0), 'float64')),
  'sums over axes': (x, y) => [np.sum(x, { axis: 0 }), np.sum(y, { axis: 1 }), np.mean(x)],
  'products of matrices': (x, y) => np.matmul(x, y),
  'products with constants': (x) =>
    np.matmul(
      np.asarray([
        [1, 0],
        [2, 3],
        [0, 5],
      ]),
      x,
    ),
  'moves and padding': (x, y) => [
    np.transpose(x),
    np.flip(y, { axis: 1 }),
    np.pad(x, 1),
    np.concatenate([x, np.transpose(y), np.ones([1, 4])].map((part) => np.slice(part, null, [0, 2]))),
    np.take(x, [2, 0, 0], { axis: 1 }),
    np.broadcastTo(np.slice(x, [0, 1]), [4, 3]),
  ],
  'what keeps its arrays': (x, y) => [
    np.max(x, { axis: 1 }),
    np.cumsum(np.ravel(y)),
    foriLoop(0, 3, (_, z: Tensor) => np.multiply(z, z), x) as Tensor,
  ],
  'results that are constant': (x) => [np.ones([2]), x],
}

describe('a program of single numbers', () => {
  test.each(Object.entries(functions))('computes %s', (_, f) => {
    const random = new Random(1)
    const args = [new Tensor(random.normals(6), [2, 3]), new Tensor(random.normals(12), [3, 4])]
    const { program } = trace(f, ...args)
    const scalars = scalarize(program)
    expect([...scalars.inputs, ...scalars.outputs].every(({ shape }) => shape.length === 0)).toBe(true)
    const numbers = args.flatMap(({ data }) => Array.from(data, (x) => new Tensor(Float64Array.of(x), [])))
    const expected = evaluate(program, args).flatMap((value) => Array.from((value as Tensor).data))
    const found = evaluate(scalars, numbers).map((value) => (value as Tensor).item())
    expect(found).toHaveLength(expected.length)
    found.forEach((x, i) => {
      expect(x).toBeCloseTo(expected[i]!, 14)
    })
  })

  test('has no operation on arrays where a residual uses sums, products and moves only', () => {
    const { program } = trace(
      (x: Tensor) => np.sum(np.matmul(np.reshape(x, [2, 2]), np.reshape(np.flip(x), [2, 2])), { axis: 0 }),
      new Float64Array(4),
    )
    const { equations } = scalarize(program)
    expect(equations.length).toBeGreaterThan(0)
    expect(equations.every(({ outputs }) => outputs.every(({ shape }) => shape.length === 0))).toBe(true)
  })

  test('keeps derivatives that a residual states itself, and those that it stops', () => {
    const tripled = customJvp(
      (x: Tensor) => np.multiply(x, x),
      ([x], [t]) => [np.multiply(x, x), np.multiply(3, t)],
    )
    const f = (x: Tensor) => np.add(tripled(x), np.multiply(stopGradient(np.sin(x)), x))
    const [x, t] = [new Tensor(Float64Array.of(0.3, -2)), new Tensor(Float64Array.of(1, 0.5))]
    const expected = Array.from(x.data, (value, i) => (3 + Math.sin(value)) * t.data[i]!)
    const numbers = (v: Tensor) => Array.from(v.data, (value) => new Tensor(Float64Array.of(value), []))
    const { tangents } = jvpProgram(scalarize(trace(f, x).program), numbers(x), numbers(t))
    tangents.forEach((tangent, i) => {
      expect((tangent as Tensor).item()).toBeCloseTo(expected[i]!, 14)
    })
  })
})
