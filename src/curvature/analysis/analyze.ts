import { checkSymmetric } from '../../linalg/index.js'
import { norm } from '../../linalg/vector.js'
import { checkProblem } from '../check.js'
import { describePlan, type OperatorOptions, type SymmetricCurvature } from '../operators/index.js'
import { parameterBlocks } from '../parameters.js'
import type { Problem } from '../problem.js'
import { stagesFor } from '../stages/fingerprint.js'
import type { Stages } from '../stages/stages.js'
import { curvatureOf } from './curvatureKind.js'
import { type AnalyzeOptions, withDefaults } from './options.js'
import type { CurvatureReport } from './report.js'
import { furtherSections } from './sections.js'
import { spectrum } from './spectrum.js'
import { timedLoss } from './timedLoss.js'
import { traces } from './traces.js'
import { vectorMemory } from './vectorMemory.js'

/** What {@link analyze} measures; the caller adds names of model and files. */
export type Measured = Omit<CurvatureReport, 'model'>

/**
 * Random starts of the density: its error falls with the square root of starts times parameters, so that large
 * models need few; 2 give a standard error.
 */
function densityStarts(parameters: number): number {
  return Math.min(10, Math.max(2, Math.ceil(20_000 / parameters)))
}

/**
 * The curvature of a mean loss at the model's parameters: loss and accuracy, the eigenvalues at both ends of the spectrum
 * with their residuals, the trace with a standard error, in all and by layers, the spectral density, and what it all costs;
 * what else the options ask for. Stopped at any moment it goes on from its last checkpoint, to the same digits.
 * @throws on bad options and data, where the budget is too small, and when the checkpoint is of another analysis.
 */
export async function analyze(problem: Problem, options: AnalyzeOptions = {}): Promise<Measured> {
  const settings = withDefaults(options)
  const { curvature, memoryBytes, seed } = settings
  const blocks = parameterBlocks(problem, options.parameters)
  const n = blocks.reduce((sum, { size }) => sum + size, 0)
  const remarks = await checkProblem(problem)
  const lanczos = lanczosPlan(n, settings)
  const stages = await stagesFor(
    'analyze',
    problem,
    {
      curvature,
      selected: options.parameters ? blocks.map(({ name }) => name).join(' ') : 'all',
      memoryBytes,
      seed,
      batch: options.batch ?? 'auto',
      precision: options.precision ?? 'auto',
    },
    options,
  )
  const common = commonOptions(options)
  const matrix = await curvatureOf(curvature, problem, {
    ...common,
    memoryBytes: lanczos.operatorBytes,
    onStep: ({ done, total }) => options.onStep?.({ stage: 'linearising', fraction: done / total }),
  })
  const found = await measure(problem, matrix, stages, { ...options, ...settings, ...lanczos }).finally(() =>
    matrix.dispose(),
  )
  const { point, ends, trace, logDeterminant } = found
  const further = await furtherSections(problem, stages, ends, trace.layers, {
    ...options,
    ...settings,
    dtype: matrix.dtype,
    gradientNorm: point.gradientNorm,
  })
  const spent = {
    'spectral density': ends.densityProducts,
    'largest eigenvalues': ends.top.products,
    ...(ends.bottom && { 'smallest eigenvalues': ends.bottom.products }),
    ...trace.products,
    ...further.products,
  }
  return {
    data: { samples: matrix.samples, batch: matrix.plan.batch },
    lossName: problem.loss.name,
    curvature,
    parameters: n,
    loss: point.loss,
    gradientNorm: point.gradientNorm,
    accuracy: point.accuracy,
    eigenvalues: [...ends.top.eigenvalues],
    ...(ends.bottom && { smallest: [...ends.bottom.eigenvalues] }),
    trace: trace.total,
    density: ends.density,
    ...(typeof logDeterminant === 'object' && { logDeterminant }),
    ...further.sections,
    cost: {
      gradientSeconds: point.seconds,
      productSeconds: matrix.productTime().seconds,
      ...costs(stages, spent),
    },
    plan: describePlan(matrix.plan),
    seed,
    converged: ends.top.converged,
    notes: [
      `Computed in ${matrix.dtype}: ${describePlan(matrix.plan)}.`,
      ...(ends.top.converged ? [] : [`Largest eigenvalues: ${ends.top.message}`]),
      ...(ends.bottom && !ends.bottom.converged ? [`Smallest eigenvalues: ${ends.bottom.message}`] : []),
      ...(typeof logDeterminant === 'string' ? [logDeterminant] : []),
      ...found.remarks,
      ...further.notes,
      ...remarks,
    ],
  }
}

/** Steps and memory of the Lanczos processes. */
function lanczosPlan(n: number, { top, steps, memoryBytes }: ReturnType<typeof withDefaults>) {
  const count = Math.min(top, n)
  const depth = Math.min(steps, n)
  const maxSteps = Math.min(n, Math.max(100, 10 * count, depth + 20))
  const starts = densityStarts(n)
  return { depth, maxSteps, starts, ...vectorMemory(n, maxSteps, starts, memoryBytes) }
}

type Settings = AnalyzeOptions & ReturnType<typeof withDefaults> & ReturnType<typeof lanczosPlan>

/** What is measured with products of the matrix of all parameters. */
async function measure(problem: Problem, matrix: SymmetricCurvature, stages: Stages, options: Settings) {
  const { seed, signal, tolerance, basisDtype, processes } = options
  const float64 = matrix.dtype === 'float64'
  const point = await stages.run('loss and gradient', {}, async () => {
    const { gradient, ...rest } = await timedLoss(problem, {
      ...commonOptions(options),
      batch: matrix.plan.batch,
      precision: matrix.dtype,
    })
    return { ...rest, gradientNorm: norm(gradient) }
  })
  const symmetry = await checkSymmetric(matrix, { seed, ...(signal && { signal }) })
  const ends = await spectrum(matrix, stages, {
    top: Math.min(options.top, matrix.rows),
    bottom: Math.min(options.bottom, matrix.rows),
    topTolerance: tolerance ?? (float64 ? 1e-8 : 1e-5),
    bottomTolerance: tolerance ?? 1e-4,
    probes: options.starts,
    steps: options.depth,
    maxSteps: options.maxSteps,
    seed,
    basisDtype,
    processes,
  })
  const trace = await traces(matrix, stages, ends.top, options)
  const logDeterminant =
    options.logDeterminant === undefined ? undefined : await ends.logDeterminant(options.logDeterminant)
  return { point, ends, trace, logDeterminant, remarks: symmetryRemarks(symmetry, float64) }
}

/** The options that every operator and pass takes. */
function commonOptions({ batch, precision, parameters, residuals, block, signal }: AnalyzeOptions) {
  const given: OperatorOptions = {
    ...(batch && { batch }),
    ...(precision && { precision }),
    ...(parameters && { parameters }),
    ...(residuals && { residuals }),
    ...(block && { block }),
    ...(signal && { signal }),
  }
  return given
}

/** Products and seconds of the stages. */
function costs(stages: Stages, products: Record<string, number>) {
  const rows = Object.entries(stages.seconds()).map(([stage, seconds]) => ({
    stage,
    products: products[stage] ?? 0,
    seconds,
  }))
  return { products: rows.reduce((sum, row) => sum + row.products, 0), stages: rows }
}

function symmetryRemarks(
  { deterministic, relativeDifference, relativeAsymmetry }: Awaited<ReturnType<typeof checkSymmetric>>,
  float64: boolean,
): string[] {
  return [
    ...(deterministic
      ? []
      : [
          `The same product came out different by ${relativeDifference.toExponential(1)} the second time: the model is not deterministic.`,
        ]),
    ...(relativeAsymmetry < (float64 ? 1e-8 : 1e-3)
      ? []
      : [
          `The matrix is not symmetric (${relativeAsymmetry.toExponential(1)} relative): a kink or a loss of digits.`,
        ]),
  ]
}
