import type { Tensor } from '../tensor/tensor.js'
import type { Params, Primitive } from './primitive.js'
import type { Equation, Program } from './program.js'
import { type Type, type Value, Var } from './value.js'

let opened = 0

const leaked =
  'a traced value was used after its trace had ended; ' +
  'return values from the traced function instead of storing them outside it'

/** Records the equations of one trace. Later builders are nested inside earlier ones. */
export class Builder {
  readonly serial = ++opened
  readonly equations: Equation[] = []
  open = true

  variable(type: Type): Var {
    return new Var(type, this)
  }

  record(primitive: Primitive, inputs: readonly Value[], params: Params, types: readonly Type[]): Var[] {
    if (!this.open) throw new Error(`${primitive.name}: ${leaked}`)
    const outputs = types.map((type) => this.variable(type))
    this.equations.push({ primitive, inputs, params, outputs })
    return outputs
  }
}

/**
 * Applies a primitive: at once when every input is a tensor, else as an equation of the innermost trace
 * that an input belongs to.
 */
export function bind<P extends Params>(
  primitive: Primitive<P>,
  inputs: readonly Value[],
  params: P,
): Value[] {
  const outputs = primitive.infer(inputs, params)
  let innermost: Builder | undefined
  for (const input of inputs)
    if (input instanceof Var && (!innermost || input.builder.serial > innermost.serial))
      innermost = input.builder
  return innermost
    ? innermost.record(primitive as unknown as Primitive, inputs, params, outputs)
    : primitive.evaluate(inputs as readonly Tensor[], params, outputs)
}

/** A program together with the outer values that its function used without being given them. */
export interface Trace {
  /** Its inputs are the captured values followed by the function's own. */
  readonly program: Program
  readonly captured: readonly Var[]
}

/** Runs `f` on stand-ins of the given types and returns what it did as a program. */
export function traceFlat(f: (inputs: Var[]) => readonly Value[], types: readonly Type[]): Trace {
  const builder = new Builder()
  const inputs = types.map((type) => builder.variable(type))
  try {
    const outputs = f(inputs)
    const captured = new Set<Var>()
    const note = (value: Value) => {
      if (!(value instanceof Var) || value.builder === builder) return
      if (!value.builder.open) throw new Error(`trace: ${leaked}`)
      captured.add(value)
    }
    for (const equation of builder.equations) equation.inputs.forEach(note)
    outputs.forEach(note)
    const program = { inputs: [...captured, ...inputs], equations: builder.equations, outputs }
    return { program, captured: [...captured] }
  } finally {
    builder.open = false
  }
}
