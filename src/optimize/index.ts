export type { Box } from './box.js'
export * from './constrained/index.js'
export type { Descent, LocalModel, Objective, Step, Steps } from './descent.js'
export {
  type DescentSolver,
  type DescentSolverOptions,
  type DescentState,
  descentSolver,
  type Trial,
} from './descentSolver.js'
export { type BatchOptions, type BatchResult, batchLeastSquares } from './leastSquares/batch/batch.js'
export type { Progress } from './leastSquares/batch/lockstep.js'
export { dampedGaussNewton, dogleg, gaussNewton, levenbergMarquardt } from './leastSquares/dense/descents.js'
export type { Method, MethodName } from './leastSquares/dense/methods.js'
export { reflective } from './leastSquares/dense/reflective.js'
export type { Scale } from './leastSquares/dense/scaled.js'
export { type Band, type BandOptions, band } from './leastSquares/errors/band.js'
export type { ProfileOptions } from './leastSquares/errors/profile.js'
export { standardErrors } from './leastSquares/errors/standardErrors.js'
export { type Uncertainty, type UncertaintyOptions, uncertainty } from './leastSquares/errors/uncertainty.js'
export {
  type LeastSquaresOptions,
  type LeastSquaresProblem,
  type LeastSquaresResult,
  leastSquares,
  prepareLeastSquares,
  type SolveOptions,
} from './leastSquares/leastSquares.js'
export type { LeastSquaresModel } from './leastSquares/model.js'
export type { Evaluations } from './leastSquares/objective.js'
export { type LossName, type RobustLoss, robustLosses } from './leastSquares/residuals/loss.js'
export { type SeparableOptions, separableLeastSquares } from './leastSquares/separable/separable.js'
export type { Basis } from './leastSquares/separable/terms.js'
export { conjugateDirections } from './minimize/conjugateGradient.js'
export type { ConsensusOptions } from './minimize/consensus.js'
export { boundedLimitedMemory } from './minimize/lbfgsb.js'
export { type LimitedMemoryOptions, limitedMemory } from './minimize/limitedMemory.js'
export {
  consensusBased,
  type DescentMethod,
  type MinimizeMethodName,
  type SolverMethod,
} from './minimize/methods.js'
export {
  type MinimizeOptions,
  type MinimizeResult,
  type MinimizeSolveOptions,
  minimize,
  type PreparedMinimize,
  prepareMinimize,
} from './minimize/minimize.js'
export type { FunctionModel } from './minimize/model.js'
export { cubicNewton, newton, trustRegionNewton } from './minimize/newton.js'
export type { FunctionEvaluations } from './minimize/objective.js'
export { projectedNewton } from './minimize/projectedNewton.js'
export type { QuadraticOptions, View } from './minimize/quadratic.js'
export {
  dampedNewton,
  fixedSize,
  type GradientTestOptions,
  gradientNormalizedNewton,
  gradientRegularizedNewton,
  gradientTest,
  type Schedule,
  schedules,
} from './minimize/regularized.js'
export { strongWolfe, type WolfeOptions } from './minimize/wolfe.js'
export {
  type End,
  latinHypercube,
  type MultiStartOptions,
  type MultiStartResult,
  multiStart,
  type Solved,
} from './multiStart.js'
export type { Bounds, ParameterOptions, Parameters } from './parameters.js'
export { type Reason, reasons } from './reason.js'
export {
  type AndersonOptions,
  type AndersonState,
  type FixedPointOptions,
  type FixedPointResult,
  fixedPoint,
} from './root/fixedPoint.js'
export { type RootOptions, type RootResult, root } from './root/root.js'
export * from './schur/index.js'
export {
  type BacktrackingOptions,
  backtracking,
  type DampingOptions,
  damping,
  type Search,
  type SearchState,
  type TrustRegionOptions,
  trustRegion,
} from './search.js'
export type { Awaitable, HistoryRow, IterationState, Run, RunOptions, Solver } from './solver.js'
export { runSolver } from './solver.js'
export * from './sparse/index.js'
