import type { Block, Column, Document } from './document.js'
import { type FitPlot, fitFigure } from './fitFigure.js'
import { formatCount, formatNumber, formatToError } from './number.js'
import { pairs } from './tables.js'

/** A fitted formula, its parameters with their errors, and how well it fits. */
export type FitReport = {
  expression: string
  source: string
  parameters: readonly FittedParameter[]
  /** The probability of the intervals. */
  level: number
  /** Pairs of parameters of large correlation. */
  correlations: readonly { names: readonly [string, string]; value: number }[]
  /** In units of sigma where `weighted`, and after the loss where there is a robust one. */
  residualSumOfSquares: number
  degreesOfFreedom: number
  weighted: boolean
  /** Whether standard errors take sigma as it is, rather than scaled to the residuals. */
  absolute: boolean
  loss: string
  converged: boolean
  message: string
  plot: FitPlot
}

export type FittedParameter = {
  name: string
  value: number
  standardError: number
  interval: readonly [lower: number, upper: number]
  /** Whether the value lies at the end of its bounds. */
  atBound: boolean
}

const right = 'right' as const

/** A fit as a report. */
export function fitDocument(report: FitReport): Document {
  const { expression, source, plot } = report
  return {
    title: expression,
    subtitle: `Fitted to ${formatCount(plot.observations.length)} observations of ${source}`,
    sections: [
      { blocks: [parameterTable(report), remarks(report)] },
      { title: 'Fit', blocks: [fitFigure(plot), quality(report)] },
    ],
    footer: 'Made by evolute.',
  }
}

function parameterTable({ parameters, level }: FitReport): Block {
  const columns: Column[] = [
    { label: 'parameter' },
    { label: 'value', align: right },
    { label: 'standard error', align: right },
    { label: `${formatNumber(100 * level)}% interval`, align: right },
  ]
  const rows = parameters.map(({ name, value, standardError, interval }) => {
    const [low, high] = interval.map((end) => formatToError(end, standardError / 10))
    return [
      name,
      formatToError(value, standardError / 10),
      formatNumber(standardError, 3),
      `${low} to ${high}`,
    ]
  })
  return { kind: 'table', columns, rows }
}

/** What a reader must know before trusting the table. */
function remarks({ message, converged, parameters, correlations, weighted, absolute }: FitReport): Block {
  const bound = parameters.filter(({ atBound }) => atBound).map(({ name }) => name)
  return {
    kind: 'list',
    items: [
      `${converged ? 'Converged' : 'Not converged'}: ${message}`,
      ...(bound.length > 0
        ? [`At the end of the bounds: ${bound.join(', ')}. Errors and intervals know nothing of bounds.`]
        : []),
      ...correlations.map(
        ({ names, value }) =>
          `${names.join(' and ')} are correlated by ${formatNumber(value)}: the data tell them apart poorly.`,
      ),
      ...(weighted
        ? [
            absolute
              ? 'Standard errors take sigma as the errors themselves.'
              : 'Standard errors take sigma up to a factor, which the residuals tell: the root of the reduced chi-square.',
          ]
        : []),
    ],
  }
}

function quality({ residualSumOfSquares, degreesOfFreedom, weighted, loss }: FitReport): Block {
  const reduced = residualSumOfSquares / degreesOfFreedom
  const after = loss === 'linear' ? '' : ` after ${loss}`
  return pairs([
    [`residual sum of squares${after}`, formatNumber(residualSumOfSquares, 6)],
    ['degrees of freedom', formatCount(degreesOfFreedom)],
    weighted
      ? ['reduced chi-square', formatNumber(reduced, 5)]
      : ['residual standard deviation', formatNumber(Math.sqrt(reduced), 5)],
  ])
}
