export { productOperator, scaleOperator, shiftOperator, sumOperator, transposeOperator } from './algebra.js'
export { blockDiagonalOperator, type Selection, submatrixOperator } from './blocks.js'
export { type DenseOptions, denseOperator, diagonalOperator, toDense } from './dense.js'
export {
  type Smoothing,
  type SpectralDensity,
  type SpectralDensityOptions,
  spectralDensity,
} from './density.js'
export {
  type DiagonalCheckpoint,
  type DiagonalEstimate,
  type DiagonalOptions,
  hutchinsonDiagonal,
} from './diagonal.js'
export { type EigenpairsCheckpoint, type TopEigenpairsOptions, topEigenpairs } from './eigen.js'
export type { EigenpairsProgress, TopEigenpairs, Which } from './eigenpairs.js'
export type { Estimate, EstimatorOptions, ProbeOptions } from './estimator.js'
export {
  type HutchPlusPlusCheckpoint,
  type HutchPlusPlusOptions,
  hutchPlusPlusTrace,
} from './hutchPlusPlus.js'
export { kroneckerOperator } from './kronecker.js'
export { type LanczosOptions, type LanczosResult, lanczos, lanczosBytes } from './lanczos.js'
export { type LobpcgCheckpoint, type LobpcgOptions, lobpcg } from './lobpcg.js'
export { frobeniusNorm } from './norm.js'
export type { LinearOperator } from './operator.js'
export type { Progress } from './products.js'
export type { QuadratureCheckpoint } from './quadrature.js'
export { Random } from './random.js'
export type { Checkpoint, Resumable } from './resume.js'
export type { SampledCheckpoint, SampledEstimate, SampledOptions } from './sampling.js'
export type { SketchCheckpoint, SketchOptions } from './sketching.js'
export type { DensityCurve } from './smoothing.js'
export * from './solvers/index.js'
export type { StructuredOperator } from './structured.js'
export { checkSymmetric, type SymmetryCheck } from './symmetry.js'
export { hutchinsonTrace } from './trace.js'
export {
  type FunctionTrace,
  type LogDeterminantOptions,
  logDeterminant,
  type TraceOfFunctionOptions,
  traceOfFunction,
} from './traceOfFunction.js'
export { type TridiagonalEigen, tridiagonalEigen } from './tridiagonal.js'
export { xdiag } from './xdiag.js'
export { xtrace } from './xtrace.js'
