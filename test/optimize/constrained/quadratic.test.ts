import { expect, test } from 'vitest'
import { Random } from '../../../src/linalg/index.js'
import * as np from '../../../src/numpy/index.js'
import { prepareConstrained } from '../../../src/optimize/index.js'
import { Tensor } from '../../../src/tensor/index.js'

/** x^T A x / 2 - b^T x with convex A, under equations E x = e and inequalities C x <= d, all random but feasible. */
interface Program {
  readonly n: number
  readonly matrix: number[][]
  readonly linear: number[]
  readonly equations: number[][]
  readonly right: number[]
  readonly inequalities: number[][]
  readonly upper: number[]
}

function randomProgram(seed: number): Program {
  const random = new Random(seed)
  const [n, equal, unequal] = [3 + (seed % 3), seed % 3, 2 + (seed % 4)]
  const rows = (m: number) => Array.from({ length: m }, () => Array.from(random.normals(n)))
  const root = rows(n)
  const dot = (a: number[], b: number[]) => a.reduce((sum, ai, i) => sum + ai * b[i]!, 0)
  const inside = Array.from(random.normals(n))
  const [equations, inequalities] = [rows(equal), rows(unequal)]
  return {
    n,
    matrix: root.map((a, i) => root.map((b, j) => dot(a, b) + (i === j ? 0.1 : 0))),
    linear: Array.from(random.normals(n), (x) => 3 * x),
    equations,
    right: equations.map((row) => dot(row, inside)),
    inequalities,
    upper: inequalities.map((row) => dot(row, inside) + (random.uniform() < 0.3 ? 0 : random.uniform())),
  }
}

/** Over all choices of binding inequalities, the solution of the KKT equations that is feasible with multipliers >= 0. */
function byEnumeration({ n, matrix, linear, equations, right, inequalities, upper }: Program): {
  readonly x: number[]
  readonly value: number
} {
  let best: { x: number[]; value: number } | undefined
  for (let choice = 0; choice < 2 ** inequalities.length; choice++) {
    const binding = [...inequalities.keys()].filter((j) => (choice >> j) & 1)
    const rows = [...equations, ...binding.map((j) => inequalities[j]!)]
    if (rows.length > n) continue
    const size = n + rows.length
    const kkt = Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (_, j) => {
        if (i < n && j < n) return matrix[i]![j]!
        if (i < n) return rows[j - n]![i]!
        return j < n ? rows[i - n]![j]! : 0
      }),
    )
    const solution = Array.from(
      np.solve(kkt, [...linear, ...right, ...binding.map((j) => upper[j]!)]).data as Float64Array,
    )
    const x = solution.slice(0, n)
    const l = solution.slice(n + equations.length)
    const feasible = inequalities.every(
      (row, j) => row.reduce((sum, c, i) => sum + c * x[i]!, 0) <= upper[j]! + 1e-9,
    )
    if (!feasible || l.some((m) => m < -1e-9)) continue
    const value = x.reduce(
      (sum, xi, i) => sum + xi * (matrix[i]!.reduce((s, a, j) => s + a * x[j]!, 0) / 2 - linear[i]!),
      0,
    )
    if (!best || value < best.value) best = { x, value }
  }
  return best!
}

test('random convex quadratic programs are solved as enumerating what binds solves them', async () => {
  for (let seed = 1; seed <= 24; seed++) {
    const program = randomProgram(seed)
    const { n, matrix, linear, equations, right, inequalities, upper } = program
    const [a, b] = [np.asarray(matrix) as Tensor, new Tensor(Float64Array.from(linear))]
    const f = (x: Tensor) => np.subtract(np.multiply(0.5, np.dot(x, np.matmul(a, x))), np.dot(b, x))
    const { solve } = await prepareConstrained(f, new Float64Array(n), {
      constraints: [
        ...(equations.length > 0 ? [{ matrix: equations, equal: right }] : []),
        { matrix: inequalities, upper },
      ],
    })
    const expected = byEnumeration(program)
    for (const scale of [0, 1, 1000]) {
      const start = new Random(seed)
        .split('start')
        .normals(n)
        .map((x) => scale * x)
      const result = await solve({ start })
      expect(result.converged, `seed ${seed}, scale ${scale}: ${result.message}`).toBe(true)
      expect(Math.abs(result.value - expected.value)).toBeLessThan(
        1e-8 * Math.max(1, Math.abs(expected.value)),
      )
      result.values.forEach((x, i) => {
        expect(x).toBeCloseTo(expected.x[i]!, 6)
      })
    }
  }
})
