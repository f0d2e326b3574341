import type { DType } from '../../tensor/dtype.js'
import { showShape } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'

/** A linear map known only by its products with vectors. */
export interface LinearOperator {
  readonly rows: number
  readonly columns: number
  /** The dtype of the vectors that {@link apply} takes; float64 when absent. */
  readonly dtype?: 'float64' | 'float32'
  /**
   * The products A v_1, ..., A v_k of a block of row vectors: [k, columns] to [k, rows], float64 or float32 in
   * and the same out. `vectors` must not be changed.
   */
  apply(vectors: Tensor): Tensor | Promise<Tensor>
  /**
   * The products A^T u_1, ..., A^T u_k: [k, rows] to [k, columns]. A symmetric operator's is `apply` itself; absent
   * where only products with A are known.
   */
  applyTranspose?(vectors: Tensor): Tensor | Promise<Tensor>
}

/** The dtype of the vectors an operator takes. */
export function operatorDType(operator: LinearOperator): 'float64' | 'float32' {
  return operator.dtype ?? 'float64'
}

/** Rows, columns and dtype of an operator. */
export function shapeOf(operator: LinearOperator) {
  return { rows: operator.rows, columns: operator.columns, dtype: operatorDType(operator) }
}

/** As '2 by 3 float64', for errors. */
export function showOperator(operator: LinearOperator): string {
  return `${operator.rows} by ${operator.columns} ${operatorDType(operator)}`
}

export function requireSquare(operator: LinearOperator, where: string): number {
  if (operator.rows !== operator.columns || !(operator.rows >= 1))
    throw new Error(
      `${where}: operator is ${operator.rows} by ${operator.columns}, expected a square operator with rows >= 1`,
    )
  return operator.rows
}

/** The dtype that all operators share. @throws when there is none, or they differ. */
export function requireSameDType(operators: readonly LinearOperator[], where: string): 'float64' | 'float32' {
  const [first] = operators
  if (!first) throw new Error(`${where}: got no operators, expected at least one`)
  const dtype = operatorDType(first)
  operators.forEach((operator, i) => {
    if (operatorDType(operator) !== dtype)
      throw new Error(
        `${where}: operator ${i} is ${showOperator(operator)}, the first is ${showOperator(first)}`,
      )
  })
  return dtype
}

export function requireFloat(dtype: DType, what: string): 'float64' | 'float32' {
  if (dtype !== 'float64' && dtype !== 'float32')
    throw new Error(`${what} is ${dtype}, expected float64 or float32`)
  return dtype
}

/** The number of vectors in a block [k, length]. @throws when it has another shape. */
export function blockSize(vectors: Tensor, length: number, where: string): number {
  const [k, n] = vectors.shape
  if (vectors.shape.length !== 2 || k === undefined || n !== length)
    throw new Error(`${where}: vectors has shape ${showShape(vectors.shape)}, expected [k, ${length}]`)
  return k
}
