/**
 * Trains the networks of "Stochastic Taylor derivative estimator" (Shi et al. 2024, arXiv 2412.00088), times a step by
 * STDE and by the ways that the paper compares with, and writes both into STDE.md, where rows of other problems and
 * sizes stay. Options: --dimensions 100,1000,10000 --samples 16 --equation Allen-Cahn|Poisson|sine-Gordon
 * --interaction two-body|three-body --steps 10000 --seed 0 --device cpu|webgpu --threads N --only training|step, --dry writes
 * nothing.
 */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Random } from 'evolute/linalg'
import { Tensor } from 'evolute/tensor'
import { byNesting, byTaylorMode, type Laplacian } from '../papers/stde/laplacians.js'
import { ballProblem, type Equation, type Interaction, type Problem } from '../papers/stde/problem.js'
import { published, publishedDimensions, publishedRates } from '../papers/stde/published.js'
import { firstStep } from '../papers/stde/step.js'
import { train } from '../papers/stde/training.js'
import { showNumber } from '../papers/table.js'
import { writeFileAtomic } from '../src/io/atomic.js'
import { race, type Timing, timed } from './measure.js'

const { values: words } = parseArgs({
  options: {
    dimensions: { type: 'string', default: '100,1000,10000' },
    samples: { type: 'string', default: '16' },
    equation: { type: 'string', default: 'Allen-Cahn' },
    interaction: { type: 'string', default: 'two-body' },
    steps: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '0' },
    device: { type: 'string', default: 'cpu' },
    threads: { type: 'string', default: `${cpus().length}` },
    only: { type: 'string' },
    dry: { type: 'boolean' },
  },
})
const [samples, steps, seed] = [Number(words.samples), Number(words.steps), Number(words.seed)]
const equation = choose('equation', words.equation, ['Allen-Cahn', 'Poisson', 'sine-Gordon'])
const interaction = choose('interaction', words.interaction, ['two-body', 'three-body'])
const device = choose('device', words.device, ['cpu', 'webgpu'])
const threads = Number(words.threads)
const where = `${device === 'cpu' ? `${threads} of ${cpus().length} cores of` : `${device} beside`} ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}`
const page = fileURLToPath(new URL('STDE.md', import.meta.url))

function choose<T extends string>(name: string, word: string, known: readonly T[]): T {
  const found = known.find((each) => each === word)
  if (!found) throw new Error(`--${name}: got ${word}, expected ${known.join(' or ')}`)
  return found
}

/** Puts a row into the table of that name on the page, in place of one with the same first cells. */
function save(table: string, cells: readonly string[], keys: number): void {
  const line = `| ${cells.join(' | ')} |`
  console.log(line)
  if (words.dry) return
  const text = readFileSync(page, 'utf8')
  const start = `<!-- ${table} -->\n`
  const [before, rest] = text.split(start) as [string, string]
  const end = rest.search(/\n(\n|$)/)
  const [title, rule, ...rows] = rest.slice(0, end).split('\n')
  const keyOf = (row: string) => row.split(' | ').slice(0, keys).join(' | ')
  const others = rows.filter((row) => keyOf(row) !== keyOf(line))
  const sorted = [...others, line].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  writeFileAtomic(page, `${before}${start}${[title, rule, ...sorted].join('\n')}${rest.slice(end)}`)
}

function problemOf(equation: Equation, interaction: Interaction, dimension: number): Problem {
  const terms = dimension - (interaction === 'two-body' ? 1 : 2)
  const c = Float32Array.from(new Random(seed).split('problem').normals(terms))
  return ballProblem(equation, interaction, new Tensor(c, [terms]))
}

const show = (x: number | null | undefined) => (x === undefined || x === null ? '-' : showNumber(x))

async function training(dimension: number): Promise<void> {
  const { error, constantError, stepsPerSecond } = await train(
    problemOf(equation, interaction, dimension),
    byTaylorMode,
    {
      samples,
      steps,
      seed,
      device,
      threads,
      testPoints: Math.min(20_000, 2e8 / dimension),
      signal: new AbortController().signal,
      onStep(step, loss) {
        if (step % Math.ceil(steps / 20) === 0) console.error(`d = ${dimension}, step ${step}: loss ${loss}`)
      },
    },
  )
  const paper = published(equation, interaction, samples, dimension)
  save(
    'training',
    [
      `${equation}, ${interaction}`,
      `${dimension}`,
      `${samples}`,
      `${seed}`,
      `${steps}`,
      show(error),
      show(paper.error),
      show(constantError),
      show(stepsPerSecond),
      show(paper.rate),
      where,
    ],
    5,
  )
}

/** A way whose step is forecast to need more memory than this is not run. */
const mostBytes = 4 * 2 ** 30

async function step(dimension: number): Promise<void> {
  const problem = problemOf('Allen-Cahn', 'two-body', dimension)
  const ways: [string, Laplacian, number, rate: number | null | undefined][] = [
    ['STDE', byTaylorMode, samples, published('Allen-Cahn', 'two-body', samples, dimension).rate],
    ['forward over backward', byNesting, samples, rateOf('forward over backward', dimension)],
    ['forward Laplacian', byTaylorMode, dimension, rateOf('forward Laplacian', dimension)],
  ]
  const prepared = ways.map(([name, by, axes, rate]) => ({
    name,
    rate,
    ...firstStep(problem, by, axes, { device, threads }),
  }))
  const able = prepared.filter(({ peakBytes }) => peakBytes < mostBytes)
  const timings: Partial<Record<string, Timing>> = await race(
    Object.fromEntries(able.map(({ name, run }) => [name, timed(run)])),
    {
      rounds: 3,
      seconds: 0.5,
    },
  )
  for (const { name, peakBytes, rate } of prepared) {
    const seconds = timings[name]?.median
    const cells = [
      `${dimension}`,
      name,
      seconds === undefined ? 'not run' : show(1 / seconds),
      seconds === undefined ? '-' : show(seconds / timings.STDE!.median),
      show(rate),
      `${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
      where,
    ]
    save('step', cells, 2)
  }
}

const rateOf = (way: keyof typeof publishedRates, dimension: number) =>
  publishedRates[way][publishedDimensions.indexOf(dimension)]

for (const dimension of words.dimensions.split(',').map(Number)) {
  if (words.only !== 'training') await step(dimension)
  if (words.only !== 'step') await training(dimension)
}
