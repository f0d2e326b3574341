/**
 * Fits NIST's StRD problems from both starts with default options, those that are separable by variable projection too,
 * times a small fit, alone and among many, beside SciPy's and ml-levenberg-marquardt's where these are installed, prints
 * the tables and writes FIT.md. EVOLUTE_DATA names the folder of the data. Options: --rounds N (default 20), --dry writes
 * nothing.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { leastSquares, separableLeastSquares, uncertainty } from 'evolute/optimize'
import type { Tensor } from 'evolute/tensor'
import { logRelativeError, nistProblems, nistResidual } from '../test/optimize/nist.js'
import { inOrder, isSeparable, separable } from '../test/optimize/nistSeparable.js'
import { median } from './measure.js'
import type { Timed } from './smallFits.js'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, dry: { type: 'boolean' } } })
const rounds = Number(values.rounds ?? 20)
const data = process.env.EVOLUTE_DATA
if (!data) throw new Error('EVOLUTE_DATA is not set, expected the folder of the test data')

async function nistTable(): Promise<string> {
  const rows: string[] = []
  const all: { digits: number; errors: number }[] = []
  for (const problem of nistProblems(join(data!, 'nist_strd'))) {
    const runs = []
    for (const start of problem.starts) {
      const residual = nistResidual(problem)
      const named = Object.fromEntries(start.map((x, i) => [`b${i + 1}`, x]))
      const result = await leastSquares((b: Record<string, Tensor>) => residual(Object.values(b)), named)
      const digits = logRelativeError(result.values, problem.certified)
      const errors = logRelativeError(uncertainty(result).standardErrors, problem.standardErrors)
      runs.push({ digits, errors, iterations: result.iterations })
    }
    all.push(...runs)
    const columns = runs.flatMap((run) => [run.digits.toFixed(1), run.errors.toFixed(1), run.iterations])
    rows.push(`| ${[problem.name, problem.level.toLowerCase(), ...columns].join(' | ')} |`)
  }
  const mean = all.reduce((sum, { digits }) => sum + digits, 0) / all.length
  const solved = all.filter(({ digits }) => digits >= 4).length
  return [
    '| problem | level | start 1: digits | of errors | steps | start 2: digits | of errors | steps |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    `Solved (4 digits or more): ${solved} of ${all.length}. Mean digits, at most 11 each: ${mean.toFixed(2)}. ` +
      `Median digits of standard errors: ${median(all.map(({ errors }) => errors)).toFixed(1)}.`,
  ].join('\n')
}

/** Steps and digits by variable projection, which needs no start of linear parameters. */
async function separableTable(): Promise<string> {
  const rows: string[] = []
  for (const problem of nistProblems(join(data!, 'nist_strd')).filter(isSeparable)) {
    const { basis, y, starts } = separable(problem)
    const columns: (string | number)[] = []
    for (const start of starts) {
      const result = await separableLeastSquares(basis, y, start)
      const { standardErrors } = uncertainty(result)
      const digits = logRelativeError(inOrder(result.names, result.values), problem.certified)
      const errors = logRelativeError(inOrder(result.names, standardErrors), problem.standardErrors)
      columns.push(digits.toFixed(1), errors.toFixed(1), result.iterations)
    }
    rows.push(`| ${[problem.name, ...columns].join(' | ')} |`)
  }
  return [
    'Those that are linear in some parameters, by variable projection without starts of these:',
    '',
    '| problem | start 1: digits | of errors | steps | start 2: digits | of errors | steps |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** What bench/smallFits.ts prints, bundled: this script's own loader wraps closures, which users' programs do not. */
async function smallFits(): Promise<{ x: number[]; y: number[]; timed: Timed[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'evolute-bench-'))
  const outfile = join(folder, 'smallFits.mjs')
  try {
    await build({
      entryPoints: [fileURLToPath(new URL('smallFits.ts', import.meta.url))],
      bundle: true,
      outfile,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      conditions: ['source'],
      external: ['onnxruntime-node'],
      logLevel: 'error',
    })
    return JSON.parse(execFileSync(process.execPath, [outfile, String(rounds)], { encoding: 'utf8' }))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const python = `
import json, sys, time, numpy as np
from scipy.optimize import least_squares
x, y, rounds = json.load(sys.stdin)
x, y = np.array(x), np.array(y)
f = lambda p: p[0] * np.exp(-p[1] * x) + p[2] - y
def j(p):
    e = np.exp(-p[1] * x)
    return np.stack([e, -p[0] * x * e, np.ones_like(x)], 1)
for method in ["lm", "trf"]:
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        for _ in range(100): r = least_squares(f, [1, 0.3, 0], j, method=method)
        times.append((time.perf_counter() - start) * 1e4)
    print(json.dumps({"name": "SciPy " + method, "microseconds": min(times[1:]),
        "evaluations": "%d, %d" % (r.nfev, r.njev), "sumOfSquares": 2 * r.cost}))
`

function scipy(x: number[], y: number[]): Timed[] {
  try {
    const text = execFileSync('python3', ['-c', python], {
      input: JSON.stringify([x, y, rounds]),
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  } catch {
    console.error('SciPy is not installed for python3: left out')
    return []
  }
}

const { x, y, timed } = await smallFits()
const peers = [...timed, ...scipy(x, y)]
const row = ({ name, microseconds, evaluations, sumOfSquares }: Timed) =>
  `| ${name} | ${microseconds.toFixed(0)} us | ${evaluations} | ${sumOfSquares.toPrecision(12)} |`
const cores = cpus()
const text = `${cores.length} cores of ${cores[0]?.model.trim()}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}

A decay of 3 parameters through 14 points, derivatives given, after warm-up:

| | time | evaluations of residuals, of the Jacobian | sum of squares |
|---|---|---|---|
${peers.map(row).join('\n')}

${await nistTable()}

${await separableTable()}
`
console.log(text)
if (!values.dry) {
  const path = fileURLToPath(new URL('FIT.md', import.meta.url))
  const head = readFileSync(path, 'utf8').split('<!-- results -->')[0]
  writeFileSync(path, `${head}<!-- results -->\n${text}`)
}
