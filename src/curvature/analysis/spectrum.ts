import { eigenpairsFrom } from '../../linalg/eigen/eigen.js'
import type { LanczosState } from '../../linalg/eigen/lanczos.js'
import {
  type EigenpairsCheckpoint,
  logDeterminant,
  type QuadratureCheckpoint,
  spectralDensity,
  type TopEigenpairsOptions,
  topEigenpairs,
} from '../../linalg/index.js'
import type { SymmetricCurvature } from '../operators/index.js'
import type { Stages } from '../stages/stages.js'
import type { DensityReport, EigenvalueReport, LogDeterminantReport } from './report.js'

export interface SpectrumOptions {
  /** Eigenvalues wanted at both ends. */
  readonly top: number
  readonly bottom: number
  /** Wanted residuals relative to the largest eigenvalue. */
  readonly topTolerance: number
  readonly bottomTolerance: number
  readonly probes: number
  readonly steps: number
  readonly maxSteps: number
  readonly seed: number
  readonly basisDtype: 'float64' | 'float32'
  readonly processes: number
}

/** Eigenpairs as plain data. */
export interface Pairs {
  readonly eigenvalues: readonly EigenvalueReport[]
  /** Unit vectors, one after another. */
  readonly vectors: Float64Array
  readonly products: number
  readonly converged: boolean
  readonly message: string
}

export interface Spectrum {
  readonly density: DensityReport
  readonly densityProducts: number
  /** Of log det(A + shift), from the density's quadrature. */
  readonly logDeterminant: (shift: number) => Promise<LogDeterminantReport | string>
  readonly top: Pairs
  readonly bottom: Pairs | null
}

interface DensityResult {
  readonly density: DensityReport
  readonly quadrature: QuadratureCheckpoint
  readonly lowest: number
}

/**
 * The spectral density and the eigenpairs at its ends. The last probe of the density is a Lanczos process like any other:
 * both searches for eigenpairs go on with it, so that no step is taken twice.
 */
export async function spectrum(
  operator: SymmetricCurvature,
  stages: Stages,
  options: SpectrumOptions,
): Promise<Spectrum> {
  const { top, bottom, probes, steps, maxSteps, seed, basisDtype } = options
  const block = Math.min(options.processes, operator.plan.block)
  const quadrature = { probes, steps, seed, basisDtype }
  const search = (which: 'largest' | 'smallest', count: number): TopEigenpairsOptions => ({
    count,
    which,
    tolerance: which === 'largest' ? options.topTolerance : options.bottomTolerance,
    maxSteps,
    seed,
    basisDtype,
    block,
    findRepeated: which === 'largest',
  })
  const found = await stages.run<DensityResult, QuadratureCheckpoint>(
    'spectral density',
    { probes, steps },
    async (run) => {
      let latest = run.checkpoint
      const density = await spectralDensity(operator, {
        ...quadrature,
        block,
        ...run,
        onCheckpoint(checkpoint) {
          latest = checkpoint
          run.onCheckpoint(checkpoint)
        },
      })
      const [process] = latest!.running as [LanczosState]
      if (canGoOn(process, operator.rows)) {
        stages.prepare('largest eigenvalues', eigenpairsFrom(process, search('largest', top)))
        if (bottom > 0)
          stages.prepare('smallest eigenvalues', eigenpairsFrom(process, search('smallest', bottom)))
      }
      return {
        density: {
          grid: [...density.grid],
          values: [...density.values],
          standardError: [...density.standardError],
          logarithmic: {
            grid: [...density.logarithmic.grid],
            values: [...density.logarithmic.values],
            standardError: [...density.logarithmic.standardError],
          },
          probes,
          steps,
        },
        quadrature: ended(latest!),
        lowest: density.nodes.reduce((a, b) => Math.min(a, b)),
      }
    },
  )
  const eigenpairs = (name: string, which: 'largest' | 'smallest', count: number) => {
    const settings = search(which, count)
    const { tolerance = 0 } = settings
    return stages.run<Pairs, EigenpairsCheckpoint>(name, { count, tolerance, maxSteps }, async (run) => {
      const { eigenvalues, eigenvectors, products, converged, message } = await topEigenpairs(operator, {
        ...settings,
        ...run,
      })
      const vectors = eigenvectors.data as Float64Array
      return { eigenvalues: [...eigenvalues], vectors, products, converged, message }
    })
  }
  return {
    density: found.density,
    densityProducts: found.quadrature.products,
    top: await eigenpairs('largest eigenvalues', 'largest', top),
    bottom: bottom > 0 ? await eigenpairs('smallest eigenvalues', 'smallest', bottom) : null,
    async logDeterminant(shift) {
      if (found.lowest + shift <= 0)
        return (
          `The log-determinant was not computed: the matrix has a Ritz value of ${found.lowest.toPrecision(3)}, so that a ` +
          `shift of ${shift} does not make it positive definite; use one above ${(-found.lowest).toPrecision(3)}.`
        )
      const { estimate, standardError, quadratureChange } = await logDeterminant(operator, {
        ...quadrature,
        shift,
        checkpoint: found.quadrature,
      })
      return { shift, estimate, standardError, quadratureChange }
    },
  }
}

/** Whether a search for eigenpairs can go on: not where the process met an invariant subspace smaller than the space. */
const canGoOn = ({ alpha, basis }: LanczosState, n: number) =>
  basis.length > alpha.length || alpha.length === n

/** A quadrature whose last probes are complete, without their vectors. */
function ended({ finished, running, ...rest }: QuadratureCheckpoint): QuadratureCheckpoint {
  const ran = running.map(({ alpha, beta }) => ({
    alpha: Float64Array.from(alpha),
    beta: Float64Array.from(beta.slice(0, alpha.length - 1)),
  }))
  return { ...rest, finished: [...finished, ...ran], running: [] }
}
