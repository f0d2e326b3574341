import { compile, type OnnxOptions } from 'evolute/engines'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { ravel, valueAndGrad } from 'evolute/transforms'
import type { Laplacian } from './laplacians.js'
import { initialLayers, type Layers, network } from './network.js'
import { type Problem, squaredNorm } from './problem.js'
import { ballPoints, ballSampler, randomAxes } from './sampling.js'

/** The mean squared residual of L u = f over points [n, d]. */
export const residualLoss =
  ({ reaction, source }: Problem, by: Laplacian) =>
  (layers: Layers, x: Tensor, axes: Tensor): Tensor => {
    const { value, laplacian } = by(layers, x, axes)
    return np.mean(np.square(np.subtract(np.add(laplacian, reaction(value)), source(x))))
  }

/** Parameters as one vector, and the running means of their gradient and of its square. */
export interface State {
  readonly parameters: Tensor
  readonly mean: Tensor
  readonly square: Tensor
}

const [decay, squareDecay, epsilon] = [0.9, 0.999, 1e-8]

/** Adam (Kingma and Ba 2015, algorithm 1, its bias correction in the rate). */
function adam({ parameters, mean, square }: State, gradient: Tensor, rate: Tensor): State {
  const first = np.add(np.multiply(decay, mean), np.multiply(1 - decay, gradient))
  const second = np.add(np.multiply(squareDecay, square), np.multiply(1 - squareDecay, np.square(gradient)))
  const step = np.divide(np.multiply(rate, first), np.add(np.sqrt(second), epsilon))
  return { parameters: np.subtract(parameters, step), mean: first, square: second }
}

/** The rate of step 0, 1, ...: 1e-3 falling linearly to 0, times Adam's correction of its means. */
function rateAt(step: number, steps: number): Tensor {
  const correction = Math.sqrt(1 - squareDecay ** (step + 1)) / (1 - decay ** (step + 1))
  return new Tensor(Float32Array.of(1e-3 * (1 - step / steps) * correction), [])
}

export interface Trainer {
  readonly start: State
  /** One step at points [n, d] with the Laplacian sampled in some axes; to be compiled. */
  readonly step: (state: State, x: Tensor, axes: Tensor, rate: Tensor) => { loss: Tensor; next: State }
  readonly layersOf: (state: State) => Layers
}

/** Four layers, of width 128, and how they learn. */
export function trainerOf(problem: Problem, by: Laplacian, random: Random): Trainer {
  const [parameters, unravel] = ravel<Layers>(initialLayers(random, [problem.dimension, 128, 128, 128, 1]))
  const zero = np.zerosLike(parameters)
  const loss = residualLoss(problem, by)
  const slope = valueAndGrad((theta: Tensor, x: Tensor, axes: Tensor) => loss(unravel(theta), x, axes))
  return {
    start: { parameters, mean: zero, square: zero },
    step(state, x, axes, rate) {
      const [loss, gradient] = slope(state.parameters, x, axes)
      return { loss, next: adam(state, gradient, rate) }
    },
    layersOf: ({ parameters }) => unravel(parameters),
  }
}

export interface TrainOptions extends OnnxOptions {
  /** Axes in which the Laplacian is sampled, |J|. */
  readonly samples: number
  readonly steps: number
  readonly seed: number
  /** Points of a step: 100. */
  readonly points?: number
  /** Points on which the error is measured: 20,000. */
  readonly testPoints?: number
  readonly signal: AbortSignal
  readonly onStep: (step: number, loss: number) => Promise<void> | void
}

export interface Trained {
  readonly layers: Layers
  /** |u - solution| / |solution| in the Euclidean norm over the test points. */
  readonly error: number
  /** The same of the best multiple of 1 - |x|^2: what a network reaches that has learnt one number. */
  readonly constantError: number
  /** Without the first step, which compiles. */
  readonly stepsPerSecond: number
}

/** The paper's training: the step is compiled once, points and axes are drawn anew for each. */
export async function train(problem: Problem, by: Laplacian, options: TrainOptions): Promise<Trained> {
  const { samples, steps, seed, points = 100, testPoints = 20_000, signal, onStep, ...onnx } = options
  const { dimension } = problem
  const random = new Random(seed)
  const trainer = trainerOf(problem, by, random.split('layers'))
  const step = compile(trainer.step, { engine: 'onnx', ...onnx })
  const [pointsOf, forAxes] = [ballSampler(random.split('points'), dimension), random.split('axes')]
  let state = trainer.start
  let start = 0
  for (let k = 0; k < steps; k++) {
    signal.throwIfAborted()
    const axes = randomAxes(forAxes, samples, dimension)
    const { loss, next } = await step(state, pointsOf(points), axes, rateAt(k, steps))
    state = next
    if (k === 0) start = performance.now()
    await onStep(k, loss.item())
  }
  const stepsPerSecond = (1000 * (steps - 1)) / (performance.now() - start)
  const layers = trainer.layersOf(state)
  const errors = await relativeErrors(problem, layers, random.split('test'), testPoints, onnx)
  return { layers, ...errors, stepsPerSecond }
}

/** Errors of the network, and of the multiple of 1 - |x|^2 that is nearest to the solution. */
async function relativeErrors(
  { dimension, solution }: Problem,
  layers: Layers,
  random: Random,
  count: number,
  onnx: OnnxOptions,
): Promise<{ error: number; constantError: number }> {
  const products = compile(
    (layers: Layers, x: Tensor) => {
      const exact = solution(x)
      const room = np.subtract(1, squaredNorm(x))
      const wrong = np.subtract(network(layers, x), exact)
      const pairs = [
        [wrong, wrong],
        [exact, exact],
        [room, exact],
        [room, room],
      ] as const
      return np.stack(pairs.map(([a, b]) => np.dot(a, b)))
    },
    { engine: 'onnx', ...onnx },
  )
  const batch = Math.min(count, 100)
  const sums = new Float64Array(4)
  for (let done = 0; done < count; done += batch)
    (await products(layers, ballPoints(random, batch, dimension))).data.forEach((value, i) => {
      sums[i]! += value
    })
  const [wrong, exact, mixed, room] = sums as unknown as [number, number, number, number]
  return { error: Math.sqrt(wrong / exact), constantError: Math.sqrt(1 - mixed ** 2 / (room * exact)) }
}
