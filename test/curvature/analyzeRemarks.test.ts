import { describe, expect, test } from 'vitest'
import { analyze, losses, type Problem, shuffled } from '../../src/curvature/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'
import { sizes, tinyLogits, tinyProblem } from '../helpers/tinyNetwork.js'

const { parameters, problem } = tinyProblem(3)

describe('analyze says clearly', () => {
  const quick = { top: 1, steps: 4, probes: 2 }
  const notes = async (changed: Partial<Problem>) =>
    (await analyze({ ...problem, ...changed }, quick)).notes.join(' ')

  test('that a layer has kinks or steps', async () => {
    const through = (f: (z: Tensor) => Tensor) => (p: typeof parameters, inputs: Tensor) =>
      np.add(np.matmul(f(np.add(np.matmul(inputs, p.w1), p.b1)), p.w2), p.b2)
    expect(await notes({ apply: through((z) => np.relu(z)) })).toContain('The model has kinks (relu)')
    expect(await notes({ apply: through((z) => np.round(z)) })).toContain('The model has steps (round)')
    expect(await notes({})).not.toContain('kinks')
  })

  test('that there is one class only', async () => {
    const one = new Tensor(new Int32Array(sizes.samples).fill(2))
    expect(await notes({ targets: one })).toContain('Every sample has the label 2')
  })

  test('which loss suits outputs that are probabilities or their logarithms', async () => {
    const soft = (p: typeof parameters, inputs: Tensor) => np.softmax(tinyLogits(p, inputs), { axis: 1 })
    const logSoft = (p: typeof parameters, inputs: Tensor) =>
      np.logSoftmax(tinyLogits(p, inputs), { axis: 1 })
    const nll = losses.nll!
    expect(await notes({ apply: soft })).toContain('probability-cross-entropy takes them as they are')
    expect(await notes({ apply: logSoft })).toContain('nll does the same at less cost')
    expect(await notes({ loss: nll })).toContain('look like logits; cross-entropy takes them as they are')
    expect(await notes({ loss: nll, apply: logSoft })).not.toContain('look like')
    await expect(notes({ loss: losses['probability-cross-entropy']!, apply: logSoft })).rejects.toThrow(
      /^probability-cross-entropy: sample 0 has the loss NaN. .* look like log-probabilities; nll takes them as they are/,
    )
  })

  test('that a model is stochastic, has no parameters, or no samples', async () => {
    const random = (p: typeof parameters, inputs: Tensor) =>
      np.add(tinyLogits(p, inputs), np.multiply(Math.random(), np.ones([sizes.classes])))
    await expect(notes({ apply: random })).rejects.toThrow(/not deterministic/)
    await expect(notes({ parameters: {} })).rejects.toThrow(/there are none/)
    const none = new Tensor(new Float64Array(0), [0, sizes.inputs])
    await expect(notes({ inputs: none, targets: new Tensor(new Int32Array(0)) })).rejects.toThrow(
      /holds no samples/,
    )
  })

  test('that the budget is too small, for vectors or for the operator', async () => {
    await expect(analyze(problem, { ...quick, memoryBytes: 20_000 })).rejects.toThrow(
      /Lanczos steps keep vectors of 81 parameters in .*raise memoryBytes/,
    )
    await expect(analyze(problem, { ...quick, steps: 2, memoryBytes: 10 })).rejects.toThrow(
      /raise memoryBytes/,
    )
  })

  test('that few samples make up the whole gradient, which the noise may have missed', async () => {
    const noted = async (weights: number[]) => {
      const scales = new Tensor(
        Float64Array.from({ length: sizes.samples }, (_, i) => weights[i % weights.length]!),
      )
      const scaled = np.multiply(problem.inputs, np.reshape(scales, [-1, 1]))
      const through = (p: typeof parameters, inputs: Tensor) => np.matmul(inputs, p.w1)
      const values = { apply: through, loss: losses.mse!, targets: np.zeros([sizes.samples, sizes.hidden]) }
      return (
        await analyze({ ...problem, ...values, inputs: scaled }, { ...quick, stability: true })
      ).notes.join(' ')
    }
    const numbers = np.reshape(np.arange(sizes.samples), [-1, 1])
    const last = shuffled({ ...problem, inputs: numbers }).inputs.data.at(-1) as number
    const one = new Array(sizes.samples).fill(1e-3).fill(10, last, last + 1)
    expect(await noted(one)).toMatch(
      /batches drawn for the gradient noise hold .* few samples make up most of it/,
    )
    expect(await noted([1])).not.toContain('few samples')
  })

  test('that nll has no Gauss-Newton matrix', async () => {
    const changed = { ...problem, loss: losses.nll! }
    await expect(analyze(changed, { ...quick, curvature: 'ggn' })).rejects.toThrow(
      /nll is linear in the outputs, so its Gauss-Newton matrix is zero; fisher/,
    )
  })

  test('that a shift does not make the matrix positive definite', async () => {
    const { notes, logDeterminant } = await analyze(problem, { ...quick, steps: 40, logDeterminant: 1e-6 })
    expect(logDeterminant).toBeUndefined()
    expect(notes.join(' ')).toMatch(/log-determinant was not computed: .* use one above 0\.\d/)
  })
})
