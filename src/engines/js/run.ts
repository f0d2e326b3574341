import type { Params, Prepare, Primitive } from '../../program/primitive.js'
import type { Type } from '../../program/value.js'
import { Tensor } from '../../tensor/tensor.js'

/** An equation that generated code leaves to the table of operations. */
export interface Call {
  readonly primitive: Primitive
  readonly params: Params
  readonly outputs: readonly Type[]
}

/**
 * Evaluates an equation, programs inside it by what `prepare` makes of them; results never share memory with
 * operands, which may be buffers in use.
 */
export function runner(prepare: Prepare): (call: Call, inputs: readonly Tensor[]) => Tensor[] {
  return ({ primitive, params, outputs }, inputs) => {
    const results = primitive.evaluate(inputs, params, outputs, prepare)
    return results.map((result) =>
      inputs.some((input) => input.data.buffer === result.data.buffer)
        ? new Tensor(result.data.slice(), result.shape)
        : result,
    )
  }
}
