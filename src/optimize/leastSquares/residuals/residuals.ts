import { type CompileOptions, chooseEngine, compileProgram } from '../../../engines/index.js'
import { compileElements, compileProgramJs } from '../../../engines/js/index.js'
import * as np from '../../../numpy/index.js'
import { optimize } from '../../../ops/optimize.js'
import { forecast } from '../../../program/forecast.js'
import type { Program } from '../../../program/program.js'
import { Tensor } from '../../../tensor/tensor.js'
import { jacobian, ravel, trace } from '../../../transforms/index.js'
import { type Awaitable, after } from '../../solver.js'

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
  const [residual, linearize] = await Promise.all([
    prepareVectors(values, options),
    prepareVectors(both, options),
  ])
  return {
    rows: values.outputs[0]!.shape[0]!,
    derivatives: 'exact',
    together: forecast(both).flops < smallCall,
    residual: (x) => after(residual.run(x), (vectors) => apart(vectors[0]!, x)),
    linearize: (x, spare) =>
      after(linearize.run(x, spare && [spare.residual, spare.columns]), (vectors) => {
        return { residual: apart(vectors[0]!, x), columns: vectors[1]! }
      }),
    dispose: async () => {
      await residual.dispose()
      await linearize.dispose()
    },
  }
}

/** Residuals that are the point itself, as numbers of their own: those of the point must not be whitened. */
const apart = (residual: Float64Array, x: Float64Array) => (residual === x ? x.slice() : residual)

export interface Prepared {
  run(inputs: readonly Tensor[], spare?: readonly Tensor[]): Awaitable<Tensor[]>
  dispose(): Promise<void>
}

/** A program ready to run: at once and without promises on the JavaScript engine. */
export async function prepare(program: Program, options: CompileOptions): Promise<Prepared> {
  if (!runsJs(program, options)) return compileProgram(program, options)
  return { run: compileProgramJs(program), dispose: async () => {} }
}

const runsJs = (program: Program, { engine }: CompileOptions) => chooseEngine(program, engine) === 'js'

/** A program of one float64 vector ready to run on its elements, without tensors around them where it can. */
async function prepareVectors(program: Program, options: CompileOptions) {
  type Vectors = readonly Float64Array[]
  if (runsJs(program, options)) {
    const compiled = compileElements(program)
    const run = (x: Float64Array, spare?: Vectors) => compiled([x], spare) as Float64Array[]
    return { run, dispose: async () => {} }
  }
  const { run, dispose } = await compileProgram(program, options)
  const elements = (outputs: readonly Tensor[]) => outputs.map(({ data }) => data as Float64Array)
  return { run: (x: Float64Array) => run([new Tensor(x)]).then(elements), dispose }
}

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
    linearize(x) {
      const columns = derivative(x)
      if (columns.length !== rows * start.length)
        throw new Error(
          `jacobian: got ${columns.length / start.length} rows, expected ${rows}, one for each residual`,
        )
      return { residual: residual(x), columns }
    },
    dispose: async () => {},
  }
}
