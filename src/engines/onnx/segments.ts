import { type Equation, type Program, subprograms } from '../../program/program.js'
import { type Value, Var } from '../../program/value.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { Executable } from '../executable.js'
import { checkInputs } from '../interpret.js'
import { compileProgramJs } from '../js/compile.js'
import { compileProgramOnnx, type OnnxOptions } from './session.js'

/** A run of equations for one engine, as a program of its own. */
export interface Segment {
  readonly program: Program
  /** Whether ONNX has all operations of the segment. */
  readonly onnx: boolean
}

/** Whether ONNX has an operation, and those of the programs that it runs. */
function isOnnx({ primitive, params }: Equation): boolean {
  return Boolean(primitive.lower) && subprograms(params).every(([, inner]) => inner.equations.every(isOnnx))
}

/**
 * A program cut where operations have no counterpart in ONNX: runs of equations for ONNX and for JavaScript in turn, few
 * because each takes whatever it can compute by then.
 */
export function segmentsOf(program: Program): Segment[] {
  const known = new Set<Value>(program.inputs)
  const runs: { equations: Equation[]; onnx: boolean }[] = []
  let waiting = program.equations
  for (let onnx = true; waiting.length > 0; onnx = !onnx) {
    const taken = waiting.filter((equation) => {
      const ready = equation.inputs.every((x) => !(x instanceof Var) || known.has(x))
      if (!ready || isOnnx(equation) !== onnx) return false
      for (const output of equation.outputs) known.add(output)
      return true
    })
    const done = new Set(taken)
    waiting = waiting.filter((equation) => !done.has(equation))
    if (taken.length > 0) runs.push({ equations: taken, onnx })
  }
  return runs.map(({ equations, onnx }, i) => {
    const rest = runs.slice(i + 1).flatMap((run) => run.equations)
    return {
      onnx,
      program: asProgram(equations, [...rest.flatMap(({ inputs }) => inputs), ...program.outputs]),
    }
  })
}

/** Equations as a program from what they need of others to what is used of them later. */
function asProgram(equations: readonly Equation[], later: readonly Value[]): Program {
  const made = new Set<Value>(equations.flatMap(({ outputs }) => outputs))
  const used = new Set(equations.flatMap(({ inputs }) => inputs))
  return {
    inputs: [...used].filter((x): x is Var => x instanceof Var && !made.has(x)),
    equations,
    outputs: [...new Set(later)].filter((x) => made.has(x)),
  }
}

/**
 * Compiles a program for ONNX Runtime, with the operations that ONNX lacks (`cholesky`, `eigh`, ...) computed in
 * JavaScript between parts on ONNX Runtime.
 * @throws as `compileProgramOnnx`.
 */
export async function compileSegments(program: Program, options: OnnxOptions = {}): Promise<Executable> {
  if (program.equations.every(isOnnx)) return compileProgramOnnx(program, options)
  const parts: { program: Program; executable: Executable }[] = []
  const dispose = async () => {
    for (const { executable } of parts) await executable.dispose()
  }
  try {
    for (const { program: part, onnx } of segmentsOf(program))
      parts.push({
        program: part,
        executable: onnx ? await compileProgramOnnx(part, options) : inJavaScript(part),
      })
  } catch (error) {
    await dispose()
    throw error
  }
  let released = false
  return {
    async run(inputs) {
      if (released) throw new Error('run: the program was disposed of; compile it again')
      checkInputs(program, inputs)
      const values = new Map<Value, Tensor>(program.inputs.map((x, i) => [x, inputs[i] as Tensor]))
      const read = (x: Value) => (x instanceof Var ? (values.get(x) as Tensor) : x)
      for (const { program: part, executable } of parts) {
        const results = await executable.run(part.inputs.map(read))
        part.outputs.forEach((output, i) => {
          values.set(output, results[i] as Tensor)
        })
      }
      return program.outputs.map(read)
    },
    async dispose() {
      released = true
      await dispose()
    },
  }
}

function inJavaScript(program: Program): Executable {
  const run = compileProgramJs(program)
  return { run: async (inputs) => run(inputs), dispose: async () => {} }
}
