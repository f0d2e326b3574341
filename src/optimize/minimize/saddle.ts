import type { Box } from '../box.js'
import type { FunctionModel } from './model.js'
import { viewFor } from './quadratic.js'
import { denseSpectrum } from './spectrum.js'

/** Eigenvalues below minus this part of the largest are negative beyond rounding. */
const negative = 1e-7

/** Whether the least of eigenvalues in ascending order is negative. */
export const hasNegative = (values: Float64Array): boolean =>
  values.length > 0 && values[0]! < -negative * Math.max(Math.abs(values[0]!), Math.abs(values.at(-1)!))

/** Whether the Hessian, in the parameters that no bound holds back, has a negative eigenvalue; not looked at if it is large. */
export async function curvesDown(
  { gradient, matrix }: FunctionModel,
  point: Float64Array,
  { lower, upper }: Box,
): Promise<boolean> {
  const n = point.length
  const free = [...point.keys()].filter((i) => point[i]! > lower[i]! && point[i]! < upper[i]!)
  if (free.length === 0 || viewFor(n) !== 'dense') return false
  const hessian = await matrix()
  const part = Float64Array.from(free.flatMap((i) => free.map((j) => hessian[i * n + j]!)))
  const { values } = denseSpectrum(
    part,
    Float64Array.from(free, (i) => gradient[i]!),
  )
  return hasNegative(values)
}
