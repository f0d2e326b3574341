import type { StructuredOperator } from '../../linalg/index.js'
import type { FlatProblem } from '../parameters.js'
import type { Problem } from '../problem.js'
import { eigenOf, type Factor } from '../structured/factor.js'
import {
  structuredBlockDiagonal,
  structuredDiagonal,
  structuredEigenKronecker,
  structuredKronecker,
  structuredPermuted,
} from '../structured/index.js'
import { asDType } from '../structured/values.js'
import { diagonalOfRest, type LayerOptions, layerSquares } from './diagonal.js'
import { type KfacOptions, kroneckerFactors, type LayerFactors } from './factors.js'
import type { Layers, Uncovered } from './find.js'

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
 * @throws where the factors take more than `memoryBytes`.
 */
export async function kfac(problem: Problem, options: KfacOptions): Promise<LayerCurvature> {
  const { flat, found, factors } = await kroneckerFactors('kfac', problem, options)
  const blocks = factors.map(({ outputs, inputs }) => structuredKronecker(outputs, inputs))
  return assembled(problem, flat, found, blocks, factors, options)
}

/**
 * EK-FAC (George et al. 2018): K-FAC's eigenvectors Q_S (x) Q_A with the eigenvalues that suit them best, the mean over
 * samples of the squares of Q_S^T G_n Q_A, G_n a sample's gradient of [W, b].
 * @throws where the factors take more than `memoryBytes`.
 */
export async function ekfac(problem: Problem, options: KfacOptions): Promise<LayerCurvature> {
  const { flat, found, factors } = await kroneckerFactors('ekfac', problem, options)
  const basisOf = (factor: Factor) => asDType(eigenOf(factor).eigenvectors, flat.dtype)
  const bases = factors.map(({ outputs, inputs }) => [basisOf(outputs), basisOf(inputs)] as const)
  const squares = await layerSquares('ekfac', flat, found.layers, options, bases)
  const blocks = squares.map((eigenvalues, i) => structuredEigenKronecker(...bases[i]!, eigenvalues))
  return assembled(problem, flat, found, blocks, factors, options)
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
