export {
  type BlockLeastSquaresOptions,
  type BlockLeastSquaresResult,
  blockLeastSquares,
} from './blockLeastSquares.js'
export type { BlockProblem } from './blockProblem.js'
export type { BlockMemory } from './memory.js'
