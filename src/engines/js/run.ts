import type { Params, Primitive } from '../../program/primitive.js'
import type { Type } from '../../program/value.js'
import { Tensor } from '../../tensor/tensor.js'

/** An equation that generated code leaves to the table of operations. */
export interface Call {
  readonly primitive: Primitive
  readonly params: Params
  readonly outputs: readonly Type[]
}

/** Evaluates an equation; results never share memory with operands, which may be buffers in use. */
export function run({ primitive, params, outputs }: Call, inputs: readonly Tensor[]): Tensor[] {
  const results = primitive.evaluate(inputs, params, outputs)
  return results.map((result) =>
    inputs.some((input) => input.data.buffer === result.data.buffer)
      ? new Tensor(result.data.slice(), result.shape)
      : result,
  )
}
