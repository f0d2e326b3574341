import type { StructuredOperator } from '../../linalg/index.js'
import * as np from '../../numpy/index.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import { requireFisherKind } from '../operators/fisherScores.js'
import type { FlatProblem } from '../parameters.js'
import type { Problem } from '../problem.js'
import {
  structuredBlockDiagonal,
  structuredDiagonal,
  structuredEigenKronecker,
  structuredKronecker,
  structuredPermuted,
} from '../structured/index.js'
import { diagonalOfRest, type LayerOptions, layerSquares } from './diagonal.js'
import { findLayers, type Layer, type Layers, type Uncovered } from './find.js'
import { type LayerView, layerPass, layerProblem } from './layerPass.js'

export interface KfacOptions extends LayerOptions {
  /**
   * How the positions of a convolution or sequence count (Eschenhagen et al. 2023): `expand` (default) takes each as a
   * sample of its own, `reduce` takes a sample's mean input and summed output gradient. The same where there is one.
   */
  readonly sharing?: 'expand' | 'reduce'
}

/** The two factors of a layer's block S (x) A, outputs and inputs (+ 1 for a bias). */
export interface LayerFactors {
  readonly layer: Layer
  /** S [outputs, outputs], of the outputs' gradients. */
  readonly outputs: Tensor
  /** A [inputs, inputs], of the inputs. */
  readonly inputs: Tensor
}

/** A block-diagonal curvature: a block for each layer, the diagonal for parameters that belong to none. */
export interface LayerCurvature extends StructuredOperator {
  readonly factors: readonly LayerFactors[]
  readonly uncovered: readonly Uncovered[]
}

/**
 * K-FAC (Martens and Grosse 2015): the Fisher matrix of each layer y = W a + b as S (x) A with A = E[a a^T] and
 * S = E[sum_c g_c g_c^T], a with a 1 for the bias, g_c the gradients of y for the scores of the kind of Fisher matrix; with P
 * positions A is over N P of them and S a sum over P, mean over N. Exact for deep linear networks with `mse`, for one
 * sample, and wherever inputs and gradients are independent. Parameters outside of such layers get the exact diagonal.
 */
export async function kfac(problem: Problem, options: KfacOptions): Promise<LayerCurvature> {
  const { flat, found, factors } = await kroneckerFactors('kfac', problem, options)
  const blocks = factors.map(({ outputs, inputs }) => structuredKronecker(outputs, inputs))
  return assembled(problem, flat, found, blocks, factors, options)
}

/**
 * EK-FAC (George et al. 2018): K-FAC's eigenvectors Q_S (x) Q_A with the eigenvalues that suit them best, the mean over
 * samples of the squares of Q_S^T G_n Q_A, G_n a sample's gradient of [W, b].
 */
export async function ekfac(problem: Problem, options: KfacOptions): Promise<LayerCurvature> {
  const { flat, found, factors } = await kroneckerFactors('ekfac', problem, options)
  const bases = factors.map(({ outputs, inputs }) =>
    [outputs, inputs].map((factor) =>
      castTensor(np.eigh(castTensor(factor, 'float64')).eigenvectors, flat.dtype),
    ),
  ) as [Tensor, Tensor][]
  const squares = await layerSquares('ekfac', flat, found.layers, options, bases)
  const blocks = squares.map((eigenvalues, i) => structuredEigenKronecker(...bases[i]!, eigenvalues))
  return assembled(problem, flat, found, blocks, factors, options)
}

async function kroneckerFactors(where: string, problem: Problem, options: KfacOptions) {
  requireFisherKind(where, options)
  const { sharing = 'expand' } = options
  if (sharing !== 'expand' && sharing !== 'reduce')
    throw new Error(`${where}: sharing is ${sharing}, expected 'expand' or 'reduce'`)
  const flat = layerProblem(problem, options.precision)
  const found = findLayers(flat)
  const samples = flat.inputs.shape[0]!
  const sums = await layerPass(where, flat, found.layers, options, secondMoments(sharing), options)
  const factors = found.layers.map((layer, i): LayerFactors => {
    const width = layer.inputs + (layer.bias ? 1 : 0)
    const scale = sharing === 'expand' ? samples * layer.positions : samples
    return {
      layer,
      outputs: matrix(sums[2 * i + 1]!, layer.outputs, samples, flat.dtype),
      inputs: matrix(sums[2 * i]!, width, scale, flat.dtype),
    }
  })
  return { flat, found, factors }
}

/** sum a a^T and sum g g^T. */
function secondMoments(sharing: 'expand' | 'reduce') {
  return ({ inputs, gradients, weights }: LayerView): Tensor[] => {
    const [a, g] =
      sharing === 'expand'
        ? [inputs, gradients]
        : [np.mean(inputs, { axis: 1, keepdims: true }), np.sum(gradients, { axis: 2, keepdims: true })]
    const rows = np.reshape(a, [-1, a.shape[2]!])
    const weighted = np.reshape(np.multiply(a, np.reshape(weights, [-1, 1, 1])), rows.shape)
    const columns = np.reshape(g, [-1, g.shape[3]!])
    return [np.matmul(np.transpose(rows), weighted), np.matmul(np.transpose(columns), columns)]
  }
}

function matrix(sum: Float64Array, n: number, scale: number, dtype: 'float32' | 'float64'): Tensor {
  return castTensor(
    new Tensor(
      sum.map((value) => value / scale),
      [n, n],
    ),
    dtype,
  )
}

/** The layers' blocks and the rest's diagonal, in the order of the parameters. */
async function assembled(
  problem: Problem,
  flat: FlatProblem,
  found: Layers,
  blocks: readonly StructuredOperator[],
  factors: readonly LayerFactors[],
  options: LayerOptions,
): Promise<LayerCurvature> {
  const { values, places } = await diagonalOfRest(problem, flat, found, options)
  const rest = flat.dtype === 'float64' ? values : Float32Array.from(values)
  const parts = [...blocks, ...(places.length > 0 ? [structuredDiagonal(rest)] : [])]
  const [first, ...others] = parts as [StructuredOperator, ...StructuredOperator[]]
  const order = joined([...found.layers.map((layer) => layer.places), places])
  const operator = structuredPermuted(structuredBlockDiagonal(first, ...others), order)
  return { ...operator, factors, uncovered: found.uncovered }
}

function joined(parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
