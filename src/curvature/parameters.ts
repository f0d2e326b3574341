import { type Shape, sizeOf } from '../tensor/shape.js'
import { fullTensor, Tensor } from '../tensor/tensor.js'
import { flatten, leafNames, unflatten } from '../tensor/tree.js'
import { ravel, trace } from '../transforms/index.js'
import { castProblem, type Problem } from './problem.js'

/** Where one parameter tensor lies in the vector of all. */
export interface ParameterBlock {
  /** Its path in the tree of parameters: `w1`, `layers[0].weight`. */
  readonly name: string
  readonly shape: Shape
  readonly offset: number
  readonly size: number
}

/** Which parameters: their names, or a test of them. */
export type Selection = readonly string[] | ((name: string) => boolean)

/** A problem as a function of one vector of the chosen parameters; the others stay where they are. */
export interface FlatProblem extends Omit<Problem, 'parameters' | 'apply' | 'inPrecision'> {
  readonly dtype: 'float32' | 'float64'
  /** The chosen parameters, one after another. */
  readonly theta: Tensor
  readonly blocks: readonly ParameterBlock[]
  readonly apply: (theta: Tensor, inputs: Tensor) => Tensor
  /** The chosen parameters as they are, and the model as a function of them: their gradients need no gathering. */
  readonly leaves: readonly Tensor[]
  readonly applyLeaves: (leaves: readonly Tensor[], inputs: Tensor) => Tensor
}

/** The problem in a float type, as a function of one vector of the selected parameters (default all). */
export function flatProblem(
  problem: Problem,
  dtype: 'float32' | 'float64',
  selection?: Selection,
): FlatProblem {
  const { parameters, apply, inPrecision: _, ...rest } = castProblem(problem, dtype)
  const { leaves, structure } = flatten<Tensor>(parameters, isTensor)
  const names = leafNames(structure)
  const chosen = select(names, selection)
  const selected = leaves.filter((_, i) => chosen[i])
  const [theta, unravel] = ravel<Tensor[]>(selected)
  const applyLeaves = (moved: readonly Tensor[], inputs: Tensor) => {
    let next = 0
    const all = leaves.map((leaf, i) => (chosen[i] ? moved[next++]! : leaf))
    return apply(unflatten(structure, all), inputs)
  }
  return {
    ...rest,
    dtype,
    theta,
    blocks: blocksOf(names, leaves, chosen),
    apply: (vector, inputs) => applyLeaves(unravel(vector), inputs),
    leaves: selected,
    applyLeaves,
  }
}

/** The shape of the model's outputs for `batch` samples. */
export function outputShape({ apply, theta, inputs }: FlatProblem, batch: number): Shape {
  const some = fullTensor([batch, ...inputs.shape.slice(1)], 0, inputs.dtype)
  return trace(apply, theta, some).program.outputs[0]!.shape
}

/** The parameters' places in the vector of all of them. */
export function parameterBlocks({ parameters }: Problem, selection?: Selection): ParameterBlock[] {
  const { leaves, structure } = flatten<Tensor>(parameters, isTensor)
  const names = leafNames(structure)
  return blocksOf(names, leaves, select(names, selection))
}

/** The selected parameters as one float64 vector. */
export function parameterVector(
  { parameters }: Pick<Problem, 'parameters'>,
  selection?: Selection,
): Float64Array {
  const { leaves, structure } = flatten<Tensor>(parameters, isTensor)
  const chosen = select(leafNames(structure), selection)
  const selected = leaves.filter((_, i) => chosen[i])
  const vector = new Float64Array(selected.reduce((sum, { size }) => sum + size, 0))
  let at = 0
  for (const { data, size } of selected) {
    vector.set(data, at)
    at += size
  }
  return vector
}

const isTensor = (node: unknown): node is Tensor => node instanceof Tensor

function blocksOf(
  names: readonly string[],
  leaves: readonly Tensor[],
  chosen: readonly boolean[],
): ParameterBlock[] {
  let offset = 0
  return names.flatMap((name, i) => {
    if (!chosen[i]) return []
    const { shape } = leaves[i]!
    const size = sizeOf(shape)
    offset += size
    return [{ name, shape, offset: offset - size, size }]
  })
}

function select(names: readonly string[], selection?: Selection): boolean[] {
  if (names.length === 0) throw new Error('parameters: there are none, so there is nothing to differentiate')
  if (selection === undefined) return names.map(() => true)
  const isChosen = typeof selection === 'function' ? selection : (name: string) => selection.includes(name)
  const unknown =
    typeof selection === 'function' ? undefined : selection.find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw new Error(
      `parameters: there is no ${JSON.stringify(unknown)}, expected some of ${names.join(', ')}`,
    )
  const chosen = names.map(isChosen)
  if (!chosen.includes(true)) throw new Error(`parameters: none of ${names.join(', ')} is selected`)
  return chosen
}
