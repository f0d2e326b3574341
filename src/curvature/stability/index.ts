export type { BatchesCheckpoint } from './batchMeasure.js'
export { type BatchSharpness, type BatchSharpnessOptions, batchSharpness } from './batchSharpness.js'
export { type HessianNoiseOptions, hessianNoise } from './hessianNoise.js'
export {
  batchHessianSharpness,
  type LawInput,
  type LawOptions,
  type LawPoint,
  type LearningRateLaw,
  learningRateLaw,
  type MeasureLawOptions,
  measureLearningRateLaw,
} from './learningRateLaw.js'
export {
  type NoiseScale,
  type NoiseScaleOptions,
  noiseFromTwoBatches,
  noiseScale,
  type TwoBatches,
} from './noiseScale.js'
export { effectiveBatch, shuffled } from './sampling.js'
export {
  type StabilityMeasure,
  type StabilityOptions,
  type StabilityReport,
  stabilityReport,
} from './stabilityReport.js'
export {
  type Descent,
  frobeniusLimit,
  learningRateLimit,
  sharpnessLimit,
  stabilityThreshold,
  traceLimit,
} from './thresholds.js'
export { type CurvatureTracker, curvatureTracker, type TrackedPoint, type TrackerOptions } from './tracker.js'
