export type { OnnxInput } from './inputs.js'
export { type ImportOptions, importModel, type OnnxModel } from './model.js'
