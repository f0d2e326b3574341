import type { Tensor } from '../tensor/tensor.js'
import { type Equation, isProgram, type Program, subprograms } from './program.js'
import { showType, type Value, Var } from './value.js'

/** A readable listing of a program, one equation a line, programs that an equation runs indented under it. */
export function print(program: Program): string {
  const { head, equations, tail } = listing(program)
  return [head, ...equations, tail].join('\n')
}

/** The lines of {@link print}. */
export function listing(program: Program): { head: string; equations: string[]; tail: string } {
  const names = new Map<Var, string>()
  const declare = (variable: Var) => {
    names.set(variable, nameOf(names.size))
    return `${names.get(variable)}:${showType(variable)}`
  }
  const show = (value: Value) => (value instanceof Var ? (names.get(value) ?? '?') : showConstant(value))
  const head = `(${program.inputs.map(declare).join(', ')}) =>`
  const equations = program.equations.map((equation) => {
    const inputs = equation.inputs.map(show).join(' ')
    const outputs = equation.outputs.map(declare).join(', ')
    const line = `  ${outputs} = ${equation.primitive.name}${showParams(equation)} ${inputs}`
    return [line, ...subprograms(equation.params).flatMap(showSubprogram)].join('\n')
  })
  return { head, equations, tail: `  return ${program.outputs.map(show).join(', ')}` }
}

function showParams({ params }: Equation): string {
  const plain = Object.entries(params).filter(([, value]) => ![value].flat().some(isProgram))
  const shown = plain.map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return shown.length ? `{${shown.join(' ')}}` : ''
}

/** Indented under the equation that runs it. */
function showSubprogram([name, program]: [string, Program]): string[] {
  const [head, ...rest] = print(program).split('\n') as [string, ...string[]]
  return [`    ${name} = ${head}`, ...rest.map((line) => `    ${line}`)]
}

function showConstant(value: Tensor): string {
  if (value.shape.length > 0) return `<${showType(value)}>`
  return Object.is(value.item(), -0) ? '-0' : String(value.item())
}

/** a, b, ..., z, aa, ab, ... */
function nameOf(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26))
  return index < 26 ? letter : nameOf(Math.floor(index / 26) - 1) + letter
}
