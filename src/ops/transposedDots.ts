import type { Equation, Program } from '../program/program.js'
import type { Value, Var } from '../program/value.js'
import { range, sameShape } from '../tensor/shape.js'

type Axes = readonly number[]

/**
 * A program in which (x y)^T is y^T x^T, where the product is used for nothing else: gradients in matrices come out
 * transposed, and a product of swapped operands costs less than moving its elements.
 */
export function swapTransposedDots(program: Program): Program {
  const uses = new Map<Value, number>()
  for (const value of [...program.equations.flatMap(({ inputs }) => inputs), ...program.outputs])
    uses.set(value, (uses.get(value) ?? 0) + 1)
  const dots = new Map<Value, Equation>()
  const swapped = new Map<Equation, Equation>()
  const dropped = new Set<Equation>()
  for (const equation of program.equations) {
    const { primitive, inputs, outputs } = equation
    if (primitive.name === 'dot') dots.set(outputs[0] as Var, equation)
    const product = primitive.name === 'transpose' ? dots.get(inputs[0] as Value) : undefined
    if (!product || uses.get(inputs[0] as Value) !== 1 || !swapsOperands(product, equation)) continue
    dropped.add(product)
    swapped.set(equation, {
      ...product,
      inputs: [...product.inputs].reverse(),
      params: reversed(product),
      outputs,
    })
  }
  if (dropped.size === 0) return program
  const equations = program.equations.filter((equation) => !dropped.has(equation))
  return { ...program, equations: equations.map((equation) => swapped.get(equation) ?? equation) }
}

function reversed({ params }: Equation) {
  const { contract, batch } = params as { contract: readonly [Axes, Axes]; batch: readonly [Axes, Axes] }
  return { contract: [contract[1], contract[0]], batch: [batch[1], batch[0]] }
}

/** Whether a transpose puts the free axes of the right operand of a dot before those of the left, and does no more. */
function swapsOperands({ inputs, outputs, params }: Equation, transpose: Equation): boolean {
  const { contract, batch } = params as { contract: readonly [Axes, Axes]; batch: readonly [Axes, Axes] }
  const lead = batch[0].length
  const middle = (inputs[0] as Value).shape.length - contract[0].length
  const axes = range((outputs[0] as Var).shape.length)
  const order = [...axes.slice(0, lead), ...axes.slice(middle), ...axes.slice(lead, middle)]
  return sameShape(transpose.params.permutation as Axes, order)
}
