import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { unknown } from '../src/cli/arguments.js'
import { writeFileAtomic } from '../src/io/atomic.js'
import { type ProgressWriter, progressBar } from '../src/report/progress.js'
import { loadPaper, paperIds } from './library.js'
import type { Outcome, Paper } from './paper.js'
import { markdownTable, outcomeText, type Row, replaceTable } from './table.js'

export interface Streams {
  readonly signal: AbortSignal
  readonly print: (text: string) => void
  readonly progress: ProgressWriter
}

const usage = 'usage: npm run paper -- ID [--full], or npm run papers'

/**
 * Runs the papers that the words name, or all. Returns the exit code: 0, 1 when a claim does not hold, 2 for words
 * that it does not know, 130 when interrupted.
 */
export async function runPapers(words: readonly string[], streams: Streams): Promise<number> {
  const known = paperIds()
  const parsed = parse(words)
  if (typeof parsed === 'string') {
    streams.print(`${parsed}\n${usage}; papers: ${known.join(', ')}`)
    return 2
  }
  const { ids, full, all } = parsed
  const stranger = ids.find((id) => !known.includes(id))
  if (stranger !== undefined) {
    streams.print(unknown(`paper ${stranger}`, stranger, known))
    return 2
  }
  const rows: Row[] = []
  try {
    for (const id of all ? known : ids) {
      const row = await runOne(await loadPaper(id), full, streams)
      streams.print(`${outcomeText(row.paper, row.outcome, row.seconds)}\n`)
      rows.push(row)
    }
  } catch (error) {
    if (!streams.signal.aborted) throw error
    streams.print(`interrupted${all ? '; docs/papers.md is as it was' : ''}`)
    return 130
  }
  if (all) writeDocument(rows)
  return rows.every(({ outcome }) => outcome.holds) ? 0 : 1
}

function parse(words: readonly string[]): { ids: string[]; full: boolean; all: boolean } | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { full: { type: 'boolean' }, all: { type: 'boolean' } },
    })
    const all = values.all === true
    if (!all && positionals.length === 0) return 'no paper named'
    if (all && (positionals.length > 0 || values.full)) return '--all takes no ids and no --full'
    return { ids: positionals.map((id) => id.toUpperCase()), full: values.full === true, all }
  } catch (error) {
    return (error as Error).message
  }
}

async function runOne(paper: Paper, full: boolean, { signal, print, progress }: Streams): Promise<Row> {
  const bar = progressBar(progress)
  const start = performance.now()
  const elapsed = () => (performance.now() - start) / 1000
  const lines: string[] = []
  let outcome: Outcome
  try {
    outcome = await paper.run({
      signal,
      full,
      log: (line) => lines.push(line),
      async onStep(fraction, stage = paper.title) {
        bar.update({ stage: `${paper.id} ${stage}`, fraction, elapsedSeconds: elapsed() })
        await setImmediate()
        signal.throwIfAborted()
      },
    })
  } finally {
    bar.end()
  }
  for (const line of lines) print(line)
  return { paper, outcome, seconds: elapsed() }
}

function writeDocument(rows: readonly Row[]): void {
  const path = fileURLToPath(new URL('../docs/papers.md', import.meta.url))
  const machine = `Measured ${new Date().toISOString().slice(0, 10)} on ${cpus().length} processor cores, Node ${process.versions.node.split('.')[0]}, default sizes.`
  writeFileAtomic(path, replaceTable(readFileSync(path, 'utf8'), markdownTable(rows, machine)))
}
