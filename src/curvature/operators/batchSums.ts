import { compileProgram } from '../../engines/index.js'
import type { Progress } from '../../linalg/products.js'
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

/** What is summed: a function of a batch, made for its number of samples. */
export interface BatchFunction {
  /** Results of theta, inputs, targets, weights (0 for samples that fill the batch up) and further data. */
  readonly compute: (theta: Tensor, data: readonly Tensor[]) => Tensor[]
  /** Further data of batch `index`. */
  readonly extra?: (index: number) => readonly Tensor[]
}

/**
 * The results of a function of each batch, added up in float64 over the data set.
 * @throws when the budget holds not even one sample, and when a sum is not finite.
 */
export async function batchSums(
  where: string,
  problem: FlatProblem,
  functionOf: (samples: number) => BatchFunction,
  options: BatchSumsOptions = {},
): Promise<Float64Array[]> {
  const { signal, onStep } = options
  const { batches, program, dataOf } = planned(where, problem, functionOf, options)
  const run = await compileProgram(program)
  try {
    let sums: Float64Array[] | undefined
    for (const [b, data] of batches.map((_, i) => dataOf(i)).entries()) {
      signal?.throwIfAborted()
      const results = await run.run([problem.theta, ...data])
      sums ??= results.map(({ size }) => new Float64Array(size))
      results.forEach(({ data }, i) => {
        const sum = sums![i]!
        for (let j = 0; j < sum.length; j++) sum[j]! += data[j] as number
      })
      onStep?.({ done: b + 1, total: batches.length })
    }
    if (sums!.some((sum) => sum.some((value) => !Number.isFinite(value))))
      throw new Error(
        `${where}: a sum over the samples is not finite; check the scale of the inputs and the loss`,
      )
    return sums!
  } finally {
    await run.dispose()
  }
}

function planned(
  where: string,
  problem: FlatProblem,
  functionOf: (samples: number) => BatchFunction,
  { batch: most = 256, memoryBytes = 2 ** 31 }: BatchSumsOptions,
) {
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
    if (peakBytes <= memoryBytes) return { batches, program, dataOf }
    if (batch === 1)
      throw new Error(
        `${where}: memoryBytes is ${memoryBytes} (${showBytes(memoryBytes)}), but one sample takes ${showBytes(peakBytes)} by ` +
          'forecast; raise it',
      )
  }
}
