import { costOf, forecast } from './forecast.js'
import { listing } from './print.js'
import type { Program } from './program.js'

/** The listing of a program with the operations and bytes of every equation and of the whole, for people. */
export function explain(program: Program): string {
  const { head, equations, tail } = listing(program)
  const costs = program.equations.map(costOf)
  const flops = align(['flops', ...costs.map((cost) => scaled(cost.flops))])
  const bytes = align(['moved', ...costs.map((cost) => showBytes(cost.bytes))])
  const width = Math.max(0, ...equations.map((lines) => lines.split('\n', 1)[0]!.length))
  const rows = ['', ...equations].map((lines, i) => {
    const [line, ...inside] = lines.split('\n') as [string, ...string[]]
    return [`${line.padEnd(width)}  ${flops[i]}  ${bytes[i]}`, ...inside].join('\n')
  })
  const total = forecast(program)
  return [
    rows[0],
    head,
    ...rows.slice(1),
    tail,
    `${total.equations} equation${total.equations === 1 ? '' : 's'}, ${scaled(total.flops).trim()} flops, ` +
      `${showBytes(total.bytes)} moved, peak memory ${showBytes(total.peakBytes)}`,
  ].join('\n')
}

const align = (cells: readonly string[]) => {
  const width = Math.max(...cells.map((cell) => cell.length))
  return cells.map((cell) => cell.padStart(width))
}

const showBytes = (bytes: number) => `${scaled(bytes)}B`

/** Three digits and a decimal prefix: 812, 1.23 k, 45.6 M. */
function scaled(count: number): string {
  if (count < 1000) return `${count} `
  const rounded = Number(count.toPrecision(3))
  const power = Math.min(4, Math.floor(Math.log10(rounded) / 3))
  return `${(rounded / 1000 ** power).toPrecision(3)} ${' kMGT'[power]}`
}
