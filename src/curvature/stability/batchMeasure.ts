import type { Progress } from '../../linalg/products.js'
import { type OfRun, type Resumable, type Run, requireSameRun } from '../../linalg/resume.js'

/** What is known of random batches that are measured one after another. */
export interface BatchesCheckpoint extends OfRun {
  /** What each batch is held against, from all samples. */
  readonly whole: Float64Array
  /** The numbers measured, a row for each batch so far. */
  readonly rows: readonly (readonly number[])[]
}

export interface BatchMeasureOptions extends Resumable<BatchesCheckpoint> {
  readonly signal?: AbortSignal
  readonly onStep?: (progress: Progress) => void
}

export interface BatchMeasure {
  whole(): Promise<Float64Array>
  /** The rows of batch `from` and, where several go together, of those behind it. */
  rows(from: number, whole: Float64Array): Promise<readonly (readonly number[])[]>
}

/** Measures `total` random batches, so that it can be stopped after each and continued. */
export async function measureBatches(
  run: Run,
  total: number,
  measure: BatchMeasure,
  { checkpoint, onCheckpoint, onStep, signal }: BatchMeasureOptions,
): Promise<BatchesCheckpoint> {
  requireSameRun(checkpoint, run, run.method)
  signal?.throwIfAborted()
  const whole = checkpoint?.whole ?? (await measure.whole())
  const rows = [...(checkpoint?.rows ?? [])]
  const state = () => ({ run, whole, rows: [...rows] })
  if (!checkpoint) onCheckpoint?.(state())
  while (rows.length < total) {
    signal?.throwIfAborted()
    rows.push(...(await measure.rows(rows.length, whole)))
    onCheckpoint?.(state())
    onStep?.({ done: rows.length, total })
  }
  return state()
}
