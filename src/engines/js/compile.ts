import type { Program } from '../../program/program.js'
import type { Var } from '../../program/value.js'
import type { TypedArray } from '../../tensor/dtype.js'
import { Tensor } from '../../tensor/tensor.js'
import { checkInputs } from '../interpret.js'
import { makeFunction } from './function.js'
import { generate } from './generate.js'
import { runner } from './run.js'

/** The outputs for inputs; written over `spare`, what an earlier call returned and is needed no more, where that is given. */
export type RunJs = (inputs: readonly Tensor[], spare?: readonly Tensor[]) => Tensor[]

/** The same on the elements alone, unchecked: for small programs, whose tensors cost more than what they compute. */
export type RunElements = (inputs: readonly TypedArray[], spare?: readonly TypedArray[]) => TypedArray[]

/**
 * Compiles a program into one JavaScript function: elementwise operations fused into loops, reductions and
 * matrix products as loop nests, the rest by the operations' own `evaluate`. Temporary arrays are allocated
 * once; the tensors returned are new at every call (an input that is an output is returned as it is).
 * @throws at compilation where a Content-Security-Policy forbids generated code; at a call when the inputs
 * are not of the program's number and types.
 */
export function compileProgramJs(program: Program): RunJs {
  const run = compileElements(program)
  const given = program.outputs.map((output) => program.inputs.indexOf(output as Var))
  const elements = ({ data }: Tensor) => data
  return (inputs, spare) => {
    checkInputs(program, inputs)
    const outputs = run(inputs.map(elements), spare?.map(elements))
    return outputs.map((data, i) => inputs[given[i]!] ?? new Tensor(data, program.outputs[i]!.shape))
  }
}

/** {@link compileProgramJs} without tensors around the elements, and without checks. */
export function compileElements(program: Program): RunElements {
  const { source, constants, functions, calls, shapes } = generate(program)
  const make = makeFunction(['Tensor', 'run', 'constants', 'functions', 'calls', 'shapes'], source) as (
    ...captured: unknown[]
  ) => RunElements
  return make(Tensor, runner(prepare()), constants, functions, calls, shapes)
}

/** Compiles each program inside a program when it is first run. */
function prepare(): (program: Program) => (inputs: readonly Tensor[]) => Tensor[] {
  const known = new Map<Program, (inputs: readonly Tensor[]) => Tensor[]>()
  return (program) => {
    const compiled = known.get(program) ?? compileProgramJs(program)
    known.set(program, compiled)
    return compiled
  }
}
