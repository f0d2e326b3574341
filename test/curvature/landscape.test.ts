import { describe, expect, test } from 'vitest'
import {
  filterNormalizedDirection,
  type Landscape,
  landscape,
  lossSurface,
  parameterBlocks,
  type StagesCheckpoint,
} from '../../src/curvature/index.js'
import { Random } from '../../src/linalg/index.js'
import type { Tensor } from '../../src/tensor/index.js'
import { ravel } from '../../src/transforms/index.js'
import { handGradient, handHessian, sizes, tinyProblem } from '../helpers/tinyNetwork.js'

const { parameters, x, y, problem } = tinyProblem(3)
const theta = ravel<typeof parameters>(parameters)[0].data as Float64Array
const blocks = parameterBlocks(problem)
const handLoss = (at: Float64Array) => handGradient(at, x, y).loss
const small = { points: 7, planePoints: 5 }

describe('lossSurface', () => {
  test('has the losses of the samples at any parameters, whatever the batch', async () => {
    const at = theta.map((value, i) => value + 0.1 * Math.sin(i))
    const { loss, right } = handGradient(at, x, y)
    for (const batch of [90, 32, 7]) {
      const surface = await lossSurface(problem, { batch })
      const found = await surface.at(at)
      expect(found.losses).toHaveLength(sizes.samples)
      expect(found.losses.reduce((a, b) => a + b) / sizes.samples).toBeCloseTo(loss, 12)
      expect(found.right.reduce((a, b) => a + b)).toBe(right)
      await surface.dispose()
    }
  })
})

describe('landscape', () => {
  test('along eigenvectors has their eigenvalues as curvature, and the hand-written losses everywhere', async () => {
    const vectors = [0, 1].map((k) => theta.map((_, i) => Math.sin(i + 5 * k) / 6))
    const along = vectors.map((vector, k) => ({ name: `d${k}`, vector }))
    const found = await landscape(problem, { ...small, along, range: 0.8 })
    const point = (a: number, b: number) =>
      theta.map((value, i) => value + a * vectors[0]![i]! + b * vectors[1]![i]!)
    found.slices.forEach(({ t, loss }, k) => {
      expect(t).toHaveLength(7)
      expect(t[3]).toBe(0)
      t.forEach((at, i) => {
        expect(loss[i]).toBeCloseTo(handLoss(k === 0 ? point(at, 0) : point(0, at)), 10)
      })
    })
    const { x: a, y: b, loss } = found.plane!
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < 5; j++) expect(loss[i]![j]).toBeCloseTo(handLoss(point(a[j]!, b[i]!)), 10)
  })

  test('has the quadratic model of the hand-written gradient and Hessian', async () => {
    const along = [0, 1].map((k) => ({ name: `d${k}`, vector: theta.map((_, i) => Math.cos(i + 2 * k)) }))
    const found = await landscape(problem, { ...small, along, range: 0.1 })
    const { gradient, loss } = handGradient(theta, x, y)
    const hessian = handHessian(theta, x, y)
    const d = (a: number, b: number) =>
      theta.map((_, i) => a * along[0]!.vector[i]! + b * along[1]!.vector[i]!)
    const model = (v: Float64Array) => {
      const slope = v.reduce((sum, value, i) => sum + value * gradient[i]!, 0)
      const image = hessian.map((row) => row.reduce((sum, value, j) => sum + value * v[j]!, 0))
      return loss + slope + v.reduce((sum, value, i) => sum + value * image[i]!, 0) / 2
    }
    const { x: a, y: b, quadratic } = found.plane!
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < 5; j++) expect(quadratic[i]![j]).toBeCloseTo(model(d(a[j]!, b[i]!)), 7)
  })

  test('reaches along eigenvectors as far as the quadratic model needs to rise by 1', async () => {
    const { slices, along } = await landscape(problem, small)
    expect(along).toBe('eigenvectors')
    for (const { t, curvature, length } of slices) {
      expect(length).toBeCloseTo(1, 10)
      expect((curvature * t.at(-1)! ** 2) / 2).toBeCloseTo(1, 10)
    }
    expect(slices[0]!.curvature).toBeGreaterThan(slices[1]!.curvature)
  })

  test('random directions have the length of the weights in every filter, and leave biases alone', async () => {
    const direction = filterNormalizedDirection(theta, blocks, new Random(1))
    const norms = (v: Float64Array, offset: number, length: number) =>
      Math.hypot(...v.subarray(offset, offset + length))
    for (const { name, shape, offset, size } of blocks) {
      if (name.startsWith('b')) {
        expect([...direction.subarray(offset, offset + size)]).toEqual(Array(size).fill(0))
        continue
      }
      const length = size / shape[0]!
      for (let f = 0; f < shape[0]!; f++)
        expect(norms(direction, offset + f * length, length)).toBeCloseTo(
          norms(theta, offset + f * length, length),
          12,
        )
    }
    const scaled = filterNormalizedDirection(theta, blocks, new Random(1), { biases: 'scale' })
    const bias = blocks.find(({ name }) => name === 'b1')!
    expect(norms(scaled, bias.offset, bias.size)).toBeCloseTo(norms(theta, bias.offset, bias.size), 12)
  })

  test('does not change with the scale of a network of relus along random directions', async () => {
    // relu(c z) = c relu(z): w1 and b1 times c, w2 over c is the same function, and filters along the first axis scale with it.
    const np = await import('../../src/numpy/index.js')
    const apply = ({ w1, b1, w2, b2 }: typeof parameters, inputs: Tensor) =>
      np.add(np.matmul(np.relu(np.add(np.matmul(inputs, w1), b1)), w2), b2)
    const scaled = {
      ...parameters,
      w1: np.multiply(parameters.w1, 8),
      b1: np.multiply(parameters.b1, 8),
      w2: np.divide(parameters.w2, 8),
    }
    const run = (p: typeof parameters) =>
      landscape({ ...problem, apply, parameters: p }, { ...small, along: 'random', seed: 5 })
    const [a, b] = [await run(parameters), await run(scaled)]
    a.slices.forEach((slice, k) => {
      expect(b.slices[k]!.loss).toEqual(slice.loss.map((value) => expect.closeTo(value, 8)))
    })
    expect(a.slices[0]!.loss[0]).not.toBeCloseTo(a.loss, 2)
  })

  test('stopped at any point goes on to the same digits', async () => {
    const states: StagesCheckpoint[] = []
    const options = { ...small, seed: 2 }
    const whole = await landscape(problem, {
      ...options,
      onCheckpoint: (state) => states.push(structuredClone(state)),
    })
    for (const i of [2, states.length >> 1, states.length - 2]) {
      let evaluated = 0
      const again: Landscape = await landscape(problem, {
        ...options,
        checkpoint: states[i]!,
        onStep: () => evaluated++,
      })
      expect(again).toEqual(whole)
      expect(evaluated).toBeLessThan(states.length - i + 4)
    }
    await expect(landscape(problem, { ...options, points: 9, checkpoint: states[5]! })).rejects.toThrow(
      /landscape: the checkpoint is of a run with points 7, this one has 9/,
    )
  })

  test('refuses bad options, and stops when asked to', async () => {
    await expect(landscape(problem, { points: 2 })).rejects.toThrow(/points is 2, expected an integer >= 3/)
    await expect(landscape(problem, { planePoints: 1 })).rejects.toThrow(/planePoints is 1/)
    await expect(landscape(problem, { range: -1 })).rejects.toThrow(/range is -1/)
    await expect(landscape(problem, { along: [] })).rejects.toThrow(/along has 0 directions/)
    const short = [{ name: 'short', vector: new Float64Array(3) }]
    await expect(landscape(problem, { along: short })).rejects.toThrow(
      /has 3 numbers, expected one for each of 81/,
    )
    const stop = new AbortController()
    const onStep = ({ stage, fraction }: { stage: string; fraction: number }) =>
      stage === 'loss values' && fraction > 0.5 && stop.abort(new Error('enough'))
    await expect(landscape(problem, { ...small, signal: stop.signal, onStep })).rejects.toThrow('enough')
  })
})
