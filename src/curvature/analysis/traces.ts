import { xtrace } from '../../linalg/index.js'
import type { SketchCheckpoint } from '../../linalg/stochastic/sketching.js'
import type { SymmetricCurvature } from '../operators/index.js'
import type { Stages } from '../stages/stages.js'
import { type BlockTraces, type BlockTracesCheckpoint, blockTraces } from './blockTraces.js'
import type { EstimateReport, LayerReport } from './report.js'
import type { Pairs } from './spectrum.js'

export interface TracesOptions {
  readonly traceMethod: 'hutchinson' | 'xtrace'
  readonly probes: number
  readonly traceTolerance?: number
  readonly layers?: boolean
  readonly seed: number
}

export interface Traces {
  readonly total: EstimateReport & { method: string }
  /** Null where the method does not tell layers apart and they were not asked for. */
  readonly layers: LayerReport[] | null
  readonly products: Record<string, number>
}

/** The trace in all, and by parameter tensors where Hutchinson's probes are taken anyway. */
export async function traces(
  matrix: SymmetricCurvature,
  stages: Stages,
  { eigenvalues, vectors }: Pairs,
  options: TracesOptions,
): Promise<Traces> {
  const { traceMethod, probes, traceTolerance, seed } = options
  const tolerance = traceTolerance === undefined ? {} : { tolerance: traceTolerance }
  // A tolerance is tested on 16 samples or more.
  const least = traceTolerance === undefined ? 2 : 16
  const setting = { probes, tolerance: traceTolerance ?? 'none' }
  const common = { seed, block: matrix.plan.block, ...tolerance }
  const byBlocks = () =>
    stages.run<BlockTraces, BlockTracesCheckpoint>('trace', setting, (run) =>
      blockTraces(matrix, {
        ...common,
        known: { values: eigenvalues.map(({ value }) => value), vectors },
        probes: Math.max(least, probes),
        ...run,
      }),
    )
  const layersOf = ({ blocks }: BlockTraces): LayerReport[] =>
    matrix.blocks.map(({ name, shape, size }, i) => ({
      name,
      shape: [...shape],
      parameters: size,
      trace: { ...blocks[i]! },
    }))
  if (traceMethod === 'hutchinson') {
    const { estimate, standardError, products, ...rest } = await byBlocks()
    return {
      total: { estimate, standardError, method: 'Hutchinson, the eigenpairs found as control variates' },
      layers: layersOf({ estimate, standardError, products, ...rest }),
      products: { trace: products },
    }
  }
  const whole = await stages.run<EstimateReport & { products: number }, SketchCheckpoint>(
    'trace by XTrace',
    setting,
    async (run) => {
      const { estimate, standardError, products } = await xtrace(matrix, {
        ...common,
        probes: Math.min(matrix.rows, Math.max(least, Math.ceil(probes / 2))),
        ...run,
      })
      return { estimate, standardError, products }
    },
  )
  const own = options.layers ? await byBlocks() : null
  return {
    total: { estimate: whole.estimate, standardError: whole.standardError, method: 'XTrace' },
    layers: own && layersOf(own),
    products: { 'trace by XTrace': whole.products, ...(own && { trace: own.products }) },
  }
}
