/**
 * Measures curvature products, estimators and memory, prints tables and writes CURVATURE.md. Options: --rounds N (default 9),
 * --only products,resnet18,resnet50,gpt,trace,inverse,memory, --dry writes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { traceRows } from './estimators.js'
import { inverseRows } from './inverse.js'
import { memoryRows } from './memory.js'
import { trainedDigits } from './networks.js'
import { networkRows } from './products.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, only: { type: 'string' }, dry: { type: 'boolean' } },
})
const signal = new AbortController().signal
const digits = () => trainedDigits(500, 200, signal)

interface Section {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: () => Promise<string[]> | string[]
}

const sections: Readonly<Record<string, Section>> = {
  products: {
    title: '784-1024-512-256-128-64-10 relu network, 512 samples, float32 (curvlinops: RTX A6000, float32)',
    head: ['', 'ms', 'in gradients', 'curvlinops, in gradients'],
    rows: () => networkRows.mlp(Number(values.rounds ?? 9)),
  },
  resnet18: {
    title: 'ResNet-18 on 3 x 32 x 32, 11.2 million parameters, 16 samples, float32 (curvlinops: 512)',
    head: ['', 'ms', 'in gradients', 'curvlinops, in gradients'],
    rows: networkRows.resNet18,
  },
  resnet50: {
    title: 'ResNet-50 on 3 x 224 x 224, 25.6 million parameters, one sample, float32 (curvlinops: 64)',
    head: ['', 'ms', 'in gradients', 'curvlinops, in gradients'],
    rows: networkRows.resNet50,
  },
  gpt: {
    title:
      'GPT-2, 124 million parameters, one sequence of 64 tokens, float32 (curvlinops: 4 of 1,024, read-out not tied)',
    head: ['', 'ms', 'in gradients', 'curvlinops, in gradients'],
    rows: networkRows.gpt,
  },
  trace: {
    title: 'Error of the trace of a trained network’s matrices, root mean square over 50 seeds',
    head: ['matrix', 'products', 'Hutchinson', 'Hutch++', 'XTrace', 'Hutchinson / XTrace'],
    rows: async () => traceRows(await digits()),
  },
  inverse: {
    title: '(G + damping I)^-1 times a sample’s gradient, trained network of 3,322 parameters',
    head: ['', 'cosine with the exact solution', 'time', 'times EK-FAC'],
    rows: async () => inverseRows(await digits()),
  },
  memory: {
    title: 'Peak memory of a network of 0.99 million parameters on 8,192 samples, above the idle process',
    head: ['matrix', 'plan', 'forecast', 'measured', 'measured / forecast'],
    rows: memoryRows,
  },
}

const chosen = values.only?.split(',') ?? Object.keys(sections)
const stranger = chosen.find((name) => !(name in sections))
if (stranger) throw new Error(`--only: got ${stranger}, expected some of ${Object.keys(sections).join(', ')}`)
const tables: string[] = []
for (const name of chosen) {
  const { title, head, rows } = sections[name]!
  console.error(`${title} ...`)
  const table = [`**${title}**`, '', `| ${head.join(' | ')} |`, `|${head.map(() => '---|').join('')}`]
  tables.push([...table, ...(await rows())].join('\n'))
}
const cores = cpus()
const machine = `${cores.length} cores of ${cores[0]?.model.trim()}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`
const text = `${machine}\n\n${tables.join('\n\n')}\n`
console.log(text)
if (!values.dry && !values.only) {
  const path = fileURLToPath(new URL('../CURVATURE.md', import.meta.url))
  const [head, rest = ''] = readFileSync(path, 'utf8').split('<!-- results -->')
  const tail = rest.split('<!-- end -->')[1] ?? '\n'
  writeFileSync(path, `${head}<!-- results -->\n${text}<!-- end -->${tail}`)
}
