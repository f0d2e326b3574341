import { hutchinsonTrace, topEigenpairs } from '../../linalg/index.js'
import { requireCount } from '../../linalg/products.js'
import { type Estimate, meanAndError } from '../../linalg/stochastic/estimator.js'
import { dot, norm } from '../../linalg/vector.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import { lossHessian, lossPass, type OperatorOptions } from '../operators/index.js'
import { flatProblem } from '../parameters.js'
import type { Problem } from '../problem.js'
import { requireProblem } from '../requirements.js'
import { shuffled } from './sampling.js'

export interface TrackerOptions extends Omit<OperatorOptions, 'moves' | 'onStep'> {
  /** Steps between measurements. Default 1: every call measures. */
  readonly every?: number
  /** Samples of a step of the training, for the batch sharpness. Default 64, at most a half of all. */
  readonly batch?: number
  /** Random probes of the trace, at least 2. Default 10. */
  readonly probes?: number
  /** Random batches of the batch sharpness, at least 2. Default 16, at most all. */
  readonly batches?: number
  /** Wanted residual of the sharpness relative to it. Default 1e-3. */
  readonly tolerance?: number
  readonly seed?: number
}

/** The curvature at one step of a training. */
export interface TrackedPoint {
  readonly step: number
  readonly loss: number
  /** Share of samples classified rightly; null where targets are values. */
  readonly accuracy: number | null
  /** |g|, g the gradient over all samples. */
  readonly gradientNorm: number
  /** The largest eigenvalue of the Hessian; its error is the residual. */
  readonly sharpness: Estimate
  readonly trace: Estimate
  /** E[g_B^T H_B g_B / |g_B|^2] over random batches; null where fewer than two have a gradient. */
  readonly batchSharpness: Estimate | null
}

export interface CurvatureTracker {
  /** The callback of a training loop: measures when `step` is a multiple of `every`, else returns null. */
  onStep(step: number, parameters: Problem['parameters']): Promise<TrackedPoint | null>
  /** All that was measured, in order. */
  readonly history: readonly TrackedPoint[]
  dispose(): Promise<void>
}

/**
 * Follows sharpness, trace and batch sharpness along a training, evolute's or anyone's: programs are compiled once, and
 * each measurement moves them to the parameters given. The same probes and batches are used at every step, so that
 * curves are smooth and compare. One measurement costs some 20 to 60 gradients over the data.
 * @throws when the model is not deterministic, and on bad options.
 */
export async function curvatureTracker(
  problem: Problem,
  options: TrackerOptions = {},
): Promise<CurvatureTracker> {
  const where = 'curvatureTracker'
  const { every = 1, probes = 10, tolerance = 1e-3, seed = 0, signal } = options
  requireCount(every, 'every', where)
  requireCount(probes, 'probes', where, 2)
  requireProblem(problem)
  const samples = problem.inputs.shape[0]!
  const batch = Math.min(options.batch ?? 64, Math.max(1, samples >> 1))
  const mixed = shuffled(problem, seed)
  const hessian = await lossHessian(mixed, { ...options, batch, moves: true })
  const { dtype, plan } = hessian
  const selection = options.parameters && { parameters: options.parameters }
  const pass = await lossPass(mixed, {
    ...selection,
    ...(signal && { signal }),
    batch: plan.batch,
    precision: dtype,
  })
  const whole = Math.max(1, Math.floor(samples / plan.batch))
  const batches = Math.min(options.batches ?? 16, whole)
  requireCount(batches, 'batches', where)
  const common = { seed, ...(signal && { signal }) }
  const history: TrackedPoint[] = []

  const measure = async (step: number, parameters: Problem['parameters']): Promise<TrackedPoint> => {
    const { theta } = flatProblem({ ...mixed, parameters }, dtype, options.parameters)
    const { loss, accuracy, gradient } = await pass.run(theta)
    await hessian.moveTo(parameters)
    const top = await topEigenpairs(hessian, { ...common, count: 1, findRepeated: false, tolerance })
    const [{ value, residual }] = top.eigenvalues as [{ value: number; residual: number }]
    const { estimate, standardError } = await hutchinsonTrace(hessian, {
      ...common,
      probes,
      block: plan.block,
    })
    const curvatures: number[] = []
    for (let b = 0; b < batches; b++) {
      const own = await pass.gradientOf(theta, b)
      const squared = dot(own, own)
      if (!(squared > 0)) continue
      const direction = castTensor(new Tensor(own, [1, own.length]), dtype)
      const image = await hessian.applyBatch(b, direction)
      curvatures.push(dot(own, image.data as Float64Array) / squared)
    }
    return {
      step,
      loss,
      accuracy,
      gradientNorm: norm(gradient),
      sharpness: { estimate: value, standardError: residual },
      trace: { estimate, standardError },
      batchSharpness: curvatures.length < 2 ? null : meanAndError(curvatures),
    }
  }
  return {
    history,
    async onStep(step, parameters) {
      if (step % every !== 0) return null
      const point = await measure(step, parameters)
      history.push(point)
      return point
    },
    async dispose() {
      await hessian.dispose()
      await pass.dispose()
    },
  }
}
