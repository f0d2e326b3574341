export type { StageProgress, StagesCheckpoint, StagesOptions } from '../stages/stages.js'
export { analyze, type Measured } from './analyze.js'
export { type CompareOptions, type Comparison, compare, type Difference } from './compare.js'
export { type CurvatureKind, curvatureKinds } from './curvatureKind.js'
export type { AnalyzeOptions } from './options.js'
export {
  type ActivationReport,
  type CurvatureReport,
  type DensityReport,
  type EigenvalueReport,
  type EstimateReport,
  type LayerReport,
  type LogDeterminantReport,
  type StageReport,
  toJson,
} from './report.js'
export type { StraightLine } from './straightLine.js'
