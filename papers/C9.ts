import { kernelRegression, losses, type Problem, type TangentKernel, tangentKernel } from 'evolute/curvature'
import { denseOperator, Random, topEigenpairs } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { digitData } from './digitData.js'
import { accuracy, type Digits, initialWeights, network, pixels, type Weights } from './digitNetwork.js'
import type { Paper } from './paper.js'
import { exponent, relativeDistance } from './powerLaw.js'
import { showNumber } from './table.js'

const classes = 10

/** Kernels of one kind, what they predict, and the seconds that took. */
interface Regression {
  readonly train: TangentKernel
  readonly predictions: Tensor
  readonly seconds: number
  /** Of them, those for the solution of the system. */
  readonly solving: number
}

async function regression(
  weights: Weights,
  train: Digits,
  test: Digits,
  kind: 'full' | 'sum-of-logits',
  signal: AbortSignal,
): Promise<Regression> {
  const started = performance.now()
  const problem = (inputs: Tensor): Problem => ({
    parameters: weights,
    apply: (weights: Weights, x: Tensor) => network(weights, x, np.relu),
    loss: losses.mse!,
    inputs,
    targets: np.zeros([inputs.shape[0]!, classes]),
  })
  const options = { kind, precision: 'float32', signal } as const
  const square = await tangentKernel(problem(train.images), options)
  const cross = await tangentKernel(problem(test.images), { ...options, others: train.images })
  const [k, wide] = [np.astype(square.kernel, 'float64'), np.astype(cross.kernel, 'float64')]
  const targets = Float64Array.from({ length: train.labels.size * classes }, (_, i) =>
    train.labels.data[Math.floor(i / classes)] === i % classes ? 0.9 : -0.1,
  )
  const solved = performance.now()
  const predictions = kernelRegression(k, wide, new Tensor(targets, [train.labels.size, classes]))
  const ended = performance.now()
  return { train: square, predictions, seconds: (ended - started) / 1000, solving: (ended - solved) / 1000 }
}

/** The largest eigenvalue of a kernel, [N, N] or [N, N, C, C] as a matrix [N C, N C]. */
async function largest(kernel: Tensor): Promise<number> {
  const n = Math.sqrt(kernel.size)
  const matrix = kernel.shape.length === 4 ? np.reshape(np.transpose(kernel, [0, 2, 1, 3]), [n, n]) : kernel
  const { eigenvalues } = await topEigenpairs(denseOperator(np.astype(matrix, 'float64')), { count: 1 })
  return eigenvalues[0]!.value
}

/** One network at its random weights, by both kernels. */
async function compare(width: number, seed: number, train: Digits, test: Digits, signal: AbortSignal) {
  const weights = initialWeights(new Random(`C9/${width}/${seed}`), [pixels, width, width, classes])
  const full = await regression(weights, train, test, 'full', signal)
  const fast = await regression(weights, train, test, 'sum-of-logits', signal)
  const [n] = fast.train.kernel.shape as [number]
  const identity = np.eye(classes, { dtype: 'float32' })
  const blown = np.multiply(np.reshape(fast.train.kernel, [n, n, 1, 1]), identity)
  const [first, second] = [await largest(full.train.kernel), await largest(fast.train.kernel)]
  const chosen = (y: Tensor) => np.argmax(y, { axis: 1 })
  return {
    difference: relativeDistance(blown.data, full.train.kernel.data),
    eigenvalue: Math.abs(second / first - 1),
    predictions: relativeDistance(fast.predictions.data, full.predictions.data),
    agreement: accuracy(fast.predictions, chosen(full.predictions)),
    accuracies: [accuracy(full.predictions, test.labels), accuracy(fast.predictions, test.labels)] as const,
    seconds: full.seconds / fast.seconds,
    solving: full.solving / fast.solving,
    operations: full.train.flops / fast.train.flops,
    numbers: full.train.kernel.size / fast.train.kernel.size,
  }
}

type Comparison = Awaited<ReturnType<typeof compare>>
const measures = ['difference', 'eigenvalue', 'predictions', 'agreement', 'seconds', 'solving'] as const
type Means = Record<(typeof measures)[number], number>

const meansOf = (runs: readonly Comparison[]): Means =>
  Object.fromEntries(
    measures.map((name) => [name, runs.reduce((sum, run) => sum + run[name] / runs.length, 0)]),
  ) as Means

export const paper: Paper = {
  id: 'C9',
  title: 'A fast, well-founded approximation to the empirical neural tangent kernel',
  authors: 'Mohamadi, Bae, Sutherland',
  year: 2022,
  source: 'arXiv 2206.12543',
  claim:
    'The kernel of the sum of logits, N by N, stands for the tangent kernel of N samples and O outputs, N O by N O, with an ' +
    'error that vanishes with width, at a cost smaller by O^2 in memory and up to O^3 in time.',
  async run({ full, signal, log, onStep }) {
    const widths = full ? [32, 64, 128, 256, 512] : [32, 64, 128, 256]
    const seeds = full ? 5 : 2
    const { name, train, test } = digitData(full ? 100 : 50, full ? 500 : 50)
    const all: Comparison[][] = []
    for (const [i, width] of widths.entries()) {
      const runs: Comparison[] = []
      for (let seed = 0; seed < seeds; seed++) {
        await onStep((i + seed / seeds) / widths.length, `width ${width}`)
        runs.push(await compare(width, seed, train, test, signal))
      }
      all.push(runs)
      const { difference, eigenvalue, agreement } = meansOf(runs)
      log(
        `width ${width}: kernels differ by ${showNumber(difference)}, largest eigenvalues by ${showNumber(eigenvalue)}, ` +
          `${showNumber(agreement)} of the predicted classes are the same`,
      )
    }
    const means = all.map(meansOf)
    const [narrow, wide] = [means[0]!, means.at(-1)!]
    const [{ operations, numbers, accuracies }] = all.at(-1) as [Comparison]
    const slope = exponent(
      widths,
      means.map(({ difference }) => difference),
    )
    const falling = (name: keyof Means) => wide[name] < 0.6 * narrow[name]
    const holds =
      slope < -0.35 &&
      falling('eigenvalue') &&
      falling('predictions') &&
      wide.agreement > narrow.agreement &&
      numbers === classes ** 2 &&
      wide.seconds > 1
    const at = (name: keyof Means) => `${showNumber(narrow[name])} at width ${widths[0]}`
    return {
      figures: [
        { name: 'difference of the kernels', paper: null, measured: wide.difference, note: at('difference') },
        {
          name: 'its power of the width',
          paper: null,
          measured: slope,
          note: '-1/2 for means of independent terms',
        },
        {
          name: 'difference of the largest eigenvalues',
          paper: null,
          measured: wide.eigenvalue,
          note: at('eigenvalue'),
        },
        {
          name: 'difference of predictions',
          paper: null,
          measured: wide.predictions,
          note: at('predictions'),
        },
        {
          name: 'predicted classes that are the same',
          paper: null,
          measured: wide.agreement,
          note: at('agreement'),
        },
        {
          name: 'accuracy by the full kernel',
          paper: null,
          measured: accuracies[0],
          note: `${train.labels.size} images of ${name}`,
        },
        { name: 'accuracy by the sum of logits', paper: null, measured: accuracies[1] },
        { name: 'numbers of the full kernel over those of the other', paper: 'O^2 = 100', measured: numbers },
        {
          name: 'operations of the full kernel over those of the other',
          paper: null,
          measured: operations,
          note: 'the full one by the cheaper of two methods',
        },
        {
          name: 'time to solve for its predictions over the same',
          paper: 'O^3 = 1000',
          measured: wide.solving,
        },
        { name: 'time for kernels and solution over the same', paper: null, measured: wide.seconds },
      ],
      holds,
      verdict: holds
        ? `from width ${widths[0]} to ${widths.at(-1)} the kernels, their largest eigenvalues and predictions draw together, for a hundredth of the memory; not reached: O^3 in time, since systems of ${train.labels.size} unknowns are too small for it and the gradients that both need cost O at most.`
        : 'the kernels do not draw together with width, or the small one is not cheaper.',
    }
  },
}
