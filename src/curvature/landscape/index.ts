export { type Direction, type FilterNormOptions, filterNormalizedDirection } from './directions.js'
export { type Landscape, type LandscapeOptions, landscape, type Plane, type Slice } from './landscape.js'
export {
  type LossSurface,
  lossSurface,
  type SampleLosses,
  type SampleLossesOptions,
} from './sampleLosses.js'
