import { namingFile } from '../../io/error.js'
import { DataError, gunzip, readBytes, readCsv } from '../../io/index.js'
import { type ParsedArguments, UsageError, unknown } from '../arguments.js'

/** A column of the data under the name that its header or its place gives it. */
export interface Column {
  readonly name: string
  readonly values: Float64Array
}

/** The columns of a fit. */
export interface FitColumns {
  readonly x: readonly Column[]
  readonly y: Column
  readonly sigma: Column | undefined
  /** What an expression may name: columns by their headers, and x (of several x1, x2, ...). */
  readonly named: ReadonlyMap<string, Column>
}

/**
 * The columns that `--x`, `--y` and `--sigma` name, by header or by number from 1. Where they are absent, x is the first
 * column that none of them names, and y the next.
 * @throws UsageError when there is no such column; DataError when the file is no table, or holds what is not finite.
 */
export function readColumns(path: string, args: ParsedArguments): FitColumns {
  const table = readTable(path)
  const given = (option: string) =>
    args
      .text(option)
      ?.split(',')
      .map((word) => indexOf(table, word.trim(), option, path))
  const [xs, ys, sigmas] = [given('x'), given('y'), given('sigma')]
  for (const [option, found] of Object.entries({ y: ys, sigma: sigmas }))
    if (found && found.length !== 1)
      throw new UsageError(`--${option}: got ${found.length} columns, expected one`)
  const free = table.map((_, i) => i).filter((i) => ![xs, ys, sigmas].some((found) => found?.includes(i)))
  const next = (option: string) => {
    const index = free.shift()
    if (index !== undefined) return [index]
    throw new UsageError(`--${option}: ${path} has no column left for it, expected one of ${namesOf(table)}`)
  }
  const pick = (index: number) => finite(table[index]!, path)
  const x = (xs ?? next('x')).map(pick)
  const y = pick((ys ?? next('y'))[0]!)
  if (x.some(({ name }) => name === y.name))
    throw new UsageError(`--y: got the column ${y.name}, which is x too; expected another`)
  const others = table.filter(({ name }) => name !== y.name && !/^\d/.test(name))
  return {
    x,
    y,
    sigma: sigmas && pick(sigmas[0]!),
    named: new Map([
      ...x.map((column, i) => [x.length === 1 ? 'x' : `x${i + 1}`, column] as const),
      ...others.map((column) => [column.name, column] as const),
    ]),
  }
}

function readTable(path: string): Column[] {
  return namingFile(path, () => {
    const bytes = readBytes(path)
    const text = new TextDecoder().decode(/\.gz$/i.test(path) ? gunzip(bytes) : bytes)
    const { columns, values } = readCsv(text)
    const twin = columns?.find((name, i) => columns.indexOf(name) < i)
    if (twin) throw new DataError(`two columns are named ${JSON.stringify(twin)}, expected different names`)
    const [rows, width] = values.shape as [number, number]
    return Array.from({ length: width }, (_, j) => ({
      name: columns?.[j] || String(j + 1),
      values: Float64Array.from({ length: rows }, (_, i) => values.data[i * width + j]!),
    }))
  })
}

function indexOf(table: readonly Column[], word: string, option: string, path: string): number {
  const byName = table.findIndex(({ name }) => name === word)
  if (byName >= 0) return byName
  if (/^\d+$/.test(word) && table[Number(word) - 1]) return Number(word) - 1
  if (/^\d+$/.test(word))
    throw new UsageError(
      `--${option}: got ${word}, expected a name or number of ${path}'s ${table.length} columns`,
    )
  const names = table.map(({ name }) => name)
  throw new UsageError(`--${option}: ${unknown(`column ${word} of ${path}`, word, names)}`)
}

const namesOf = (table: readonly Column[]) => table.map(({ name }) => name).join(', ')

/** @throws DataError naming the first row, counted without the header, in which a column is not finite. */
export function finite(column: Column, path: string): Column {
  const bad = column.values.findIndex((value) => !Number.isFinite(value))
  if (bad < 0) return column
  throw new DataError(
    `row ${bad + 1} of column ${column.name} is ${column.values[bad]}, expected finite numbers; leave such rows out`,
    path,
  )
}
