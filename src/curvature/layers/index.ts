export { type ActivationCurvature, type ActivationOptions, activationCurvature } from './activations.js'
export { fisherDiagonal, type LayerOptions } from './diagonal.js'
export { findLayers, type Layer, type Layers, type Uncovered } from './find.js'
export { ekfac, type KfacOptions, kfac, type LayerCurvature, type LayerFactors } from './kfac.js'
