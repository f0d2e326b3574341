export { structuredBlockDiagonal } from './blockDiagonal.js'
export { structuredDense } from './dense.js'
export { structuredDiagonal } from './diagonal.js'
export { type DynamicMFac, type DynamicMFacOptions, dynamicMFac } from './dynamicMFac.js'
export { correctedEigenvalues, structuredEigenKronecker } from './eigenKronecker.js'
export type { Factor } from './factor.js'
export { factoredDamping, type KroneckerOperator, structuredKronecker } from './kronecker.js'
export { structuredLowRank } from './lowRank.js'
export {
  kroneckerCosine,
  type OptimalKronecker,
  type OptimalKroneckerOptions,
  optimalKronecker,
  shampooFactors,
} from './optimalKronecker.js'
export { structuredPermuted } from './permuted.js'
export { type Rearrangement, rearrangeGradients, rearrangeOperator } from './rearrangement.js'
export { staticMFac } from './staticMFac.js'
