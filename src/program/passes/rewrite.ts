import { Builder } from '../builder.js'
import { type Environment, type Equation, type Program, read } from '../program.js'
import { sameType, showType, type Value, Var } from '../value.js'

/** The equation that computes `value`, if it is of the primitive called `name`. */
export type Made = (value: Value, name: string) => Equation | undefined

/**
 * A cheaper value of the same type for the output of an equation, or undefined. The inputs belong to the
 * program being written, so a rule combines them by calling operations.
 */
export type Rule = (equation: Equation, made: Made) => Value | undefined

/**
 * Writes a program anew, with `rule` asked at every equation that has one output and depends on an input
 * of the program (constants are the matter of {@link foldConstants}, which bounds its results).
 * Returns the same object when the rule never applies.
 * @throws when a rule changes a type, which is a mistake in the rule.
 */
export function rewrite(program: Program, rule: Rule): Program {
  const builder = new Builder()
  const environment: Environment = new Map()
  const makers = new Map<Var, Equation>()
  let indexed = 0
  const made: Made = (value, name) => {
    for (; indexed < builder.equations.length; indexed++) {
      const equation = builder.equations[indexed] as Equation
      for (const output of equation.outputs) makers.set(output, equation)
    }
    const maker = value instanceof Var ? makers.get(value) : undefined
    return maker?.primitive.name === name ? maker : undefined
  }

  let changed = false
  try {
    const inputs = program.inputs.map((type) => builder.variable(type))
    program.inputs.forEach((variable, i) => {
      environment.set(variable, inputs[i] as Var)
    })
    for (const { primitive, inputs, params, outputs } of program.equations) {
      const equation = { primitive, inputs: inputs.map((x) => read(environment, x)), params, outputs }
      const better =
        outputs.length === 1 && equation.inputs.some((x) => x instanceof Var)
          ? rule(equation, made)
          : undefined
      if (better && !sameType(better, outputs[0] as Var))
        throw new Error(
          `rewrite: a rule turned ${primitive.name}, a ${showType(outputs[0] as Var)}, into a ${showType(better)}`,
        )
      const results = better ? [better] : builder.record(primitive, equation.inputs, params, outputs)
      if (better) changed = true
      outputs.forEach((variable, i) => {
        environment.set(variable, results[i] as Value)
      })
    }
    if (!changed) return program
    const outputs = program.outputs.map((x) => read(environment, x))
    return { inputs, equations: builder.equations, outputs }
  } finally {
    builder.open = false
  }
}
