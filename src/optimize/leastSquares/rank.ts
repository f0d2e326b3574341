import { type Factors, factor, normBetween, reusedMemory } from './qr.js'

export interface ScaledFactors {
  readonly factors: Factors
  /** The lengths of the columns, by which they were divided; 1 for columns of zeros. */
  readonly lengths: Float64Array
}

const matrixMemory = reusedMemory()
const vectorMemory = reusedMemory()

/** The factors of a Jacobian given as columns, each divided by its length, so that units do not matter to the rank. */
export function factorScaled(columns: Float64Array, rows: number): ScaledFactors {
  const a = matrixMemory(columns.length)
  const n = columns.length / rows
  const lengths = new Float64Array(n)
  for (let j = 0; j < n; j++) {
    const length = normBetween(columns, j * rows, (j + 1) * rows) || 1
    lengths[j] = length
    for (let i = j * rows; i < (j + 1) * rows; i++) a[i] = columns[i]! / length
  }
  return { factors: factor(a, vectorMemory(rows).fill(0), n), lengths }
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
