import { optimize } from '../ops/optimize.js'
import { forecast } from '../program/forecast.js'
import type { Program } from '../program/program.js'
import type { Likes } from '../transforms/derivatives.js'
import type { Arguments, TensorFunction } from '../transforms/stage.js'
import type { Executable } from './executable.js'
import { interpret } from './interpret.js'
import { compileProgramJs } from './js/compile.js'
import { compileSegments } from './onnx/segments.js'
import type { OnnxOptions } from './onnx/session.js'
import { specialize } from './specialize.js'

/** `interpret` is the slow reference; `js` starts at once and suits small work; `onnx` is ONNX Runtime. */
export type Engine = 'interpret' | 'js' | 'onnx'

export interface CompileOptions extends OnnxOptions {
  /** By default `js` for programs of less than about a hundred thousand floating-point operations, else `onnx`. */
  readonly engine?: Engine | 'auto'
}

/** Above this many floating-point operations ONNX Runtime's cost of a call, some 30 microseconds, pays off. */
const worthOnnx = 1e5

const engines: readonly string[] = ['interpret', 'js', 'onnx'] satisfies Engine[]

/** The engine asked for, or the one that suits a program's forecast cost. @throws when there is none of that name. */
export function chooseEngine(program: Program, engine: Engine | 'auto' = 'auto'): Engine {
  if (engine === 'auto') return forecast(program).flops < worthOnnx ? 'js' : 'onnx'
  if (!engines.includes(engine))
    throw new Error(`engine: got ${engine}, expected one of auto, ${engines.join(', ')}`)
  return engine
}

/** Simplifies a program and prepares it on an engine. */
export async function compileProgram(program: Program, options: CompileOptions = {}): Promise<Executable> {
  const { engine, ...onnx } = options
  const simplified = optimize(program)
  const chosen = chooseEngine(simplified, engine)
  if (chosen === 'onnx') return compileSegments(simplified, onnx)
  const run =
    chosen === 'js' ? compileProgramJs(simplified) : (inputs: never) => interpret(simplified, inputs)
  return { run: async (inputs) => run(inputs as never), dispose: async () => {} }
}

/**
 * `f` compiled: traced once for each combination of argument shapes and dtypes, simplified, and run by
 * the engine that suits its cost. Asynchronous, because ONNX Runtime is; see {@link compileJs} for a
 * synchronous one. Control flow of JavaScript is fixed while tracing.
 */
export function compile<A extends Arguments, R>(
  f: (...args: A) => R,
  options: CompileOptions = {},
): (...args: Likes<A>) => Promise<R> {
  return specialize(
    f as TensorFunction,
    (program) => compileProgram(program, options),
    async (executable, inputs, rebuildResult) => rebuildResult(await (await executable).run(inputs)),
  ) as (...args: Likes<A>) => Promise<R>
}
