import { type Program, subprograms } from './program.js'
import { sameType, showType, type Type, type Value, Var } from './value.js'

/**
 * Verifies that every variable is assigned once and before its use, and that every equation's types are
 * those that its primitive infers.
 * @throws naming the equation.
 */
export function check(program: Program): void {
  const assigned = new Set<Var>()
  const assign = (variable: Var, where: string) => {
    if (assigned.has(variable)) throw new Error(`program: ${where} assigns a variable twice`)
    assigned.add(variable)
  }
  const use = (value: Value, where: string) => {
    if (value instanceof Var && !assigned.has(value))
      throw new Error(`program: ${where} uses a ${showType(value)} that is not computed before`)
  }
  program.inputs.forEach((variable, i) => {
    assign(variable, `input ${i}`)
  })
  program.equations.forEach(({ primitive, inputs, params, outputs }, i) => {
    const where = `equation ${i} (${primitive.name})`
    for (const input of inputs) use(input, where)
    for (const [name, inner] of subprograms(params)) attempt(`${where}, ${name}`, () => check(inner))
    const types = attempt(where, () => primitive.infer(inputs, params))
    if (types.length !== outputs.length)
      throw new Error(`program: ${where} has ${outputs.length} outputs, expected ${types.length}`)
    outputs.forEach((variable, k) => {
      const expected = types[k] as Type
      if (!sameType(variable, expected))
        throw new Error(`program: ${where} is declared ${showType(variable)}, expected ${showType(expected)}`)
      assign(variable, where)
    })
  })
  for (const output of program.outputs) use(output, 'the return')
}

function attempt<T>(where: string, f: () => T): T {
  try {
    return f()
  } catch (error) {
    throw new Error(`program: ${where}: ${(error as Error).message}`, { cause: error })
  }
}
