import { toNumber } from './fraction.js'
import { planDerivative, type Step } from './plan.js'

/** coefficient times the partial derivative of the given order in each variable: an array, or a map from indices. */
export interface OperatorTerm {
  readonly coefficient: number
  readonly orders: readonly number[] | Readonly<Record<number, number>>
}

/** A differential operator with constant coefficients: the sum of its terms. */
export type Operator = readonly OperatorTerm[]

/** Terms that are the same up to the names of their variables, with the jets for one of them. */
export interface Group {
  readonly pattern: readonly number[]
  readonly steps: readonly { readonly tangents: Step['tangents']; readonly weight: number }[]
  readonly variables: (readonly number[])[]
  readonly coefficients: number[]
}

export interface PlannedOperator {
  /** The coefficient of the function itself. */
  readonly constant: number
  readonly groups: readonly Group[]
  /** The least number of variables. */
  readonly size: number
}

/** The jets of an operator; see {@link planDerivative}. @throws naming the term that is not one. */
export function planOperator(operator: Operator, maxOrder?: number): PlannedOperator {
  if (!Array.isArray(operator as unknown))
    throw new Error(
      `differentialOperator: the operator is ${String(operator)}, expected an array of terms { coefficient, orders }`,
    )
  const merged = new Map<string, { entries: [variable: number, order: number][]; coefficient: number }>()
  let size = 0
  operator.forEach(({ coefficient, orders }, at) => {
    if (!Number.isFinite(coefficient))
      throw new Error(
        `differentialOperator: the coefficient of term ${at} is ${coefficient}, expected a number`,
      )
    if (Array.isArray(orders)) size = Math.max(size, orders.length)
    const entries = Object.entries(orders).map(([i, k]): [number, number] => [Number(i), k])
    for (const [i, k] of entries) {
      if (!Number.isInteger(i) || i < 0 || !Number.isInteger(k) || k < 0)
        throw new Error(
          `differentialOperator: term ${at} has order ${k} in variable ${i}, expected integers from 0`,
        )
      size = Math.max(size, i + 1)
    }
    const used = entries.filter(([, k]) => k > 0).sort(([i, k], [j, l]) => l - k || i - j)
    const key = used.join(';')
    merged.set(key, { entries: used, coefficient: (merged.get(key)?.coefficient ?? 0) + coefficient })
  })
  const constant = merged.get('')?.coefficient ?? 0
  merged.delete('')
  const groups = new Map<string, Group>()
  for (const { entries, coefficient } of merged.values()) {
    const pattern = entries.map(([, k]) => k)
    const key = pattern.join()
    if (!groups.has(key)) {
      const steps = planDerivative(pattern, maxOrder).map((step) => ({
        ...step,
        weight: toNumber(step.weight),
      }))
      groups.set(key, { pattern, steps, variables: [], coefficients: [] })
    }
    const group = groups.get(key) as Group
    group.variables.push(entries.map(([i]) => i))
    group.coefficients.push(coefficient)
  }
  return { constant, groups: [...groups.values()], size }
}
