import { EigenvalueDecomposition, Matrix, SVD } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { compileJs } from '../../src/engines/js/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, hessian, jet, jvp, linearize, trace, vjp, vmap } from '../../src/transforms/index.js'
import { uniform } from '../helpers/random.js'
import { expectDerivatives } from './derivatives.js'

/** Uniform in [-1, 1]; seeds are stated at each use. */
function random(seed: number, ...shape: number[]): Tensor {
  const next = uniform(seed)
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * next() - 1)
  return new Tensor(data, shape)
}

const spd = (seed: number, n: number) => {
  const x = random(seed, n, n)
  return np.add(np.matmul(x, np.transpose(x)), np.eye(n))
}

const symmetric = (seed: number, n: number) => {
  const x = random(seed, n, n)
  return np.add(x, np.transpose(x))
}

const largest = (x: Tensor) => Math.max(0, ...Array.from(x.data, Math.abs))

function expectNear(got: Tensor, wanted: Tensor, tolerance = 1e-12): void {
  expect(got.shape).toEqual(wanted.shape)
  const error = largest(np.subtract(got, wanted))
  expect(error).toBeLessThanOrEqual(tolerance * Math.max(1, largest(wanted)))
}

const toMatrix = (x: Tensor) => new Matrix(x.toArray() as number[][])
const scaleColumns = (x: Tensor, s: Tensor) => np.multiply(x, s)

describe('factorisations satisfy their identities', () => {
  test.each([1, 2, 7, 40])('of size %i, seed 11', (n) => {
    const a = random(11, n, n)
    const [s, p] = [symmetric(12, n), spd(13, n)]
    const identity = np.eye(n)
    const l = np.cholesky(p)
    expectNear(np.matmul(l, np.transpose(l)), p)
    expect(np.triu(l, { offset: 1 }).data.every((x) => x === 0)).toBe(true)
    const { order, lower, upper } = np.lu(a)
    expectNear(np.matmul(lower, upper), np.take(a, order, { axis: 0 }))
    expectNear(np.matmul(a, np.inv(a)), identity, 1e-9)
    const b = random(14, n, 3)
    expectNear(np.matmul(a, np.solve(a, b)), b, 1e-9)
    expectNear(np.matmul(l, np.solveTriangular(l, b, { lower: true })), b, 1e-10)
    expectNear(
      np.matmul(np.transpose(l), np.solveTriangular(l, b, { lower: true, transpose: true })),
      b,
      1e-10,
    )
    const { q, r } = np.qr(a)
    expectNear(np.matmul(q, r), a)
    expectNear(np.matmul(np.transpose(q), q), identity)
    const { eigenvalues: w, eigenvectors: v } = np.eigh(s)
    expectNear(np.matmul(s, v), scaleColumns(v, w))
    expectNear(np.matmul(np.transpose(v), v), identity)
    const { u, s: singular, vh } = np.svd(a)
    expectNear(np.matmul(scaleColumns(u, singular), vh), a)
    expectNear(np.matmul(np.transpose(u), u), identity)
    expectNear(np.matmul(vh, np.transpose(vh)), identity)
    const root = np.sqrtm(p)
    expectNear(np.matmul(root, root), p)
    expectNear(np.matmul(np.expm(a), np.expm(np.negative(a))), identity, 1e-10)
  })

  test('of rectangular matrices, seed 21', () => {
    for (const [n, m] of [
      [5, 3],
      [3, 5],
    ] as const) {
      const a = random(21, n, m)
      const k = Math.min(n, m)
      const { q, r } = np.qr(a)
      expect([q.shape, r.shape]).toEqual([
        [n, k],
        [k, m],
      ])
      expectNear(np.matmul(q, r), a)
      expectNear(np.matmul(np.transpose(q), q), np.eye(k))
      const { u, s, vh } = np.svd(a)
      expectNear(np.matmul(scaleColumns(u, s), vh), a)
      expectNear(np.matmul(np.transpose(u), u), np.eye(k))
      expectNear(np.matmul(vh, np.transpose(vh)), np.eye(k))
      expect(Array.from(s.data)).toEqual(Array.from(s.data).sort((x, y) => y - x))
    }
  })

  test('agree with ml-matrix, seed 31', () => {
    const s = symmetric(31, 30)
    const theirs = new EigenvalueDecomposition(toMatrix(s), { assumeSymmetric: true }).realEigenvalues
    const sorted = [...theirs].sort((x, y) => x - y)
    expectNear(np.eigvalsh(s), new Tensor(Float64Array.from(sorted)))
    const a = random(32, 20, 8)
    expectNear(np.svd(a).s, new Tensor(Float64Array.from(new SVD(toMatrix(a)).diagonal)))
    const square = random(33, 6, 6)
    expect(np.det(square).item()).toBeCloseTo(determinant(square.toArray() as number[][]), 10)
  })

  test('matrix powers and exponentials agree with products and series', () => {
    const a = np.multiply(random(41, 4, 4), 0.5)
    const a2 = np.matmul(a, a)
    expectNear(np.matrixPower(a, 5), np.matmul(np.matmul(a2, a2), a))
    expectNear(np.matrixPower(a, 0), np.eye(4))
    expectNear(np.matmul(np.matrixPower(a, -2), a2), np.eye(4), 1e-9)
    let [sum, term] = [np.eye(4), np.eye(4)]
    for (let k = 1; k < 30; k++) {
      term = np.divide(np.matmul(term, a), k)
      sum = np.add(sum, term)
    }
    expectNear(np.expm(a), sum, 1e-14)
    const turn = np.expm([
      [0, -30],
      [30, 0],
    ])
    expectNear(
      turn,
      np.asarray([
        [Math.cos(30), -Math.sin(30)],
        [Math.sin(30), Math.cos(30)],
      ]),
    )
  })
})

/** Laplace's expansion along the first row. */
function determinant(x: number[][]): number {
  if (x.length === 0) return 1
  const minor = (j: number) => x.slice(1).map((row) => row.filter((_, k) => k !== j))
  return x[0]!.reduce((sum, e, j) => sum + (j % 2 ? -e : e) * determinant(minor(j)), 0)
}

const functions: Record<string, [f: (x: Tensor) => Tensor, at: Tensor]> = {
  cholesky: [np.cholesky, spd(51, 3)],
  'solve in the matrix': [(x) => np.solve(x, np.astype(random(52, 3, 2), x.dtype)), spd(53, 3)],
  'solve in both': [(x) => np.solve(np.multiply(x, 2), np.sin(x)), spd(54, 3)],
  solveTriangular: [(x) => np.solveTriangular(x, np.sin(x), { unitDiagonal: true }), random(55, 3, 3)],
  inv: [np.inv, spd(56, 3)],
  det: [np.det, spd(57, 3)],
  slogdet: [(x) => np.slogdet(x).logabsdet, spd(58, 3)],
  lu: [(x) => np.add(np.lu(x).lower, np.lu(x).upper), spd(59, 3)],
  'qr of more rows': [(x) => np.matmul(np.sin(np.qr(x).q), np.cos(np.qr(x).r)), random(60, 4, 3)],
  'qr of more columns': [(x) => np.matmul(np.sin(np.qr(x).q), np.cos(np.qr(x).r)), random(61, 2, 4)],
  'eigh values': [(x) => np.eigvalsh(x, { symmetrize: true }), symmetric(62, 4)],
  'eigh vectors': [(x) => np.sin(np.eigh(x, { symmetrize: true }).eigenvectors), symmetric(63, 3)],
  'svd of more rows': [(x) => np.matmul(np.sin(np.svd(x).u), np.cos(np.svd(x).vh)), random(64, 4, 2)],
  'svd of more columns': [(x) => np.matmul(np.svd(x).u, np.cos(np.svd(x).vh)), random(65, 2, 3)],
  'matrixPower 3': [(x) => np.matrixPower(x, 3), random(66, 3, 3)],
  'matrixPower -2': [(x) => np.matrixPower(x, -2), spd(67, 3)],
  expm: [np.expm, random(68, 3, 3)],
  sqrtm: [np.sqrtm, spd(69, 3)],
}

describe('derivatives', () => {
  test.each(Object.entries(functions))('%s: orders 1 and 2 agree with differences', (_, [f, at]) => {
    expectDerivatives(f, at, 1e-5)
  })

  test.each(Object.entries(functions))('%s: under vmap as in a loop', (_, [f, at]) => {
    const points = [at, np.add(at, np.multiply(0.1, np.ones(at.shape))), np.multiply(at, 1.1)]
    const batch = np.stack(points)
    const scalar = (x: Tensor) => np.sum(np.sin(f(x)))
    expectNear(vmap(f)(batch), np.stack(points.map((x) => f(x))))
    expectNear(f(batch), np.stack(points.map((x) => f(x))))
    expectNear(vmap(grad(scalar))(batch), np.stack(points.map((x) => grad(scalar)(x))), 1e-10)
  })

  test.each(Object.entries(functions))('%s: float32 goes in and comes out', (_, [f, at]) => {
    const single = np.astype(at, 'float32')
    const value = f(single)
    expect(value.dtype).toBe('float32')
    expectNear(np.astype(value, 'float64'), f(at), 1e-4)
    const slope = grad((x: Tensor) => np.sum(f(x)))
    expect(slope(single).dtype).toBe('float32')
    expectNear(np.astype(slope(single), 'float64'), slope(at), 1e-3)
  })

  test.each(Object.entries(functions))('%s: jets to order 4 agree with nested forward mode', (_, [f, at]) => {
    const v = np.multiply(0.3, np.cos(at))
    const [, derivatives] = jet(f, at, [v, null, null, null])
    let lower: (x: Tensor) => Tensor = f
    for (let k = 0; k < 4; k++) {
      const below = lower
      lower = (x) => jvp(below, [x], [v])[1]
      expectNear(derivatives[k] as Tensor, lower(at), 1e-9)
    }
  })

  test('of log det are those of the inverse, and its Hessian at a singular matrix throws', () => {
    const a = spd(71, 4)
    expectNear(grad((x: Tensor) => np.slogdet(x).logabsdet)(a), np.transpose(np.inv(a)))
    const singular = np.ones([2, 2])
    expect(np.slogdet(singular).logabsdet.item()).toBe(Number.NEGATIVE_INFINITY)
    expect(np.slogdet(singular).sign.item()).toBe(0)
    expect(() => grad((x: Tensor) => np.slogdet(x).logabsdet)(singular)).toThrow(/singular/)
  })

  test('a linear solve is factored once, whatever the derivatives', () => {
    const b = random(72, 5)
    const f = (x: Tensor) => np.sum(np.sin(np.solve(x, b)))
    const count = (g: (x: Tensor) => Tensor) =>
      trace(g, spd(73, 5)).program.equations.filter(({ primitive }) => primitive.name === 'lu').length
    expect(count(f)).toBe(1)
    expect(count(grad(f))).toBe(1)
    expect(count((x) => jvp(grad(f), [x], [np.ones([5, 5])])[1])).toBe(1)
    const [, product] = linearize(grad(f), spd(73, 5))
    expect(
      trace(product, np.ones([5, 5])).program.equations.some(({ primitive }) => primitive.name === 'lu'),
    ).toBe(false)
  })
})

describe('eigh of equal eigenvalues', () => {
  const turn = np.qr(random(81, 4, 4)).q
  const a = np.matmul(np.multiply(turn, [1, 2, 2, 5]), np.transpose(turn))
  const direction = symmetric(82, 4)

  test('derivatives of sums over all eigenvalues are right', () => {
    const f = (x: Tensor) => np.sum(np.exp(np.eigvalsh(x)))
    expectNear(grad(f)(a), np.expm(a), 1e-11)
  })

  test('the projection on a group has the right derivative', () => {
    const projection = (x: Tensor) => {
      const v = np.slice(np.eigh(x).eigenvectors, null, [1, 3])
      return np.matmul(v, np.transpose(v))
    }
    const h = 1e-5
    const at = (t: number) => projection(np.add(a, np.multiply(t, direction)))
    const differences = np.divide(np.subtract(at(h), at(-h)), 2 * h)
    expectNear(jvp(projection, [a], [direction])[1], differences, 1e-7)
  })

  test('derivatives of any order are finite, also at the identity and at zero', () => {
    const f = (x: Tensor) => {
      const { eigenvalues, eigenvectors } = np.eigh(x)
      return np.sum(np.multiply(np.sin(eigenvectors), np.exp(eigenvalues)))
    }
    for (const x of [a, np.eye(4), np.zeros([4, 4])]) {
      expect(hessian(f)(x).data.every(Number.isFinite)).toBe(true)
      const g = (x: Tensor) => np.sum(np.sin(np.svd(x).u))
      expect(hessian(g)(x).data.every(Number.isFinite)).toBe(true)
    }
  })

  test('expm and sqrtm have the right derivatives there', () => {
    expectDerivatives(np.sqrtm, np.multiply(3, np.eye(3)), 1e-5)
    expectDerivatives(np.expm, np.eye(3), 1e-5)
  })
})

describe('input at the edge', () => {
  test('ill-conditioned systems are solved with a small residual', () => {
    const n = 10
    const hilbert = new Tensor(
      Float64Array.from({ length: n * n }, (_, i) => 1 / (Math.floor(i / n) + (i % n) + 1)),
      [n, n],
    )
    const x = np.solve(hilbert, np.ones([n]))
    expect(largest(np.subtract(np.matmul(hilbert, x), 1)) / largest(x)).toBeLessThan(1e-15)
    const l = np.cholesky(hilbert)
    expectNear(np.matmul(l, np.transpose(l)), hilbert, 1e-15)
    const root = np.sqrtm(hilbert)
    expectNear(np.matmul(root, root), hilbert, 1e-7)
    const { s } = np.svd(hilbert)
    expect(s.data[0]! / s.data[9]!).toBeCloseTo(1.6024e13, -10)
  })

  test('graded and huge or tiny matrices keep their eigenvalues', () => {
    expect(Array.from(np.eigvalsh(np.diag([1e-120, 1, 1e150])).data)).toEqual([1e-120, 1, 1e150])
    for (const scale of [1e300, 1e-300]) {
      const w = np.divide(np.eigvalsh(np.multiply(symmetric(91, 5), scale)), scale)
      expectNear(w, np.eigvalsh(symmetric(91, 5)))
    }
    expect(np.svd(np.zeros([3, 2])).s.toArray()).toEqual([0, 0])
    const { u } = np.svd(np.ones([3, 2]))
    expectNear(np.matmul(np.transpose(u), u), np.eye(2))
  })

  test('eigh refuses matrices that are not symmetric, in compiled programs too, and takes their symmetric parts when told to', () => {
    const x = random(92, 3, 3)
    const part = np.divide(np.add(x, np.transpose(x)), 2)
    const refused = /eigh: the matrix is not symmetric: element \(1, 0\) is .*pass { symmetrize: true }/
    const f = (x: Tensor) => np.sum(np.exp(np.eigvalsh(x)))
    for (const g of [np.eigvalsh, grad(f), hessian(f), compileJs(f)]) expect(() => g(x)).toThrow(refused)
    expect(() => vmap(f)(np.stack([part, x]))).toThrow(refused)
    expectNear(np.eigvalsh(x, { symmetrize: true }), np.eigvalsh(part))
  })

  test('singular matrices are refused in derivatives, batches and compiled programs too', () => {
    const singular = tensor([
      [1, 2],
      [2, 4],
    ])
    const b = tensor([1, 1])
    const refused = /solve: the matrix is singular: pivot 1 of 2 is 0/
    expect(() => compileJs((a: Tensor) => np.solve(a, b))(singular)).toThrow(refused)
    expect(() => grad((a: Tensor) => np.sum(np.solve(a, b)))(singular)).toThrow(refused)
    expect(() => jvp((a: Tensor) => np.inv(a), [singular], [np.eye(2)])).toThrow(refused)
    expect(() => vmap((a: Tensor) => np.solve(a, b))(np.stack([np.eye(2), singular]))).toThrow(refused)
    expect(np.det(singular).item()).toBeCloseTo(0, 15)
    expect(() => grad((a: Tensor) => np.det(a))(singular)).toThrow(refused)
  })

  test('eigh takes matrices that rounding made unsymmetric, with the derivatives of their symmetric parts', () => {
    const x = symmetric(96, 4)
    const noise = np.multiply(random(97, 4, 4), 1e-5)
    for (const dtype of ['float64', 'float32'] as const) {
      const rounded = np.astype(np.add(x, noise), dtype)
      const f = (x: Tensor) => np.sum(np.exp(np.eigvalsh(x)))
      const g = grad(f)(rounded)
      expectNear(np.astype(g, 'float64'), np.expm(x), 1e-4)
      expectNear(g, np.transpose(g), 0)
      expect(() => np.eigvalsh(np.add(x, np.multiply(noise, 1000)))).toThrow(/not symmetric/)
    }
  })

  test('cholesky of a matrix that is not symmetric is that of its symmetric part', () => {
    const x = random(92, 3, 3)
    const part = np.divide(np.add(x, np.transpose(x)), 2)
    const p = np.add(x, np.multiply(4, np.eye(3)))
    expectNear(np.cholesky(p), np.cholesky(np.add(part, np.multiply(4, np.eye(3)))))
  })

  test('vectors, leading axes and empty matrices are taken', () => {
    const a = np.stack([spd(93, 3), spd(94, 3)])
    const b = random(95, 3)
    expect(np.solve(a, np.reshape(b, [3, 1])).shape).toEqual([2, 3, 1])
    expectNear(np.matmul(spd(93, 3), np.solve(spd(93, 3), b)), b)
    const [value, pull] = vjp((b: Tensor) => np.solve(spd(93, 3), b), b)
    expect([value.shape, pull(value)[0].shape]).toEqual([[3], [3]])
    for (const f of [np.cholesky, np.inv, np.expm, np.sqrtm, np.eigvalsh, np.det])
      expect(f(np.zeros([2, 0, 0])).size).toBe(f === np.det ? 2 : 0)
  })

  test.each<[string, () => unknown, RegExp]>([
    [
      'cholesky of an indefinite matrix',
      () =>
        np.cholesky([
          [1, 2],
          [2, 1],
        ]),
      /not positive definite: pivot 1 of 2 is -3/,
    ],
    ['cholesky of NaN', () => np.cholesky([[Number.NaN]]), /not positive definite/],
    [
      'a singular system',
      () =>
        np.solve(
          [
            [1, 2],
            [2, 4],
          ],
          [1, 1],
        ),
      /solve: the matrix is singular: pivot 1 of 2 is 0/,
    ],
    ['the inverse of a singular matrix', () => np.inv(np.zeros([2, 2])), /singular/],
    [
      'a singular triangle',
      () =>
        np.solveTriangular(
          [
            [1, 1],
            [0, 0],
          ],
          [1, 1],
        ),
      /singular: element \(1, 1\)/,
    ],
    ['eigh of infinity', () => np.eigh([[Number.POSITIVE_INFINITY]]), /holds Infinity, expected finite/],
    ['svd of NaN', () => np.svd([[Number.NaN]]), /holds NaN, expected finite/],
    ['expm of NaN', () => np.expm([[Number.NaN]]), /not finite/],
    ['sqrtm of a negative number', () => np.sqrtm([[-1]]), /zero, negative/],
    [
      'sqrtm of a singular matrix',
      () =>
        np.sqrtm([
          [1, 0],
          [0, 0],
        ]),
      /zero, negative/,
    ],
    ['a matrix that is not square', () => np.inv(np.ones([2, 3])), /expected a square matrix/],
    ['a vector for a matrix', () => np.eigh([1, 2]), /expected a matrix/],
    ['sizes that do not fit', () => np.solve(np.eye(2), np.ones([3, 1])), /do not fit/],
    ['a fractional power', () => np.matrixPower(np.eye(2), 0.5), /expected an integer/],
  ])('%s is refused with a reason', (_, f, reason) => {
    expect(f).toThrow(reason)
  })
})
