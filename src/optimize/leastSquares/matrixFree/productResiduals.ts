import type { CompileOptions } from '../../../engines/index.js'
import { optimize } from '../../../ops/optimize.js'
import { traceFlat } from '../../../program/builder.js'
import { Tensor } from '../../../tensor/tensor.js'
import { trace } from '../../../transforms/index.js'
import { instantiate } from '../../../transforms/jvp.js'
import { linearizeProgram } from '../../../transforms/linearize.js'
import { transposeProgram } from '../../../transforms/transpose.js'
import { type Awaitable, after } from '../../solver.js'
import { flatResidual, type Prepared, prepare } from '../residuals/residuals.js'

/** A Jacobian known by its products. */
export interface JacobianProducts {
  /** J v. */
  multiply(v: Float64Array): Awaitable<Float64Array>
  /** J^T u. */
  multiplyTransposed(u: Float64Array): Awaitable<Float64Array>
}

/** Residuals as functions of one vector, with products of their Jacobian. */
export interface ProductResiduals {
  readonly rows: number
  readonly parameters: number
  readonly together: boolean
  residual(x: Float64Array): Awaitable<Float64Array>
  linearize(
    x: Float64Array,
  ): Awaitable<{ readonly residual: Float64Array; readonly jacobian: JacobianProducts }>
  dispose(): Promise<void>
}

/**
 * Traces residuals, and three programs more: what derivatives need of a point, computed once there, and the products of
 * the Jacobian and its transpose that follow from it.
 */
export async function productResiduals(
  f: (vector: Tensor) => unknown,
  start: Float64Array,
  options: CompileOptions = {},
): Promise<ProductResiduals> {
  const { program } = trace(flatResidual(f), new Tensor(start))
  const [output] = program.outputs
  const { primal, linear, moves } = linearizeProgram(program, [true])
  const kept = linear.inputs.slice(0, -1)
  const forward = { ...linear, outputs: [instantiate(linear.outputs[0], output!)] }
  const { program: backward } = traceFlat(
    (values) => {
      const back = transposeProgram(linear, [...values.slice(0, -1), null], moves[0] ? values.slice(-1) : [])
      return [instantiate(back[0], linear.inputs.at(-1)!)]
    },
    [...kept, output!],
  )
  const programs = [program, primal, forward, backward].map(optimize)
  const prepared = await Promise.all(programs.map((program) => prepare(program, options)))
  const [values, at, pushed, pulled] = prepared as [Prepared, Prepared, Prepared, Prepared]
  return {
    rows: output!.shape[0]!,
    parameters: start.length,
    together: false,
    residual: (x) => after(values.run([new Tensor(x)]), ([r]) => numbers(r!)),
    linearize: (x) =>
      after(at.run([new Tensor(x)]), ([r, ...known]) => ({
        residual: numbers(r!),
        jacobian: {
          multiply: (v) => after(pushed.run([...known, new Tensor(v)]), ([image]) => numbers(image!)),
          multiplyTransposed: (u) =>
            after(pulled.run([...known, new Tensor(u)]), ([image]) => numbers(image!)),
        },
      })),
    dispose: async () => {
      await Promise.all(prepared.map((program) => program.dispose()))
    },
  }
}

const numbers = (x: Tensor) => x.data as Float64Array
