import { allocate } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'
import { compose, type Product } from './algebra.js'
import { blockSize, type LinearOperator, requireSameDType, shapeOf } from './operator.js'

/** diag(A_1, A_2, ...): blocks along the diagonal, zero elsewhere; they need not be square. */
export function blockDiagonalOperator(
  ...operators: readonly [LinearOperator, ...LinearOperator[]]
): LinearOperator {
  const where = 'blockDiagonalOperator'
  const dtype = requireSameDType(operators, where)
  const rows = operators.map((operator) => operator.rows)
  const columns = operators.map((operator) => operator.columns)
  return {
    rows: total(rows),
    columns: total(columns),
    dtype,
    ...compose(operators, (products, transposed) => {
      const [into, out] = transposed ? [rows, columns] : [columns, rows]
      return async (x) => {
        const k = blockSize(x, total(into), where)
        const y = allocate(x.dtype, k * total(out))
        let [from, to] = [0, 0]
        for (const [i, product] of products.entries()) {
          const part = await product(columnRange(x, from, into[i]!))
          for (let v = 0; v < k; v++)
            y.set(part.data.subarray(v * out[i]!, (v + 1) * out[i]!), v * total(out) + to)
          from += into[i]!
          to += out[i]!
        }
        return new Tensor(y, [k, total(out)])
      }
    }),
  }
}

/** Positions, as a list or as the range from <= i < to. */
export type Selection = ArrayLike<number> | { readonly from: number; readonly to: number }

/**
 * A[rows, columns], the block of an operator where some rows and columns meet; without `columns` the principal block
 * of `rows`, such as that of one layer's parameters. A product costs one with A.
 * @throws when an index is outside of A.
 */
export function submatrixOperator(
  operator: LinearOperator,
  rows: Selection,
  columns: Selection = rows,
): LinearOperator {
  const { dtype } = shapeOf(operator)
  const kept = [select(rows, operator.rows, 'rows'), select(columns, operator.columns, 'columns')] as const
  return {
    rows: kept[0].length,
    columns: kept[1].length,
    dtype,
    ...compose([operator], ([product], transposed) => {
      const [out, into] = transposed ? [kept[1], kept[0]] : kept
      return within(product!, into, transposed ? operator.rows : operator.columns, out)
    }),
  }
}

/** The product of a vector that is 0 except at `into`, read at `out`. */
function within(product: Product, into: Int32Array, length: number, out: Int32Array): Product {
  return async (x) => {
    const k = blockSize(x, into.length, 'submatrixOperator')
    const whole = allocate(x.dtype, k * length)
    place(x, whole, into, length)
    return columnsOf(await product(new Tensor(whole, [k, length])), out)
  }
}

function select(selection: Selection, length: number, name: string): Int32Array {
  const chosen =
    'from' in selection ? indices(selection.from, selection.to - selection.from) : Array.from(selection)
  const bad = chosen.find((i) => !(Number.isInteger(i) && i >= 0 && i < length))
  if (bad !== undefined)
    throw new Error(
      `submatrixOperator: ${name} has index ${bad}, expected from 0 to ${length - 1} for an operator of ${length} ${name}`,
    )
  if (chosen.length === 0) throw new Error(`submatrixOperator: ${name} is empty, expected at least one index`)
  return Int32Array.from(chosen)
}

const indices = (from: number, count: number) =>
  Int32Array.from({ length: Math.max(0, count) }, (_, i) => from + i)

const total = (lengths: readonly number[]) => lengths.reduce((sum, n) => sum + n, 0)

/** x[:, from:from + count]. */
function columnRange(x: Tensor, from: number, count: number): Tensor {
  const [k, n] = x.shape as [number, number]
  const part = allocate(x.dtype, k * count)
  for (let v = 0; v < k; v++) part.set(x.data.subarray(v * n + from, v * n + from + count), v * count)
  return new Tensor(part, [k, count])
}

/** x[:, columns]. */
function columnsOf(x: Tensor, columns: Int32Array): Tensor {
  const [k, n] = x.shape as [number, number]
  const part = allocate(x.dtype, k * columns.length)
  for (let v = 0; v < k; v++)
    for (let j = 0; j < columns.length; j++) part[v * columns.length + j] = x.data[v * n + columns[j]!]!
  return new Tensor(part, [k, columns.length])
}

/** y[:, columns] += part, for y of rows of `length`: an index that is there twice gets both. */
function place(part: Tensor, y: Tensor['data'], columns: Int32Array, length: number): void {
  const [k, n] = part.shape as [number, number]
  for (let v = 0; v < k; v++)
    for (let j = 0; j < n; j++) {
      const at = v * length + columns[j]!
      y[at] = y[at]! + part.data[v * n + j]!
    }
}
