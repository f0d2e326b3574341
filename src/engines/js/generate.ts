import type { Program } from '../../program/program.js'
import { type Type, type Value, Var } from '../../program/value.js'
import type { DType } from '../../tensor/dtype.js'
import { type Shape, sizeOf } from '../../tensor/shape.js'
import type { Tensor } from '../../tensor/tensor.js'
import { allocateBuffers } from './buffers.js'
import { emitLoop } from './loop.js'
import { productOf } from './matrix.js'
import { emitMatrixProduct } from './matrixProduct.js'
import { Names } from './names.js'
import { makePlan } from './plan.js'
import type { Call } from './run.js'
import type { DotStep, Step } from './schedule.js'

export interface Generated {
  /** The body of a function (Tensor, run, constants, functions, calls, shapes) that returns the program's on elements. */
  readonly source: string
  readonly constants: readonly Tensor[]
  readonly functions: readonly ((...x: number[]) => number)[]
  readonly calls: readonly Call[]
  readonly shapes: readonly Shape[]
}

const arrayTypes: Record<DType, string> = {
  float64: 'Float64Array',
  float32: 'Float32Array',
  int32: 'Int32Array',
  bool: 'Uint8Array',
}

const fresh = (dtype: DType, size: number) => `new ${arrayTypes[dtype]}(${size})`

/**
 * Loops of many rounds become functions of their own, which JavaScript engines optimise one by one; so do
 * all loops of a long program, since no engine optimises a function of more than some thousand lines.
 */
function isInline(shape: Shape, linesBefore: number): boolean {
  return sizeOf(shape) <= (linesBefore < 1000 ? 64 : 1)
}

/** Generates the JavaScript of a program, with all that it captures. */
export function generate(program: Program): Generated {
  const plan = makePlan(program)
  const storage = allocateBuffers(program, plan)
  const names = new Names(program, storage)
  const calls: Call[] = []
  const shapes: Shape[] = []
  const functions: string[] = []
  const body: string[] = []

  const shapeName = (shape: Shape) => `shapes[${shapes.push(shape) - 1}]`
  /** An array of a value's elements. */
  const arrayText = (value: Value): string => {
    const { root } = plan.reader.access(value)
    const isNumber = root instanceof Var && !names.hasArray(root)
    return isNumber ? `${arrayTypes[root.dtype]}.of(${names.element(root)})` : names.array(root)
  }
  const isConstant = (value: Value) => !(plan.reader.access(value).root instanceof Var)
  /** A value in an array whose only element the loops read as a number. */
  const unwrap = (value: Var) => {
    if (sizeOf(value.shape) === 1) body.push(`const ${names.element(value)} = ${names.array(value)}[0]`)
  }

  /** Products of the same sizes and layouts share a function, which is then optimised once. */
  const products = new Map<string, string>()
  const productFunction = ({ equation, operands, output }: DotStep): string => {
    const product = productOf(
      equation,
      operands.map(({ at }) => at),
    )
    const key = JSON.stringify([output.dtype, product])
    const name = products.get(key) ?? `dot${products.size}`
    if (!products.has(key)) functions.push(...emitMatrixProduct(name, product))
    products.set(key, name)
    return name
  }

  program.inputs.forEach((variable, i) => {
    body.push(`const x${i} = inputs[${i}]`)
    unwrap(variable)
  })
  storage.fresh.forEach((value, i) => {
    const output = program.outputs.findIndex((x) => plan.reader.access(x).root === value)
    body.push(`const y${i} = spare ? spare[${output}] : ${fresh(value.dtype, sizeOf(value.shape))}`)
  })
  const complete = completedBy(plan.steps)
  plan.steps.forEach((step, i) => {
    if (step.kind === 'loop') {
      const lines = emitLoop(step, names, plan.stored)
      if (isInline(step.shape, body.length)) body.push(...lines)
      else {
        const results = step.items
          .filter(({ kind, output }) => kind === 'reduce' && sizeOf(output.shape) === 1)
          .map(({ output }) => names.element(output))
        const { definition, call } = outline(`loop${i}`, lines, results)
        functions.push(...definition)
        body.push(call)
      }
    } else if (step.kind === 'dot') {
      const [a, b] = step.operands.map(({ root }) => names.array(root))
      body.push(`${productFunction(step)}(${names.array(step.output)}, ${a}, ${b})`)
    } else {
      const { primitive, inputs, params, outputs } = step.equation
      const k = calls.push({ primitive, params, outputs }) - 1
      const tensors = inputs.map((x) => `new Tensor(${arrayText(x)}, ${shapeName(x.shape)})`)
      body.push(
        `const r${i} = run(calls[${k}], [${tensors.join(', ')}]) // ${primitive.name.replace(/\W/g, '_')}`,
      )
      outputs.forEach((output, k) => {
        body.push(`const ${names.array(output)} = r${i}[${k}].data`)
      })
    }
    for (const value of complete[i] as Var[]) unwrap(value)
  })
  const outputs = program.outputs.map((x) => `${arrayText(x)}${isConstant(x) ? '.slice()' : ''}`)

  const source = [
    "'use strict'",
    ...names.constants.map((x, i) => `const c${i} = constants[${i}].data // ${describe(x)}`),
    ...names.functions.map(({ name }, i) => `const ${name} = functions[${i}]`),
    ...[...storage.buffers, ...names.scratch].map(
      ({ name, dtype, size }) => `const ${name} = ${fresh(dtype, size)}`,
    ),
    ...functions,
    'return function program(inputs, spare) {',
    ...[...body, `return [${outputs.join(', ')}]`].map((line) => `  ${line}`),
    '}',
  ].join('\n')
  return { source, constants: names.constants, functions: names.functions.map(({ f }) => f), calls, shapes }
}

/** The values with arrays that each step completes. */
function completedBy(steps: readonly Step[]): Var[][] {
  const last = new Map<Var, number>()
  steps.forEach((step, i) => {
    if (step.kind === 'dot') last.set(step.output, i)
    if (step.kind === 'call') for (const output of step.equation.outputs) last.set(output, i)
    if (step.kind === 'loop')
      for (const item of step.items) if (item.kind === 'place') last.set(item.output, i)
  })
  const completed: Var[][] = steps.map(() => [])
  for (const [value, step] of last) completed[step]?.push(value)
  return completed
}

/** Moves lines into a function whose parameters are the names that they use and the program defines. */
function outline(name: string, lines: readonly string[], results: readonly string[]) {
  const text = lines.join('\n')
  const defined = new Set([...text.matchAll(/\b(?:const|let) (\w+)/g)].map((match) => match[1]))
  const used = new Set([...text.matchAll(/\b(?:[xyv]\d+|v\d+_data)\b/g)].map((match) => match[0]))
  const parameters = [...used].filter((word) => !defined.has(word)).join(', ')
  const returns = results.length ? [`  return [${results.join(', ')}]`] : []
  return {
    definition: [`function ${name}(${parameters}) {`, ...lines.map((line) => `  ${line}`), ...returns, '}'],
    call: `${results.length ? `const [${results.join(', ')}] = ` : ''}${name}(${parameters})`,
  }
}

const describe = (x: Type) => `${x.dtype}[${x.shape}]`

/** The JavaScript that {@link compileProgramJs} makes of a program, to be read. */
export function generateJs(program: Program): string {
  return generate(program).source
}
