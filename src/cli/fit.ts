import { basename } from 'node:path'
import { writeFileAtomic } from '../io/index.js'
import * as np from '../numpy/index.js'
import { type LossName, leastSquares, robustLosses, uncertainty } from '../optimize/index.js'
import { type FitReport, fitDocument } from '../report/fit.js'
import { fitSvg } from '../report/fitFigure.js'
import { documentText, htmlPage } from '../report/index.js'
import { type CommandSpec, type ParsedArguments, parseArguments, UsageError, unknown } from './arguments.js'
import type { Command } from './command.js'
import { blamingInput } from './errors.js'
import { readBounds, readStart } from './fit/assignments.js'
import { finite, readColumns } from './fit/columns.js'
import { expressionModel } from './fit/model.js'
import { type Fitted, type NamedTensors, plotOf } from './fit/plot.js'
import { given } from './options.js'
import { requireWritable } from './output.js'

const spec: CommandSpec = {
  name: 'fit',
  summary:
    'Fit a formula to a table by least squares: parameters with errors, and a plot of data, curve, band and residuals.\n' +
    'evolute fit "b1*(1-exp(-b2*x))" data.csv --start b1=250,b2=5e-4\n' +
    'A formula holds numbers, + - * / ^ ( ), functions (exp, log, sqrt, sin, atan, tanh, abs, pow, ...), pi and e, the\n' +
    'parameters of --start, and columns: x (of several x1, x2, ...), or any by its name in the header row.',
  operands: ['EXPRESSION', 'DATA.csv'],
  options: {
    start: { value: 'NAME=NUMBER,...', help: 'the parameters and where they start (required)' },
    x: { value: 'COLUMN,...', help: 'name or number of the column x (default the first)' },
    y: { value: 'COLUMN', help: 'the column that the formula is fitted to (default the second)' },
    sigma: { value: 'COLUMN', help: 'the standard deviations of y (default all the same)' },
    absolute: { help: 'sigma are the errors themselves, rather than up to a factor that residuals tell' },
    bounds: { value: 'NAME=LOW:HIGH,...', help: 'intervals that parameters keep to; a side may be left out' },
    loss: { value: 'NAME', help: `${Object.keys(robustLosses).join(', ')} (default linear)` },
    'loss-scale': { value: 'S', help: 'residuals beyond S count less, in units of sigma or y (default 1)' },
    plot: { value: 'FILE', help: 'draw the fit into this .svg file, or write a page to this .html file' },
    json: { help: 'print one JSON object on standard output instead of text' },
  },
}

/** Correlations from this size on are worth a sentence, and so many of them. */
const largeCorrelation = 0.95
const mostCorrelations = 5

async function run(words: readonly string[], signal: AbortSignal): Promise<void> {
  const args = parseArguments(spec, words)
  const [expression, path] = args.operands as [string, string]
  const plot = plotFile(args)
  if (args.flag('absolute') && args.text('sigma') === undefined)
    throw new UsageError('--absolute: got no --sigma, expected the column of the errors that it speaks of')
  const columns = readColumns(path, args)
  const start = readStart(args)
  const model = await blamingInput('expression', () => expressionModel(expression, start, columns.named))
  for (const column of model.predictors) finite(column, path)
  const { y, sigma } = columns
  const loss = lossOf(args)
  const lossScale = args.number('loss-scale', {})
  if (lossScale !== undefined && !(lossScale > 0))
    throw new UsageError(`--loss-scale: got ${lossScale}, expected a number above 0`)
  const residual = (p: NamedTensors) => np.subtract(model.at(p, model.observed, y.values.length), y.values)
  const result = await blamingInput(path, () =>
    leastSquares(residual, Object.fromEntries(start), {
      bounds: readBounds(args, start),
      loss,
      signal,
      ...given({ sigma: sigma?.values, lossScale }),
    }),
  )
  const report = reportOf(
    { expression, source: basename(path), loss },
    { model, columns, result, options: { level: 0.95, absolute: args.flag('absolute') } },
  )
  if (plot) writeFileAtomic(plot.path, plot.isPage ? htmlPage(fitDocument(report)) : fitSvg(report.plot))
  console.log(args.flag('json') ? JSON.stringify(jsonOf(report, result)) : documentText(fitDocument(report)))
  if (plot) console.error(`plot written to ${plot.path}`)
}

/** The file of `--plot`. @throws UsageError when its name ends otherwise or it could not be written. */
function plotFile(args: ParsedArguments): { path: string; isPage: boolean } | undefined {
  const path = args.text('plot')
  if (path === undefined) return undefined
  const [ending] = /\.(svg|html)$/i.exec(path) ?? []
  if (!ending) throw new UsageError(`--plot: got ${path}, expected the name of an .svg or .html file`)
  requireWritable(path)
  return { path, isPage: ending.toLowerCase() === '.html' }
}

function lossOf(args: ParsedArguments): LossName {
  const name = args.text('loss') ?? 'linear'
  if (Object.hasOwn(robustLosses, name)) return name as LossName
  throw new UsageError(`--loss: ${unknown(`loss ${name}`, name, Object.keys(robustLosses))}`)
}

type Named = Pick<FitReport, 'expression' | 'source' | 'loss'>

function reportOf(named: Named, fitted: Fitted): FitReport {
  const { result, columns, options } = fitted
  const { standardErrors, intervals, correlation, ...errors } = uncertainty(result, options)
  const { lower, upper } = result.parameters
  const { names } = result
  const correlations = names.flatMap((a, i) =>
    names.slice(0, i).map((b, j) => ({
      names: [b, a] as const,
      value: correlation.data[i * names.length + j]!,
    })),
  )
  return {
    ...named,
    ...errors,
    parameters: names.map((name, i) => ({
      name,
      value: result.values[i]!,
      standardError: standardErrors[i]!,
      interval: intervals[i]!,
      atBound: result.values[i] === lower[i] || result.values[i] === upper[i],
    })),
    correlations: correlations
      .filter(({ value }) => Math.abs(value) >= largeCorrelation)
      .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
      .slice(0, mostCorrelations),
    weighted: columns.sigma !== undefined,
    absolute: options.absolute === true,
    converged: result.converged,
    message: result.message,
    plot: plotOf(fitted),
  }
}

/** What `--json` prints: numbers that are not finite become null. */
function jsonOf(report: FitReport, { reason, evaluations, undetermined }: Fitted['result']) {
  const { parameters, residualSumOfSquares, degreesOfFreedom, converged, message } = report
  return {
    parameters: parameters.map(({ name, value, standardError, interval }) => ({
      name,
      value,
      standardError,
      interval,
    })),
    residualSumOfSquares,
    degreesOfFreedom,
    reason,
    message,
    converged,
    undetermined,
    evaluations,
  }
}

export const fitCommand: Command = { spec, run }
