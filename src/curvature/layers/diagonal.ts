import type { StructuredOperator } from '../../linalg/index.js'
import * as np from '../../numpy/index.js'
import { Tensor } from '../../tensor/tensor.js'
import type { BatchSumsOptions } from '../operators/batchSums.js'
import { type FisherKind, requireFisherKind } from '../operators/fisherScores.js'
import type { Precision } from '../operators/precision.js'
import { type FlatProblem, flatProblem, type Selection } from '../parameters.js'
import type { Problem } from '../problem.js'
import { type Factor, timesRight } from '../structured/factor.js'
import { structuredDiagonal } from '../structured/index.js'
import { coveredPlaces, findLayers, type Layer, type Layers } from './find.js'
import { type LayerView, layerPass, layerProblem } from './layerPass.js'
import { sampleDiagonal } from './sampleDiagonal.js'

export interface LayerOptions extends BatchSumsOptions, FisherKind {
  /** Default `auto`, by a pass forward over the data. */
  readonly precision?: Precision
  /** The parameters in question: their names or a test of them; the others are constants. Default all. */
  readonly parameters?: Selection
}

/** The exact diagonal of a Fisher matrix, from samples' squared gradients. */
export async function fisherDiagonal(problem: Problem, options: LayerOptions): Promise<StructuredOperator> {
  requireFisherKind('fisherDiagonal', options)
  const flat = layerProblem(problem, options.precision, options.parameters)
  const found = findLayers(flat)
  const { layers } = found
  const diagonal = new Float64Array(flat.theta.size)
  const squares = await layerSquares('fisherDiagonal', flat, layers, options)
  layers.forEach(({ places }, i) => {
    places.forEach((place, j) => {
      diagonal[place] = squares[i]!.data[j] as number
    })
  })
  const { values, places } = await diagonalOfRest(problem, flat, found, options)
  places.forEach((place, j) => {
    diagonal[place] = values[j]!
  })
  return structuredDiagonal(flat.dtype === 'float64' ? diagonal : Float32Array.from(diagonal))
}

/**
 * For each layer the mean over samples of the squares of Q_S^T G Q_A, G = sum_positions g a^T, summed over the scores;
 * without bases of G itself.
 */
export async function layerSquares(
  where: string,
  flat: FlatProblem,
  layers: readonly Layer[],
  options: LayerOptions,
  bases?: readonly (readonly [Factor, Factor])[],
): Promise<Tensor[]> {
  const samples = flat.inputs.shape[0]!
  const squares = ({ layer, inputs, gradients }: LayerView): Tensor[] => {
    const basis = bases?.[layers.indexOf(layer)]
    const a = basis ? timesRight(inputs, basis[1]) : inputs
    const g = basis ? timesRight(gradients, basis[0]) : gradients
    if (layer.positions === 1) {
      // (sum over one position of g a^T)^2 = g^2 (a^2)^T, so that samples need not be told apart.
      const [c, n] = g.shape as [number, number, ...number[]]
      const g2 = np.sum(np.reshape(np.square(g), [c, n, layer.outputs]), { axis: 0 })
      return [np.matmul(np.transpose(g2), np.reshape(np.square(a), [n, -1]))]
    }
    return [np.sum(np.square(np.einsum('cnto,nti->cnoi', g, a)), { axis: [0, 1] })]
  }
  const sums = await layerPass(where, flat, layers, options, squares, options)
  return layers.map(({ inputs, outputs, bias }, i) => {
    const mean = Float64Array.from(sums[i]!, (sum) => sum / samples)
    return new Tensor(mean, [outputs, inputs + (bias ? 1 : 0)])
  })
}

/** The exact diagonal at the parameters that no layer covers, and where in the vector of all they lie. */
export async function diagonalOfRest(
  problem: Problem,
  flat: FlatProblem,
  { layers, uncovered }: Layers,
  options: LayerOptions,
): Promise<{ values: Float64Array; places: Int32Array }> {
  if (uncovered.length === 0) return { values: new Float64Array(0), places: new Int32Array(0) }
  const covered = coveredPlaces(layers, flat.theta.size)
  const names = uncovered.map(({ block }) => block.name)
  const all = await sampleDiagonal(flatProblem(problem, flat.dtype, names), options)
  const whole = uncovered.flatMap(({ block: { offset, size } }) =>
    Array.from({ length: size }, (_, i) => offset + i),
  )
  // A block of which a layer covers a part counts with the other part only.
  const kept = whole.flatMap((place, i) => (covered[place] ? [] : [i]))
  return {
    values: Float64Array.from(kept, (i) => all[i]!),
    places: Int32Array.from(kept, (i) => whole[i]!),
  }
}
