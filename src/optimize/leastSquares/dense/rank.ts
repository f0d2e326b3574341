import { type Factors, factor, factorTriangle, normBetween, reusedMemory } from './qr.js'
import { reduced } from './reduce.js'

export interface ScaledFactors {
  readonly factors: Factors
  /** The lengths of the columns, by which they were divided; 1 for columns of zeros. */
  readonly lengths: Float64Array
}

const matrixMemory = reusedMemory()
const vectorMemory = reusedMemory()

let spare: Factors | undefined

/**
 * The factors of a Jacobian given as columns, each divided by its length, so that units do not matter to the rank. They
 * hold until the next call.
 */
export function factorScaled(columns: Float64Array, rows: number): ScaledFactors {
  const problem = { columns, residual: vectorMemory(rows).fill(0) }
  const triangle = reduced(problem)
  const { columns: x, residual: b } = triangle
  const n = columns.length / rows
  const m = b.length
  const a = matrixMemory(m * n)
  const lengths = new Float64Array(n)
  for (let j = 0; j < n; j++) {
    const length = normBetween(x, j * m, (j + 1) * m) || 1
    lengths[j] = length
    for (let i = j * m; i < (j + 1) * m; i++) a[i] = x[i]! / length
  }
  const memory = spare?.columns === n ? spare : undefined
  spare = triangle === problem ? factor(a, b, n, memory) : factorTriangle(a, b, n, memory)
  return { factors: spare, lengths }
}

/** Parameters take part in a null vector by at least this part of its largest component. */
const leastPart = 1e-6

/** The positions of the parameters that take part in a null vector. */
export function takingPart(vector: Float64Array): number[] {
  const largest = vector.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  return [...vector.keys()].filter((k) => Math.abs(vector[k]!) > leastPart * largest)
}

/**
 * The parameters that the data do not determine: those which can be moved, together with others if need be, without
 * any change of the residuals to first order. Positions in ascending order.
 */
export function undetermined({ factors }: ScaledFactors): number[] {
  const { columns, r, order, rank } = factors
  if (rank === columns) return []
  const found = new Set<number>()
  for (let free = rank; free < columns; free++) {
    const vector = new Float64Array(columns)
    for (let k = rank - 1; k >= 0; k--) {
      let rest = -r[free * columns + k]!
      for (let j = k + 1; j < rank; j++) rest -= r[j * columns + k]! * vector[j]!
      vector[k] = rest / r[k * columns + k]!
    }
    vector[free] = 1
    found.add(order[free]!)
    for (const k of takingPart(vector)) found.add(order[k]!)
  }
  return [...found].sort((a, b) => a - b)
}
