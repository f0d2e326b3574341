import { compileProgram } from '../../engines/index.js'
import { optimize } from '../../ops/optimize.js'
import { forecast } from '../../program/forecast.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import { trace } from '../../transforms/index.js'
import { shareRight } from '../loss.js'
import { inPrecision, type Precision } from '../operators/precision.js'
import { type FlatProblem, flatProblem, type ParameterBlock, type Selection } from '../parameters.js'
import { batchesOf, type Problem } from '../problem.js'
import { requireProblem } from '../requirements.js'

export interface SampleLossesOptions {
  /** Samples in one run. Default 256. */
  readonly batch?: number
  /** Default `auto`, by a pass over the data. */
  readonly precision?: Precision
  /** The parameters that move. Default all. */
  readonly parameters?: Selection
  readonly signal?: AbortSignal
}

/** The losses of all samples, and 1 for each that is classified rightly (a share where it has positions; empty for values). */
export interface SampleLosses {
  readonly losses: Float64Array
  readonly right: Float64Array
}

/** A problem's losses at any parameters, by one compiled program. */
export interface LossSurface {
  readonly blocks: readonly ParameterBlock[]
  /** The problem's own parameters. */
  readonly theta: Float64Array
  readonly dtype: 'float32' | 'float64'
  at(theta: Float64Array): Promise<SampleLosses>
  dispose(): Promise<void>
}

/** Prepares the losses of all samples as a function of the parameters. */
export async function lossSurface(problem: Problem, options: SampleLossesOptions = {}): Promise<LossSurface> {
  requireProblem(problem)
  const { precision = 'auto', signal } = options
  const prepare = (dtype: 'float32' | 'float64') => {
    const flat = flatProblem(problem, dtype, options.parameters)
    const batches = batchesOf(flat, Math.min(options.batch ?? 256, flat.inputs.shape[0]!))
    const [{ inputs, targets }] = batches as [(typeof batches)[number]]
    const { program } = trace(
      (theta: Tensor, x: Tensor, y: Tensor) => lossesAndHits(flat, theta, x, y),
      flat.theta,
      inputs,
      targets,
    )
    return { flat, batches, program: optimize(program) }
  }
  const { flat, batches, program } = inPrecision(
    precision,
    prepare,
    ({ program, batches }) => forecast(program).flops * batches.length,
  )
  const run = await compileProgram(program)
  const samples = flat.inputs.shape[0]!
  return {
    blocks: flat.blocks,
    theta: castTensor(flat.theta, 'float64').data as Float64Array,
    dtype: flat.dtype,
    async at(theta) {
      const moved = castTensor(new Tensor(theta), flat.dtype)
      const losses = new Float64Array(samples)
      const right = new Float64Array(flat.loss.targets === 'classes' ? samples : 0)
      let from = 0
      for (const { inputs, targets } of batches) {
        signal?.throwIfAborted()
        const [values, hits] = await run.run([moved, inputs, targets])
        const count = Math.min(values!.size, samples - from)
        losses.set(values!.data.subarray(0, count), from)
        if (right.length > 0) right.set(hits!.data.subarray(0, count), from)
        from += count
      }
      return { losses, right }
    },
    dispose: () => run.dispose(),
  }
}

function lossesAndHits({ apply, loss }: FlatProblem, theta: Tensor, x: Tensor, y: Tensor): Tensor[] {
  const outputs = apply(theta, x)
  const losses = loss.perSample(outputs, y)
  if (loss.targets === 'values') return [losses]
  return [losses, shareRight(outputs, y)]
}

/** sum_i x_i / n. */
export function mean(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value, 0) / x.length
}
