export type { MultiplierState } from './augmentedLagrangian.js'
export type { Conditions } from './conditions.js'
export type { Constraint } from './constraints.js'
export type { KktDirection, KktSolver, KktSteps, KktSystem, Penalties } from './kkt.js'
export type { LagrangianModel } from './lagrangian.js'
export type { ConstrainedMethodOptions, KktSolverName } from './methods.js'
export {
  type ConstrainedOptions,
  type ConstrainedResult,
  type ConstrainedSolveOptions,
  type PreparedConstrained,
  prepareConstrained,
} from './minimizeConstrained.js'
export { type SketchedOptions, sketched } from './sketched.js'
export type { SqpState } from './sqp.js'
