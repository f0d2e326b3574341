import type { CurvatureReport } from '../curvature/index.js'
import { barFigure } from './bars.js'
import type { Block, Section } from './document.js'
import { formatCount, formatNumber, formatPercent, formatWithError } from './number.js'

/** The blocks of the layers, as bars and as a table; null where they were not told apart. */
export function layerSection(report: CurvatureReport): Section | null {
  const { layers, activations } = report
  const blocks = [
    ...(layers ? layerBlocks(layers) : []),
    ...(activations ? activationBlocks(activations) : []),
  ]
  return blocks.length > 0 ? { title: 'Layers', blocks } : null
}

type Layers = NonNullable<CurvatureReport['layers']>

function layerBlocks(layers: Layers): Block[] {
  const each = layers.map(({ name, trace, parameters }) => ({
    label: name,
    value: trace.estimate / Math.max(1, parameters),
    error: trace.standardError / Math.max(1, parameters),
  }))
  const figure = barFigure(
    each,
    'average curvature per parameter',
    'The trace of each parameter tensor’s own block over its number of parameters; lines show ± one standard error.',
  )
  const tops = layers.some(({ top }) => top)
  const total = layers.reduce((sum, { trace }) => sum + trace.estimate, 0)
  return [
    { kind: 'text', text: sentence(layers, total) },
    ...(figure ? [figure] : []),
    {
      kind: 'table',
      columns: [
        { label: 'parameter' },
        { label: 'count', align: 'right' },
        { label: 'trace', align: 'right' },
        { label: 'share', align: 'right' },
        { label: 'per parameter', align: 'right' },
        ...(tops ? [{ label: 'largest eigenvalue', align: 'right' as const }] : []),
      ],
      rows: layers.map(({ name, parameters, trace, top }, i) => [
        name,
        formatCount(parameters),
        formatWithError(trace.estimate, trace.standardError),
        total > 0 ? formatPercent(trace.estimate / total) : '–',
        formatNumber(each[i]!.value, 3),
        ...(tops ? [top ? formatWithError(top.value, top.residual) : '–'] : []),
      ]),
      caption:
        'Traces come from the same products as the trace of the whole; errors are standard errors over the probes' +
        (tops ? ', those of eigenvalues are residuals.' : '.'),
    },
  ]
}

function sentence(layers: Layers, total: number): string {
  const by = (value: (layer: Layers[number]) => number) => [...layers].sort((a, b) => value(b) - value(a))
  const [most] = by(({ trace }) => trace.estimate)
  const ranked = by(({ trace, parameters }) => trace.estimate / Math.max(1, parameters))
  const [dense, flat] = [ranked[0]!, ranked.at(-1)!]
  if (layers.length === 1 || !(total > 0)) return 'The diagonal block of each parameter tensor.'
  if (most!.trace.estimate < 2 * most!.trace.standardError)
    return 'The diagonal block of each parameter tensor; the errors are too large to rank them, so take more probes.'
  const share = formatPercent(most!.trace.estimate / total)
  return (
    `${most!.name} holds most of the trace, ${share} of it. Per parameter the curvature is largest in ${dense.name} and ` +
    `smallest in ${flat.name}: what is quantised or pruned there costs least.`
  )
}

function activationBlocks(activations: NonNullable<CurvatureReport['activations']>): Block[] {
  return [
    {
      kind: 'table',
      columns: [
        { label: 'outputs of' },
        { label: 'count', align: 'right' },
        { label: 'trace', align: 'right' },
        { label: 'per output', align: 'right' },
      ],
      rows: activations.map(({ name, outputs, trace }) => [
        name,
        formatCount(outputs),
        formatWithError(trace.estimate, trace.standardError),
        formatNumber(trace.estimate / Math.max(1, outputs), 3),
      ]),
      caption:
        'The curvature of a sample’s loss in each layer’s outputs, the mean over samples: how much rounding them matters.',
    },
  ]
}
