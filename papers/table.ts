import type { Figure, Outcome, Paper } from './paper.js'

/** A number with three significant digits; integers whole. */
export function showNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return `${value}`
  const size = Math.abs(value)
  return size >= 1e-3 && size < 1e6 ? `${Number(value.toPrecision(3))}` : value.toExponential(1)
}

const showPaper = ({ paper, unit }: Figure) =>
  paper === null ? '-' : typeof paper === 'string' ? paper : withUnit(showNumber(paper), unit)
const showMeasured = ({ measured, unit }: Figure) => withUnit(showNumber(measured), unit)
const withUnit = (text: string, unit: string | undefined) => (unit ? `${text} ${unit}` : text)

/** Claim, the paper's figures beside those of this run, verdict and time, for a terminal. */
export function outcomeText(paper: Paper, { figures, holds, verdict }: Outcome, seconds: number): string {
  const rows = [
    ['', 'paper', 'here'],
    ...figures.map((figure) => [figure.name, showPaper(figure), showMeasured(figure), figure.note ?? '']),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map(([name, theirs, ours, note]) =>
    `  ${name!.padEnd(widths[0]!)}  ${theirs!.padStart(widths[1]!)}  ${ours!.padStart(widths[2]!)}  ${note ?? ''}`.trimEnd(),
  )
  return [
    `${paper.id}  ${paper.title} (${paper.authors}, ${paper.year}; ${paper.source})`,
    `Claim: ${paper.claim}`,
    '',
    ...lines,
    '',
    `${holds ? 'Holds' : 'Does not hold'}: ${verdict}`,
    `${seconds.toFixed(1)} s`,
  ].join('\n')
}

export interface Row {
  readonly paper: Paper
  readonly outcome: Outcome
  readonly seconds: number
}

const cell = (text: string) => text.replaceAll('|', '\\|')

/** The table of docs/papers.md. */
export function markdownTable(rows: readonly Row[], machine: string): string {
  const lines = rows.map(({ paper, outcome, seconds }) => {
    const figures = outcome.figures.map(
      (figure) =>
        `${figure.name}: ${showMeasured(figure)}${figure.paper === null ? '' : ` (paper: ${showPaper(figure)})`}`,
    )
    const title = `${paper.title} (${paper.authors} ${paper.year}, ${paper.source})`
    const columns = [
      paper.id,
      title,
      figures.join('; '),
      `${outcome.holds ? '**holds**' : '**does not hold**'}: ${outcome.verdict}`,
    ]
    return `| ${columns.map(cell).join(' | ')} | ${seconds.toFixed(1)} |`
  })
  return [
    machine,
    '',
    '| id | system | measured | verdict | seconds |',
    '|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

const [begin, end] = ['<!-- papers: written by npm run papers -->', '<!-- papers: end -->']

/** The page with what is between its markers replaced. */
export function replaceTable(page: string, table: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/papers.md: expected the lines ${begin} and ${end}`)
  return `${page.slice(0, from + begin.length)}\n\n${table}\n\n${page.slice(to)}`
}
