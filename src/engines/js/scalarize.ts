import { add, mul } from '../../ops/arithmetic.js'
import { broadcastStrides, gatherStrided, reshape, transpose } from '../../ops/broadcast.js'
import { sumOf } from '../../ops/define.js'
import { dotMatrices } from '../../ops/dot.js'
import type { DotParams } from '../../ops/dotLowering.js'
import { concatenate, sliceAxis } from '../../ops/slice.js'
import { bind, traceFlat } from '../../program/builder.js'
import { Unknown } from '../../program/primitive.js'
import type { Equation, Program } from '../../program/program.js'
import type { Type, Value } from '../../program/value.js'
import { range, type Shape, sizeOf } from '../../tensor/shape.js'
import { fullTensor, Tensor } from '../../tensor/tensor.js'
import { isElementwise } from './element.js'

/** The elements of a value in row-major order, each of shape []. */
type Elements = readonly Value[]

/**
 * The same function of single numbers: every input and output becomes one for each of its elements, and no operation
 * on small arrays is left, so that derivatives know each zero and a batch of the program is one loop of plain arithmetic.
 * For programs of at most some hundred elements. Operations that are neither elementwise, moves, sums nor products of
 * matrices keep their arrays, and those with derivatives of their own keep these.
 */
export function scalarize(program: Program): Program {
  const types = program.inputs.flatMap((input) => range(sizeOf(input.shape)).map(() => scalar(input)))
  return traceFlat((numbers) => {
    let next = 0
    const values = new Map<Value, Elements>()
    for (const input of program.inputs) {
      const size = sizeOf(input.shape)
      values.set(input, numbers.slice(next, next + size))
      next += size
    }
    const elementsOf = (value: Value) => (value instanceof Tensor ? constants(value) : values.get(value)!)
    for (const equation of program.equations) {
      const results = applyToElements(equation, equation.inputs.map(elementsOf))
      equation.outputs.forEach((output, i) => {
        values.set(output, results[i]!)
      })
    }
    return program.outputs.flatMap(elementsOf)
  }, types).program
}

const scalar = ({ dtype }: Type): Type => ({ dtype, shape: [] })
const zero = ({ dtype }: Type) => fullTensor([], 0, dtype)

const constants = ({ data, dtype }: Tensor): Elements => Array.from(data, (x) => fullTensor([], x, dtype))

function applyToElements(equation: Equation, operands: readonly Elements[]): Elements[] {
  const { primitive, inputs } = equation
  const [, ...others] = inputs
  if (isElementwise(equation)) return [elementwise(equation, operands)]
  if (primitive.name === 'dot') return [dot(equation, operands)]
  if (primitive.name === 'concatenate') return [moves(equation, operands, inputs.length)]
  if (others.every((input) => input instanceof Tensor)) {
    if (primitive.pattern === 'moves') return [moves(equation, operands, 1)]
    if (primitive.pattern === 'sums') return [sums(equation, operands[0]!)]
  }
  return whole(equation, operands)
}

function elementwise({ primitive, inputs, params, outputs }: Equation, operands: readonly Elements[]) {
  const { shape } = outputs[0]!
  const places = inputs.map(
    (input) => gatherStrided(numbered(input), shape, broadcastStrides(input.shape, shape)).data,
  )
  return range(sizeOf(shape)).map(
    (k) =>
      bind(
        primitive,
        operands.map((elements, i) => elements[places[i]![k]!]!),
        params,
      )[0]!,
  )
}

/** Results that are each an element of the first `count` operands, or zero. */
function moves(
  { primitive, inputs, params, outputs }: Equation,
  operands: readonly Elements[],
  count: number,
): Elements {
  const all: Value[] = [zero(outputs[0]!)]
  const numbers = inputs.map((input, i) => {
    if (i >= count) return input as Tensor
    all.push(...operands[i]!)
    return numbered(input, all.length - operands[i]!.length)
  })
  const [moved] = primitive.evaluate(numbers, params, outputs.map(integers))
  return Array.from(moved!.data, (number) => all[number]!)
}

/** Results to which each element of the first operand is added at most once. */
function sums({ primitive, inputs, params, outputs }: Equation, elements: Elements): Elements {
  const [first, ...others] = inputs
  const [targets] = primitive.transpose!({
    cotangents: [numbered(outputs[0]!, 1)],
    inputs: [new Unknown(integers(first!)), ...others],
    outputs: outputs.map(integers),
    params,
  }) as [Tensor]
  const totals = new Array<Value | undefined>(sizeOf(outputs[0]!.shape) + 1).fill(undefined)
  elements.forEach((element, k) => {
    const target = targets.data[k]!
    const total = totals[target]
    totals[target] = total ? add(total, element) : element
  })
  return totals.slice(1).map((total) => total ?? zero(outputs[0]!))
}

function dot({ inputs, params, outputs }: Equation, [left, right]: readonly Elements[]): Elements {
  const { leftOrder, rightOrder, m, k, n } = dotMatrices(inputs, params as unknown as DotParams)
  const rows = (transpose(numbered(inputs[0]!), leftOrder) as Tensor).data
  const columns = (transpose(numbered(inputs[1]!), rightOrder) as Tensor).data
  return range(sizeOf(outputs[0]!.shape)).map((at) => {
    const [row, column] = [Math.floor(at / n), at % n]
    const matrix = Math.floor(row / m)
    const products = range(k).map((t) =>
      mul(left![rows[row * k + t]!]!, right![columns[(matrix * k + t) * n + column]!]!),
    )
    return sumOf(products, add) ?? zero(outputs[0]!)
  })
}

/** The equation itself, on arrays put together from their elements and taken apart again. */
function whole({ primitive, inputs, params }: Equation, operands: readonly Elements[]): Elements[] {
  const arrays = inputs.map((input, i) =>
    input instanceof Tensor
      ? input
      : reshape(
          concatenate(
            operands[i]!.map((x) => reshape(x, [1])),
            0,
          ),
          input.shape,
        ),
  )
  return bind(primitive, arrays, params).map((array) => {
    const flat = reshape(array, [sizeOf(array.shape)])
    return range(sizeOf(array.shape)).map((k) => reshape(sliceAxis(flat, 0, k, k + 1), []))
  })
}

const integers = ({ shape }: { readonly shape: Shape }): Type => ({ dtype: 'int32', shape })

/** The elements of a value numbered from `first` on. */
function numbered({ shape }: { readonly shape: Shape }, first = 0): Tensor {
  return new Tensor(
    Int32Array.from({ length: sizeOf(shape) }, (_, i) => first + i),
    shape,
  )
}
