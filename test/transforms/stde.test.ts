import { describe, expect, test } from 'vitest'
import { compileJs } from '../../src/engines/js/index.js'
import { Random } from '../../src/linalg/random.js'
import * as np from '../../src/numpy/index.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import {
  biharmonic,
  differentialOperator,
  jet,
  jetExpansion,
  laplacian,
  type Operator,
  planDerivative,
  planOperator,
  vmap,
} from '../../src/transforms/index.js'
import { fraction, plus, times, toNumber } from '../../src/transforms/stde/fraction.js'
import { planAt, polarisation, tangentsAt } from '../../src/transforms/stde/plan.js'
import { subset } from '../../src/transforms/stde/sample.js'

/** d^n of the jet with e_a at order places[a], as text: `u_t + 35u_xy`. */
function expansion(places: Record<string, number>, n: number): string {
  const names = Object.keys(places)
  const terms = jetExpansion(tangentsAt(Object.values(places), n), n).map(({ orders, coefficient }) => {
    const variables = orders.map((k, a) => (names[a] as string).repeat(k)).join('')
    return `${coefficient === 1n ? '' : coefficient}u_${variables}`
  })
  return terms.sort((a, b) => a.length - b.length || a.localeCompare(b)).join(' + ')
}

describe('jet expansions', () => {
  test('the 13-jet with v3 = x, v4 = y, v7 = t is contaminated where the paper says nothing of it', () => {
    const places = { x: 3, y: 4, t: 7 }
    expect(expansion(places, 6)).toBe('10u_xx')
    expect(expansion(places, 7)).toBe('u_t + 35u_xy')
    expect(expansion(places, 11)).toBe('330u_yt + 5775u_xyy')
    expect(expansion(places, 13)).toBe('17160u_xxt + 200200u_xxxy')
  })

  test('the 9-jet with v2 = x, v3 = y has J9 = 280 u_yyy + 1260 u_xxxy, not 840', () => {
    expect(expansion({ x: 2, y: 3 }, 9)).toBe('280u_yyy + 1260u_xxxy')
    expect(expansion({ x: 2, y: 3 }, 6)).toBe('10u_yy + 15u_xxx')
  })

  test('the recipes for gKdV, KP and the gradient-enhanced loss are as published', () => {
    expect(expansion({ x: 1, t: 4 }, 4)).toBe('u_t + u_xxxx')
    expect(expansion({ x: 1, t: 4 }, 5)).toBe('5u_xt + u_xxxxx')
    expect(expansion({ x: 1, t: 4 }, 7)).toBe('35u_xxxt + u_xxxxxxx')
    expect(expansion({ t: 2, x: 3 }, 5)).toBe('10u_tx')
    expect(expansion({ i: 2, j: 3 }, 7)).toBe('105u_iij')
    expect(expansion({ i: 2, j: 3 }, 4)).toBe('3u_ii')
    expect(expansion({ i: 2, j: 3 }, 3)).toBe('u_j')
  })

  test('expansions of jets with tangents of any order are what jet computes for exp(a x)', () => {
    const a = [0.7, -1.3, 0.4]
    const tangents = [[1, 0, 2], [0, 1, 0], null, [1, -1, 0], [0, 0, 3], null]
    const f = (x: Tensor) => np.exp(np.dot(tensor(a), x))
    const vs = tangents.map((v) => v && tensor(v))
    const [value, derivatives] = jet(f, tensor([0.1, 0.2, -0.3]), vs)
    derivatives.forEach((d, k) => {
      const expected = jetExpansion(tangents, k + 1).reduce(
        (sum, { orders, coefficient }) =>
          sum + Number(coefficient) * orders.reduce((p, m, i) => p * (a[i] as number) ** m, 1),
        0,
      )
      expect(Math.abs(d.item() / (value.item() * expected) - 1)).toBeLessThan(1e-12)
    })
  })
})

describe('the planner', () => {
  const patterns = [
    [1],
    [5],
    [1, 1],
    [2, 1],
    [2, 2],
    [3, 1],
    [3, 2],
    [4, 1],
    [1, 1, 1],
    [2, 1, 1],
    [2, 2, 1],
    [3, 3],
  ]

  /** What a combination of jets is, exactly, with terms that cancel left out. */
  function total(steps: ReturnType<typeof planDerivative>) {
    const sums = new Map<string, ReturnType<typeof fraction>>()
    for (const { tangents, weight } of steps)
      for (const { orders, coefficient } of jetExpansion(tangents, tangents.length)) {
        const sum = sums.get(orders.join()) ?? fraction(0)
        sums.set(orders.join(), plus(sum, times(weight, fraction(coefficient))))
      }
    return [...sums].filter(([, sum]) => sum.numerator !== 0n).map(([orders, sum]) => [orders, toNumber(sum)])
  }

  test.each(patterns.map((p): [string, number[]] => [p.join(), p]))(
    'orders [%s]: the combination is exactly that derivative, by jets and by polarisation',
    (name, orders) => {
      expect(total(planDerivative(orders))).toEqual([[name, 1]])
      if (orders.length > 1) expect(total(polarisation(orders))).toEqual([[name, 1]])
    },
  )

  test('it takes the clean 7-jet for u_iij and the clean 5-jet for u_ij', () => {
    const [[seven]] = [planDerivative([2, 1])]
    expect(seven).toEqual({ tangents: tangentsAt([2, 3], 7), weight: fraction(1, 105) })
    expect(planDerivative([1, 1]).reduce((n, { tangents }) => n + tangents.length, 0)).toBeLessThanOrEqual(4)
  })

  test('contamination in one variable is subtracted, mixed contamination rejected', () => {
    const [plan] = planAt([1, 1], [1, 4]) ?? []
    expect(plan?.map(({ tangents, weight }) => [tangents.length, toNumber(weight)])).toEqual([
      [5, 1 / 5],
      [5, -1 / 5],
    ])
    expect(planAt([3, 1, 0], [3, 4, 7])).toBeUndefined()
    expect(planAt([2, 2], [1, 2])).toBeUndefined()
  })

  test('terms that differ in their variables only share a plan, and equal ones are added', () => {
    const plan = planOperator([
      { coefficient: 2, orders: [2, 1] },
      { coefficient: -1, orders: { 4: 1, 3: 2 } },
      { coefficient: 1, orders: { 0: 2, 1: 1 } },
      { coefficient: 7, orders: [] },
    ])
    expect(plan.constant).toBe(7)
    expect(plan.size).toBe(5)
    expect(plan.groups.map(({ variables, coefficients }) => [variables, coefficients])).toEqual([
      [
        [
          [0, 1],
          [3, 4],
        ],
        [3, -1],
      ],
    ])
  })
})

describe('the exact operator', () => {
  const a = [0.7, -1.3, 0.4]
  const wave = (x: Tensor) => np.exp(np.dot(tensor(a), x))
  const symbol = (operator: Operator) =>
    operator.reduce(
      (sum, { coefficient, orders }) =>
        sum +
        coefficient * Object.entries(orders).reduce((p, [i, k]) => p * (a[Number(i)] as number) ** k, 1),
      0,
    )
  const x = tensor([0.2, -0.1, 0.5])
  const operators: [string, Operator][] = [
    ['Laplacian', [0, 1, 2].map((i) => ({ coefficient: 1, orders: { [i]: 2 } }))],
    [
      'heat',
      [
        { coefficient: 1, orders: [0, 0, 1] },
        { coefficient: -0.3, orders: [2, 0, 0] },
      ],
    ],
    [
      'KdV',
      [
        { coefficient: 1, orders: [0, 0, 1] },
        { coefficient: 1, orders: [3, 0, 0] },
        { coefficient: 2, orders: [] },
      ],
    ],
    [
      'KP',
      [
        { coefficient: 1, orders: [1, 0, 1] },
        { coefficient: 1, orders: [4] },
        { coefficient: 3, orders: [0, 2] },
      ],
    ],
    [
      'mixed',
      [
        { coefficient: -2, orders: [2, 1, 1] },
        { coefficient: 0.5, orders: [2, 2] },
        { coefficient: 1, orders: [1, 3] },
      ],
    ],
  ]

  test.each(operators)('%s of exp(a x) is its symbol times exp(a x)', (_, operator) => {
    const got = differentialOperator(wave, operator, { dimension: 3 })(x).item()
    const expected = symbol(operator) * wave(x).item()
    expect(Math.abs(got / expected - 1)).toBeLessThan(1e-12)
  })

  test('it maps over points, compiles, and takes functions with several results', () => {
    const operator = operators[4]?.[1] as Operator
    const f = (x: Tensor) => ({ u: wave(x), v: np.multiply(x, wave(x)) })
    const L = differentialOperator(f, operator, { dimension: 3 })
    const points = tensor([
      [0.2, -0.1, 0.5],
      [1, 0.3, -0.4],
    ])
    const mapped = compileJs(vmap((x: Tensor) => L(x)))(points)
    expect([...mapped.u.shape, ...mapped.v.shape]).toEqual([2, 2, 3])
    ;[0, 1].forEach((i) => {
      const one = L(np.take(points, i, { axis: 0 }) as Tensor)
      expect(Math.abs((mapped.u.data[i] as number) / one.u.item() - 1)).toBeLessThan(1e-12)
    })
  })
})

describe('estimators', () => {
  /** x^T H x / 2 for a random symmetric H, or a diagonal one. */
  function quadratic(d: number, seed: number, diagonal: boolean) {
    const random = new Random(seed)
    const h = new Float64Array(d * d)
    for (let i = 0; i < d; i++)
      for (let j = 0; j <= i; j++)
        if (!diagonal || i === j) {
          const scale = diagonal ? 1 : i === j ? 1 / Math.sqrt(d) : 1 / Math.sqrt(2 * d)
          h[i * d + j] = h[j * d + i] = random.normal() * scale
        }
    const matrix = new Tensor(h, [d, d])
    return { h, f: (x: Tensor) => np.multiply(0.5, np.dot(x, np.matmul(matrix, x))) as Tensor }
  }
  const laplace = (d: number): Operator =>
    Array.from({ length: d }, (_, i) => ({ coefficient: 1, orders: { [i]: 2 } }))

  function spread(values: readonly number[]) {
    const mean = values.reduce((s, x) => s + x, 0) / values.length
    return { mean, std: Math.sqrt(values.reduce((s, x) => s + (x - mean) ** 2, 0) / (values.length - 1)) }
  }

  test('subsets have every pair with the same chance (seed 3, 6000 draws)', () => {
    const random = new Random(3)
    const counts = new Map<string, number>()
    for (let i = 0; i < 6000; i++) {
      const key = subset(4, 2, random).sort().join()
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(counts.size).toBe(6)
    for (const n of counts.values()) expect(Math.abs(n - 1000)).toBeLessThan(5 * Math.sqrt(1000))
  })

  test.each([
    ['diagonal', true],
    ['random symmetric', false],
  ])('d = 1000, V = 16, %s Hessian: the stated variance of both estimators (seed 11)', (_, diagonal) => {
    const [d, V] = [1000, 16]
    const { h } = quadratic(d, 11, diagonal)
    const trace = Array.from({ length: d }, (_, i) => h[i * d + i] as number)
    const { mean, std } = spread(trace)
    const exact = mean * d
    const sparseStd = d * std * Math.sqrt((1 - V / d) / V)
    let off = 0
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) if (i !== j) off += (h[i * d + j] as number) ** 2
    const denseStd = Math.sqrt((2 * off) / V)
    // notes/derivatives.md: 262 and 0 for a diagonal, 7.9 and 8.0 for a random symmetric matrix.
    expect(sparseStd).toBeGreaterThan(diagonal ? 225 : 7)
    expect(sparseStd).toBeLessThan(diagonal ? 275 : 9)
    if (diagonal) expect(denseStd).toBe(0)
    else expect(Math.abs(denseStd - 7.95)).toBeLessThan(0.3)
    const plan = { constant: 0, operator: laplace(d) }
    const f = (x: Tensor) => np.sum(x)
    const seeds = diagonal ? 300 : 30
    for (const [estimator, expected] of [
      ['sparse', sparseStd],
      ['dense', denseStd],
    ] as const) {
      const L = differentialOperator(f, plan.operator, { estimator, samples: V })
      // The estimate of a quadratic form is read off the sample: sum_r w_r v_r^T H v_r.
      const estimates = Array.from({ length: seeds }, (_, seed) => {
        const [{ tangents, weights }] = L.sample(new Random(seed)) as [ReturnType<typeof L.sample>[number]]
        const v = (tangents[0] as Tensor).data
        let sum = 0
        for (let r = 0; r < V; r++)
          for (let i = 0; i < d; i++) {
            const x = v[r * d + i] as number
            if (x === 0) continue
            let row = 0
            if (diagonal) row = (h[i * d + i] as number) * x
            else for (let j = 0; j < d; j++) row += (h[i * d + j] as number) * (v[r * d + j] as number)
            sum += (weights.data[r] as number) * x * row
          }
        return sum
      })
      const got = spread(estimates)
      const error = Math.max(expected, 1e-9 * Math.abs(exact))
      expect(Math.abs(got.mean - exact), `${estimator} mean`).toBeLessThan(
        (4 * error) / Math.sqrt(seeds) + 1e-6,
      )
      if (expected === 0) expect(got.std).toBeLessThan(1e-6)
      else
        expect(Math.abs(got.std / expected - 1), `${estimator} deviation`).toBeLessThan(
          4 / Math.sqrt(2 * seeds),
        )
    }
  })

  test('estimates of a network are unbiased: 2000 draws of the sparse and the dense Laplacian (d = 6, V = 2)', () => {
    const random = new Random(5)
    const w = new Tensor(random.normals(6 * 8), [6, 8])
    const f = (x: Tensor) => np.sum(np.tanh(np.matmul(x, w))) as Tensor
    const x = new Tensor(random.normals(6), [6])
    const exact = laplacian(f)(x).item()
    for (const estimator of ['sparse', 'dense'] as const) {
      const L = differentialOperator(f, laplace(6), { estimator, samples: 2 })
      const run = compileJs((x: Tensor, sample: never) => L(x, sample))
      const draws = new Random(`${estimator} draws`)
      const { mean, std } = spread(
        Array.from({ length: 2000 }, () => run(x as never, L.sample(draws) as never).item()),
      )
      expect(Math.abs(mean - exact), estimator).toBeLessThan((4 * std) / Math.sqrt(2000))
    }
  })

  test('dense sampling of an indefinite mixed operator is unbiased, and of its matrix exact in the mean', () => {
    const operator: Operator = [
      { coefficient: 2, orders: [2] },
      { coefficient: -1.5, orders: [1, 1] },
      { coefficient: -1, orders: [0, 0, 2] },
    ]
    const L = differentialOperator((x: Tensor) => np.prod(np.sin(x)) as Tensor, operator, {
      estimator: 'dense',
      samples: 8,
    })
    const exact = differentialOperator((x: Tensor) => np.prod(np.sin(x)) as Tensor, operator)
    const x = tensor([0.4, 1.1, 0.8])
    const random = new Random(8)
    const { mean, std } = spread(Array.from({ length: 100 }, () => L(x, L.sample(random)).item()))
    expect(Math.abs(mean - exact(x).item())).toBeLessThan((4 * std) / Math.sqrt(100))
  })

  test('the biharmonic prefactor is 1/(3 V), without the dimension of equation 88', () => {
    const d = 3
    const operator: Operator = Array.from({ length: d }, (_, i) =>
      Array.from({ length: d }, (_, j) => {
        const orders = new Array<number>(d).fill(0)
        orders[i]! += 2
        orders[j]! += 2
        return { coefficient: 1, orders }
      }),
    ).flat()
    const square = (x: Tensor) => np.dot(x, x)
    const f = (x: Tensor) => np.multiply(square(x), square(x)) as Tensor
    // |x|^4 has biharmonic 8 d (d + 2) everywhere.
    const x = tensor([0.3, -0.2, 0.9])
    expect(Math.abs(differentialOperator(f, operator)(x).item() / 120 - 1)).toBeLessThan(1e-12)
    expect(Math.abs(biharmonic(f)(x).item() / 120 - 1)).toBeLessThan(1e-12)
    const L = differentialOperator(f, operator, { estimator: 'dense', samples: 20_000 })
    const sample = L.sample(new Random(1))
    expect(sample[0]!.weights.data[0]).toBe(1 / 60_000)
    // d^4 |x + t v|^4 = 24 |v|^4, whose mean over N(0, I) is 24 d (d + 2) = 360, variance 24^2 (Var |v|^4) = 24^2 720.
    const deviation = (24 * Math.sqrt(720)) / 3 / Math.sqrt(20_000)
    expect(Math.abs(L(x, sample).item() - 120)).toBeLessThan(4 * deviation)
  })

  test('mistakes are named', () => {
    const f = (x: Tensor) => np.sum(x)
    expect(() => differentialOperator(f, [{ coefficient: 1, orders: [1.5] }])).toThrow(
      'order 1.5 in variable 0',
    )
    expect(() => differentialOperator(f, [{ coefficient: Number.NaN, orders: [1] }])).toThrow('is NaN')
    expect(() => differentialOperator(f, laplace(3), { estimator: 'sparse' })).toThrow('samples is undefined')
    expect(() => differentialOperator(f, laplace(3), { dimension: 2 })).toThrow('variables up to 2')
    expect(() =>
      differentialOperator(f, laplace(3), { estimator: 'sparse', samples: 2 })(tensor([1, 2, 3])),
    ).toThrow('no sample was given')
    expect(() => differentialOperator(f, laplace(3))(tensor([1, 2]))).toThrow('expected a vector of 3')
    const third = differentialOperator(f, [{ coefficient: 1, orders: [3] }], {
      estimator: 'dense',
      samples: 1,
    })
    expect(() => third.sample(new Random(1))).toThrow('use estimator sparse or exact')
    expect(() => differentialOperator(f, [{ coefficient: 1, orders: [9, 8] }])).toThrow('raise maxOrder')
  })
})
