import { einsum } from '../../../numpy/einsum.js'
import { add, div, mul, neg } from '../../../ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape } from '../../../ops/broadcast.js'
import { dot } from '../../../ops/dot.js'
import { showType, type Value } from '../../../program/value.js'
import { broadcastShapes, range, sameShape } from '../../../tensor/shape.js'
import { fullTensor, type Tensor } from '../../../tensor/tensor.js'
import { type Context, expectRank, type Operations, operation } from '../operation.js'

/** NumPy's matmul: matrices in the last two axes, the others broadcast; a vector is a row on the left, a column on the right. */
export function matmul(x: Value, y: Value, context: Pick<Context, 'reserve'>): Value {
  expectRank('the left operand', x, 1)
  expectRank('the right operand', y, 1)
  if (x.shape.at(-1) !== y.shape.at(y.shape.length === 1 ? 0 : -2))
    throw new Error(`${showType(x)} and ${showType(y)} do not multiply: inner lengths differ`)
  const left = x.shape.length === 1 ? reshape(x, [1, ...x.shape]) : x
  const right = y.shape.length === 1 ? reshape(y, [...y.shape, 1]) : y
  const [m, k, n] = [left.shape.at(-2), left.shape.at(-1), right.shape.at(-1)] as [number, number, number]
  const [leftBatch, rightBatch] = [left.shape.slice(0, -2), right.shape.slice(0, -2)]
  const batch = broadcastShapes([leftBatch, rightBatch])
  context.reserve([...batch, m, n])
  const shape = [...batch, ...(x.shape.length === 1 ? [] : [m]), ...(y.shape.length === 1 ? [] : [n])]
  // Without a batch on the right, the left one's joins its rows: one larger product.
  if (rightBatch.every((size) => size === 1) && sameShape(leftBatch, batch))
    return reshape(dot(left, reshape(right, [k, n]), [[batch.length + 1], [0]]), shape)
  const lead = range(batch.length)
  const product = dot(
    broadcastTo(left, [...batch, m, k]),
    broadcastTo(right, [...batch, k, n]),
    [[batch.length + 1], [batch.length]],
    [lead, lead],
  )
  return reshape(product, shape)
}

const gemm = operation<[Value, Value, Value?]>(2, 3, ([a, b, c], attributes, context) => {
  expectRank('input A', a, 2, 2)
  expectRank('input B', b, 2, 2)
  const left = attributes.flag('transA') ? 0 : 1
  const right = attributes.flag('transB') ? 1 : 0
  context.reserve([a.shape[1 - left] as number, b.shape[1 - right] as number])
  const product = scaled(dot(a, b, [[left], [right]]), attributes.float('alpha', 1))
  const beta = attributes.float('beta', 1)
  if (!c || beta === 0) return product
  if (!sameShape(broadcastShapes([product.shape, c.shape]), product.shape))
    throw new Error(
      `input C is ${showType(c)}, which does not broadcast to the product's shape [${product.shape}]`,
    )
  return add(product, scaled(c, beta))
})

export function scaled(x: Value, factor: number): Value {
  return factor === 1 ? x : mul(x, factor)
}

/**
 * Determinants by the recurrence of Faddeev and LeVerrier, M_1 = I, c_k = -tr(A M_k) / k, M_(k+1) = A M_k + c_k I:
 * without pivots, so that it is differentiable everywhere, but accurate for small matrices only.
 */
function determinant(a: Value, context: Context): Value {
  expectRank('the input', a, 2)
  const n = a.shape.at(-1) as number
  if (a.shape.at(-2) !== n) throw new Error(`${showType(a)} holds no square matrices`)
  if (n > 8) throw new Error(`matrices of ${n} rows; evolute imports Det for at most 8, where it is accurate`)
  const identity = identityLike(n, a)
  const [rows, columns] = [a.shape.length - 2, a.shape.length - 1]
  let m: Value = broadcastTo(identity, a.shape)
  let c: Value = fullTensor(a.shape.slice(0, -2), 1, a.dtype)
  for (let k = 1; k <= n; k++) {
    const am = matmul(a, m, context)
    c = div(neg(reduceSum(mul(am, identity), [rows, columns])), k)
    m = add(am, mul(identity, reshape(c, [...c.shape, 1, 1])))
  }
  return n % 2 ? neg(c) : c
}

function identityLike(n: number, like: Value): Value {
  const eye = fullTensor([n, n], 0, like.dtype)
  for (let i = 0; i < n; i++) eye.data[i * n + i] = 1
  return eye
}

/** The lengths of the labelled axes that the equation's result states, as far as it does. */
function einsumShape(equation: string, values: readonly Value[]): number[] {
  const [inputs = '', output = ''] = equation.replaceAll(/\s/g, '').split('->')
  const lengths = new Map<string, number>()
  inputs.split(',').forEach((labels, i) => {
    // Labels after an ellipsis count from the end.
    const [head = '', tail = ''] = labels.split('...')
    const shape = values[i]?.shape ?? []
    const name = (text: string, from: number) => {
      for (const [i, label] of [...text].entries()) lengths.set(label, shape[from + i] ?? 1)
    }
    name(head, 0)
    name(tail, shape.length - tail.length)
  })
  return [...output].map((label) => lengths.get(label) ?? 1)
}

export const matrixOperations: Operations = {
  Det: operation<[Value]>(1, 1, ([a], _, context) => determinant(a, context)),
  Einsum: operation<Value[]>(1, Number.POSITIVE_INFINITY, (values, attributes, context) => {
    const equation = attributes.string('equation')
    context.reserve(einsumShape(equation, values))
    return einsum(equation, ...(values as Tensor[]))
  }),
  Gemm: gemm,
  MatMul: operation<[Value, Value]>(2, 2, ([x, y], _, context) => matmul(x, y, context)),
}
