import { allocate, type DType } from '../tensor/dtype.js'
import { showShape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'

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
}

/** The dtype of the vectors an operator takes. */
export function operatorDType(operator: LinearOperator): 'float64' | 'float32' {
  return operator.dtype ?? 'float64'
}

/** The operator of a matrix [rows, columns], float64 or float32; sums are accumulated in float64. */
export function denseOperator(matrix: Tensor): LinearOperator {
  const [rows, columns] = matrix.shape
  if (matrix.shape.length !== 2 || rows === undefined || columns === undefined)
    throw new Error(`denseOperator: matrix has shape ${showShape(matrix.shape)}, expected [rows, columns]`)
  const a = matrix.data
  return {
    rows,
    columns,
    dtype: floatDType(matrix.dtype, 'denseOperator: matrix'),
    apply(vectors) {
      const k = blockSize(vectors, columns, 'denseOperator')
      const x = vectors.data
      const y = allocate(vectors.dtype, k * rows)
      for (let v = 0; v < k; v++)
        for (let i = 0; i < rows; i++) {
          let sum = 0
          for (let j = 0; j < columns; j++) sum += a[i * columns + j]! * x[v * columns + j]!
          y[v * rows + i] = sum
        }
      return new Tensor(y, [k, rows])
    },
  }
}

/** `factor` A. */
export function scaleOperator(operator: LinearOperator, factor: number): LinearOperator {
  return { ...shapeOf(operator), apply: async (x) => combine([[factor, await operator.apply(x)]]) }
}

/** A_1 + A_2 + ... @throws when the operators differ in shape or dtype. */
export function sumOperator(...operators: readonly [LinearOperator, ...LinearOperator[]]): LinearOperator {
  const shape = shapeOf(operators[0])
  operators.forEach((operator, i) => {
    const other = shapeOf(operator)
    if (other.rows !== shape.rows || other.columns !== shape.columns || other.dtype !== shape.dtype)
      throw new Error(`sumOperator: operator ${i} is ${show(other)}, the first is ${show(shape)}`)
  })
  return {
    ...shape,
    async apply(x) {
      const terms: [number, Tensor][] = []
      for (const operator of operators) terms.push([1, await operator.apply(x)])
      return combine(terms)
    },
  }
}

/** A + `shift` I. @throws when A is not square. */
export function shiftOperator(operator: LinearOperator, shift: number): LinearOperator {
  requireSquare(operator, 'shiftOperator')
  return {
    ...shapeOf(operator),
    apply: async (x) =>
      combine([
        [1, await operator.apply(x)],
        [shift, x],
      ]),
  }
}

export function requireSquare(operator: LinearOperator, where: string): number {
  if (operator.rows !== operator.columns || !(operator.rows >= 1))
    throw new Error(
      `${where}: operator is ${operator.rows} by ${operator.columns}, expected a square operator with rows >= 1`,
    )
  return operator.rows
}

function shapeOf(operator: LinearOperator): { rows: number; columns: number; dtype: 'float64' | 'float32' } {
  return { rows: operator.rows, columns: operator.columns, dtype: operatorDType(operator) }
}

function show(shape: ReturnType<typeof shapeOf>): string {
  return `${shape.rows} by ${shape.columns} ${shape.dtype}`
}

function floatDType(dtype: DType, what: string): 'float64' | 'float32' {
  if (dtype !== 'float64' && dtype !== 'float32')
    throw new Error(`${what} is ${dtype}, expected float64 or float32`)
  return dtype
}

function blockSize(vectors: Tensor, columns: number, where: string): number {
  const [k, n] = vectors.shape
  if (vectors.shape.length !== 2 || k === undefined || n !== columns)
    throw new Error(`${where}: vectors has shape ${showShape(vectors.shape)}, expected [k, ${columns}]`)
  return k
}

/** sum_i c_i x_i of tensors of one shape, in the dtype of the first. */
function combine(terms: readonly [number, Tensor][]): Tensor {
  const { dtype, shape, size } = terms[0]![1]
  const sum = new Float64Array(size)
  for (const [c, x] of terms) for (let i = 0; i < size; i++) sum[i] = sum[i]! + c * x.data[i]!
  return new Tensor(dtype === 'float64' ? sum : Float32Array.from(sum), shape)
}
