import { forecast, totalBytes } from '../../program/forecast.js'
import type { Program } from '../../program/program.js'
import { Var } from '../../program/value.js'

/** How products are computed within a memory budget. */
export interface Plan {
  /** Samples in one run, and runs for one product over the whole data. */
  readonly batch: number
  readonly batches: number
  /** Whether what does not depend on the direction is computed once and kept, or anew at every product. */
  readonly keepsResiduals: boolean
  /** The most vectors that go through one run together. */
  readonly block: number
  /** Forecast bytes: of what is kept of all batches, of one run, and of both. */
  readonly residualBytes: number
  readonly runBytes: number
  readonly totalBytes: number
}

/** The two halves of a product's program: what is known before the direction, and the linear rest. */
export interface Halves {
  readonly known: Program
  readonly linear: Program
}

export interface Budget {
  readonly memoryBytes: number
  readonly residuals: 'keep' | 'recompute' | 'auto'
  readonly maxBlock: number
}

/**
 * The plan for batches of `batch` samples, or null when even one vector and one batch at a time exceed the budget.
 * Further vectors of a block repeat all but the residuals and constants.
 */
export function planFor(
  { known, linear }: Halves,
  batch: number,
  batches: number,
  { memoryBytes, residuals, maxBlock }: Budget,
): Plan | null {
  const kept = totalBytes(known.outputs.filter((value) => value instanceof Var))
  // Results come out as copies. What runs once for each batch keeps no arena.
  const prepare = runBytes(known) + kept
  const product = runBytes(linear, doubling) + vectors * totalBytes(linear.outputs)
  const each = Math.max(1, forecast(linear).peakBytes - kept - constantBytes(linear))
  const attempt = (keepsResiduals: boolean): Plan | null => {
    const residualBytes = keepsResiduals ? kept * batches : 0
    // Residuals of the running batch are counted among those kept.
    const run = keepsResiduals ? Math.max(prepare, product) - kept : prepare + product - kept
    if (residualBytes + run > memoryBytes) return null
    const spare = Math.floor((memoryBytes - residualBytes - run) / each)
    const block = Math.max(1, Math.min(maxBlock, 1 + spare))
    const working = run + (block - 1) * each
    return {
      batch,
      batches,
      keepsResiduals,
      block,
      residualBytes,
      runBytes: working,
      totalBytes: residualBytes + working,
    }
  }
  return (residuals === 'recompute' ? null : attempt(true)) ?? (residuals === 'keep' ? null : attempt(false))
}

/** Vectors of results around a product: in float64 the sum, in its own dtype those of batches, collected late. */
const vectors = 8

/** ONNX Runtime's arena: regions of doubling size, of which the smaller ones stay. */
const doubling = (bytes: number) => 2 ** (1 + Math.ceil(Math.log2(bytes)))

/**
 * What a run takes: its inputs; the constants thrice (ours, in the model's file, and laid out by ONNX Runtime); and the
 * intermediate values at the worst moment, as the `arena` they come from grows.
 */
function runBytes(program: Program, arena = (bytes: number) => bytes): number {
  const inputs = totalBytes(program.inputs)
  const constants = constantBytes(program)
  return inputs + 3 * constants + arena(Math.max(1, forecast(program).peakBytes - inputs - constants))
}

function constantBytes({ equations }: Program): number {
  const constants = new Set(
    equations.flatMap(({ inputs }) => inputs.filter((value) => !(value instanceof Var))),
  )
  return totalBytes([...constants])
}

/** `8 batches of 256 samples, residuals kept (1.2 MB), 16 vectors at once, 3.4 MB in all`. */
export function describePlan({
  batch,
  batches,
  keepsResiduals,
  block,
  residualBytes,
  totalBytes,
}: Plan): string {
  const samples = batches === 1 ? `one batch of ${batch} samples` : `${batches} batches of ${batch} samples`
  const residuals = keepsResiduals
    ? `residuals kept (${showBytes(residualBytes)})`
    : 'residuals computed anew'
  return `${samples}, ${residuals}, up to ${block} vector${block === 1 ? '' : 's'} at once, ${showBytes(totalBytes)} by forecast`
}

/** `1.2 MB`, in powers of 1000. */
export function showBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 ? value : value.toPrecision(3)} ${units[power]}`
}
