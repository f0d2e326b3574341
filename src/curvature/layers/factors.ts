import * as np from '../../numpy/index.js'
import { Tensor } from '../../tensor/tensor.js'
import { requireFisherKind } from '../operators/fisherScores.js'
import { showBytes } from '../operators/plan.js'
import type { FlatProblem } from '../parameters.js'
import type { Problem } from '../problem.js'
import type { Factor } from '../structured/factor.js'
import { asDType } from '../structured/values.js'
import type { LayerOptions } from './diagonal.js'
import { findLayers, type Layer } from './find.js'
import { type LayerView, layerPass, layerProblem } from './layerPass.js'

export interface KfacOptions extends LayerOptions {
  /**
   * How the positions of a convolution or sequence count (Eschenhagen et al. 2023): `expand` (default) takes each as a
   * sample of its own, `reduce` takes a sample's mean input and summed output gradient. The same where there is one.
   */
  readonly sharing?: 'expand' | 'reduce'
  /**
   * Of a factor with more rows than this only the diagonal is computed and kept, as is usual for embeddings and read-outs of
   * large vocabularies. Default: every factor is whole.
   */
  readonly diagonalAbove?: number
}

/** The two factors of a layer's block S (x) A, outputs and inputs (+ 1 for a bias). */
export interface LayerFactors {
  readonly layer: Layer
  /** S [outputs, outputs], of the outputs' gradients; [outputs] where only its diagonal is kept. */
  readonly outputs: Factor
  /** A [inputs, inputs], of the inputs, or its diagonal [inputs]. */
  readonly inputs: Factor
}

/** The factors of all layers of a problem, summed over its samples. */
export async function kroneckerFactors(where: string, problem: Problem, options: KfacOptions) {
  requireFisherKind(where, options)
  const { sharing = 'expand', diagonalAbove = Number.POSITIVE_INFINITY } = options
  if (sharing !== 'expand' && sharing !== 'reduce')
    throw new Error(`${where}: sharing is ${sharing}, expected 'expand' or 'reduce'`)
  if (!(diagonalAbove >= 0))
    throw new Error(`${where}: diagonalAbove is ${diagonalAbove}, expected a number of rows, 0 or more`)
  const flat = layerProblem(problem, options.precision, options.parameters)
  const found = findLayers(flat)
  requireRoom(where, found.layers, flat, diagonalAbove, options)
  const samples = flat.inputs.shape[0]!
  const sums = await layerPass(
    where,
    flat,
    found.layers,
    options,
    secondMoments(samples, sharing, diagonalAbove),
    options,
  )
  const factor = (at: number, rows: number) => {
    const shape = rows > diagonalAbove ? [rows] : [rows, rows]
    return asDType(new Tensor(sums[at]!, shape), flat.dtype)
  }
  const factors = found.layers.map(
    (layer, i): LayerFactors => ({
      layer,
      outputs: factor(2 * i + 1, layer.outputs),
      inputs: factor(2 * i, widthOf(layer)),
    }),
  )
  return { flat, found, factors }
}

/** Rows of the factor of a layer's inputs. */
const widthOf = ({ inputs, bias }: Layer) => inputs + (bias ? 1 : 0)

/** @throws where the factors take more than the budget, naming the largest. */
function requireRoom(
  where: string,
  layers: readonly Layer[],
  { dtype, inputs }: FlatProblem,
  diagonalAbove: number,
  { memoryBytes = 2 ** 31, batch = 256 }: KfacOptions,
): void {
  const summed = inputs.shape[0]! > batch ? 8 : 0
  const perElement = (dtype === 'float64' ? 8 : 4) + summed
  const sides = layers
    .flatMap((layer) => [
      { layer, of: 'outputs', rows: layer.outputs },
      { layer, of: 'inputs', rows: widthOf(layer) },
    ])
    .map((side) => ({ ...side, bytes: perElement * side.rows * (side.rows > diagonalAbove ? 1 : side.rows) }))
  const bytes = sides.reduce((sum, side) => sum + side.bytes, 0)
  if (bytes <= memoryBytes) return
  const largest = sides.reduce((a, b) => (b.bytes > a.bytes ? b : a))
  throw new Error(
    `${where}: the factors of ${layers.length} layers take ${showBytes(bytes)}, more than memoryBytes (${showBytes(memoryBytes)}); ` +
      `the largest is that of the ${largest.of} of ${largest.layer.name}, whose ${largest.rows} rows take ${showBytes(largest.bytes)}. ` +
      `Keep only the diagonals of such factors with diagonalAbove (less than ${largest.rows}), leave layers out by parameters, or ` +
      'raise memoryBytes',
  )
}

/** The parts of A and S that a batch adds, or of their diagonals where they have more rows than `diagonalAbove`. */
function secondMoments(samples: number, sharing: 'expand' | 'reduce', diagonalAbove: number) {
  return ({ inputs, gradients, weights }: LayerView): Tensor[] => {
    const [a, g] =
      sharing === 'expand'
        ? [inputs, gradients]
        : [np.mean(inputs, { axis: 1, keepdims: true }), np.sum(gradients, { axis: 2, keepdims: true })]
    const [, positions, width] = a.shape as [number, number, number]
    const share = np.sqrt(np.divide(weights, samples * positions))
    return [
      momentOf(np.multiply(a, np.reshape(share, [-1, 1, 1])), width, diagonalAbove),
      momentOf(np.divide(g, Math.sqrt(samples)), g.shape[3]!, diagonalAbove),
    ]
  }
}

/** X^T X of the rows [..., n] of x, or its diagonal. */
function momentOf(x: Tensor, n: number, diagonalAbove: number): Tensor {
  const rows = np.reshape(x, [-1, n])
  return n > diagonalAbove ? np.sum(np.square(rows), { axis: 0 }) : np.matmul(np.transpose(rows), rows)
}
