import type { CurvatureReport } from '../curvature/index.js'
import { densityFigure, logDensityFigure } from './density.js'
import type { Block, Document, Section } from './document.js'
import {
  descending,
  findings,
  formatInterval,
  largestStableStep,
  matrixName,
  productCost,
  sharpness,
  traceInterval,
} from './findings.js'
import { htmlPage } from './html.js'
import { landscapeSection } from './landscape.js'
import { layerSection } from './layers.js'
import {
  formatCount,
  formatNumber,
  formatPercent,
  formatScientific,
  formatSeconds,
  formatToError,
  formatWithError,
} from './number.js'
import { stabilitySection } from './stability.js'
import { pairs } from './tables.js'

/** The report as one self-contained HTML file. */
export function curvatureReport(report: CurvatureReport): string {
  return htmlPage(curvatureDocument(report))
}

/** What a report is made of: each part of it, in order, where there is something to say. */
const parts: readonly ((report: CurvatureReport) => Section | null)[] = [
  overview,
  density,
  eigenvalues,
  trace,
  layerSection,
  stabilitySection,
  ({ landscape }) => (landscape ? landscapeSection(landscape) : null),
  logDeterminant,
  cost,
  settings,
  notes,
]

/** The report as sections of text, figures and tables, for a renderer (html.ts, terminal.ts). */
export function curvatureDocument(report: CurvatureReport): Document {
  const { model, data, lossName } = report
  return {
    title: `Curvature of ${model.name}`,
    subtitle: `${matrixName(report)} of the ${lossName} loss over ${formatCount(data.samples)} samples`,
    sections: parts.map((part) => part(report)).filter((section) => section !== null),
    footer: 'Made by evolute.',
  }
}

function overview(report: CurvatureReport): Section {
  const top = sharpness(report)
  const step = largestStableStep(report)
  const ratio = productCost(report)
  const { estimate, standardError } = report.trace
  const items = [
    top && {
      label: 'Sharpness λ₁',
      value: formatNumber(top.value),
      detail: `± ${formatNumber(top.error, 2)}`,
    },
    step && {
      label: 'Largest step 2/λ₁',
      value: formatNumber(step.value, 3),
      detail: 'for gradient descent',
    },
    Number.isFinite(estimate) && {
      label: 'Trace',
      value: formatToError(estimate, standardError),
      detail: Number.isFinite(standardError) ? `± ${formatNumber(standardError, 2)}` : 'error unknown',
    },
    ratio !== null && { label: 'Hessian product', value: formatNumber(ratio, 3), detail: 'gradients' },
  ].filter((item) => !!item)
  const blocks: Block[] = items.length > 0 ? [{ kind: 'highlights', items }] : []
  return { blocks: [...blocks, ...findings(report).map((text): Block => ({ kind: 'text', text }))] }
}

function density(report: CurvatureReport): Section {
  const figures = [logDensityFigure(report), densityFigure(report)].filter((figure) => figure !== null)
  return {
    title: 'Spectral density',
    blocks: figures.length > 0 ? figures : [{ kind: 'text', text: 'There is no density to draw.' }],
  }
}

function eigenvalues(report: CurvatureReport): Section {
  const values = descending(report.eigenvalues)
  const smallest = descending(report.smallest ?? [])
  if (values.length === 0)
    return { title: 'Eigenvalues', blocks: [{ kind: 'text', text: 'None was computed.' }] }
  const largest = Math.max(...values.map(({ value }) => Math.abs(value)))
  const row = (rank: string, { value, residual }: CurvatureReport['eigenvalues'][number]) => [
    rank,
    fixedPoint(value, largest),
    formatScientific(residual),
    largest > 0 ? fixedPoint(value / largest, 1, 4) : '–',
  ]
  return {
    title: 'Eigenvalues',
    blocks: [
      {
        kind: 'table',
        columns: [
          { label: 'rank', align: 'right' },
          { label: 'eigenvalue λ', align: 'right' },
          { label: 'residual', align: 'right' },
          { label: 'relative to largest', align: 'right' },
        ],
        rows: [
          ...values.map((pair, i) => row(String(i + 1), pair)),
          ...smallest.map((pair, i) => row(formatCount(report.parameters - smallest.length + i + 1), pair)),
        ],
        caption:
          'The residual is ‖Hv − λv‖ for the unit vector v found: an eigenvalue lies no further than that from λ.' +
          (smallest.length > 0 ? ' The last rows are the smallest eigenvalues.' : ''),
      },
    ],
  }
}

/** Numbers of one column share their number of places, so that their points line up under each other. */
function fixedPoint(value: number, largest: number, digits = 6): string {
  const power = Math.floor(Math.log10(largest))
  if (!(power >= -4 && power <= 6)) return formatNumber(value, digits)
  return value.toFixed(Math.max(0, digits - 1 - power)).replace('-', '−')
}

function trace(report: CurvatureReport): Section {
  const { estimate, standardError, method = 'Hutchinson' } = report.trace
  const interval = traceInterval(report)
  const order = Math.max(1, report.parameters)
  return {
    title: 'Trace',
    blocks: [
      pairs([
        ['estimate', formatToError(estimate, standardError)],
        ['standard error', formatNumber(standardError, 2)],
        ['95% interval', interval === null ? 'unknown' : formatInterval(interval)],
        ['per parameter', formatWithError(estimate / order, standardError / order)],
        ['method', method],
      ]),
    ],
  }
}

function logDeterminant({ logDeterminant: found, parameters }: CurvatureReport): Section | null {
  if (!found) return null
  const { shift, estimate, standardError, quadratureChange } = found
  return {
    title: 'Log-determinant',
    blocks: [
      pairs([
        [`log det(H + ${formatNumber(shift)} I)`, formatWithError(estimate, standardError)],
        [
          'per parameter',
          formatWithError(estimate / Math.max(1, parameters), standardError / Math.max(1, parameters)),
        ],
        ['change with half the Lanczos steps', formatNumber(quadratureChange, 2)],
      ]),
    ],
  }
}

function cost(report: CurvatureReport): Section {
  const { gradientSeconds, productSeconds, products, stages } = report.cost
  const ratio = productCost(report)
  return {
    title: 'Cost',
    blocks: [
      pairs([
        ['one gradient', formatSeconds(gradientSeconds)],
        ['one product', formatSeconds(productSeconds)],
        ['the same in gradients', ratio === null ? 'unknown' : formatNumber(ratio, 3)],
        ['products used', formatCount(products)],
        ['time in products', formatSeconds(products * productSeconds)],
      ]),
      ...(stages
        ? [
            {
              kind: 'table' as const,
              columns: [
                { label: 'stage' },
                { label: 'products', align: 'right' as const },
                { label: 'time', align: 'right' as const },
              ],
              rows: stages.map(({ stage, products, seconds }) => [
                stage,
                products === 0 ? '–' : formatCount(products),
                formatSeconds(seconds),
              ]),
              caption:
                'Products are of the stage’s own matrix: that of all parameters, or of one layer. Searches for eigenvalues go on from the density’s last Lanczos process.',
            },
          ]
        : []),
    ],
  }
}

function settings(report: CurvatureReport): Section {
  const { model, data, accuracy } = report
  const n = data.samples
  const error = accuracy === null ? Number.NaN : Math.sqrt((accuracy * (1 - accuracy)) / n)
  const deviation = Number.isFinite(error) ? ` ± ${formatPercent(error)} (binomial)` : ''
  return {
    title: 'Model, data and settings',
    blocks: [
      pairs([
        ['model', model.name],
        ['inputs', model.inputs],
        ...(model.opset === undefined ? [] : [['ONNX opset', String(model.opset)] as [string, string]]),
        ['parameters', formatCount(report.parameters)],
        ['loss', `${formatNumber(report.loss, 6)} (${report.lossName}, mean)`],
        ['accuracy', accuracy === null ? 'not applicable' : `${formatPercent(accuracy)}${deviation}`],
        ['samples', formatCount(n)],
        ['batch', formatCount(data.batch)],
        ['seed', String(report.seed)],
      ]),
    ],
  }
}

function notes({ notes: items }: CurvatureReport): Section | null {
  return items.length > 0 ? { title: 'Notes', blocks: [{ kind: 'list', items }] } : null
}
