import { type EigenpairsCheckpoint, topEigenpairs } from '../../linalg/index.js'
import type { Estimate } from '../../linalg/stochastic/estimator.js'
import { Tensor } from '../../tensor/tensor.js'
import { type Direction, type Landscape, landscape } from '../landscape/index.js'
import { type ActivationCurvature, activationCurvature } from '../layers/index.js'
import { type BatchSumsCheckpoint, lossHessian, type OperatorOptions } from '../operators/index.js'
import type { Problem } from '../problem.js'
import {
  type BatchesCheckpoint,
  hessianNoise,
  type LearningRateLaw,
  learningRateLaw,
  measureLearningRateLaw,
  type NoiseScale,
  noiseScale,
  shuffled,
} from '../stability/index.js'
import type { Stages, StagesCheckpoint } from '../stages/stages.js'
import { curvatureOf } from './curvatureKind.js'
import type { AnalyzeOptions, withDefaults } from './options.js'
import type { CurvatureReport, EigenvalueReport, LayerReport } from './report.js'
import type { Spectrum } from './spectrum.js'

type Settings = AnalyzeOptions &
  ReturnType<typeof withDefaults> & { readonly dtype: 'float32' | 'float64'; readonly gradientNorm: number }

/** What a section adds to the report, the products it took, and remarks. */
interface Section {
  readonly sections: Partial<CurvatureReport>
  readonly products?: Record<string, number>
  readonly notes?: string[]
}

interface Context {
  readonly problem: Problem
  readonly stages: Stages
  readonly spectrum: Spectrum
  readonly layers: LayerReport[] | null
  readonly options: Settings
}

/** What an analysis can do once eigenvalues, trace and density are known, each where it is asked for. */
const sections: readonly ((context: Context) => Promise<Section | null>)[] = [
  layerSection,
  activationSection,
  learningRateSection,
  noiseSection,
  landscapeSection,
]

/** The sections that were asked for, together. */
export async function furtherSections(
  problem: Problem,
  stages: Stages,
  spectrum: Spectrum,
  layers: LayerReport[] | null,
  options: Settings,
) {
  const context = { problem, stages, spectrum, layers, options }
  const all = {
    sections: {} as Partial<CurvatureReport>,
    products: {} as Record<string, number>,
    notes: [] as string[],
  }
  for (const section of sections) {
    const found = await section(context)
    Object.assign(all.sections, found?.sections)
    Object.assign(all.products, found?.products)
    all.notes.push(...(found?.notes ?? []))
  }
  return all
}

/** The options of an operator over the same data in the same precision. */
function operatorOptions({ options }: Context) {
  const { batch, memoryBytes, dtype, signal, parameters } = options
  return {
    ...(batch && { batch }),
    ...(signal && { signal }),
    ...(parameters && { parameters }),
    memoryBytes,
    precision: dtype,
  }
}

async function layerSection(context: Context): Promise<Section | null> {
  const { problem, stages, layers, options } = context
  if (!layers) return null
  if (!options.layers) return { sections: { layers } }
  const products: Record<string, number> = {}
  const rows: LayerReport[] = []
  for (const layer of layers) {
    const stage = `largest eigenvalue of ${layer.name}`
    const top = await stages.run<EigenvalueReport & { products: number }, EigenpairsCheckpoint>(
      stage,
      {},
      async (run) => {
        const matrix = await curvatureOf(options.curvature, problem, {
          ...operatorOptions(context),
          parameters: [layer.name],
        })
        try {
          const { eigenvalues, products } = await topEigenpairs(matrix, {
            count: 1,
            tolerance: 1e-4,
            findRepeated: false,
            seed: options.seed,
            ...run,
          })
          return { ...eigenvalues[0]!, products }
        } finally {
          await matrix.dispose()
        }
      },
    )
    products[stage] = top.products
    rows.push({ ...layer, top: { value: top.value, residual: top.residual } })
  }
  return { sections: { layers: rows }, products }
}

async function activationSection(context: Context): Promise<Section | null> {
  const { problem, stages, options } = context
  if (!options.activations) return null
  const { parameters: _, ...pass } = operatorOptions(context)
  const { probes, seed } = options
  const found = await stages.run<ActivationCurvature[], BatchSumsCheckpoint>(
    'curvature in outputs',
    { probes },
    (run) => activationCurvature(problem, { ...pass, probes, seed, ...run }),
  )
  const activations = found.map(({ name, size, trace }) => ({ name, outputs: size, trace: { ...trace } }))
  return { sections: { activations } }
}

const law = 'learning-rate law'

async function learningRateSection(context: Context): Promise<Section | null> {
  const { problem, stages, spectrum, options } = context
  if (!options.stability) return null
  const samples = problem.inputs.shape[0]!
  const { value, residual } = spectrum.top.eigenvalues[0]!
  if (samples < 4) return { sections: {}, notes: ['The law of the learning rate needs at least 4 samples.'] }
  if (!(value > 0))
    return { sections: {}, notes: ['Nothing curves upwards, so curvature sets no largest learning rate.'] }
  const batch = Math.min(options.batch ?? 256, Math.max(1, Math.floor(samples / 64)))
  const own = { ...operatorOptions(context), batch }
  const learningRate =
    options.curvature === 'hessian'
      ? await lawAt({ estimate: value, standardError: residual }, own, context)
      : await stages.run<LearningRateLaw, StagesCheckpoint>(law, {}, ({ checkpoint, onCheckpoint, onStep }) =>
          measureLearningRateLaw(problem, {
            ...own,
            seed: options.seed,
            checkpoint,
            onCheckpoint,
            onStep: ({ fraction }) => onStep({ done: fraction, total: 1 }),
          }),
        )
  return { sections: { learningRate } }
}

/** The law with a sharpness that is known. */
async function lawAt(
  sharpness: Estimate,
  operator: OperatorOptions,
  { problem, stages, spectrum, options }: Context,
): Promise<LearningRateLaw> {
  return stages.run<LearningRateLaw, BatchesCheckpoint>(law, {}, async (run) => {
    const hessian = await lossHessian(shuffled(problem, options.seed), operator)
    try {
      const directions = new Tensor(spectrum.top.vectors.slice(0, hessian.rows), [1, hessian.rows])
      const noise = await hessianNoise(hessian, { directions, ...run })
      return learningRateLaw({ sharpness, noise, samples: hessian.samples })
    } finally {
      await hessian.dispose()
    }
  })
}

async function noiseSection(context: Context): Promise<Section | null> {
  const { problem, stages, options } = context
  if (!options.stability || problem.inputs.shape[0]! < 4) return null
  if (options.gradientNorm === 0)
    return {
      sections: {},
      notes: ['The gradient is zero, so that its noise has nothing to be compared with.'],
    }
  const { batch: _, ...pass } = operatorOptions(context)
  const noise = await stages.run<NoiseScale, BatchesCheckpoint>('gradient noise', {}, (run) =>
    noiseScale(problem, { ...pass, seed: options.seed, ...run }),
  )
  return { sections: { noise }, notes: remarksOnDraw(noise) }
}

/** Standard errors beyond which the batches of the gradient noise are not like all samples. */
const unlike = 4

function remarksOnDraw({ drawn: { estimate, standardError } }: NoiseScale): string[] {
  if (Math.abs(estimate - 1) <= unlike * standardError + 1e-6) return []
  return [
    `The batches drawn for the gradient noise hold ${formatShare(estimate)} of the whole gradient: few samples make up most of ` +
      'it, so that the noise may be far from what its standard error says.',
  ]
}

const formatShare = (share: number) => `${(100 * share).toPrecision(3)} %`

async function landscapeSection(context: Context): Promise<Section | null> {
  const { problem, stages, spectrum, options } = context
  if (!options.landscape) return null
  const given = options.landscape === true ? {} : options.landscape
  const own = given.along === undefined || given.along === 'eigenvectors'
  const along = own ? leading(spectrum) : given.along
  const name = typeof given.along === 'object' ? 'given directions' : (given.along ?? 'eigenvectors')
  const found = await stages.run<Landscape, StagesCheckpoint>(
    'landscape',
    { along: name },
    ({ checkpoint, onCheckpoint, onStep }) =>
      landscape(problem, {
        ...operatorOptions(context),
        ...given,
        along,
        seed: options.seed,
        checkpoint,
        onCheckpoint,
        onStep: ({ fraction }) => onStep({ done: fraction, total: 1 }),
      }),
  )
  return { sections: { landscape: own ? { ...found, along: 'eigenvectors' } : found } }
}

/** The eigenvectors of the two largest eigenvalues. */
function leading({ top: { vectors, eigenvalues } }: Spectrum): Direction[] {
  const n = vectors.length / eigenvalues.length
  return eigenvalues.slice(0, 2).map((_, i) => ({
    name: `eigenvector ${i + 1}`,
    vector: vectors.slice(i * n, (i + 1) * n),
  }))
}
