export { type DType, isFloat, type TypedArray } from './dtype.js'
export type { Shape } from './shape.js'
export { type NestedNumbers, Tensor, type TensorLike, tensor } from './tensor.js'
export { flatten, type Structure, type Tree, unflatten } from './tree.js'
