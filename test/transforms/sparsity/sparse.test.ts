import { describe, expect, test } from 'vitest'
import { compileJs } from '../../../src/engines/index.js'
import * as np from '../../../src/numpy/index.js'
import { convolution } from '../../../src/ops/convolution.js'
import { gather } from '../../../src/ops/gather.js'
import { evaluate } from '../../../src/program/program.js'
import { isFloat } from '../../../src/tensor/dtype.js'
import { sizeOf } from '../../../src/tensor/shape.js'
import { Tensor, tensor } from '../../../src/tensor/tensor.js'
import {
  cond,
  grad,
  hessian,
  jacobian,
  type SparseMatrix,
  scan,
  sparseHessian,
  sparseJacobian,
  vmap,
} from '../../../src/transforms/index.js'
import { randomProgram } from '../../engines/randomProgram.js'
import { expectClose, randomLike } from '../../helpers/derivatives.js'

const seed = 31
const vector = (n: number, from = seed) => randomLike(new Tensor(new Float64Array(n)), from)
const indices = (...at: number[]) => new Tensor(Int32Array.from(at))

function dense({ shape: [m, n], rowPointers, columns, values }: SparseMatrix): Float64Array {
  const full = new Float64Array(m * n)
  for (let i = 0; i < m; i++)
    for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++) full[i * n + columns[k]!] = values.data[k]!
  return full
}

function expectSame(sparse: SparseMatrix, full: Tensor, tolerance = 1e-12) {
  const got = dense(sparse)
  expect(got.length).toBe(full.size)
  let worst = 0
  let scale = 1
  got.forEach((x, i) => {
    const expected = full.data[i]!
    if (Number.isFinite(expected)) worst = Math.max(worst, Math.abs(x - expected))
    if (Number.isFinite(expected)) scale = Math.max(scale, Math.abs(expected))
  })
  expect(worst / scale).toBeLessThan(tolerance)
}

/** sum (x_{i+1} - x_i^2)^2 + (1 - x_i)^2. */
const chain = (x: Tensor) => {
  const [head, tail] = [np.slice(x, [0, -1]), np.slice(x, [1])]
  return np.add(
    np.sum(np.square(np.subtract(tail, np.square(head)))),
    np.sum(np.square(np.subtract(1, head))),
  )
}

describe(`sparse Jacobians, seed ${seed}`, () => {
  test('of elementwise functions are diagonal and cost one product', () => {
    const j = sparseJacobian((x: Tensor) => np.multiply(np.sin(x), x))(vector(50))
    expect(j.products).toBe(1)
    expect([...j.columns]).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expectSame(j, jacobian((x: Tensor) => np.multiply(np.sin(x), x))(vector(50)))
  })

  test('of stencils are banded and cost the width of the band', () => {
    const f = (x: Tensor) =>
      np.multiply(np.subtract(np.slice(x, [2]), np.slice(x, [0, -2])), np.slice(x, [1, -1]))
    const x = vector(40)
    const j = sparseJacobian(f)(x)
    expect([j.products, j.columns.length]).toEqual([3, 3 * 38])
    expectSame(j, jacobian(f)(x))
  })

  test('with one dense row go by columns of the transpose, with one dense column by rows', () => {
    const wide = (x: Tensor) =>
      np.concatenate([np.reshape(np.sum(np.square(x)), [1]), np.exp(np.slice(x, [1]))])
    const tall = (x: Tensor) => np.multiply(np.slice(x, [1]), np.slice(x, [0, 1]))
    const x = vector(30)
    for (const [f, products] of [
      [wide, 2],
      [tall, 2],
    ] as const) {
      const j = sparseJacobian(f)(x)
      expect(j.products).toBe(products)
      expectSame(j, jacobian(f)(x))
    }
  })

  test('take a pattern that is known, of the right size', () => {
    const x = vector(6)
    const rows = Array.from({ length: 6 }, (_, i) => Int32Array.of(i))
    const j = sparseJacobian(np.exp, { pattern: { rows, columns: 6 } })(x)
    expectSame(j, jacobian(np.exp)(x))
    const other = { rows: rows.slice(1), columns: 6 }
    expect(() => sparseJacobian(np.exp, { pattern: other })(x)).toThrow('pattern: is of 5 by 6 elements')
  })

  test('see through gathers by constant indices, scatters, blocks of products and constants with zeros', () => {
    const x = vector(12)
    const at = indices(3, 3, 0, 7, 11)
    const picked = (x: Tensor) =>
      np.multiply(gather(x, at, 0) as Tensor, gather(x, indices(0, 1, 2, 3, 4), 0) as Tensor)
    const a = sparseJacobian(picked)(x)
    expect(a.columns.length).toBe(10)
    expectSame(a, jacobian(picked)(x))
    const weights = randomLike(new Tensor(new Float64Array(9), [3, 3]), seed)
    const blocks = (x: Tensor) => np.tanh(np.matmul(np.reshape(x, [4, 3]), weights))
    const b = sparseJacobian(blocks)(x)
    expect([b.columns.length, b.products]).toEqual([36, 3])
    expectSame(b, jacobian(blocks)(x))
    const laplacian = tensor(
      Array.from({ length: 12 }, (_, i) =>
        Array.from({ length: 12 }, (_, j) => (i === j ? -2 : Math.abs(i - j) === 1 ? 1 : 0)),
      ),
    )
    const diffusion = (x: Tensor) => np.add(np.matmul(laplacian, x), np.square(x))
    const c = sparseJacobian(diffusion)(x)
    expect([c.columns.length, c.products]).toEqual([34, 3])
    expectSame(c, jacobian(diffusion)(x))
    const masked = (x: Tensor) => np.multiply(np.sin(x), tensor(Array.from({ length: 12 }, (_, i) => i % 2)))
    expect(sparseJacobian(masked)(x).columns.length).toBe(6)
    expectSame(sparseJacobian(masked)(x), jacobian(masked)(x))
  })

  test('of indices that are arguments fall back to what may be reached', () => {
    const f = (x: Tensor, at: Tensor) => gather(np.square(x), at, 0) as Tensor
    const sparse = sparseJacobian(f)
    for (const at of [indices(1, 1), indices(4, 2)]) {
      const j = sparse(vector(5), at)
      expect(j.columns.length).toBe(10)
      expectSame(j, jacobian(f)(vector(5), at))
    }
  })

  test('of convolutions follow the window, by images and by kernels', () => {
    const image = randomLike(new Tensor(new Float64Array(2 * 4 * 5 * 6), [2, 4, 5, 6]), seed)
    const kernel = randomLike(new Tensor(new Float64Array(6 * 2 * 2 * 3), [6, 2, 2, 3]), seed + 1)
    const window = {
      strides: [1, 2],
      padding: [
        [1, 0],
        [0, 1],
      ] as [number, number][],
      dilation: [1, 1],
      groups: 2,
    }
    const f = (x: Tensor, w: Tensor) => convolution(x, w, window) as Tensor
    for (const argument of [0, 1]) {
      const j = sparseJacobian(f, { argument })(image, kernel)
      const full = jacobian(f, { argument })(image, kernel)
      expect(j.columns.length).toBeLessThan(0.6 * full.size)
      expectSame(j, full)
      const loss = (x: Tensor, w: Tensor) => np.sum(np.square(np.tanh(f(x, w))))
      if (argument === 0) expectSame(sparseHessian(loss)(image, kernel), hessian(loss)(image, kernel))
    }
  })

  test('of trees run over all leaves end to end', () => {
    const f = ({ a, b }: { a: Tensor; b: Tensor }) => ({ p: np.multiply(a, b), q: [np.sum(a)] })
    const j = sparseJacobian(f)({ a: vector(3), b: vector(3, 5) })
    expect(j.shape).toEqual([4, 6])
    const [a, b] = [vector(3).data, vector(3, 5).data]
    const row = (i: number) => [...dense(j).slice(6 * i, 6 * i + 6)]
    expect(row(1)).toEqual([0, b[1], 0, 0, a[1], 0])
    expect(row(3)).toEqual([1, 1, 1, 0, 0, 0])
  })

  test('of random programs agree with dense ones', () => {
    let entries = 0
    let all = 0
    for (let k = 0; k < 60; k++) {
      const { program, inputs } = randomProgram(1000 + k, 'float64')
      const active = inputs.flatMap((x, i) => (isFloat(x.dtype) && x.size > 0 ? [i] : []))
      const outputs = program.outputs.flatMap((y, i) => (isFloat(y.dtype) && sizeOf(y.shape) > 0 ? [i] : []))
      if (!active.length || !outputs.length) continue
      const f = (xs: Tensor[]) => {
        const values = evaluate(
          program,
          inputs.map((x, i) => (active.includes(i) ? xs[active.indexOf(i)]! : x)),
        )
        return outputs.map((i) => values[i] as Tensor)
      }
      const joined = (xs: Tensor[]) => np.concatenate(f(xs).map((y) => np.reshape(y, [-1])))
      const at = active.map((i) => inputs[i]!)
      const blocks = jacobian(joined)(at) as unknown as Tensor[]
      const rows = blocks[0]!.shape[0]!
      const full = np.concatenate(
        blocks.map((b) => np.reshape(b, [rows, -1])),
        { axis: 1 },
      )
      const sparse = sparseJacobian(f)(at)
      expectSame(sparse, full, 1e-9)
      entries += sparse.columns.length
      all += full.size
    }
    expect(entries).toBeLessThan(0.7 * all)
  }, 30_000)
})

describe(`sparse Hessians, seed ${seed}`, () => {
  test('of a chain of 10,000 variables cost three products', () => {
    const small = sparseHessian(chain)(vector(20))
    expectSame(small, hessian(chain)(vector(20)))
    const n = 10_000
    const x = vector(n)
    const h = sparseHessian(chain)(x)
    expect([h.products, small.products]).toEqual([3, 3])
    expect(h.columns.length).toBe(3 * n - 2)
    // d2/dx_i2 = 12 x_i^2 - 4 x_{i+1} + 2 + 2 [i > 0]; d2/dx_i dx_{i+1} = -4 x_i.
    const i = 4321
    const from = h.rowPointers[i]!
    const [a, b, c] = [x.data[i - 1]!, x.data[i]!, x.data[i + 1]!]
    expect([...h.columns.slice(from, from + 3)]).toEqual([i - 1, i, i + 1])
    expect(h.values.data[from]).toBeCloseTo(-4 * a, 12)
    expect(h.values.data[from + 1]).toBeCloseTo(12 * b * b - 4 * c + 4, 12)
    expect(h.values.data[from + 2]).toBeCloseTo(-4 * b, 12)
  })

  test('of arrow matrices cost two products, wherever the shaft is', () => {
    for (const hub of [0, 7, 24]) {
      const f = (x: Tensor) =>
        np.add(np.sum(np.sin(np.multiply(x, np.slice(x, [hub, hub + 1])))), np.sum(np.power(x, 4)))
      const h = sparseHessian(f)(vector(25))
      expect(h.products).toBe(2)
      expect(h.columns.length).toBe(25 + 2 * 24)
      expectSame(h, hessian(f)(vector(25)))
    }
  })

  test('of sums over blocks cost the size of a block', () => {
    const f = (x: Tensor) => np.sum(np.exp(np.sum(np.reshape(x, [10, 4]), { axis: 1 })))
    const h = sparseHessian(f)(vector(40))
    expect([h.products, h.columns.length]).toEqual([4, 160])
    expectSame(h, hessian(f)(vector(40)))
  })

  test('of graphs given by constant indices follow the edges', () => {
    const random = vector(120).data
    const end = (k: number) => Math.floor((random[k]! + 1) * 15)
    const [from, to] = [
      indices(...Array.from({ length: 60 }, (_, k) => end(k))),
      indices(...Array.from({ length: 60 }, (_, k) => end(k + 60))),
    ]
    const f = (x: Tensor) =>
      np.sum(np.cos(np.subtract(gather(x, from, 0) as Tensor, gather(x, to, 0) as Tensor)))
    const x = vector(30)
    expectSame(sparseHessian(f)(x), hessian(f)(x))
    expect(sparseHessian(f)(x).columns.length).toBeLessThanOrEqual(30 + 120)
  })

  test('of scans and branches are followed step by step', () => {
    const f = (x: Tensor) => {
      const step = (before: Tensor, now: Tensor): [Tensor, Tensor] => [
        now,
        cond(
          np.less(now, 0),
          (a: Tensor, b: Tensor) => np.square(np.subtract(a, np.square(b))),
          (a: Tensor, b: Tensor) => np.multiply(np.sin(a), b),
          now,
          before,
        ),
      ]
      return np.sum(scan(step, np.reshape(np.slice(x, [0, 1]), []), np.slice(x, [1]))[1])
    }
    const x = vector(12)
    const h = sparseHessian(f)(x)
    expectSame(h, hessian(f)(x))
    expect([h.products, h.columns.length]).toEqual([3, 34])
  })

  test('of linear functions are empty', () => {
    const h = sparseHessian((x: Tensor) => np.sum(np.multiply(x, 3)))(vector(4))
    expect([h.products, h.columns.length, h.values.size]).toEqual([0, 0, 0])
  })

  test('are prepared once for each shape', () => {
    let calls = 0
    const h = sparseHessian((x: Tensor) => {
      calls++
      return chain(x)
    })
    h(vector(6))
    const before = calls
    const second = h(vector(6, 8))
    expect(calls).toBe(before)
    expectSame(second, hessian(chain)(vector(6, 8)))
    h(vector(7))
    expect(calls).toBeGreaterThan(before)
  })

  test('can be compiled, differentiated and mapped themselves', () => {
    const x = vector(6)
    expectClose(
      compileJs((x: Tensor) => sparseHessian(chain)(x).values)(x),
      sparseHessian(chain)(x).values.data,
      1e-14,
    )
    const total = (x: Tensor) => np.sum(np.sin(sparseHessian(chain)(x).values))
    const reference = (x: Tensor) => np.sum(np.sin(hessian(chain)(x)))
    const [got, expected] = [grad(total)(x).data, grad(reference)(x).data]
    got.forEach((g, i) => {
      expect(g).toBeCloseTo(expected[i]!, 12)
    })
    const many = vmap((x: Tensor) => sparseHessian(chain)(x).values)(np.stack([x, vector(6, 9)]))
    expect(many.shape).toEqual([2, 16])
    const outer = (s: Tensor) => np.sum(sparseHessian((x: Tensor) => np.multiply(s, chain(x)))(x).values)
    expect(grad(outer)(2).item()).toBeCloseTo(np.sum(sparseHessian(chain)(x).values).item(), 12)
  })

  test('of random programs agree with dense ones', () => {
    for (let k = 0; k < 25; k++) {
      const { program, inputs } = randomProgram(2000 + k, 'float64')
      const active = inputs.flatMap((x, i) => (isFloat(x.dtype) && x.size > 0 ? [i] : []))
      const outputs = program.outputs.flatMap((y, i) => (isFloat(y.dtype) ? [i] : []))
      if (!active.length || !outputs.length || active.reduce((n, i) => n + inputs[i]!.size, 0) > 80) continue
      const f = (xs: Tensor[]) => {
        const values = evaluate(
          program,
          inputs.map((x, i) => (active.includes(i) ? xs[active.indexOf(i)]! : x)),
        )
        return outputs
          .map((i) => np.sum(np.square(values[i] as unknown as Tensor)))
          .reduce((a, b) => np.add(a, b))
      }
      const at = active.map((i) => inputs[i]!)
      const sizes = at.map((x) => x.size)
      const n = sizes.reduce((a, b) => a + b)
      const blocks = hessian(f)(at) as unknown as Tensor[][]
      const full = np.concatenate(
        blocks.map((row, i) =>
          np.concatenate(
            row.map((b, j) => np.reshape(b, [sizes[i]!, sizes[j]!])),
            { axis: 1 },
          ),
        ),
      )
      expect(full.shape).toEqual([n, n])
      expectSame(sparseHessian(f)(at), full, 1e-9)
    }
  }, 30_000)

  test('ask for one dtype and a scalar', () => {
    const mixed = (t: { a: Tensor; b: Tensor }) => np.add(np.sum(t.a), np.sum(np.astype(t.b, 'float64')))
    expect(() => sparseHessian(mixed)({ a: vector(2), b: new Tensor(new Float32Array(2)) })).toThrow(
      /expected one float dtype/,
    )
    expect(() => sparseHessian((x: Tensor) => np.square(x))(vector(2))).toThrow(/expected\s+one float number/)
  })
})
