import type { StructuredOperator } from '../../linalg/index.js'
import { blockSize } from '../../linalg/operators/operator.js'
import { allocate } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'

/**
 * P A P^T: the operator with its index i renamed `order[i]`, for parts of a vector that do not lie one after another.
 * @throws unless `order` has every index once.
 */
export function structuredPermuted(operator: StructuredOperator, order: Int32Array): StructuredOperator {
  const n = operator.rows
  requirePermutation(order, n)
  const move = (x: Tensor, to: (from: Tensor['data'], into: Tensor['data'], row: number) => void): Tensor => {
    const k = blockSize(x, n, 'structuredPermuted')
    const y = allocate(x.dtype, x.size)
    for (let row = 0; row < k; row++) to(x.data, y, row * n)
    return new Tensor(y, x.shape)
  }
  const gather = (x: Tensor) =>
    move(x, (from, into, row) => {
      for (let i = 0; i < n; i++) into[row + i] = from[row + order[i]!]!
    })
  const scatter = (x: Tensor) =>
    move(x, (from, into, row) => {
      for (let i = 0; i < n; i++) into[row + order[i]!] = from[row + i]!
    })
  const apply = async (vectors: Tensor) => scatter(await operator.apply(gather(vectors)))
  return {
    ...operator,
    apply,
    applyTranspose: apply,
    inverse: (damping) => structuredPermuted(operator.inverse(damping), order),
    diagonal: () => scatter(new Tensor(operator.diagonal(), [1, n])).data as Float64Array,
  }
}

function requirePermutation(order: Int32Array, n: number): void {
  const seen = new Uint8Array(n)
  let different = 0
  for (let i = 0; i < order.length; i++) {
    const place = order[i]!
    if (seen[place] === 0) different++
    seen[place] = 1
  }
  if (order.length !== n || different !== n)
    throw new Error(
      `structuredPermuted: order has ${order.length} entries, ${different} different, expected each of 0 to ${n - 1} once`,
    )
}
