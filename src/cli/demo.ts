import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic, writeNpy } from '../io/index.js'
import { progressBar } from '../report/index.js'
import { analyzeCommand } from './analyze.js'
import { type CommandSpec, parseArguments } from './arguments.js'
import type { Command } from './command.js'
import { renderDigits } from './demo/digits.js'
import { networkModel, parameterCount, train } from './demo/network.js'

const spec: CommandSpec = {
  name: 'demo',
  summary:
    'Render digits, train a small network on them, and analyze its curvature: the whole path in half a minute.\n' +
    'Leaves the model, the data and the report in a folder.',
  operands: [],
  options: {
    out: { value: 'FOLDER', short: 'o', help: 'where to write (default evolute-demo)' },
    seed: { value: 'N', help: 'same seed, same digits (default 0)' },
  },
}

const samples = 2000
const steps = 200

async function run(words: readonly string[], signal: AbortSignal): Promise<void> {
  const args = parseArguments(spec, words)
  const seed = args.number('seed', { integer: true, min: 0 }) ?? 0
  const folder = args.text('out') ?? 'evolute-demo'
  mkdirSync(folder, { recursive: true })
  const { images, labels } = renderDigits(samples, seed)
  const bar = progressBar(process.stderr)
  const started = performance.now()
  const network = await train(images, labels, {
    steps,
    seed,
    signal,
    onStep: (step, loss) =>
      bar.update({
        stage: `training, loss ${loss.toFixed(3)}`,
        fraction: step / steps,
        elapsedSeconds: (performance.now() - started) / 1000,
      }),
  }).finally(() => bar.end())
  const file = (name: string) => join(folder, name)
  writeFileAtomic(file('digits.onnx'), networkModel(network))
  writeFileAtomic(file('images.npy'), writeNpy(images))
  writeFileAtomic(file('labels.npy'), writeNpy(labels))
  const command = [
    file('digits.onnx'),
    '--inputs',
    file('images.npy'),
    '--labels',
    file('labels.npy'),
    '--top',
    '15',
    '--seed',
    String(seed),
    '--layers',
    '--stability',
    '--landscape',
    '--out',
    file('report.html'),
  ]
  console.log(
    `trained a network of ${parameterCount(network)} parameters on ${samples} rendered digits; now:`,
  )
  console.log(`evolute analyze ${command.join(' ')}\n`)
  await analyzeCommand.run(command, signal)
  console.log(`\nopen ${file('report.html')} in a browser`)
}

export const demoCommand: Command = { spec, run }
