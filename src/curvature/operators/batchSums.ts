import { compileProgram } from '../../engines/index.js'
import type { Progress } from '../../linalg/products.js'
import { requirePositive } from '../../linalg/products.js'
import { type OfRun, type Resumable, requireSameRun } from '../../linalg/resume.js'
import { axpy, firstNotFinite, type Vector } from '../../linalg/vector.js'
import { optimize } from '../../ops/optimize.js'
import { forecast } from '../../program/forecast.js'
import type { Program } from '../../program/program.js'
import type { Tensor } from '../../tensor/tensor.js'
import { trace } from '../../transforms/index.js'
import type { FlatProblem } from '../parameters.js'
import { batchesOf } from '../problem.js'
import { showBytes } from './plan.js'

export interface BatchSumsOptions {
  /** Samples in one run, halved until the memory budget is met. Default 256, at most all. */
  readonly batch?: number
  /** Bytes that one run may take, by forecast. Default 2 GiB. */
  readonly memoryBytes?: number
  readonly signal?: AbortSignal
  readonly onStep?: (progress: Progress) => void
}

/** The sums over the first `batches`. */
export interface BatchSumsCheckpoint extends OfRun {
  readonly batches: number
  readonly sums: readonly Vector[]
}

/** What is summed: a function of a batch, made for its number of samples. */
export interface BatchFunction {
  /** Results of theta, inputs, targets, weights (0 for samples that fill the batch up) and further data. */
  readonly compute: (theta: Tensor, data: readonly Tensor[]) => Tensor[]
  /** Further data of batch `index`. */
  readonly extra?: (index: number) => readonly Tensor[]
}

/**
 * The results of a function of each batch, added up in float64 over the data set where there are several. Can
 * be stopped after each batch.
 * @throws when the budget holds not even one sample, and when a sum is not finite.
 */
export async function batchSums(
  where: string,
  problem: FlatProblem,
  functionOf: (samples: number) => BatchFunction,
  options: BatchSumsOptions & Resumable<BatchSumsCheckpoint> = {},
): Promise<Vector[]> {
  const { signal, onStep, checkpoint, onCheckpoint } = options
  const { batches, batch, program, dataOf } = planned(where, problem, functionOf, options)
  const run = { method: where, samples: problem.inputs.shape[0]!, batch }
  requireSameRun(checkpoint, run, where)
  const executable = await compileProgram(program)
  let sums: Vector[] | undefined = checkpoint?.sums.map((sum) => sum.slice())
  try {
    for (let b = checkpoint?.batches ?? 0; b < batches; b++) {
      signal?.throwIfAborted()
      const results = await executable.run([problem.theta, ...dataOf(b)])
      const parts = results.map(({ data }) => data as Vector)
      if (sums) sums.forEach((sum, i) => void axpy(1, parts[i]!, sum))
      // A single batch needs no adding up, and layers' factors are large.
      else sums = batches === 1 ? parts : parts.map((part) => new Float64Array(part))
      onCheckpoint?.({ run, batches: b + 1, sums: sums.map((sum) => sum.slice()) })
      onStep?.({ done: b + 1, total: batches })
    }
    if (sums!.some((sum) => firstNotFinite(sum) >= 0))
      throw new Error(
        `${where}: a sum over the samples is not finite; check the scale of the inputs and the loss`,
      )
    return sums!
  } finally {
    await executable.dispose()
  }
}

function planned(
  where: string,
  problem: FlatProblem,
  functionOf: (samples: number) => BatchFunction,
  { batch: most = 256, memoryBytes = 2 ** 31 }: BatchSumsOptions,
) {
  requirePositive(memoryBytes, 'memoryBytes', where)
  for (let batch = Math.min(most, problem.inputs.shape[0]!); ; batch = batch >> 1) {
    const batches = batchesOf(problem, batch)
    const { compute, extra } = functionOf(batch)
    const dataOf = (index: number): Tensor[] => {
      const { inputs, targets, weights } = batches[index]!
      return [inputs, targets, weights, ...(extra?.(index) ?? [])]
    }
    const traced = trace(
      (theta: Tensor, ...data: Tensor[]) => compute(theta, data),
      problem.theta,
      ...dataOf(0),
    )
    const program: Program = optimize(traced.program)
    const { peakBytes } = forecast(program)
    if (peakBytes <= memoryBytes) return { batches: batches.length, batch, program, dataOf }
    if (batch === 1)
      throw new Error(
        `${where}: memoryBytes is ${memoryBytes} (${showBytes(memoryBytes)}), but one sample takes ${showBytes(peakBytes)} by ` +
          'forecast; raise it',
      )
  }
}
