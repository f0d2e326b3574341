import { allocate } from '../../../tensor/dtype.js'
import { Tensor, tensor } from '../../../tensor/tensor.js'
import type { Attributes } from '../attributes.js'
import { type Context, int32, type Operations, operation } from '../operation.js'

function constant(attributes: Attributes, context: Context): Tensor {
  if (attributes.has('value')) return context.tensor(attributes.tensor('value'))
  const float = context.dtype(1)
  if (attributes.has('value_float')) return tensor(attributes.float('value_float'), { dtype: float })
  if (attributes.has('value_floats')) {
    const values = attributes.floats('value_floats')
    const data = allocate(float, values.length)
    data.set(values)
    return new Tensor(data)
  }
  if (attributes.has('value_int')) return tensor(attributes.int('value_int'), { dtype: 'int32' })
  if (attributes.has('value_ints')) return int32(attributes.ints('value_ints'))
  throw new Error('the constant is a string or sparse, which is not supported')
}

export const constantOperations: Operations = {
  Constant: operation<[]>(0, 0, (_, attributes, context) => constant(attributes, context)),
}
