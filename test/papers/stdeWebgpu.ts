/** Trains a small problem of the STDE paper on the CPU and on a WebGPU device, and prints both errors. */
import { Random } from 'evolute/linalg'
import { Tensor } from 'evolute/tensor'
import { byTaylorMode } from '../../papers/stde/laplacians.js'
import { ballProblem } from '../../papers/stde/problem.js'
import { train } from '../../papers/stde/training.js'

const d = 10
const weights = new Tensor(Float32Array.from(new Random(0).normals(d - 1)), [d - 1])
const problem = ballProblem('Allen-Cahn', 'two-body', weights)
const options = {
  samples: 4,
  steps: 10,
  seed: 1,
  points: 16,
  testPoints: 100,
  threads: 1,
  signal: new AbortController().signal,
  onStep: () => {},
}
const errors = {
  cpu: await train(problem, byTaylorMode, options),
  webgpu: await train(problem, byTaylorMode, { ...options, device: 'webgpu' }),
}
console.log(JSON.stringify({ cpu: errors.cpu.error, webgpu: errors.webgpu.error }))
process.exit()
