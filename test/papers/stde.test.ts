import { interpret } from 'evolute/engines'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { differentialOperator, laplacian, trace, valueAndGrad, vmap } from 'evolute/transforms'
import { describe, expect, test } from 'vitest'
import { byNesting, byTaylorMode } from '../../papers/stde/laplacians.js'
import { initialLayers, type Layers, network } from '../../papers/stde/network.js'
import { ballProblem, type Equation, type Interaction } from '../../papers/stde/problem.js'
import { ballPoints, ballSampler, randomAxes } from '../../papers/stde/sampling.js'
import { residualLoss, train, trainerOf } from '../../papers/stde/training.js'
import { hasSoftwareGpu, onSoftwareGpu } from '../helpers/softwareGpu.js'

const float64 = (layers: Layers): Layers =>
  layers.map(({ weights, bias }) => ({
    weights: np.astype(weights, 'float64'),
    bias: np.astype(bias, 'float64'),
  }))

const pointsOf = (seed: number, count: number, d: number) =>
  np.astype(ballPoints(new Random(seed), count, d), 'float64')

const weightsOf = (size: number, seed = 0) => new Tensor(new Random(seed).normals(size), [size])
const indices = (...axes: number[]) => new Tensor(Int32Array.from(axes), [axes.length])
const worst = (a: Tensor, b: Tensor) => np.max(np.abs(np.divide(np.subtract(a, b), b))).item()

describe('test problems', () => {
  const cases = (['Poisson', 'Allen-Cahn', 'sine-Gordon'] as Equation[]).flatMap((equation) =>
    (['two-body', 'three-body'] as Interaction[]).map((interaction) => [equation, interaction] as const),
  )

  test.each(cases)('%s, %s: the source is the operator applied to the solution', (equation, interaction) => {
    const d = 6
    const { dimension, solution, source, reaction } = ballProblem(
      equation,
      interaction,
      weightsOf(interaction === 'two-body' ? d - 1 : d - 2),
    )
    expect(dimension).toBe(d)
    const x = pointsOf(1, 20, d)
    const expected = vmap((x: Tensor) => np.add(laplacian(solution)(x), reaction(solution(x))))(x)
    expect(worst(source(x), expected)).toBeLessThan(1e-10)
  })

  test('the solution is zero on the sphere, and the three equations differ', () => {
    const x = pointsOf(2, 5, 6)
    const onSphere = np.divide(x, np.norm(x, { axis: 1, keepdims: true }))
    const of = (equation: Equation) => ballProblem(equation, 'two-body', weightsOf(5))
    expect(np.max(np.abs(of('Poisson').solution(onSphere))).item()).toBeLessThan(1e-12)
    const u = of('Poisson').solution(x)
    const poisson = of('Poisson').source(x)
    expect(worst(np.subtract(of('sine-Gordon').source(x), poisson), np.sin(u))).toBeLessThan(1e-6)
    const cubic = np.subtract(u, np.power(u, 3))
    expect(worst(np.subtract(of('Allen-Cahn').source(x), poisson), cubic)).toBeLessThan(1e-6)
  })
})

describe('Laplacians of the network', () => {
  const d = 7
  const layers = float64(initialLayers(new Random(3), [d, 12, 12, 1]))
  const x = pointsOf(4, 9, d)
  const exact = vmap(laplacian((x: Tensor) => network(layers, x)))(x)

  test('on the plane of some axes, by nesting, and by the sampled operator they are one number', () => {
    const axes = [5, 0, 3]
    const { value, laplacian } = byTaylorMode(layers, x, indices(...axes))
    expect(worst(value, network(layers, x))).toBeLessThan(1e-12)
    const nested = byNesting(layers, x, indices(...axes))
    expect(worst(nested.laplacian, laplacian)).toBeLessThan(1e-10)
    expect(worst(nested.value, value)).toBeLessThan(1e-12)
    const operator = differentialOperator(
      (x: Tensor) => network(layers, x),
      axes.map((i) => ({ coefficient: d / axes.length, orders: { [i]: 2 } })),
      { dimension: d },
    )
    expect(worst(laplacian, vmap((x: Tensor) => operator(x))(x))).toBeLessThan(1e-10)
  })

  test('with all axes it is exact, and the mean over all pairs of axes is: sampling has no bias', () => {
    const all = indices(...Array.from({ length: d }, (_, i) => i))
    expect(worst(byTaylorMode(layers, x, all).laplacian, exact)).toBeLessThan(1e-10)
    const pairs: Tensor[] = []
    for (let i = 0; i < d; i++)
      for (let j = 0; j < i; j++) pairs.push(byTaylorMode(layers, x, indices(i, j)).laplacian)
    expect(worst(np.mean(np.stack(pairs), { axis: 0 }), exact)).toBeLessThan(1e-10)
    expect(worst(pairs[0]!, exact)).toBeGreaterThan(0.01)
  })

  test('the gradient of the loss is that of the loss by nesting', () => {
    const problem = ballProblem('Allen-Cahn', 'two-body', weightsOf(d - 1))
    const [byTaylor, nested] = [byTaylorMode, byNesting].map((by) =>
      valueAndGrad(residualLoss(problem, by))(layers, x, indices(6, 2)),
    )
    expect(Math.abs(byTaylor![0].item() / nested![0].item() - 1)).toBeLessThan(1e-12)
    byTaylor![1].forEach(({ weights, bias }, i) => {
      const other = (nested![1] as Layers)[i]!
      expect(np.max(np.abs(np.subtract(weights, other.weights))).item()).toBeLessThan(
        1e-9 * np.max(np.abs(weights)).item(),
      )
      expect(np.max(np.abs(np.subtract(bias, other.bias))).item()).toBeLessThan(
        1e-9 * np.max(np.abs(bias)).item(),
      )
    })
  })

  test('in the compiled step what varies of the first layer are the sampled rows: no tangent is d long', () => {
    const large = 400
    const problem = ballProblem('Poisson', 'two-body', np.astype(weightsOf(large - 1), 'float32'))
    const trainer = trainerOf(problem, byTaylorMode, new Random(0))
    const rate = np.full([], 1e-3, { dtype: 'float32' })
    const x = ballPoints(new Random(0), 3, large)
    const { program } = trace(trainer.step, trainer.start, x, indices(1, 2), rate)
    const wide = program.equations.flatMap(({ outputs }) => outputs.map(({ shape }) => shape))
    expect(wide.some((shape) => shape.length === 3 && shape.includes(large))).toBe(false)
    expect(wide.some((shape) => shape.length === 2 && shape[0] === 2 && shape[1] === large)).toBe(false)
  })
})

describe('sampling', () => {
  test.each([
    ['independent points', (random: Random) => (count: number) => ballPoints(random, count, 50)],
    ['windows of a pool', (random: Random) => ballSampler(random, 50)],
  ])('%s have uniform radii and directions without preference (seed 7)', (_, of) => {
    const n = 4000
    const x = of(new Random(7))(n)
    const radii = np.norm(np.astype(x, 'float64'), { axis: 1 }).data
    const sorted = Float64Array.from(radii).sort()
    // Kolmogorov and Smirnov's distance; 1.95 / sqrt(n) is exceeded once in a thousand times.
    const distance = sorted.reduce((most, r, i) => Math.max(most, Math.abs(r - (i + 0.5) / n)), 0)
    expect(distance).toBeLessThan(1.95 / Math.sqrt(n))
    const means = np.mean(np.multiply(x, Math.sqrt(50)), { axis: 0 }).data
    for (const mean of means) expect(Math.abs(mean)).toBeLessThan(4.5 / Math.sqrt(3 * n))
  })

  test('axes are different, and the same seed gives the same ones', () => {
    const axes = randomAxes(new Random(1), 16, 20).data
    expect(new Set(axes).size).toBe(16)
    expect(Math.max(...axes)).toBeLessThan(20)
    expect(randomAxes(new Random(1), 16, 20).data).toEqual(axes)
    expect(() => randomAxes(new Random(1), 21, 20)).toThrow('count is 21')
  })
})

describe('training', () => {
  const problem = (d: number) =>
    ballProblem('Allen-Cahn', 'two-body', np.astype(weightsOf(d - 1, 5), 'float32'))
  const options = {
    samples: 4,
    steps: 300,
    seed: 1,
    points: 32,
    testPoints: 500,
    threads: 1,
    signal: new AbortController().signal,
    onStep: () => {},
  }

  test('a step is Adam: loss and next state are those of a loop over the gradient', () => {
    const trainer = trainerOf(problem(6), byTaylorMode, new Random(2))
    const x = ballPoints(new Random(3), 5, 6)
    const axes = indices(4, 1)
    const rate = np.full([], 0.02, { dtype: 'float32' })
    const start = {
      ...trainer.start,
      mean: np.full(trainer.start.mean.shape, 0.3, { dtype: 'float32' }),
      square: np.full(trainer.start.mean.shape, 0.2, { dtype: 'float32' }),
    }
    const { loss, next } = trainer.step(start, x, axes, rate)
    expect(loss.item()).toBeGreaterThan(0)
    const { program } = trace((theta: Tensor) => {
      const of = (parameters: Tensor) =>
        residualLoss(problem(6), byTaylorMode)(trainer.layersOf({ ...start, parameters }), x, axes)
      return valueAndGrad(of)(theta)
    }, start.parameters)
    const [value, gradient] = interpret(program, [start.parameters]) as [Tensor, Tensor]
    expect(value.item()).toBeCloseTo(loss.item(), 3)
    for (let i = 0; i < gradient.size; i += 997) {
      const g = gradient.data[i]!
      const mean = 0.9 * 0.3 + 0.1 * g
      const square = 0.999 * 0.2 + 0.001 * g * g
      expect(next.mean.data[i]! / mean).toBeCloseTo(1, 4)
      expect(next.square.data[i]! / square).toBeCloseTo(1, 4)
      const moved = start.parameters.data[i]! - (0.02 * mean) / Math.sqrt(square)
      expect(Math.abs(next.parameters.data[i]! - moved)).toBeLessThan(1e-5)
    }
  })

  test('at a small size the path of the large ones learns the solution', async () => {
    const { error, constantError } = await train(problem(10), byTaylorMode, options)
    expect(error).toBeLessThan(constantError / 2)
  }, 30_000)

  test('the same seed gives the same digits', async () => {
    const few = { ...options, steps: 20 }
    const { error } = await train(problem(10), byTaylorMode, few)
    expect((await train(problem(10), byTaylorMode, few)).error).toBe(error)
  }, 30_000)

  test.skipIf(!hasSoftwareGpu)(
    'on a WebGPU device it comes to the same',
    async () => {
      const { cpu, webgpu } = (await onSoftwareGpu('papers/stdeWebgpu.ts')) as Record<
        'cpu' | 'webgpu',
        number
      >
      expect(cpu).toBeLessThan(1)
      expect(Math.abs(webgpu / cpu - 1)).toBeLessThan(1e-3)
    },
    180_000,
  )

  test('it stops when asked to', async () => {
    const stop = new AbortController()
    const onStep = (step: number) => {
      if (step === 2) stop.abort(new Error('enough'))
    }
    await expect(
      train(problem(10), byTaylorMode, { ...options, signal: stop.signal, onStep }),
    ).rejects.toThrow('enough')
  })
})
