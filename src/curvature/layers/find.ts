import { add } from '../../ops/arithmetic.js'
import type { Equation, Program } from '../../program/program.js'
import type { Value, Var } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { fullTensor, Tensor } from '../../tensor/tensor.js'
import { trace } from '../../transforms/index.js'
import type { FlatProblem, ParameterBlock } from '../parameters.js'
import { type LinearMap, linearMapOf } from './layer.js'

/** A layer y = W a + b of a model. */
export interface Layer {
  /** The name of its weight. */
  readonly name: string
  readonly inputs: number
  readonly outputs: number
  /** How often it is applied to one sample: the places of a convolution, the length of a sequence. */
  readonly positions: number
  readonly bias: boolean
  /**
   * Where the entries of [W, b], outputs by inputs (+ 1 with a bias), lie in the vector of all parameters, row by row.
   */
  readonly places: Int32Array
  /** The equation of the model's program that computes W a, and which of its operands is W. */
  readonly equation: number
  readonly side: number
}

/** Parameters that belong to no layer, and why. */
export interface Uncovered {
  readonly block: ParameterBlock
  readonly reason: string
}

export interface Layers {
  readonly layers: readonly Layer[]
  readonly uncovered: readonly Uncovered[]
}

/** Operations that move elements and change none. */
const moves = new Set(['reshape', 'transpose', 'slice', 'cast', 'broadcast', 'stopGradient', 'barrier'])

/** Samples in the program that is looked through: no usual size, so that an axis of this length is that of the samples. */
const trial = 11

/** The model's program for `samples` samples: (theta, x) to outputs. */
export function modelProgram({ apply, theta, inputs }: FlatProblem, samples: number): Program {
  const x = fullTensor([samples, ...inputs.shape.slice(1)], 0, inputs.dtype)
  return trace(apply, theta, x).program
}

/**
 * The linear layers of a model, found in its program: a matrix product or convolution with one operand of parameters
 * alone, each of which is used nowhere else, and the addition of a bias behind it.
 */
export function findLayers(problem: FlatProblem): Layers {
  const { equations, inputs } = modelProgram(problem, trial)
  const theta = inputs[0]!
  const uses = usesOf(equations)
  const count = sizeOf(theta.shape)
  const parameters = follow(equations, theta, count)
  const candidates = equations.flatMap((equation, at) => candidatesOf(equation, at, parameters))
  const reasons = new Map<ParameterBlock, string>()
  const users = new Int32Array(count)
  for (const { operand } of candidates) {
    const indices = parameters.get(operand)!.data
    for (let i = 0; i < indices.length; i++) users[indices[i]!]!++
  }

  const layers: Layer[] = []
  for (const { equation, at, side, operand } of candidates) {
    const indices = parameters.get(operand)!
    const map = linearMapOf(equation, side, trial)
    const shared = isShared(indices, users)
    if (typeof map === 'string' || shared) {
      const reason = typeof map === 'string' ? map : 'it is used in more than one place'
      const block = blockAt(problem, indices.data[0]!)
      reasons.set(block, reasons.get(block) ?? reason)
      continue
    }
    layers.push(
      layerOf(problem, { equation, at, side, map, weight: map.weight(indices) as Tensor }, (y) =>
        biasOf(equations, uses, parameters, users, map, y),
      ),
    )
  }
  return { layers, uncovered: uncoveredBlocks(problem, layers, reasons) }
}

interface Candidate {
  readonly equation: Equation
  readonly at: number
  readonly side: number
  readonly operand: Value
}

/** How an equation uses parameters other than by moving them: each of its operands that is one. */
function candidatesOf(equation: Equation, at: number, parameters: ReadonlyMap<Value, Tensor>): Candidate[] {
  if (equation.outputs.some((output) => parameters.has(output))) return []
  return equation.inputs.flatMap((operand, side) =>
    parameters.has(operand) ? [{ equation, at, side, operand }] : [],
  )
}

/** Whether one of the parameters at these indices has several users. */
function isShared({ data }: Tensor, users: Int32Array): boolean {
  for (let i = 0; i < data.length; i++) if (users[data[i]!]! > 1) return true
  return false
}

/** For every variable that only moves elements of `start`: the indices of these, in a tensor of the variable's shape. */
function follow(equations: readonly Equation[], start: Var, count: number): Map<Value, Tensor> {
  const places = new Int32Array(count)
  for (let i = 0; i < count; i++) places[i] = i
  const indices = new Map<Value, Tensor>([[start, new Tensor(places, start.shape)]])
  for (const { primitive, inputs, params, outputs } of equations) {
    const from = indices.get(inputs[0]!)
    if (!from || inputs.length !== 1 || !moves.has(primitive.name)) continue
    const moved =
      primitive.name === 'cast' ? [from] : primitive.evaluate([from], params, primitive.infer([from], params))
    outputs.forEach((output, i) => {
      indices.set(output, moved[i]!)
    })
  }
  return indices
}

function usesOf(equations: readonly Equation[]): Map<Value, Equation[]> {
  const uses = new Map<Value, Equation[]>()
  for (const equation of equations)
    for (const input of new Set(equation.inputs)) uses.set(input, [...(uses.get(input) ?? []), equation])
  return uses
}

function layerOf(
  problem: FlatProblem,
  {
    equation,
    at,
    side,
    map,
    weight,
  }: { equation: Equation; at: number; side: number; map: LinearMap; weight: Tensor },
  biasOf: (y: Var) => Float64Array | null,
): Layer {
  const [outputs, inputs] = weight.shape as [number, number]
  const y = equation.outputs[0]!
  const bias = biasOf(y)
  const width = inputs + (bias ? 1 : 0)
  const places = new Int32Array(outputs * width)
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) places[o * width + i] = weight.data[o * inputs + i]!
    if (bias) places[o * width + inputs] = bias[o]!
  }
  const positions = (map.outputs(fullTensor(y.shape, 0, 'float64')) as Tensor).shape[1]!
  const { name } = blockAt(problem, places[0]!)
  return { name, inputs, outputs, positions, bias: bias !== null, places, equation: at, side }
}

/** The parameter tensor that has the element at a place of the vector of all. */
const blockAt = ({ blocks }: FlatProblem, place: number): ParameterBlock =>
  blocks.find(({ offset, size }) => place >= offset && place < offset + size)!

/**
 * The parameters that are added to y right after it is computed and moved, one for each output; null where nothing of the
 * kind happens, or where y or the parameters are used elsewhere too.
 */
function biasOf(
  equations: readonly Equation[],
  uses: ReadonlyMap<Value, readonly Equation[]>,
  parameters: ReadonlyMap<Value, Tensor>,
  users: Int32Array,
  map: LinearMap,
  y: Var,
): Float64Array | null {
  let at: Value = y
  for (;;) {
    const [only, ...others] = uses.get(at) ?? []
    if (!only || others.length > 0) return null
    if (moves.has(only.primitive.name)) {
      at = only.outputs[0]!
      continue
    }
    const other = only.inputs.find((input) => input !== at)
    const bias = other && parameters.get(other)
    if (only.primitive.name !== 'add' || !bias) return null
    if ((uses.get(other) ?? []).length > 1 || isShared(bias, users)) return null
    const elements = follow(equations, y, sizeOf(y.shape)).get(at)!
    return perOutput(map, y, elements, bias)
  }
}

/** The one index in `bias` that meets every element of an output; null where an output meets several. */
function perOutput(map: LinearMap, y: Var, elements: Tensor, bias: Tensor): Float64Array | null {
  const zeros = fullTensor(elements.shape, 0, 'int32')
  const met = add(bias, zeros) as Tensor
  const at = new Int32Array(sizeOf(y.shape))
  elements.data.forEach((element, i) => {
    at[element] = met.data[i] as number
  })
  const byOutput = map.outputs(new Tensor(at, y.shape)) as Tensor
  const outputs = byOutput.shape[2]!
  const first = Float64Array.from(byOutput.data.subarray(0, outputs))
  const constant = byOutput.data.every((index, i) => index === first[i % outputs])
  return constant && new Set(first).size === outputs ? first : null
}

/** 1 at the places of a vector of all parameters that belong to a layer. */
export function coveredPlaces(layers: readonly Layer[], size: number): Uint8Array {
  const covered = new Uint8Array(size)
  for (const { places } of layers) for (let i = 0; i < places.length; i++) covered[places[i]!] = 1
  return covered
}

function uncoveredBlocks(
  { blocks, theta }: FlatProblem,
  layers: readonly Layer[],
  reasons: ReadonlyMap<ParameterBlock, string>,
): Uncovered[] {
  const covered = coveredPlaces(layers, theta.size)
  return blocks
    .filter(({ offset, size }) => covered.subarray(offset, offset + size).includes(0))
    .map((block) => ({
      block,
      reason: reasons.get(block) ?? 'it is no weight of a matrix product and no bias behind one',
    }))
}
