import { describe, expect, test } from 'vitest'
import {
  kfac,
  lossAndGradient,
  losses,
  lossGaussNewton,
  lossHessian,
  noiseScale,
  type Problem,
} from '../../src/curvature/index.js'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'

const random = new Random('requirements')
const good: Problem = {
  parameters: { w: new Tensor(random.normals(12), [4, 3]) },
  apply: (p: { w: Tensor }, x: Tensor) => np.matmul(x, p.w),
  loss: losses['cross-entropy']!,
  inputs: new Tensor(random.normals(80), [20, 4]),
  targets: new Tensor(
    Int32Array.from({ length: 20 }, (_, i) => i % 3),
    [20],
  ),
}

const wrong: [string, Partial<Record<keyof Problem, unknown>>, string][] = [
  ['no parameters', { parameters: {} }, 'parameters: there are none'],
  ['no samples', { inputs: new Tensor(new Float64Array(0), [0, 4]) }, 'inputs: holds no samples'],
  ['inputs that are no tensor', { inputs: [[1, 2]] }, 'inputs: got object, expected a Tensor'],
  [
    'too few targets',
    { targets: new Tensor(new Int32Array(19), [19]) },
    'targets: holds 19 targets, but inputs holds 20 samples',
  ],
  [
    'a label that is no class',
    {
      targets: new Tensor(
        Int32Array.from({ length: 20 }, (_, i) => (i === 5 ? 3 : 0)),
        [20],
      ),
    },
    'targets: label 3 of sample 5 is not a class; the model has 3, numbered from 0 to 2',
  ],
  [
    'the name of a loss',
    { loss: 'cross-entropy' },
    `expected one of losses, such as losses['cross-entropy']`,
  ],
  [
    'values that do not fit the outputs',
    { loss: losses.mse, targets: new Tensor(new Float64Array(40), [20, 2]) },
    'has shape [20,2], but the model returns [3] for a sample',
  ],
]

const entries: Record<string, (problem: Problem) => Promise<unknown>> = {
  lossHessian,
  lossGaussNewton,
  lossAndGradient,
  kfac: (problem) => kfac(problem, { kind: 'exact' }),
  noiseScale,
}

describe.each(Object.entries(entries))('%s refuses', (_, entry) => {
  test.each(wrong)('%s', async (_, change, message) => {
    await expect(entry({ ...good, ...change } as Problem)).rejects.toThrow(message)
  })
})

test('the same problem without fault is taken', async () => {
  expect((await lossHessian(good)).rows).toBe(12)
})

test.each(['1GB', 0, -5, Number.NaN])('a budget of %s is refused', async (memoryBytes) => {
  await expect(lossHessian(good, { memoryBytes: memoryBytes as number })).rejects.toThrow(
    `memoryBytes is ${memoryBytes}, expected a finite number > 0`,
  )
})
