/**
 * Fits NIST's StRD problems from both starts with default options, those that are separable by variable projection too,
 * times a small fit, alone and among many, beside SciPy's and ml-levenberg-marquardt's where these are installed, prints
 * the tables and writes FIT.md. EVOLUTE_DATA names the folder of the data. Options: --rounds N (default 7), --dry writes
 * nothing.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import {
  batchLeastSquares,
  leastSquares,
  prepareLeastSquares,
  separableLeastSquares,
  uncertainty,
} from 'evolute/optimize'
import { Tensor } from 'evolute/tensor'
import { logRelativeError, nistProblems, nistResidual } from '../test/optimize/nist.js'
import { inOrder, isSeparable, separable } from '../test/optimize/nistSeparable.js'
import { median } from './measure.js'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, dry: { type: 'boolean' } } })
const rounds = Number(values.rounds ?? 7)
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

const x = Array.from({ length: 14 }, (_, i) => i / 3)
const y = x.map((xi, i) => 3 * Math.exp(-0.8 * xi) + 1 + 0.05 * Math.sin(7 * i))
const start = { a: 1, k: 0.3, c: 0 }

/** Microseconds of one fit: the median of rounds, each the mean of `repeats`. */
async function time(solve: () => unknown, repeats: number): Promise<number> {
  const each: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const from = performance.now()
    for (let i = 0; i < repeats; i++) await solve()
    each.push((1000 * (performance.now() - from)) / repeats)
  }
  return median(each.slice(1))
}

interface Peer {
  readonly name: string
  readonly microseconds: number
  readonly sumOfSquares: number
}

type Decay = Record<'a' | 'k' | 'c', Tensor>

const decay = ({ a, k, c }: Decay) => np.add(np.multiply(a, np.exp(np.negative(np.multiply(k, x)))), c)

async function ours(): Promise<Peer[]> {
  const problem = await prepareLeastSquares((p: Decay) => np.subtract(decay(p), y), start)
  const peers: Peer[] = []
  for (const tolerance of [0, 1e-8]) {
    const { value } = await problem.solve({ tolerance })
    const microseconds = await time(() => problem.solve({ tolerance }), 1000)
    peers.push({ name: `evolute, tolerance ${tolerance}`, microseconds, sumOfSquares: 2 * value })
  }
  return peers
}

const fits = 10_000

/** Per fit, tracing and compiling included; the data of all but the first, which is the one above, have noise. */
async function batched(): Promise<Peer[]> {
  const random = new Random('fits')
  const rows = Float64Array.from({ length: fits * y.length }, (_, i) => {
    return y[i % y.length]! + (i < y.length ? 0 : 0.05 * random.normal())
  })
  const ys = new Tensor(rows, [fits, y.length])
  const residual = (p: Decay, own: Tensor) => np.subtract(decay(p), own)
  const peers: Peer[] = []
  for (const tolerance of [0, 1e-8]) {
    const solve = () => batchLeastSquares(residual, start, ys, { tolerance })
    const { value } = await solve()
    const microseconds = (await time(solve, 1)) / fits
    const name = `evolute, each of ${fits} in one call, tolerance ${tolerance}`
    peers.push({ name, microseconds, sumOfSquares: 2 * value[0]! })
  }
  return peers
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
    print(json.dumps({"name": "SciPy " + method, "microseconds": float(np.median(times[1:])), "sumOfSquares": 2 * r.cost}))
`

function scipy(): Peer[] {
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

/** ml-levenberg-marquardt of version 5.1.0 or later, which takes derivatives. */
async function mlLevenbergMarquardt(): Promise<Peer[]> {
  const name = 'ml-levenberg-marquardt'
  const library = await import(name).catch(() => undefined)
  if (!library) {
    console.error(`${name} is not installed: left out`)
    return []
  }
  const f =
    ([a, k, c]: number[]) =>
    (at: number) =>
      a! * Math.exp(-k! * at) + c!
  const jacobianFunction =
    ([a, k]: number[]) =>
    (at: number) => {
      const e = Math.exp(-k! * at)
      return [e, -a! * at * e, 1]
    }
  const options = { initialValues: Object.values(start), jacobianFunction }
  const solve = () => library.levenbergMarquardt({ x, y }, f, options)
  return [{ name, microseconds: await time(solve, 100), sumOfSquares: solve().parameterError }]
}

const peers = [...(await ours()), ...(await batched()), ...scipy(), ...(await mlLevenbergMarquardt())]
const cores = cpus()
const text = `${cores.length} cores of ${cores[0]?.model.trim()}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}

A decay of 3 parameters through 14 points, derivatives given, after warm-up:

| | time | sum of squares |
|---|---|---|
${peers.map((p) => `| ${p.name} | ${p.microseconds.toFixed(0)} us | ${p.sumOfSquares.toPrecision(12)} |`).join('\n')}

${await nistTable()}

${await separableTable()}
`
console.log(text)
if (!values.dry) {
  const path = fileURLToPath(new URL('FIT.md', import.meta.url))
  const head = readFileSync(path, 'utf8').split('<!-- results -->')[0]
  writeFileSync(path, `${head}<!-- results -->\n${text}`)
}
