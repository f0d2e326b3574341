export {
  type Smoothing,
  type SpectralDensity,
  type SpectralDensityOptions,
  spectralDensity,
} from './density.js'
export {
  type EigenpairsProgress,
  type TopEigenpairs,
  type TopEigenpairsOptions,
  topEigenpairs,
  type Which,
} from './eigen.js'
export { type LanczosOptions, type LanczosResult, lanczos, lanczosBytes } from './lanczos.js'
export { denseOperator, type LinearOperator, scaleOperator, shiftOperator, sumOperator } from './operator.js'
export type { Progress } from './products.js'
export { Random } from './random.js'
export { checkSymmetric, type SymmetryCheck } from './symmetry.js'
export { type HutchinsonOptions, hutchinsonTrace, type TraceEstimate } from './trace.js'
export { type TridiagonalEigen, tridiagonalEigen } from './tridiagonal.js'
