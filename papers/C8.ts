import { kernelRegression, losses, type Problem, tangentKernel } from 'evolute/curvature'
import { compile } from 'evolute/engines'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { grad } from 'evolute/transforms'
import type { Weights } from './digitNetwork.js'
import type { Paper } from './paper.js'
import { exponent, relativeDistance, rms } from './powerLaw.js'
import { showNumber } from './table.js'
import { analyticKernel, circle, normalWeights, tangentNetwork } from './tangentNetwork.js'

/** Hidden layers. */
const hidden = 2
/** Steps of training, after which nothing is left to learn. */
const steps = 250
const train = circle([-2.2, -0.7, 0.6, 1.9])
const values = new Tensor(Float64Array.of(0.5, -1, 1, 0.3), [4, 1])
const points = circle(Array.from({ length: 16 }, (_, i) => (2 * Math.PI * i) / 16))

/** The kernel of the network at its weights, between two sets of points. */
async function kernelAt(weights: Weights, x: Tensor, z: Tensor): Promise<Tensor> {
  const problem: Problem = {
    parameters: weights,
    apply: tangentNetwork,
    loss: losses.mse!,
    inputs: x,
    targets: np.zeros([x.shape[0]!, 1]),
  }
  return (await tangentKernel(problem, { kind: 'trace', others: z })).kernel
}

/** One step of gradient descent on half the mean of squares. */
const descend = compile((weights: Weights): Weights => {
  const loss = (w: Weights) =>
    np.multiply(np.mean(np.square(np.subtract(tangentNetwork(w, train), values))), 0.5)
  const gradient = grad(loss)(weights) as Weights
  return weights.map((w, i) => np.subtract(w, np.multiply(gradient[i]!, 0.5)))
})

/** A network of one width before and after training: its kernels, its function and the one that its first kernel predicts. */
async function trainOne(random: Random, width: number, onStep: () => Promise<void>) {
  const before = normalWeights(random, [2, ...Array<number>(hidden).fill(width), 1])
  const [kernel, cross] = [await kernelAt(before, train, train), await kernelAt(before, points, train)]
  let weights = before
  for (let step = 0; step < steps; step++) {
    if (step % 50 === 0) await onStep()
    weights = (await descend(weights)) as Weights
  }
  const [start, end] = [await kernelAt(before, points, points), await kernelAt(weights, points, points)]
  const missing = np.subtract(values, tangentNetwork(before, train))
  const predicted = np.add(tangentNetwork(before, points), kernelRegression(kernel, cross, missing))
  const learned = tangentNetwork(weights, points)
  return {
    initial: relativeDistance(start.data, analyticKernel(points, points, hidden).data),
    change: relativeDistance(end.data, start.data),
    gap: rms([...np.subtract(learned, predicted).data]),
    left: rms([...np.subtract(tangentNetwork(weights, train), values).data]),
    learned,
  }
}

type Measure = 'initial' | 'change' | 'gap' | 'left'
type WidthResult = Readonly<Record<Measure, number>> & { readonly learned: readonly Tensor[] }

/** Root mean squares over networks of one width that start from different weights. */
async function trainMany(
  width: number,
  seeds: number,
  onStep: (share: number) => Promise<void>,
): Promise<WidthResult> {
  const runs: Awaited<ReturnType<typeof trainOne>>[] = []
  for (let seed = 0; seed < seeds; seed++)
    runs.push(await trainOne(new Random(`C8/${width}/${seed}`), width, () => onStep(seed / seeds)))
  const over = (name: Measure) => rms(runs.map((run) => run[name]))
  return {
    initial: over('initial'),
    change: over('change'),
    gap: over('gap'),
    left: over('left'),
    learned: runs.map((run) => run.learned),
  }
}

/** The mean of trained functions less kernel regression with the analytic kernel, in standard errors. */
function learnedBeyondChance(learned: readonly Tensor[]): number {
  const theory = kernelRegression(
    analyticKernel(train, train, hidden),
    analyticKernel(points, train, hidden),
    values,
  )
  const all = np.stack(learned)
  const error = np.divide(np.std(all, { axis: 0, ddof: 1 }), Math.sqrt(learned.length))
  return rms([...np.divide(np.subtract(np.mean(all, { axis: 0 }), theory), error).data])
}

export const paper: Paper = {
  id: 'C8',
  title: 'Neural tangent kernel: convergence and generalization in neural networks',
  authors: 'Jacot, Gabriel, Hongler',
  year: 2018,
  source: 'arXiv 1806.07572',
  claim:
    'As a network grows wide its tangent kernel at initialisation tends to a limit that is not random and stays constant in ' +
    'training, which is then kernel regression with that limit.',
  async run({ full, log, onStep }) {
    const widths = full ? [32, 64, 128, 256, 512, 1024] : [32, 64, 128, 256]
    const seeds = full ? 20 : 8
    const results: WidthResult[] = []
    for (const [i, width] of widths.entries()) {
      const result = await trainMany(width, seeds, (share) =>
        onStep((i + share) / widths.length, `width ${width}`),
      )
      log(
        `width ${width}: kernel ${showNumber(result.initial)} from its limit, ${showNumber(result.change)} moved by training; ` +
          `function ${showNumber(result.gap)} from kernel regression; ${showNumber(result.left)} left on the data`,
      )
      results.push(result)
    }
    const slope = (name: Measure) =>
      exponent(
        widths,
        results.map((result) => result[name]),
      )
    const slopes = { initial: slope('initial'), change: slope('change'), gap: slope('gap') }
    const wide = results.at(-1)!
    const learned = learnedBeyondChance(wide.learned)
    const holds =
      Math.abs(slopes.initial + 0.5) < 0.15 && slopes.change < -0.35 && slopes.gap < -0.3 && learned < 2.5
    const widest = `width ${widths.at(-1)}, ${hidden} hidden layers, ${seeds} networks`
    return {
      figures: [
        {
          name: 'kernel at the start from its limit',
          paper: 'to 0',
          measured: wide.initial,
          note: `relative, ${widest}`,
        },
        {
          name: 'its power of the width',
          paper: null,
          measured: slopes.initial,
          note: '-1/2 for means of independent terms',
        },
        {
          name: 'kernel moved by training',
          paper: 'to 0',
          measured: wide.change,
          note: 'relative, to an error of 0 on the data',
        },
        { name: 'its power of the width', paper: null, measured: slopes.change },
        {
          name: 'trained network from regression with its first kernel',
          paper: 'to 0',
          measured: wide.gap,
          note: 'root mean square on the circle, values about 1',
        },
        { name: 'its power of the width', paper: null, measured: slopes.gap },
        {
          name: 'mean of trained networks from regression with the limit',
          paper: null,
          measured: learned,
          unit: 'standard errors',
          note: 'root mean square over points; 1 by chance',
        },
      ],
      holds,
      verdict: holds
        ? `all distances to the theory of infinite width fall about as 1 / sqrt(width), and what networks learn on average is kernel regression with the analytic kernel.`
        : 'a distance to the theory of infinite width does not fall as it should.',
    }
  },
}
