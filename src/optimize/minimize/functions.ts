import type { CompileOptions } from '../../engines/index.js'
import { once } from '../../linalg/once.js'
import * as np from '../../numpy/index.js'
import { optimize } from '../../ops/optimize.js'
import { forecast } from '../../program/forecast.js'
import { Tensor } from '../../tensor/tensor.js'
import { hessian, hvp, trace, valueAndGrad } from '../../transforms/index.js'
import type { Box } from '../box.js'
import { differenceColumns } from '../leastSquares/residuals/differences.js'
import { type Prepared, prepare, smallCall } from '../leastSquares/residuals/residuals.js'
import { type Awaitable, after } from '../solver.js'

/** A function of one vector with its derivatives. */
export interface ScalarFunction {
  /** How derivatives are found, for the result to say. */
  readonly derivatives: 'exact' | 'given' | 'finite differences'
  /** Whether the curvature is exactly the Hessian. */
  readonly hessian: boolean
  /** Whether the gradient costs hardly more than the value, so that both should be computed at once. */
  readonly together: boolean
  value(x: Float64Array): Awaitable<number>
  valueAndGradient(x: Float64Array): Awaitable<{ readonly value: number; readonly gradient: Float64Array }>
  /** The curvature matrix, row by row. */
  matrix(x: Float64Array): Awaitable<Float64Array>
  /** The curvature matrix times `v`. */
  product(x: Float64Array, v: Float64Array): Awaitable<Float64Array>
  dispose(): Promise<void>
}

/** Curvature that takes the place of the Hessian, of one vector: a matrix, or its product with a vector. */
export interface TracedCurvature {
  readonly matrix?: ((x: Tensor) => Tensor) | undefined
  readonly product?: ((x: Tensor, v: Tensor) => Tensor) | undefined
}

const numbers = (x: Tensor) => x.data as Float64Array

/** `f` with a float64 number for its result. @throws when it returns several. */
export function oneNumber(f: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  return (x) => {
    const value = np.asarray(f(x)) as Tensor
    if (value.size !== 1)
      throw new Error(`f: returns an array of shape [${value.shape}], expected one number; sum or average it`)
    return np.astype(np.reshape(value, []), 'float64')
  }
}

/** The same of numbers. */
export function oneOf(f: (x: Float64Array) => Float64Array): (x: Float64Array) => number {
  return (x) => {
    const values = f(x)
    if (values.length !== 1) throw new Error(`f: returns ${values.length} numbers, expected one`)
    return values[0]!
  }
}

/** A traced function with exact derivatives. Second derivatives are compiled when they are first asked for. */
export async function tracedFunction(
  f: (x: Tensor) => Tensor,
  start: Float64Array,
  curvature: TracedCurvature = {},
  options: CompileOptions = {},
): Promise<ScalarFunction> {
  const at = new Tensor(start)
  const scalar = oneNumber(f)
  const { matrix, product } = curvature
  const given = matrix && squareOf(matrix, start.length)
  const columns = product && ((x: Tensor) => np.stack(units(start.length).map((unit) => product(x, unit))))
  const byMatrix = given && ((x: Tensor, v: Tensor) => np.matmul(given(x), v))
  const prepared: Prepared[] = []
  const compiled = async (g: (...args: Tensor[]) => unknown, ...args: Tensor[]) => {
    const executable = await prepare(optimize(trace(g, ...args).program), options)
    prepared.push(executable)
    return executable
  }
  const both = optimize(trace((x: Tensor) => valueAndGrad(scalar)(x), at).program)
  const gradients = await prepare(both, options)
  const values = await compiled(scalar, at)
  const matrices = once(() => compiled(given ?? columns ?? hessian(scalar), at))
  const products = once(() =>
    compiled(product ?? byMatrix ?? ((x, v) => hvp(scalar)(x as Tensor, v as Tensor)), at, at),
  )
  return {
    derivatives: 'exact',
    hessian: !matrix && !product,
    together: forecast(both).flops < smallCall,
    value: (x) => after(values.run([new Tensor(x)]), ([value]) => value!.item()),
    valueAndGradient: (x) =>
      after(gradients.run([new Tensor(x)]), ([value, gradient]) => ({
        value: value!.item(),
        gradient: numbers(gradient!),
      })),
    matrix: async (x) => numbers((await (await matrices()).run([new Tensor(x)]))[0]!),
    product: async (x, v) => numbers((await (await products()).run([new Tensor(x), new Tensor(v)]))[0]!),
    dispose: async () => {
      await gradients.dispose()
      for (const executable of prepared) await executable.dispose()
    },
  }
}

function squareOf(matrix: (x: Tensor) => Tensor, n: number): (x: Tensor) => Tensor {
  return (x) => {
    const square = np.asarray(matrix(x)) as Tensor
    if (square.shape.length !== 2 || square.shape.some((size) => size !== n))
      throw new Error(
        `curvature: returns an array of shape [${square.shape}], expected [${n}, ${n}], by the parameters that vary`,
      )
    return square
  }
}

const units = (n: number) =>
  Array.from({ length: n }, (_, i) => new Tensor(Float64Array.from({ length: n }, (_, j) => Number(i === j))))

/** A function of numbers; what is not given of its derivatives is found by finite differences. */
export function plainFunction(
  value: (x: Float64Array) => number,
  ends: Box,
  given?: (x: Float64Array) => Float64Array,
): ScalarFunction {
  const gradient =
    given ?? ((x: Float64Array) => differenceColumns((y) => Float64Array.of(value(y)), x, ends))
  const nowhere = { lower: Float64Array.of(-Infinity), upper: Float64Array.of(Infinity) }
  return {
    derivatives: given ? 'given' : 'finite differences',
    hessian: false,
    together: false,
    value,
    valueAndGradient: (x) => ({ value: value(x), gradient: gradient(x) }),
    matrix: (x) => symmetricPart(differenceColumns(gradient, x, ends), x.length),
    product(x, v) {
      const size = Math.max(1, ...x.map(Math.abs)) / Math.max(...v.map(Math.abs))
      const along = ([t]: Float64Array) => gradient(x.map((xi, i) => xi + t! * size * v[i]!))
      return differenceColumns(along, new Float64Array(1), nowhere).map((y) => y / size)
    },
    dispose: async () => {},
  }
}

/** (A + A^T) / 2 of a square matrix. */
export function symmetricPart(a: Float64Array, n: number): Float64Array {
  return a.map((x, at) => (x + a[(at % n) * n + Math.floor(at / n)]!) / 2)
}
