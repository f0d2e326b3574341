import { Tensor } from '../../tensor/tensor.js'
import { type LinearOperator, requireSameDType, requireSquare, shapeOf, showOperator } from './operator.js'

export type Product = (vectors: Tensor) => Tensor | Promise<Tensor>

type Operators = readonly [LinearOperator, ...LinearOperator[]]

/**
 * The products that `make` builds of those with the operators, and the same of their transposes (`transposed`) where
 * every operator has them.
 */
export function compose(
  operators: readonly LinearOperator[],
  make: (products: readonly Product[], transposed: boolean) => Product,
): Pick<LinearOperator, 'apply' | 'applyTranspose'> {
  const apply = make(
    operators.map((operator) => (x) => operator.apply(x)),
    false,
  )
  if (!operators.every((operator) => operator.applyTranspose)) return { apply }
  const applyTranspose = make(
    operators.map((operator) => (x) => operator.applyTranspose!(x)),
    true,
  )
  return { apply, applyTranspose }
}

/** `factor` A. */
export function scaleOperator(operator: LinearOperator, factor: number): LinearOperator {
  return {
    ...shapeOf(operator),
    ...compose(
      [operator],
      ([product]) =>
        async (x) =>
          combine([[factor, await product!(x)]]),
    ),
  }
}

/** A_1 + A_2 + ... @throws when the operators differ in shape or dtype. */
export function sumOperator(...operators: Operators): LinearOperator {
  const [first] = operators
  requireSameDType(operators, 'sumOperator')
  operators.forEach((operator, i) => {
    if (operator.rows !== first.rows || operator.columns !== first.columns)
      throw new Error(
        `sumOperator: operator ${i} is ${showOperator(operator)}, the first is ${showOperator(first)}`,
      )
  })
  return {
    ...shapeOf(first),
    ...compose(operators, (products) => async (x) => {
      const terms: [number, Tensor][] = []
      for (const product of products) terms.push([1, await product(x)])
      return combine(terms)
    }),
  }
}

/** A + `shift` I. @throws when A is not square. */
export function shiftOperator(operator: LinearOperator, shift: number): LinearOperator {
  requireSquare(operator, 'shiftOperator')
  return {
    ...shapeOf(operator),
    ...compose(
      [operator],
      ([product]) =>
        async (x) =>
          combine([
            [1, await product!(x)],
            [shift, x],
          ]),
    ),
  }
}

/** A^T. @throws when A has no `applyTranspose`. */
export function transposeOperator(operator: LinearOperator): LinearOperator {
  const { rows, columns, dtype } = shapeOf(operator)
  if (!operator.applyTranspose)
    throw new Error(
      `transposeOperator: the operator (${showOperator(operator)}) has no applyTranspose; give it one, or its matrix by toDense`,
    )
  return {
    rows: columns,
    columns: rows,
    dtype,
    apply: (x) => operator.applyTranspose!(x),
    applyTranspose: (x) => operator.apply(x),
  }
}

/** A_1 A_2 ...: the last is applied first. @throws when the columns of one are not the rows of the next. */
export function productOperator(...operators: Operators): LinearOperator {
  const dtype = requireSameDType(operators, 'productOperator')
  operators.slice(1).forEach((next, i) => {
    const operator = operators[i]!
    if (operator.columns !== next.rows)
      throw new Error(
        `productOperator: operator ${i} is ${showOperator(operator)} and operator ${i + 1} is ${showOperator(next)}, ` +
          `expected as many rows as the other has columns`,
      )
  })
  return {
    rows: operators[0].rows,
    columns: operators.at(-1)!.columns,
    dtype,
    ...compose(operators, (products, transposed) => async (x) => {
      let y = x
      for (const product of transposed ? products : [...products].reverse()) y = await product(y)
      return y
    }),
  }
}

/** sum_i c_i x_i of tensors of one shape, in the dtype of the first. */
function combine(terms: readonly [number, Tensor][]): Tensor {
  const { dtype, shape, size } = terms[0]![1]
  const sum = new Float64Array(size)
  for (const [c, x] of terms) for (let i = 0; i < size; i++) sum[i] = sum[i]! + c * x.data[i]!
  return new Tensor(dtype === 'float64' ? sum : Float32Array.from(sum), shape)
}
