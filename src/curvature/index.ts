export * from './analysis/index.js'
export { checkProblem } from './check.js'
export { classLabels, type InputOptions, prepareInputs, takeSamples } from './dataset.js'
export {
  type DerivativeKind,
  type DerivativeModelOptions,
  derivativeKinds,
  derivativeModel,
} from './derivativeModel.js'
export * from './kernel/index.js'
export * from './landscape/index.js'
export * from './layers/index.js'
export { type Loss, losses, lossNamed, type Noise } from './loss.js'
export * from './operators/index.js'
export { type ParameterBlock, parameterBlocks, parameterVector, type Selection } from './parameters.js'
export type { Problem } from './problem.js'
export * from './stability/index.js'
export * from './structured/index.js'
