import { expm as expmKernel } from '../../dense/expm.js'
import { sqrtm as sqrtmKernel } from '../../dense/sqrtm.js'
import { type MaybeZero, type Primitive, type Series, Unknown } from '../../program/primitive.js'
import { showType, type Type, type Value } from '../../program/value.js'
import { range, sameShape, sizeOf } from '../../tensor/shape.js'
import { add } from '../arithmetic.js'
import { apply, sumOf } from '../define.js'
import { concatenate, sliceAxis, zeros } from '../slice.js'
import { series } from '../taylor.js'
import { eachMatrix, expectSquare, leading, sidesOf, spreadBatch, transposed } from './matrix.js'

/** f(x) of one matrix [n, n]. */
type Kernel = (x: Float64Array, n: number) => Float64Array

/**
 * Whether block (row, column) of the matrix X with f(X) = [..., D^k f(A)[E_1, ..., E_k]] in its last block of the first
 * row is A (0), E_j (j) or zero (undefined), for 2^k blocks a side (Higham and Relton 2014, equation 3.2).
 */
function blockAt(row: number, column: number): number | undefined {
  if (row === column) return 0
  const bit = Math.log2(column - row)
  return (row & column) === row && Number.isInteger(bit) ? bit + 1 : undefined
}

function augment(parts: readonly Float64Array[], n: number): Float64Array {
  const side = 2 ** (parts.length - 1)
  const x = new Float64Array((side * n) ** 2)
  for (let row = 0; row < side; row++)
    for (let column = row; column < side; column++) {
      const part = parts[blockAt(row, column) ?? -1]
      if (!part) continue
      for (let i = 0; i < n; i++)
        x.set(part.subarray(i * n, (i + 1) * n), ((row * n + i) * side + column) * n)
    }
  return x
}

/** A matrix from square blocks, null for zeros like `like`. */
function fromBlocks(blocks: readonly (readonly MaybeZero[])[], like: Type): Value {
  const last = like.shape.length - 1
  const rows = blocks.map((row) =>
    concatenate(
      row.map((x) => x ?? zeros(like)),
      last,
    ),
  )
  return concatenate(rows, last - 1)
}

/**
 * The row of an analytic matrix function f: of inputs A, E_1, ..., E_k the derivative D^k f(A)[E_1, ..., E_k], which is
 * multilinear and symmetric in the E_j; f(A) itself for k = 0. So all derivatives are calls of the same operation.
 */
function matrixFunction(name: string, kernel: Kernel): Primitive {
  const primitive: Primitive = {
    name,
    infer(inputs) {
      const [a] = inputs as [Type]
      for (const x of inputs) {
        expectSquare(name, x)
        if (x.dtype !== a.dtype || !sameShape(x.shape, a.shape))
          throw new Error(`${name}: got ${inputs.map(showType).join(' and ')}, expected matrices of one type`)
      }
      return [a]
    },
    evaluate(inputs, _, outputs) {
      const [type] = outputs as [Type]
      const n = sidesOf(type)[0]
      const side = 2 ** (inputs.length - 1) * n
      return eachMatrix(sizeOf(leading(type)), inputs, outputs, (...parts) => {
        const result = kernel(augment(parts, n), side)
        const last = new Float64Array(n * n)
        for (let i = 0; i < n; i++) last.set(result.subarray((i + 1) * side - n, (i + 1) * side), i * n)
        return [last]
      })
    },
    derivative({ tangents, inputs }) {
      const terms = tangents.map((t, i): MaybeZero => {
        if (!t) return null
        return apply(primitive, i === 0 ? [...inputs, t] : inputs.map((x, k) => (k === i ? t : x)), {})
      })
      return [sumOf(terms, add)]
    },
    /** <Y, D^k f(A)[E, F, ...]> = <D^k f(A^T)[Y, F^T, ...], E>. */
    transpose({ cotangents: [ct], inputs }) {
      return inputs.map((x) => {
        if (!ct || !(x instanceof Unknown)) return null
        const turned = inputs.map((y) => (y instanceof Unknown ? ct : transposed(y)))
        return apply(primitive, turned, {})
      })
    },
    /** f of the block Toeplitz matrix of the coefficients has the coefficients of f as its first row of blocks. */
    taylor({ series: inputs, outputs: [out], order }) {
      const [a] = inputs as readonly [Series]
      const side = 2 ** (inputs.length - 1)
      const coefficient = (k: number) => {
        const parts = inputs.map((x) => x.coefficient(k))
        const blocks = range(side).map((row) =>
          range(side).map((column) => parts[blockAt(row, column) ?? -1] ?? null),
        )
        return fromBlocks(blocks, a.value)
      }
      let row: Value | undefined
      const firstRow = () => {
        const coefficients = range(order + 1).map(coefficient)
        const toeplitz = range(order + 1).map((i) => range(order + 1).map((j) => coefficients[j - i] ?? null))
        const whole = apply(primitive, [fromBlocks(toeplitz, coefficients[0] as Value)], {})
        return sliceAxis(whole, whole.shape.length - 2, 0, sidesOf(a.value)[0])
      }
      return [
        series(out as Value, (k) => {
          row ??= firstRow()
          const [n] = sidesOf(a.value)
          const end = (k + 1) * side * n
          return sliceAxis(row, row.shape.length - 1, end - n, end)
        }),
      ]
    },
    batch: ({ inputs, batched, size }) => [apply(primitive, spreadBatch(inputs, batched, size), {})],
    flops: ({ inputs, outputs: [type] }) =>
      30 * 8 ** (inputs.length - 1) * sizeOf((type as Type).shape) * sidesOf(type as Type)[0],
  }
  return primitive
}

const expmOp = matrixFunction('expm', expmKernel)
const sqrtmOp = matrixFunction('sqrtm', sqrtmKernel)

/** The exponential sum_k A^k / k! of each matrix [..., n, n]. */
export const expm = (a: Value): Value => apply(expmOp, [a], {})

/**
 * The principal square root of each matrix [..., n, n]: X X = A, with eigenvalues in the right half plane.
 * @throws when A has an eigenvalue that is zero or negative.
 */
export const sqrtm = (a: Value): Value => apply(sqrtmOp, [a], {})

export const matrixFunctionOps: readonly Primitive[] = [expmOp, sqrtmOp]
