/**
 * Adjusts two problems of Bundle Adjustment in the Large (Agarwal, Snavely, Seitz, Szeliski 2010), prints costs, times
 * and memory beside Ceres' and writes BUNDLE.md. EVOLUTE_DATA names the folder of the data; the command bzip2 unpacks one
 * of them. Options: --rounds N (default 3), --dry writes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type BlockProblem, blockLeastSquares } from 'evolute/optimize'
import { parseBundle, readText } from '../test/optimize/bundleProblem.js'
import { median } from './measure.js'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, dry: { type: 'boolean' } } })
const rounds = Number(values.rounds ?? 3)
const data = process.env.EVOLUTE_DATA
if (!data) throw new Error('EVOLUTE_DATA is not set, expected the folder of the test data')

/** Ceres 2.1.0, bundle_adjuster's defaults, SPARSE_SCHUR on one thread, measured earlier, not in the same run. */
const ceres = {
  'problem-21-11315-pre.txt.bz2': { cost: '3.037864e4', iterations: 12, seconds: '0.40' },
  'problem-49-7776-pre.txt.gz': { cost: '1.334429e4', iterations: 50, seconds: '1.7 to 3.2' },
}

interface Run {
  readonly seconds: number
  /** Of all threads: compilation and garbage collection have their own. */
  readonly processor: number
  readonly result: Awaited<ReturnType<typeof blockLeastSquares>>
}

async function adjust(problem: BlockProblem, tolerance: number): Promise<Run> {
  const from = performance.now()
  const before = process.cpuUsage()
  const result = await blockLeastSquares(problem, { maxSteps: 50, tolerance })
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - from) / 1e3, processor: (user + system) / 1e6, result }
}

const rows: string[] = []
for (const [name, peer] of Object.entries(ceres)) {
  const problem = parseBundle(readText(join(data, 'bal', name)))
  for (const tolerance of [1e-6, 0]) {
    const runs: Run[] = []
    for (let round = 0; round < rounds; round++) runs.push(await adjust(problem, tolerance))
    const { value, history, iterations, reason, memory } = runs[0]!.result
    const seconds = runs.map((run) => run.seconds)
    const columns = [
      name.replace(/-pre.*/, ''),
      tolerance,
      `${history[0]!.value.toExponential(6)} -> ${value.toExponential(7)}`,
      `${iterations}, ${reason}`,
      `${seconds[0]!.toFixed(2)} s, ${median(seconds).toFixed(2)} s`,
      `${median(runs.map((run) => run.processor)).toFixed(2)} s`,
      `${(memory.total / 1e6).toFixed(0)} MB, ${(process.resourceUsage().maxRSS / 1e3).toFixed(0)} MB`,
      `${peer.cost}, ${peer.iterations} steps, ${peer.seconds} s`,
    ]
    rows.push(`| ${columns.join(' | ')} |`)
    console.log(rows.at(-1))
  }
}

const cores = cpus()
const text = `${cores.length} cores of ${cores[0]?.model.trim()}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}, ${rounds} rounds; load average ${loadavg()[0]!.toFixed(1)} at the end

| problem | tolerance | cost | steps | first run, median | processor time | memory: forecast, process at most | Ceres |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}
`
if (!values.dry) {
  const path = fileURLToPath(new URL('BUNDLE.md', import.meta.url))
  const head = readFileSync(path, 'utf8').split('<!-- results -->')[0]
  writeFileSync(path, `${head}<!-- results -->\n${text}`)
}
