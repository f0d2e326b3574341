import { type CompileOptions, chooseEngine, compileProgram } from '../../engines/index.js'
import { compileProgramJs } from '../../engines/js/index.js'
import * as np from '../../numpy/index.js'
import { optimize } from '../../ops/optimize.js'
import { forecast } from '../../program/forecast.js'
import type { Program } from '../../program/program.js'
import { Tensor } from '../../tensor/tensor.js'
import { jacobian, ravel, trace } from '../../transforms/index.js'
import { type Awaitable, after } from '../solver.js'

export interface Linearized {
  readonly residual: Float64Array
  /** The Jacobian as columns, one after another. */
  readonly columns: Float64Array
}

/** Residuals as functions of one vector. */
export interface Residuals {
  /** How many residuals there are. */
  readonly rows: number
  /** How derivatives are found, for the result to say. */
  readonly derivatives: 'exact' | 'sparse' | 'matrix-free' | 'given' | 'finite differences'
  /** Whether `linearize` costs hardly more than `residual`, so that it should be called at once. */
  readonly together: boolean
  residual(x: Float64Array): Awaitable<Float64Array>
  /** `spare`: an earlier result that is needed no more, to be overwritten. */
  linearize(x: Float64Array, spare?: Linearized): Awaitable<Linearized>
  dispose(): Promise<void>
}

/** Below this many floating-point operations a call costs more than what it computes. */
export const smallCall = 1e4

/** All numbers of a tree of tensors as one float64 vector. */
export const flatVector = (tree: unknown): Tensor => np.astype(ravel(tree as Tensor)[0], 'float64')

/** A traced residual as one float64 vector. */
export function flatResidual(f: (vector: Tensor) => unknown): (vector: Tensor) => Tensor {
  return (vector) => flatVector(f(vector))
}

/** Residuals of a traced function, with their exact Jacobian compiled into one program beside them. */
export async function tracedResiduals(
  f: (vector: Tensor) => unknown,
  start: Float64Array,
  options: CompileOptions = {},
): Promise<Residuals> {
  const flat = flatResidual(f)
  const at = new Tensor(start)
  const values = optimize(trace(flat, at).program)
  const both = optimize(trace((x: Tensor) => [flat(x), np.transpose(jacobian(flat)(x))], at).program)
  const [residual, linearize] = await Promise.all([prepare(values, options), prepare(both, options)])
  return {
    rows: values.outputs[0]!.shape[0]!,
    derivatives: 'exact',
    together: forecast(both).flops < smallCall,
    residual: (x) => after(residual.run([new Tensor(x)]), ([r]) => numbers(r!)),
    linearize: (x, spare) =>
      after(
        linearize.run([new Tensor(x)], spare && [new Tensor(spare.residual), new Tensor(spare.columns)]),
        ([r, columns]) => ({ residual: numbers(r!), columns: numbers(columns!) }),
      ),
    dispose: async () => {
      await residual.dispose()
      await linearize.dispose()
    },
  }
}

export interface Prepared {
  run(inputs: readonly Tensor[], spare?: readonly Tensor[]): Awaitable<Tensor[]>
  dispose(): Promise<void>
}

/** A program ready to run: at once and without promises on the JavaScript engine. */
export async function prepare(program: Program, options: CompileOptions): Promise<Prepared> {
  const { engine = 'auto' } = options
  if ((engine === 'auto' ? chooseEngine(program) : engine) !== 'js') return compileProgram(program, options)
  return { run: compileProgramJs(program), dispose: async () => {} }
}

const numbers = (x: Tensor) => x.data as Float64Array

/** Residuals of a function of numbers, with derivatives that are given as rows, or found by finite differences. */
export function plainResiduals(
  f: (x: Float64Array) => ArrayLike<number>,
  start: Float64Array,
  derivative: (x: Float64Array) => Float64Array,
  derivatives: 'given' | 'finite differences',
): Residuals {
  const rows = f(start).length
  const residual = (x: Float64Array) => {
    const values = Float64Array.from(f(x))
    if (values.length !== rows)
      throw new Error(`residual: got ${values.length} numbers, expected ${rows} as at the start`)
    return values
  }
  return {
    rows,
    derivatives,
    together: false,
    residual,
    linearize: (x) => ({ residual: residual(x), columns: derivative(x) }),
    dispose: async () => {},
  }
}
