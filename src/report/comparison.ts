import type { Comparison, CurvatureReport, Difference } from '../curvature/index.js'
import type { Block, Document, Section } from './document.js'
import { lineFigure } from './lines.js'
import { formatCount, formatNumber, formatPercent, formatWithError, powerOfTen } from './number.js'
import { pairs } from './tables.js'

type Models = readonly [CurvatureReport['model'], CurvatureReport['model']]

/** Two models side by side. */
export function comparisonDocument(comparison: Comparison, models: Models): Document {
  const { first } = comparison
  const names = namesOf(models)
  return {
    title: `${names[0]} and ${names[1]}`,
    subtitle: `Curvature of the ${first.lossName} loss over the same ${formatCount(first.data.samples)} samples`,
    sections: [
      summary(comparison, names),
      eigenvalues(comparison),
      densities(comparison, names),
      layers(comparison),
      straightLine(comparison),
      settings(comparison, models, names),
    ].filter((section) => section !== null),
    footer: 'Made by evolute.',
  }
}

type Names = readonly [string, string]

/** The models' names; two of one name are told apart. */
function namesOf([a, b]: Models): Names {
  return a.name === b.name ? [`${a.name} (first)`, `${b.name} (second)`] : [a.name, b.name]
}

function summary({ first, second, loss, accuracy, trace, eigenvalues }: Comparison, names: Names): Section {
  const row = (label: string, a: string, b: string, difference: Difference | null) => [
    label,
    a,
    b,
    ...(difference
      ? [formatWithError(difference.difference, difference.error), verdict(difference)]
      : ['–', '–']),
  ]
  const [top, other] = [first.eigenvalues[0]!, second.eigenvalues[0]!]
  const rows = [
    row('loss', formatNumber(first.loss, 5), formatNumber(second.loss, 5), loss),
    ...(accuracy && first.accuracy !== null && second.accuracy !== null
      ? [row('accuracy', formatPercent(first.accuracy), formatPercent(second.accuracy), accuracy)]
      : []),
    row('sharpness λ₁', formatNumber(top.value, 5), formatNumber(other.value, 5), eigenvalues[0]!),
    row(
      'trace',
      formatWithError(first.trace.estimate, first.trace.standardError),
      formatWithError(second.trace.estimate, second.trace.standardError),
      trace,
    ),
    row('parameters', formatCount(first.parameters), formatCount(second.parameters), null),
  ]
  return {
    blocks: [
      { kind: 'text', text: sentence({ loss, trace, eigenvalues }, names) },
      {
        kind: 'table',
        columns: [
          { label: '' },
          { label: 'first', align: 'right' },
          { label: 'second', align: 'right' },
          { label: 'difference', align: 'right' },
          { label: 'beyond its error', align: 'right' },
        ],
        rows,
        caption:
          `The first is ${names[0]}, the second ${names[1]}; differences are the second less the first. The errors of loss and accuracy are standard errors over the samples, ` +
          'which both models share; that of the trace is over the random probes; that of an eigenvalue is the sum of the residuals. ' +
          'A difference exceeds a standard error at 1.96 times, the residuals at once.',
      },
    ],
  }
}

const verdict = ({ differs }: Difference) => (differs ? 'yes' : 'no')

function sentence(
  { loss, trace, eigenvalues }: Pick<Comparison, 'loss' | 'trace' | 'eigenvalues'>,
  names: Names,
) {
  const told = (what: string, { difference, differs }: Difference, more: string, less: string) =>
    `${what} is ${differs ? (difference > 0 ? more : less) : 'the same within its error'}`
  const all = [
    told('the loss', loss, 'higher', 'lower'),
    told('the sharpness', eigenvalues[0]!, 'larger', 'smaller'),
    told('the trace', trace, 'larger', 'smaller'),
  ]
  return (
    `For ${names[1]}, beside ${names[0]} on the same samples, ${all.join(', ')}. ` +
    'Sharpness depends on the scale of the weights: between different architectures it says which steps are stable, not which model generalises.'
  )
}

function eigenvalues({ first, second, eigenvalues: differences }: Comparison): Section {
  return {
    title: 'Eigenvalues',
    blocks: [
      {
        kind: 'table',
        columns: [
          { label: 'rank', align: 'right' },
          { label: 'first', align: 'right' },
          { label: 'second', align: 'right' },
          { label: 'difference', align: 'right' },
          { label: 'beyond its error', align: 'right' },
        ],
        rows: differences.map((difference, i) => [
          String(i + 1),
          formatNumber(first.eigenvalues[i]!.value, 5),
          formatNumber(second.eigenvalues[i]!.value, 5),
          formatWithError(difference.difference, difference.error),
          verdict(difference),
        ]),
      },
    ],
  }
}

function densities({ first, second }: Comparison, names: Names): Section | null {
  const [a, b] = [first.density.logarithmic, second.density.logarithmic]
  if (!a || !b) return null
  const most = Math.max(...a.values, ...b.values)
  const floor = most / (30 * Math.max(first.parameters, second.parameters))
  const points = ({ grid, values }: NonNullable<typeof a>) =>
    grid.map((x, i) => ({ x, y: Math.max(floor, values[i]!) }))
  const whole = (value: number) => powerOfTen(Math.round(value))
  const [low, high] = [Math.min(a.grid[0]!, b.grid[0]!), Math.max(a.grid.at(-1)!, b.grid.at(-1)!)]
  const ticks = Array.from({ length: Math.floor(high) - Math.ceil(low) + 1 }, (_, i) => Math.ceil(low) + i)
  const figure = lineFigure({
    series: [
      { label: names[0], points: points(a) },
      { label: names[1], points: points(b) },
    ],
    x: { label: 'size |λ| of the eigenvalue', ticks, tickFormat: whole },
    y: { label: 'density', log: true, tickFormat: (value) => powerOfTen(Math.round(Math.log10(value))) },
    caption: 'Both spectral densities over the size of the eigenvalues, both axes logarithmic.',
  })
  return figure && { title: 'Spectral densities', blocks: [figure] }
}

function layers({ layers: differences, first, second }: Comparison): Section | null {
  if (differences.length === 0) return null
  const traceOf = (report: typeof first, name: string) => {
    const trace = report.layers?.find((layer) => layer.name === name)?.trace
    return trace ? formatWithError(trace.estimate, trace.standardError) : '–'
  }
  return {
    title: 'Layers',
    blocks: [
      {
        kind: 'table',
        columns: [
          { label: 'parameter' },
          { label: 'first', align: 'right' },
          { label: 'second', align: 'right' },
          { label: 'difference', align: 'right' },
          { label: 'beyond its error', align: 'right' },
        ],
        rows: differences.map((difference) => [
          difference.name,
          traceOf(first, difference.name),
          traceOf(second, difference.name),
          formatWithError(difference.difference, difference.error),
          verdict(difference),
        ]),
        caption: 'Traces of the parameter tensors that have the same name in both models.',
      },
    ],
  }
}

function straightLine({ line }: Comparison): Section {
  const title = 'On the straight line between them'
  if (typeof line === 'string') return { title, blocks: [{ kind: 'text', text: line }] }
  const { t, loss, barrier, distance } = line
  const figure = lineFigure({
    series: [{ label: 'loss', points: t.map((x, i) => ({ x, y: loss[i]! })) }],
    x: { label: 'from the first model (0) to the second (1)' },
    y: { label: 'loss' },
    caption: 'The loss at (1 − t) θ₁ + t θ₂.',
  })
  const scale = Math.max(loss[0]!, loss.at(-1)!, 1e-12)
  const reading =
    barrier <= 0.02 * scale
      ? 'no barrier lies between them: they are linearly connected'
      : `a barrier of ${formatNumber(barrier, 3)} lies between them, the most by which the loss exceeds the line between its ends`
  const blocks: (Block | null)[] = [
    { kind: 'text', text: `The parameters are ${formatNumber(distance)} apart, and ${reading}.` },
    figure,
  ]
  return { title, blocks: blocks.filter((block) => block !== null) }
}

function settings({ first, second }: Comparison, models: Models, names: Names): Section {
  return {
    title: 'Models, data and settings',
    blocks: [
      pairs([
        [`inputs of ${names[0]}`, models[0].inputs],
        [`inputs of ${names[1]}`, models[1].inputs],
        ['samples', formatCount(first.data.samples)],
        ['products used', formatCount(first.cost.products + second.cost.products)],
        ['seed', String(first.seed)],
      ]),
      ...(first.notes.length + second.notes.length > 0
        ? [
            {
              kind: 'list' as const,
              items: [
                ...first.notes.map((note) => `${names[0]}: ${note}`),
                ...second.notes.map((note) => `${names[1]}: ${note}`),
              ],
            },
          ]
        : []),
    ],
  }
}
