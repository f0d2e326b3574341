/**
 * Times derivatives by evolute, PyTorch and jax-js in one run, checks that all computed the same numbers, prints a
 * table and writes RESULTS.md. Options: --rounds N (default 15), --seconds S of each contender in a round (0.1), --dry
 * writes nothing.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compileProgram } from 'evolute/engines'
import type { Tensor } from 'evolute/tensor'
import { trace } from 'evolute/transforms'
import { type Contender, difference, race, ratio, type Timing, timed } from './measure.js'
import { type Peer, startPeer, writeProblem } from './peers/peer.js'
import { cnn } from './problems/cnn.js'
import { mlp } from './problems/mlp.js'
import type { Problem } from './problems/problem.js'
import { transformer } from './problems/transformer.js'
import { derivativesOf, type Quantity, quantities } from './quantities.js'
import { timeResidual } from './residual.js'

const threads = 2
const tolerance = 1e-4
const { values } = parseArgs({
  options: { rounds: { type: 'string' }, seconds: { type: 'string' }, dry: { type: 'boolean' } },
})
const effort = { rounds: Number(values.rounds ?? 15), seconds: Number(values.seconds ?? 0.1) }
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

interface Peers {
  readonly pytorch: Peer | undefined
  readonly jax: Peer | undefined
}

async function startPeers(): Promise<Peers> {
  return {
    pytorch: await startPeer('/usr/bin/python3', [here('peers/pytorch.py'), String(threads)]),
    jax: await startPeer(process.execPath, ['--import', 'tsx', here('peers/jax.ts'), String(threads)]),
  }
}

/** The peers that compute this quantity; PyTorch's column is its own way to it, jax-js has one Hessian product. */
function rivals({ name }: Problem, quantity: Quantity, { pytorch, jax }: Peers): Record<string, Peer> {
  return {
    ...(pytorch && { pytorch }),
    ...(jax && name === 'mlp' && (quantity === 'gradient' || quantity === 'hvp') && { jax }),
  }
}

type Timings = Record<string, Timing>

/** Times all quantities of a problem. @throws when a peer's numbers differ. */
async function raceProblem(
  problem: Problem,
  peers: Peers,
  folder: string,
): Promise<Record<Quantity, Timings>> {
  const derivatives = derivativesOf(problem)
  writeProblem(folder, problem, derivatives)
  await peers.pytorch?.open(problem, folder)
  if (problem.name === 'mlp') await peers.jax?.open(problem, folder)

  const contenders: Record<string, Contender> = {}
  const release: (() => Promise<void>)[] = []
  for (const quantity of quantities) {
    const { f, args } = derivatives.of[quantity]
    const executable = await compileProgram(trace(f, ...args).program, { engine: 'onnx', threads })
    release.push(() => executable.dispose())
    const [own] = (await executable.run(args)) as [Tensor]
    contenders[`evolute/${quantity}`] = timed(() => executable.run(args))
    for (const [name, peer] of Object.entries(rivals(problem, quantity, peers))) {
      const { result } = await peer.measure(quantity, 1)
      const off = difference(own.data, result)
      if (!(off < tolerance))
        throw new Error(
          `${problem.name}: ${quantity} by ${name} differs by ${off}, expected below ${tolerance}`,
        )
      contenders[`${name}/${quantity}`] = async (repeats) => (await peer.measure(quantity, repeats)).seconds
    }
  }
  const timings = await race(contenders, effort)
  for (const free of release) await free()
  const of = (quantity: Quantity) =>
    Object.entries(timings)
      .filter(([key]) => key.endsWith(`/${quantity}`))
      .map(([key, timing]) => [key.split('/')[0], timing])
  return Object.fromEntries(quantities.map((q) => [q, Object.fromEntries(of(q))])) as Record<
    Quantity,
    Timings
  >
}

const milliseconds = (timing: Timing | undefined) => (timing ? (1000 * timing.median).toFixed(2) : '')

function times(a: Timing | undefined, b: Timing): string {
  if (!a) return ''
  const { median, least, most } = ratio(a, b)
  return `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`
}

function rows(problem: Problem, results: Record<Quantity, Timings>): string[] {
  const gradient = results.gradient.evolute!
  const jaxProduct = results.hvp.jax
  return quantities.map((quantity) => {
    const {
      evolute,
      pytorch,
      jax = quantity === 'hvp linearised' ? jaxProduct : undefined,
    } = results[quantity]
    const cells = [
      quantity === 'gradient' ? `**${problem.title}**<br>gradient` : quantity,
      milliseconds(evolute),
      times(evolute, gradient),
      milliseconds(pytorch),
      times(pytorch, evolute!),
      milliseconds(jax),
      times(jax, evolute!),
    ]
    return `| ${cells.join(' | ')} |`
  })
}

const header = [
  '| | evolute, ms | in gradients | PyTorch, ms | PyTorch / evolute | jax-js, ms | jax-js / evolute |',
  '|---|---|---|---|---|---|---|',
]

function machine({ pytorch, jax }: Peers): string {
  const cores = cpus()
  const { dependencies } = JSON.parse(readFileSync(here('../package.json'), 'utf8'))
  return [
    `${cores.length} cores of ${cores[0]?.model.trim()}`,
    `Node ${process.versions.node}`,
    `ONNX Runtime ${dependencies['onnxruntime-node']}`,
    pytorch ? `PyTorch ${pytorch.version}` : 'PyTorch is not installed',
    jax ? `jax-js ${jax.version}` : 'jax-js is not installed',
    new Date().toISOString().slice(0, 10),
  ].join(', ')
}

/** RESULTS.md is written between its markers; what stands outside them is by hand. */
function save(text: string): void {
  const path = here('RESULTS.md')
  const old = readFileSync(path, 'utf8')
  const [start, end] = ['<!-- results -->', '<!-- end -->']
  const [before, after] = [old.split(start)[0], old.split(end)[1]]
  writeFileSync(path, `${before}${start}\n${text}\n${end}${after}`)
}

const folder = mkdtempSync(join(tmpdir(), 'evolute-bench-'))
const peers = await startPeers()
try {
  const table = [...header]
  for (const problem of [mlp, cnn, transformer]) {
    console.error(`${problem.title} ...`)
    table.push(...rows(problem, await raceProblem(problem, peers, join(folder, problem.name))))
  }
  const residual = `Residual and Jacobian, 3 parameters and 14 points, JavaScript engine: ${(1e6 * timeResidual()).toFixed(2)} µs.`
  const text = [machine(peers), '', ...table, '', residual].join('\n')
  console.log(text)
  if (!values.dry) save(text)
} finally {
  peers.pytorch?.close()
  peers.jax?.close()
  rmSync(folder, { recursive: true })
}
