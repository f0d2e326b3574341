export {
  type CheckOptions,
  checkGradients,
  type GradientCheck,
  type GradientMismatch,
} from './checkGradients.js'
export { cond, foriLoop, type ScanSettings, scan, switchCase, whileLoop } from './control/index.js'
export { type CheckpointOptions, type CheckpointPolicy, checkpoint } from './custom/checkpoint.js'
export { customJvp } from './custom/customJvp.js'
export { customVjp } from './custom/customVjp.js'
export { type ImplicitOptions, implicit, type LinearSolve } from './custom/implicit.js'
export { type GradOptions, grad, jvp, type Likes, linearize, valueAndGrad, vjp } from './derivatives.js'
export {
  type FewBitOptions,
  fewBitActivation,
  type Levels,
  optimalLevels,
} from './estimators/fewBit.js'
export {
  type FiniteDifference,
  type FiniteDifferenceOptions,
  finiteDifference,
} from './estimators/finiteDifference.js'
export { type ForwardGradientOptions, forwardGradient } from './estimators/forwardGradient.js'
export {
  type LocalFit,
  type LocalPolynomialOptions,
  localPolynomial,
  nearestNeighbourGradient,
} from './estimators/localPolynomial.js'
export { explain } from './explain.js'
export { hessian, type Jacobian, type JacobianOptions, jacobian } from './jacobian.js'
export { ggn, hvp } from './products.js'
export { ravel } from './ravel.js'
export { type Coloring, colorColumns, colorStars } from './sparsity/coloring.js'
export type { SparseMatrix } from './sparsity/compressed.js'
export type { SparsityPattern } from './sparsity/pattern.js'
export { sparseHessian } from './sparsity/sparseHessian.js'
export { type SparseJacobianOptions, type SparseOptions, sparseJacobian } from './sparsity/sparseJacobian.js'
export type { ArrayLike, Like, Tensored, Tensors } from './stage.js'
export {
  type DifferentialOperator,
  type DifferentialOptions,
  differentialOperator,
  type Jets,
  jetExpansion,
  type Operator,
  type OperatorTerm,
  planDerivative,
  planOperator,
  type RandomSource,
} from './stde/index.js'
export { stopGradient } from './stopGradient.js'
export { type CollapsedJet, collapsedJet } from './taylor/collapsed.js'
export { jet } from './taylor/jet.js'
export {
  biharmonic,
  type Differentiated,
  laplacian,
  type SecondOrder,
  secondOrderOperator,
} from './taylor/laplacian.js'
export { type TracedFunction, trace } from './trace.js'
export { type VmapOptions, vmap } from './vmap.js'
