import { mul } from '../ops/arithmetic.js'
import { broadcastTo, reshape } from '../ops/broadcast.js'
import { dot as dotOp } from '../ops/dot.js'
import { moveAxis } from '../ops/gather.js'
import { showType, type Value } from '../program/value.js'
import { broadcastShapes, normalizeAxis, range, sameShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, sameDtype, toTensor } from './convert.js'

const pair = (x: ArrayLike, y: ArrayLike) => sameDtype([x, y], 'int32') as [Value, Value]

function mismatch(where: string, x: Value, y: Value, detail: string): never {
  throw new Error(`${where}: ${showType(x)} and ${showType(y)} do not fit, ${detail}`)
}

/**
 * The matrix product sum_k x[..., i, k] y[..., k, j]. Leading axes broadcast; a vector on the left is a row,
 * on the right a column, and its axis is dropped from the result.
 * @throws when x's last axis differs from y's second to last, or an operand is a number.
 */
export function matmul(x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = pair(x, y)
  const [m, n] = [a.shape.length, b.shape.length]
  if (m === 0 || n === 0) mismatch('matmul', a, b, 'neither may be a number; use multiply')
  const [left, right] = [m - 1, Math.max(0, n - 2)]
  if (a.shape[left] !== b.shape[right])
    mismatch('matmul', a, b, `${a.shape[left]} columns meet ${b.shape[right]} rows`)
  const [lead, over] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  if (sizeOf(over) === 1 && over.length <= lead.length)
    return toTensor(dotOp(a, reshape(b, b.shape.slice(over.length)), [[left], [0]]))
  if (lead.length === 0) {
    const product = dotOp(a, b, [[left], [right]])
    return toTensor(m === 1 ? product : moveAxis(product, 0, product.shape.length - 2))
  }
  const batch = broadcastShapes([lead, over], 'matmul')
  const spread = (v: Value) => broadcastTo(v, [...batch, ...v.shape.slice(-2)])
  const axes = range(batch.length)
  const [p, q] = [spread(a), spread(b)]
  return toTensor(dotOp(p, q, [[p.shape.length - 1], [q.shape.length - 2]], [axes, axes]))
}

/**
 * NumPy's dot: sum_k x[..., k] y[..., k, :]; of two vectors the inner product, of a number and an array
 * their product.
 * @throws when x's last axis differs from y's second to last.
 */
export function dot(x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = pair(x, y)
  if (a.shape.length === 0 || b.shape.length === 0) return toTensor(mul(a, b))
  const [left, right] = [a.shape.length - 1, Math.max(0, b.shape.length - 2)]
  if (a.shape[left] !== b.shape[right])
    mismatch('dot', a, b, `lengths ${a.shape[left]} and ${b.shape[right]} meet`)
  return toTensor(dotOp(a, b, [[left], [right]]))
}

/** The inner product of all elements: sum_i x_i y_i. @throws when the numbers of elements differ. */
export function vdot(x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = pair(x, y)
  const size = sizeOf(a.shape)
  if (size !== sizeOf(b.shape)) mismatch('vdot', a, b, 'expected as many elements')
  if (sameShape(a.shape, b.shape))
    return toTensor(dotOp(a, b, [range(a.shape.length), range(a.shape.length)]))
  return toTensor(dotOp(reshape(a, [size]), reshape(b, [size]), [[0], [0]]))
}

/** Sums of products over the last axes: sum_k x[..., k] y[..., k]. @throws when these differ in length. */
export function inner(x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = pair(x, y)
  if (a.shape.length === 0 || b.shape.length === 0) return toTensor(mul(a, b))
  const [left, right] = [a.shape.length - 1, b.shape.length - 1]
  if (a.shape[left] !== b.shape[right]) mismatch('inner', a, b, 'expected last axes of one length')
  return toTensor(dotOp(a, b, [[left], [right]]))
}

/** All products x_i y_j of the elements, a matrix. */
export function outer(x: ArrayLike, y: ArrayLike): Tensor {
  const [a, b] = pair(x, y)
  return toTensor(mul(reshape(a, [sizeOf(a.shape), 1]), reshape(b, [1, sizeOf(b.shape)])))
}

/**
 * Sums of products over pairs of axes: [axes of x, axes of y], or as a number n the last n of x with the
 * first n of y. The other axes follow, those of x first.
 * @throws when paired axes differ in length.
 */
export function tensordot(
  x: ArrayLike,
  y: ArrayLike,
  axes: number | readonly [number | readonly number[], number | readonly number[]] = 2,
): Tensor {
  const [a, b] = pair(x, y)
  const [ra, rb] = [a.shape.length, b.shape.length]
  const list = (given: number | readonly number[], rank: number) =>
    (typeof given === 'number' ? [given] : given).map((axis) => normalizeAxis(axis, rank, 'tensordot'))
  const [left, right] =
    typeof axes === 'number'
      ? [
          list(
            range(axes).map((i) => ra - axes + i),
            ra,
          ),
          list(range(axes), rb),
        ]
      : [list(axes[0], ra), list(axes[1], rb)]
  const fits =
    left.length === right.length && left.every((axis, i) => a.shape[axis] === b.shape[right[i] as number])
  if (!fits) mismatch('tensordot', a, b, `axes [${left}] and [${right}] differ in length`)
  return toTensor(dotOp(a, b, [left, right]))
}
