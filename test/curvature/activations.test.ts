import { describe, expect, test } from 'vitest'
import { activationCurvature, losses, type Problem } from '../../src/curvature/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'
import { handLogits, sizes, tinyProblem } from '../helpers/tinyNetwork.js'

const seed = 8
const { parameters, x, y, problem } = tinyProblem(seed)
const { hidden, classes, samples } = sizes

/** A sample's softmax, and the mean over samples of sum_c p_c (1 - p_c): the trace in the logits. */
function probabilities(): number[][] {
  const theta = Float64Array.from(Object.values(parameters).flatMap(({ data }) => [...data]))
  const logits = handLogits(theta, x)
  return Array.from({ length: samples }, (_, n) => {
    const row = [...logits.subarray(n * classes, (n + 1) * classes)].map(Math.exp)
    const total = row.reduce((a, b) => a + b)
    return row.map((p) => p / total)
  })
}

/** The mean trace in the hidden layer's outputs z: of D W L W^T D + diag(tanh''(z) W (p - e_y)), by loops. */
function hiddenTrace(): number {
  const p = probabilities()
  const z = np.add(np.matmul(x, parameters.w1), parameters.b1)
  let trace = 0
  for (let n = 0; n < samples; n++)
    for (let j = 0; j < hidden; j++) {
      const t = Math.tanh(z.data[n * hidden + j]!)
      const w = Array.from({ length: classes }, (_, c) => parameters.w2.data[j * classes + c]!)
      const mean = w.reduce((sum, value, c) => sum + value * p[n]![c]!, 0)
      const square = w.reduce((sum, value, c) => sum + value * value * p[n]![c]!, 0)
      const slope = 1 - t * t
      const gradient = mean - w[y.data[n]!]!
      trace += (slope * slope * (square - mean * mean) - 2 * t * slope * gradient) / samples
    }
  return trace
}

describe(`the curvature in a layer's outputs (seed ${seed})`, () => {
  test.each([{ batch: 256 }, { batch: 32 }])('is within its error of closed forms, %o', async (options) => {
    const [first, second] = await activationCurvature(problem, { probes: 200, seed: 1, ...options })
    expect([first!.name, first!.size, second!.name, second!.size]).toEqual(['w1', hidden, 'w2', classes])
    const outputs = probabilities().reduce(
      (sum, row) => sum + row.reduce((s, p) => s + p * (1 - p), 0) / samples,
      0,
    )
    for (const [{ trace }, exact] of [
      [first!, hiddenTrace()],
      [second!, outputs],
    ] as const) {
      expect(Math.abs(trace.estimate - exact)).toBeLessThan(4 * trace.standardError)
      expect(trace.standardError).toBeLessThan(0.05 * Math.abs(exact))
    }
  })

  test('covers every position of a convolution', async () => {
    const image: Problem = {
      ...problem,
      parameters: {
        kernel: new Tensor(
          Float64Array.from({ length: 8 }, (_, i) => Math.sin(i)),
          [2, 1, 2, 2],
        ),
      },
      apply: (p, images) => np.sum(np.square(np.conv(images, p.kernel)), { axis: [2, 3] }),
      loss: losses.mse!,
      inputs: new Tensor(x.data.slice(0, 54 * 5), [30, 1, 3, 3]),
      targets: new Tensor(new Float64Array(60), [30, 2]),
    }
    const [layer] = await activationCurvature(image, { probes: 2 })
    expect(layer).toMatchObject({ name: 'kernel', size: 8 })
    expect(layer!.trace.estimate).toBeGreaterThan(0)
  })
})
