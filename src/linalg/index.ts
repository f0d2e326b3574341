export { type TridiagonalEigen, tridiagonalEigen } from '../dense/tridiagonalEigen.js'
export { type EigenpairsCheckpoint, type TopEigenpairsOptions, topEigenpairs } from './eigen/eigen.js'
export type { EigenpairsProgress, TopEigenpairs, Which } from './eigen/eigenpairs.js'
export { type LanczosOptions, type LanczosResult, lanczos, lanczosBytes } from './eigen/lanczos.js'
export { type LobpcgCheckpoint, type LobpcgOptions, lobpcg } from './eigen/lobpcg.js'
export {
  productOperator,
  scaleOperator,
  shiftOperator,
  sumOperator,
  transposeOperator,
} from './operators/algebra.js'
export { blockDiagonalOperator, type Selection, submatrixOperator } from './operators/blocks.js'
export { type DenseOptions, denseOperator, diagonalOperator, toDense } from './operators/dense.js'
export { kroneckerOperator } from './operators/kronecker.js'
export type { LinearOperator } from './operators/operator.js'
export type { StructuredOperator } from './operators/structured.js'
export { checkSymmetric, type SymmetryCheck } from './operators/symmetry.js'
export type { Progress } from './products.js'
export { Random } from './random.js'
export type { Checkpoint, Resumable } from './resume.js'
export * from './solvers/index.js'
export {
  type Smoothing,
  type SpectralDensity,
  type SpectralDensityOptions,
  spectralDensity,
} from './stochastic/density.js'
export {
  type DiagonalCheckpoint,
  type DiagonalEstimate,
  type DiagonalOptions,
  hutchinsonDiagonal,
} from './stochastic/diagonal.js'
export type { Estimate, EstimatorOptions, ProbeOptions } from './stochastic/estimator.js'
export {
  type HutchPlusPlusCheckpoint,
  type HutchPlusPlusOptions,
  hutchPlusPlusTrace,
} from './stochastic/hutchPlusPlus.js'
export { frobeniusNorm } from './stochastic/norm.js'
export type { QuadratureCheckpoint } from './stochastic/quadrature.js'
export type { SampledCheckpoint, SampledEstimate, SampledOptions } from './stochastic/sampling.js'
export type { SketchCheckpoint, SketchOptions } from './stochastic/sketching.js'
export type { DensityCurve } from './stochastic/smoothing.js'
export { hutchinsonTrace } from './stochastic/trace.js'
export {
  type FunctionTrace,
  type LogDeterminantOptions,
  logDeterminant,
  type TraceOfFunctionOptions,
  traceOfFunction,
} from './stochastic/traceOfFunction.js'
export { xdiag } from './stochastic/xdiag.js'
export { xtrace } from './stochastic/xtrace.js'
