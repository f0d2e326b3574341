import { reshape } from '../ops/broadcast.js'
import { concatenate, sliceAxis } from '../ops/slice.js'
import type { Type, Value } from '../program/value.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Structure } from '../tensor/tree.js'
import { rebuild } from './call.js'
import { flattenValues, type Like } from './stage.js'

/**
 * A tree of tensors as one vector, and the function from such vectors back to trees; both are
 * differentiable. Solvers and engines work on one vector.
 * @throws when the leaves differ in dtype.
 */
export function ravel<T>(tree: Like<T>): [vector: Tensor, unravel: (vector: Tensor) => T] {
  const { values, structure } = flattenValues(tree)
  const dtypes = [...new Set(values.map((x) => x.dtype))]
  if (dtypes.length !== 1)
    throw new Error(
      `ravel: leaves are ${dtypes.join(' and ') || 'absent'}, expected one dtype; cast them first`,
    )
  const pieces = values.map((x) => reshape(x, [sizeOf(x.shape)]))
  return [concatenate(pieces, 0) as Tensor, (vector) => unravelAs(structure, values, vector)]
}

function unravelAs<T>(structure: Structure, types: readonly Type[], vector: Value): T {
  const total = types.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  if (vector.shape.length !== 1 || vector.shape[0] !== total)
    throw new Error(`unravel: got a vector of shape [${vector.shape}], expected [${total}]`)
  let offset = 0
  const leaves = types.map(({ shape }) => {
    offset += sizeOf(shape)
    return reshape(sliceAxis(vector, 0, offset - sizeOf(shape), offset), shape)
  })
  return rebuild(structure, leaves)
}
