import { reshape, transpose } from '../../ops/broadcast.js'
import type { ConvolutionParams } from '../../ops/convolution.js'
import type { DotParams } from '../../ops/dotLowering.js'
import { patches } from '../../ops/patches.js'
import type { Equation } from '../../program/program.js'
import type { Type, Value } from '../../program/value.js'
import { range, type Shape, sizeOf } from '../../tensor/shape.js'

/**
 * An operation y = W a of a program, W [outputs, inputs] made of parameters alone, applied at every one of a sample's
 * positions: a matrix product, or a convolution with its patches as inputs.
 */
export interface LinearMap {
  /** W from the operand that holds it. */
  weight(operand: Value): Value
  /** [samples, positions, inputs] from the other operand. */
  inputs(operand: Value): Value
  /** [samples, positions, outputs] from the result, or from a cotangent of it. */
  outputs(result: Value): Value
}

/** The linear map that an equation applies, its operand `side` being the weight; a sentence where it is none. */
export function linearMapOf(equation: Equation, side: number, samples: number): LinearMap | string {
  const { primitive, params, inputs } = equation
  const data = inputs[1 - side] as Value
  if (primitive.name === 'convolution') {
    if (side !== 1) return 'it is convolved as an image'
    return (params as unknown as ConvolutionParams).groups === 1
      ? convolutionMap(params as unknown as ConvolutionParams)
      : 'its convolution has groups'
  }
  if (primitive.name !== 'dot') return `it is used in ${primitive.name}, which is no matrix product`
  const { contract, batch } = params as unknown as DotParams
  if (batch[0].length > 0) return 'its matrix product is of many matrices'
  const sampleAxis = !contract[1 - side]!.includes(0) && data.shape[0] === samples
  return sampleAxis
    ? dotMap(inputs, contract, side)
    : 'the other operand does not have the samples along its first axis'
}

function dotMap(operands: readonly Type[], contract: DotParams['contract'], side: number): LinearMap {
  const free = operands.map(({ shape }, i) =>
    range(shape.length).filter((axis) => !contract[i]!.includes(axis)),
  )
  const [weightFree, dataFree] = [free[side]!, free[1 - side]!]
  return {
    weight: (w) => rows(transpose(w, [...weightFree, ...contract[side]!]), weightFree.length),
    inputs: (x) => atPositions(transpose(x, [...dataFree, ...contract[1 - side]!]), dataFree.length),
    outputs(y) {
      const [w, d] = [range(weightFree.length), range(dataFree.length)]
      const moved = side === 1 ? y : transpose(y, [...d.map((axis) => axis + w.length), ...w])
      return atPositions(moved, d.length)
    },
  }
}

function convolutionMap({ window, strides, padding, dilation }: ConvolutionParams): LinearMap {
  return {
    weight: (w) => rows(w, 1),
    inputs(image) {
      // [N, C, window, ...positions]
      const cut = patches(image, { window, strides, padding, dilation })
      const places = range(window.length).map((axis) => axis + 3)
      return atPositions(transpose(cut, [0, ...places, 1, 2]), 1 + window.length)
    },
    outputs(y) {
      const places = range(window.length).map((axis) => axis + 2)
      return atPositions(transpose(y, [0, ...places, 1]), 1 + window.length)
    },
  }
}

/** [first `lead` axes, the rest]. */
function rows(x: Value, lead: number): Value {
  const [left, right] = split(x.shape, lead)
  return reshape(x, [sizeOf(left), sizeOf(right)])
}

/** [samples, positions, rest] where the first `lead` axes are samples and positions. */
function atPositions(x: Value, lead: number): Value {
  const [left, right] = split(x.shape, lead)
  return reshape(x, [left[0]!, sizeOf(left.slice(1)), sizeOf(right)])
}

const split = (shape: Shape, at: number): [Shape, Shape] => [shape.slice(0, at), shape.slice(at)]
