import { inverse, Matrix, QrDecomposition } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import {
  band,
  type DescentState,
  leastSquares,
  type Scale,
  separableLeastSquares,
  uncertainty,
} from '../../src/optimize/index.js'
import { projectedResiduals } from '../../src/optimize/leastSquares/separable/projection.js'
import { tracedTerms } from '../../src/optimize/leastSquares/separable/terms.js'
import { Tensor } from '../../src/tensor/index.js'

const t = Float64Array.from({ length: 25 }, (_, i) => i / 5)
const decay = (rate: Tensor, scale: np.ArrayLike = 1) =>
  np.exp(np.negative(np.multiply(np.multiply(rate, scale), t)))
type Rates = Record<'k' | 'l', Tensor>
const basis = ({ k, l }: Rates) => ({ a: decay(k), b: decay(l), c: 1 })
const start = { k: 0.3, l: 4 }

/** 3 exp(-t / 2) + 2 exp(-2 t) + 1 with noise. */
function measured(seed: number) {
  const errors = new Random(seed).normals(t.length)
  return t.map((ti, i) => 3 * Math.exp(-0.5 * ti) + 2 * Math.exp(-2 * ti) + 1 + 0.02 * errors[i]!)
}

/** The same problem with all parameters alike. */
const whole = (y: Float64Array) => (p: Record<'k' | 'l' | 'a' | 'b' | 'c', Tensor>) => {
  const sum = np.add(np.multiply(p.a, decay(p.k)), np.multiply(p.b, decay(p.l)))
  return np.subtract(np.add(sum, p.c), y)
}

const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) => {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < actual.length; i++)
    expect(Math.abs(actual[i]! - expected[i]!), `${i}`).toBeLessThanOrEqual(
      tolerance * Math.abs(expected[i]!),
    )
}

describe('what a basis leaves of data', () => {
  const y = measured(1)
  const dense = ([k, l]: Float64Array) => {
    const terms = new Matrix(Array.from(t, (ti) => [Math.exp(-k! * ti), Math.exp(-l! * ti), 1]))
    const column = Matrix.columnVector(Array.from(y))
    return terms.mmul(new QrDecomposition(terms).solve(column)).sub(column)
  }

  test('has the derivatives of the projection, by dense matrices and finite differences', async () => {
    const f = (x: Tensor) => basis({ k: np.take(x, 0), l: np.take(x, 1) })
    const at = Float64Array.of(0.4, 1.7)
    const residuals = projectedResiduals(await tracedTerms(f, at, [t.length]), y)
    const { residual, columns } = await residuals.linearize(at)
    const h = 1e-5
    const moved = [0, 1].map((j) => {
      const near = (step: number) => dense(at.map((x, i) => (i === j ? x + step : x)))
      return near(h)
        .sub(near(-h))
        .div(2 * h)
        .to1DArray()
    })
    const expected = new Matrix([dense(at).to1DArray(), ...moved])
    const found = new Matrix([
      Array.from(residual),
      Array.from(columns.subarray(0, t.length)),
      Array.from(columns.subarray(t.length)),
    ])
    // Another orthonormal frame: products are the same.
    const products = (m: Matrix) => m.mmul(m.transpose()).to1DArray()
    expectClose(products(found), products(expected), 1e-7)
    expect(await residuals.residual(at)).toEqual(residual)
  })
})

describe('separableLeastSquares', () => {
  test.each([1, 2, 3])(
    'finds what all parameters together find, with the same errors (seed %d)',
    async (seed) => {
      const y = measured(seed)
      const result = await separableLeastSquares(basis, y, start)
      const full = await leastSquares(whole(y), { k: 0.5, l: 3, a: 3, b: 2, c: 1 })
      expect(result.converged, result.message).toBe(true)
      expect(result.names).toEqual(full.names)
      expectClose(result.values, full.values, 1e-9)
      expect(result.value / full.value).toBeCloseTo(1, 12)
      expectClose(uncertainty(result).standardErrors, uncertainty(full).standardErrors, 1e-8)
      expectClose(uncertainty(result).covariance.data, uncertainty(full).covariance.data, 1e-8)
      expect(result.point.b.item()).toBe(result.values[3])
      const at = (p: { k: Tensor; l: Tensor; a: Tensor; b: Tensor; c: Tensor }) => np.add(whole(y)(p), y)
      expectClose(band(result, at).standardError.data, band(full, at).standardError.data, 1e-7)
    },
  )

  test('errors of the data weigh as they do in the problem of all parameters', async () => {
    const y = measured(4)
    const sigma = t.map((ti) => 0.02 * (1 + ti))
    const root = new Matrix(
      Array.from({ length: 25 }, (_, i) => Array.from(new Random(5).split(i).normals(25))),
    )
    const covariance = root.mmul(root.transpose()).add(Matrix.eye(25)).mul(1e-4).to2DArray()
    for (const noise of [{ sigma }, { covariance }]) {
      const result = await separableLeastSquares(basis, y, start, noise)
      const full = await leastSquares(whole(y), { ...start, a: 3, b: 2, c: 1 }, noise)
      expectClose(result.values, full.values, 1e-8)
      expectClose(uncertainty(result).standardErrors, uncertainty(full).standardErrors, 1e-7)
    }
  })

  test('a linear problem beside a fixed parameter is the textbook’s', async () => {
    const y = measured(6)
    const line = ({ k, s }: Record<'k' | 's', Tensor>) => ({ a: 1, b: np.multiply(k, np.multiply(s, t)) })
    const result = await separableLeastSquares(line, y, { k: 1, s: 1 }, { fixed: ['k'] })
    // s only scales b: neither is determined, the line is.
    expect(result.names).toEqual(['s', 'a', 'b'])
    expect(result.undetermined).toEqual(['s', 'b'])
    expect(result.converged).toBe(true)
    const design = new Matrix(Array.from(t, (ti) => [1, ti]))
    const exact = inverse(design.transpose().mmul(design))
      .mmul(design.transpose())
      .mmul(Matrix.columnVector(Array.from(y)))
    expect(result.values[1]).toBeCloseTo(exact.get(0, 0), 12)
    expect(result.values[0]! * result.values[2]!).toBeCloseTo(exact.get(1, 0), 12)
  })

  test('terms that make up each other are named, and the others found', async () => {
    const y = measured(7)
    const twice = ({ k }: Record<'k', Tensor>) => ({ a: decay(k), b: np.multiply(-2, decay(k)), c: 1 })
    const once = ({ k }: Record<'k', Tensor>) => ({ a: decay(k), c: 1 })
    const result = await separableLeastSquares(twice, y, { k: 1 })
    const plain = await separableLeastSquares(once, y, { k: 1 })
    expect(result.converged, result.message).toBe(true)
    expect(result.undetermined).toEqual(['a', 'b'])
    expect(result.message).toMatch(/a, b .*not determined/)
    expect(result.values[0]).toBeCloseTo(plain.values[0]!, 9)
    expect(result.value / plain.value).toBeCloseTo(1, 12)
    expect(uncertainty(result).standardErrors[1]).toBe(Infinity)
    expect(uncertainty(result).standardErrors[0]).toBeCloseTo(uncertainty(plain).standardErrors[0]!, 9)
  })

  test('nonlinear parameters keep to bounds, and shared ones stay one', async () => {
    const y = measured(8)
    const bounded = await separableLeastSquares(basis, y, start, { bounds: { k: [0.1, 0.4] } })
    expect(bounded.values[0]).toBeCloseTo(0.4, 8)
    expect(bounded.values[0]).toBeLessThanOrEqual(0.4)
    const one = ({ k, l }: Rates) => ({ a: decay(k), b: np.multiply(t, decay(l)) })
    const shared = await separableLeastSquares(one, y, { k: 1, l: 1 }, { shared: [['k', 'l']] })
    expect(shared.names).toEqual(['k', 'a', 'b'])
    expect(shared.point.l.item()).toBe(shared.point.k.item())
  })

  test('data and terms may have any shape', async () => {
    const y = measured(9)
    const grid = new Tensor(y.slice(), [5, 5])
    const folded = ({ k, l }: Rates) => ({
      a: np.reshape(decay(k), [5, 5]),
      b: np.reshape(decay(l), [5, 5]),
      c: 1,
    })
    const [result, flat] = [
      await separableLeastSquares(folded, grid, start),
      await separableLeastSquares(basis, y, start),
    ]
    expect(result.values).toEqual(flat.values)
  })

  test('stopped after any step continues with the same digits, and reports each', async () => {
    const y = measured(10)
    const seen: DescentState<Scale>[] = []
    const result = await separableLeastSquares(basis, y, start, { onStep: (state) => seen.push(state) })
    expect(seen.length).toBe(result.iterations)
    const state = structuredClone(seen[2]!)
    const rest = await separableLeastSquares(basis, y, start, { state })
    expect(rest.values).toEqual(result.values)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(separableLeastSquares(basis, y, start, { signal })).rejects.toThrow('enough')
  })

  test('bad input is an error at once', async () => {
    const y = measured(11)
    const attempt = (basis: never, data: np.ArrayLike = y, from: unknown = { k: 1 }, options = {}) =>
      separableLeastSquares(
        basis as (p: Record<string, Tensor>) => { a: Tensor },
        data,
        from as { k: number },
        options,
      )
    const once = (({ k }: Rates) => ({ a: decay(k) })) as never
    await expect(attempt((() => ({})) as never)).rejects.toThrow('basis: got no terms')
    await expect(attempt((({ k }: Rates) => ({ k: decay(k) })) as never)).rejects.toThrow(
      'the name k is that of a parameter too',
    )
    await expect(attempt((() => ({ a: [1, 2] })) as never)).rejects.toThrow(
      'the term a has shape [2], expected one that broadcasts',
    )
    await expect(
      attempt(
        once,
        y.map((v, i) => (i === 3 ? Number.NaN : v)),
      ),
    ).rejects.toThrow('y: element 3 is NaN')
    await expect(attempt(once, y, [1])).rejects.toThrow('start: expected an object of parameters by name')
    await expect(attempt(once, y, { k: 1 }, { bounds: { a: [0, 1] } })).rejects.toThrow(
      'bounds: there is no parameter a',
    )
    await expect(attempt(once, y, { k: Number.NaN })).rejects.toThrow('start: k is NaN')
    await expect(attempt((({ k }: Rates) => ({ a: k })) as never, [2])).rejects.toThrow(
      'got 1 residuals for 2 parameters',
    )
    await expect(attempt((({ k }: Rates) => ({ a: np.log(np.multiply(k, t)) })) as never)).rejects.toThrow(
      /^start \[1\]: the function is/,
    )
  })
})
