import { dsvFormat } from 'd3-dsv'
import { Tensor } from '../tensor/tensor.js'
import { DataError } from './error.js'

export type CsvTable = {
  /** The names in the header row, when there is one. */
  columns: string[] | undefined
  /** float64 [rows, columns]. */
  values: Tensor
}

export type CsvOptions = {
  /** Whether the first row holds names; left out, it does when one of its cells is not a number. */
  header?: boolean
  /** Left out, the most frequent of `,` `;` and tab in the first row, else blanks. */
  delimiter?: ',' | ';' | '\t' | ' '
}

/**
 * A table of numbers separated by commas, semicolons, tabs or blanks. Blank lines and lines starting with `#`
 * are skipped; `nan`, `NA` and `inf` are read as NumPy and R write them.
 * @throws DataError naming line and column of a cell that is not a number, the line of a row of another length,
 *   or when no row of numbers is there.
 */
export function readCsv(text: string, options: CsvOptions = {}): CsvTable {
  const delimiter = options.delimiter ?? guessDelimiter(text)
  const numbers: number[] = []
  let columns: string[] | undefined
  let width: number | undefined

  eachRow(text, delimiter, (cells, line) => {
    if (width === undefined) {
      width = cells.length
      if (options.header ?? cells.some((cell) => cell !== '' && parseNumber(cell) === undefined)) {
        columns = cells
        return
      }
    }
    if (cells.length !== width)
      throw new DataError(`line ${line}: ${cells.length} columns, but the first row has ${width}`)
    for (const [i, cell] of cells.entries()) {
      const value = parseNumber(cell)
      if (value === undefined) {
        const column = columns ? `column ${i + 1} (${show(columns[i] as string)})` : `column ${i + 1}`
        throw new DataError(`line ${line}, ${column}: expected a number, got ${show(cell)}`)
      }
      numbers.push(value)
    }
  })
  if (width === undefined) throw new DataError('the table is empty')
  if (numbers.length === 0) throw new DataError('the table has a header row, but no row of numbers')
  return { columns, values: new Tensor(Float64Array.from(numbers), [numbers.length / width, width]) }
}

/** Calls `visit` with the trimmed cells of each row and the line the row starts on, counted from 1. */
function eachRow(text: string, delimiter: string, visit: (cells: string[], line: number) => void): void {
  const visitUnlessSkipped = (cells: string[], line: number): void => {
    if (cells[0]?.startsWith('#') || (cells.length === 1 && cells[0] === '')) return
    visit(cells, line)
  }
  const body = text.replace(/^\uFEFF/, '')
  if (delimiter === ' ') {
    for (const [i, row] of body.split(lineBreak).entries()) visitUnlessSkipped(row.trim().split(/\s+/), i + 1)
    return
  }
  let line = 1
  dsvFormat(delimiter).parseRows(body, (row) => {
    visitUnlessSkipped(
      row.map((cell) => cell.trim()),
      line,
    )
    // A quoted cell may itself hold line breaks.
    line += row.reduce((breaks, cell) => breaks + cell.split(lineBreak).length - 1, 1)
    return null
  })
}

const lineBreak = /\r\n|\n|\r/
const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

function parseNumber(cell: string): number | undefined {
  if (number.test(cell)) return Number(cell)
  if (cell === 'NA' || /^[+-]?nan$/i.test(cell)) return NaN
  if (/^[+-]?inf(inity)?$/i.test(cell)) return cell.startsWith('-') ? -Infinity : Infinity
  return undefined
}

function guessDelimiter(text: string): ',' | ';' | '\t' | ' ' {
  const start = text.slice(0, 65536).replace(/"[^"]*"/g, 'quoted')
  const row = /^[^\S\r\n]*[^\s#].*$/m.exec(start)?.[0] ?? ''
  const count = (delimiter: string): number => row.split(delimiter).length - 1
  const candidates = [',', ';', '\t'] as const
  const most = candidates.reduce((best, next) => (count(next) > count(best) ? next : best))
  return count(most) > 0 ? most : ' '
}

function show(cell: string): string {
  return cell === '' ? 'an empty cell' : JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell)
}
