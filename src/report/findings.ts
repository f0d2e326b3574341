import type { CurvatureReport } from '../curvature/index.js'
import {
  formatCount,
  formatNumber,
  formatPercent,
  formatSeconds,
  formatToError,
  formatWithError,
} from './number.js'

/** An estimate and its error, in the same unit. */
export type Estimate = { value: number; error: number }

/** The matrix that was analyzed, as a person says it. */
export function matrixName({ curvature = 'hessian' }: Pick<CurvatureReport, 'curvature'>): string {
  return {
    hessian: 'Hessian',
    ggn: 'Gauss-Newton matrix',
    fisher: 'Fisher information',
    empirical: 'Empirical Fisher information',
  }[curvature]
}

/** The largest eigenvalue, its residual as the error; null where none was computed. */
export function sharpness({ eigenvalues }: CurvatureReport): Estimate | null {
  const largest = descending(eigenvalues)[0]
  return largest === undefined ? null : { value: largest.value, error: largest.residual }
}

/** 2 / lambda_max, the largest step at which gradient descent on the local quadratic is stable; null without one. */
export function largestStableStep(report: CurvatureReport): Estimate | null {
  const top = sharpness(report)
  if (top === null || !(top.value > 0)) return null
  return { value: 2 / top.value, error: (2 * top.error) / top.value ** 2 }
}

/** The 95% interval of the trace under a normal law: estimate -+ 1.96 standard errors; null where there is no error. */
export function traceInterval({ trace }: CurvatureReport): [number, number] | null {
  const half = 1.96 * trace.standardError
  return Number.isFinite(half) && Number.isFinite(trace.estimate)
    ? [trace.estimate - half, trace.estimate + half]
    : null
}

/** Time of a Hessian product over that of a gradient; null where either was not timed. */
export function productCost({ cost }: CurvatureReport): number | null {
  const ratio = cost.productSeconds / cost.gradientSeconds
  return Number.isFinite(ratio) && ratio > 0 ? ratio : null
}

/**
 * How many of the largest eigenvalues stand apart: the k with the widest gap below it, measured in the widest gap
 * among the eigenvalues computed after it. Null unless that ratio is 3 or more, with three or more eigenvalues after,
 * because a last gap or two are wide by chance.
 */
export function outliers({ eigenvalues }: CurvatureReport): { count: number; gapRatio: number } | null {
  const values = descending(eigenvalues).map(({ value }) => value)
  const gaps = values.slice(1).map((value, i) => (values[i] ?? value) - value)
  let best: { count: number; gapRatio: number } | null = null
  for (let k = 1; k <= values.length - 3; k++) {
    const gapRatio = (gaps[k - 1] ?? 0) / Math.max(...gaps.slice(k))
    const positive = (values[k - 1] ?? 0) > 0
    if (positive && Number.isFinite(gapRatio) && gapRatio >= 3 && gapRatio > (best?.gapRatio ?? 0)) {
      best = { count: k, gapRatio }
    }
  }
  return best
}

/** Finite eigenvalues, largest first. */
export function descending(eigenvalues: CurvatureReport['eigenvalues']): CurvatureReport['eigenvalues'] {
  return eigenvalues.filter(({ value }) => Number.isFinite(value)).sort((a, b) => b.value - a.value)
}

/** What the figures mean, in plain sentences, one paragraph each. */
export function findings(report: CurvatureReport): string[] {
  return [
    measured(report),
    sharpnessSentence(report),
    outlierSentence(report),
    negative(report),
    traceSentence(report),
  ]
    .concat(costSentence(report), convergence(report))
    .filter((paragraph) => paragraph !== '')
}

function measured({ model, data, lossName, parameters, loss, accuracy }: CurvatureReport): string {
  const right =
    accuracy === null ? '' : `, and the model classifies ${formatPercent(accuracy)} of them correctly`
  return (
    `This is the curvature of the ${lossName} loss of ${model.name} in its ${count(parameters, 'parameter')}, ` +
    `averaged over ${count(data.samples, 'sample')}. The loss there is ${formatNumber(loss)}${right}.`
  )
}

function sharpnessSentence(report: CurvatureReport): string {
  const top = sharpness(report)
  if (top === null) return 'No eigenvalue was computed, so nothing is said about the sharpness.'
  const value = formatWithError(top.value, top.error)
  const step = largestStableStep(report)
  if (step === null) {
    return `The largest eigenvalue found is ${value}: no direction curves upwards, so curvature sets no bound on the step size.`
  }
  return (
    `The sharpness, the largest eigenvalue of the ${matrixName(report)}, is ${value}. Gradient descent on the local quadratic model ` +
    `is stable for steps up to 2/λ₁ = ${formatWithError(step.value, step.error)}; with a longer step it overshoots ` +
    'along the sharpest direction, further each time.'
  )
}

function outlierSentence(report: CurvatureReport): string {
  const found = outliers(report)
  if (found !== null) {
    const [stand, below] =
      found.count === 1
        ? ['The largest eigenvalue stands', 'it']
        : [`The ${found.count} largest eigenvalues stand`, `number ${found.count}`]
    return (
      `${stand} apart from the rest: the gap below ${below} is ${formatNumber(found.gapRatio, 2)} times the widest ` +
      'gap among those computed after it.'
    )
  }
  return report.eigenvalues.length < 4
    ? ''
    : `Among the ${report.eigenvalues.length} eigenvalues computed, no group clearly stands apart from the rest.`
}

function negative(report: CurvatureReport): string {
  const values = descending([...report.eigenvalues, ...(report.smallest ?? [])])
  if (values.length === 0) return ''
  const below = values.filter(({ value, residual }) => value + residual < 0)
  const least = below.at(-1)
  if (least !== undefined) {
    const certain = formatWithError(least.value, least.residual)
    const compared =
      values[0]!.value > 0 ? `, ${formatPercent(-least.value / values[0]!.value)} of the largest` : ''
    return below.length === 1
      ? `One computed eigenvalue is negative, ${certain}${compared}: this point is not a minimum of the loss.`
      : `${below.length} computed eigenvalues are negative, the least ${certain}${compared}: this point is not a minimum of the loss.`
  }
  const [end] = report.smallest?.slice(-1) ?? []
  if (end && (report.curvature ?? 'hessian') === 'hessian')
    return `The smallest eigenvalue found is ${formatWithError(end.value, end.residual)}: within the errors no direction curves downwards.`
  return reachesBelowZero(report)
    ? 'The density reaches below zero: some directions may curve downwards, though the smoothing alone can carry it there.'
    : ''
}

/** Whether half an eigenvalue's worth of density lies below -0.01 lambda_max. */
function reachesBelowZero({ density, parameters, eigenvalues }: CurvatureReport): boolean {
  const bound = -0.01 * (descending(eigenvalues)[0]?.value ?? 0)
  let mass = 0
  for (let i = 1; i < density.grid.length; i++) {
    const [left, right] = [density.grid[i - 1] ?? 0, density.grid[i] ?? 0]
    if (right > bound) break
    mass += 0.5 * (right - left) * ((density.values[i - 1] ?? 0) + (density.values[i] ?? 0))
  }
  return bound < 0 && mass * parameters > 0.5
}

function traceSentence(report: CurvatureReport): string {
  const { trace, parameters } = report
  if (!Number.isFinite(trace.estimate)) return ''
  const interval = traceInterval(report)
  const range = interval === null ? '' : ` (95% interval ${formatInterval(interval)})`
  const top = descending(report.eigenvalues)
  const sum = top.reduce((total, { value }) => total + value, 0)
  const share = sum / trace.estimate
  const held =
    top.length > 1 && share > 0 && share <= 1 && (top.at(-1)?.value ?? -1) >= 0
      ? `; the ${top.length} largest hold about ${formatPercent(share)} of it`
      : ''
  return (
    `The trace, the sum of all eigenvalues, is ${formatWithError(trace.estimate, trace.standardError)}${range}, ` +
    `which is ${formatNumber(trace.estimate / Math.max(1, parameters), 3)} per parameter${held}.`
  )
}

function costSentence(report: CurvatureReport): string {
  const ratio = productCost(report)
  if (ratio === null) return ''
  const { cost } = report
  return (
    `A Hessian product took ${formatSeconds(cost.productSeconds)}, as long as ${formatNumber(ratio, 3)} gradients ` +
    `of ${formatSeconds(cost.gradientSeconds)}; the analysis used ${formatCount(cost.products)} of them.`
  )
}

function convergence({ converged, eigenvalues }: CurvatureReport): string {
  return converged || eigenvalues.length === 0
    ? ''
    : 'Lanczos stopped before every eigenvalue had reached the tolerance asked for: the residuals say how far each may be off.'
}

/** `304.1 to 328.8`, each end with as many digits as the width of the interval supports. */
export function formatInterval([low, high]: [number, number]): string {
  const [from, to] = [low, high].map((end) => formatToError(end, (high - low) / 4))
  return `${from} to ${to}`
}

function count(n: number, noun: string): string {
  return `${formatCount(n)} ${noun}${n === 1 ? '' : 's'}`
}
