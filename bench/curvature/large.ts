/**
 * A network of a million parameters, trained on all 60,000 MNIST images (EVOLUTE_DATA), analyzed within a memory budget: prints
 * what took how long, and the peak of resident memory. Options: --memory BYTES (default 1e9), --epochs N (default 3).
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { analyze, losses, type Problem } from 'evolute/curvature'
import { readArray } from 'evolute/io'
import { relu } from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { network, type Weights } from '../../papers/digitNetwork.js'
import { trainDigits } from '../../papers/digitTraining.js'

const { values } = parseArgs({ options: { memory: { type: 'string' }, epochs: { type: 'string' } } })
const folder = process.env.EVOLUTE_DATA
if (!folder) throw new Error('EVOLUTE_DATA is not set: it names the folder that holds mnist/')
const read = (part: string) => readArray(join(folder, 'mnist', `train-${part}-ubyte.gz`))
const pixels = read('images-idx3')
const images = new Tensor(
  Float32Array.from(pixels.data, (x) => ((x as number) - 33.318421) / 78.567514),
  [60_000, 784],
)
const labels = new Tensor(Int32Array.from(read('labels-idx1').data))

const started = performance.now()
const elapsed = () => ((performance.now() - started) / 1000).toFixed(0)
const weights = await trainDigits(
  { images, labels },
  {
    sizes: [784, 800, 400, 100, 10],
    steps: Math.round((Number(values.epochs ?? 3) * 60_000) / 128),
    rate: 1e-3,
    seed: 'large',
    onStep: async () => {},
  },
)
console.log(`trained after ${elapsed()} s, resident ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`)

const problem: Problem = {
  parameters: weights,
  apply: (w: Weights, x: Tensor) => network(w, x, relu),
  loss: losses['cross-entropy']!,
  inputs: images,
  targets: labels,
}
let stage = ''
const report = await analyze(problem, {
  top: 10,
  probes: 10,
  memoryBytes: Number(values.memory ?? 1e9),
  precision: 'float32',
  onStep: (progress) => {
    if (progress.stage !== stage) console.log(`${elapsed()} s: ${progress.stage}`)
    stage = progress.stage
  },
})
console.log(`done after ${elapsed()} s`)
const { density: _, ...rest } = report
console.log(JSON.stringify(rest, null, 1))
console.log(`peak of resident memory ${(process.resourceUsage().maxRSS / 1000).toFixed(0)} MB`)
