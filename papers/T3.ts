import { compile } from 'evolute/engines'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { grad, vmap } from 'evolute/transforms'
import {
  kroneckerCosine,
  optimalKronecker,
  rearrangeGradients,
  shampooFactors,
} from '../src/curvature/structured/index.js'
import { adam } from './adam.js'
import { digitData } from './digitData.js'
import { batchOf, type Digits, initialWeights, network, pixels, type Weights } from './digitNetwork.js'
import { type Context, type Figure, type Paper, worst } from './paper.js'
import { showNumber } from './table.js'

const sizes = [pixels, 16, 10]
const batch = 64
const layers = ['first layer', 'second layer']

const loss = (weights: Weights, { images, labels }: Digits) =>
  np.crossEntropy(network(weights, images, np.tanh), labels)
const batchGradient = compile(grad(loss))
/** Gradients [N, in, out] of both weight matrices, of each example alone. */
const gradients = compile((weights: Weights, { images, labels }: Digits) => {
  const one = (image: Tensor, label: Tensor) => {
    const digit = { images: np.expandDims(image, 0), labels: np.expandDims(label, 0) }
    const [first, , second] = grad(loss)(weights, digit) as Weights
    return [first!, second!]
  }
  return vmap(one)(images, labels)
})

/** Classes drawn from what the network itself believes, which make the Gauss-Newton matrix of their gradients. */
function drawnLabels(weights: Weights, images: Tensor, random: Random): Tensor {
  const p = np.softmax(network(weights, images, np.tanh), { axis: 1 })
  const classes = p.shape[1]!
  return new Tensor(
    Int32Array.from({ length: images.shape[0]! }, (_, i) => {
      let left = random.uniform()
      for (let c = 0; c < classes - 1; c++) {
        left -= p.data[i * classes + c]!
        if (left < 0) return c
      }
      return classes - 1
    }),
  )
}

/** The square root of a symmetric matrix without negative eigenvalues but by rounding. */
function squareRoot(matrix: Tensor): Tensor {
  const { eigenvalues, eigenvectors } = np.eigh(matrix)
  const roots = np.sqrt(np.maximum(eigenvalues, 0))
  return np.matmul(np.multiply(eigenvectors, roots), np.transpose(eigenvectors))
}

/** The cosines with a second moment of gradients, and how far two statements about them are from being exact. */
interface Closeness {
  readonly name: string
  /** Shampoo's product L^(1/2) (x) R^(1/2), its square L (x) R, and the best product. */
  readonly shampoo: number
  readonly squared: number
  readonly optimal: number
  /** One step of power iteration against the means of G G^T and G^T G. */
  readonly firstStep: number
}

async function closeness(name: string, gradients: Tensor, signal: AbortSignal): Promise<Closeness> {
  const target = rearrangeGradients(gradients)
  const { left, right } = await shampooFactors(target)
  const { cosine } = await optimalKronecker(target, { signal })
  const once = await optimalKronecker(target, { signal, maxSteps: 1 })
  const swapped = np.swapaxes(gradients, 1, 2)
  const moments = [np.matmul(gradients, swapped), np.matmul(swapped, gradients)]
  const gaps = moments.map((products, side) =>
    worst(scaled(side === 0 ? once.left : once.right), scaled(np.mean(products, { axis: 0 }))),
  )
  return {
    name,
    shampoo: await kroneckerCosine(target, squareRoot(left), squareRoot(right)),
    squared: await kroneckerCosine(target, left, right),
    optimal: cosine,
    firstStep: Math.max(...gaps),
  }
}

const scaled = (x: Tensor) => np.divide(x, np.norm(x)).data

/** The cosine of the best Kronecker product by the singular values of the rearranged matrix itself. */
function cosineBySvd(gradients: Tensor): number {
  const [n, p, q] = gradients.shape as [number, number, number]
  const rows = np.reshape(gradients, [n, p * q])
  const moment = np.reshape(np.matmul(np.transpose(rows), rows), [p, q, p, q])
  const { s } = np.svd(np.reshape(np.transpose(moment, [0, 2, 1, 3]), [p * p, q * q]))
  return s.data[0]! / np.norm(s).item()
}

/** A network in training: the gradients of its two weight matrices in all ways that the paper compares. */
function trainee(random: Random, train: Digits, samples: number) {
  const weights = initialWeights(random, sizes)
  const update = adam(weights)
  const chosen = batchOf(train, random, samples)
  const history: Weights[] = []
  const wide = (matrices: readonly Tensor[]) => matrices.map((x) => np.astype(x, 'float64'))
  const perExample = async (labels: Tensor) => wide(await gradients(weights, { ...chosen, labels }))
  return {
    async step() {
      const gradient = await batchGradient(weights, batchOf(train, random, batch))
      history.push(gradient)
      update(gradient, 3e-3)
    },
    gaussNewton: () => perExample(drawnLabels(weights, chosen.images, random)),
    empiricalFisher: () => perExample(chosen.labels),
    adagrad: () => wide([0, 2].map((layer) => np.stack(history.map((gradient) => gradient[layer]!)))),
    async ofBatches(count: number) {
      const all: Weights[] = []
      for (let i = 0; i < count; i++) all.push(await batchGradient(weights, batchOf(train, random, batch)))
      return wide([0, 2].map((layer) => np.stack(all.map((gradient) => gradient[layer]!))))
    },
  }
}

const cosineFigure = ({ name, shampoo, squared, optimal }: Closeness): Figure => ({
  name: `${name}: Shampoo squared`,
  paper: null,
  measured: squared,
  note: `the best: ${showNumber(optimal)}; Shampoo: ${showNumber(shampoo)}`,
})

export const paper: Paper = {
  id: 'T3',
  title: 'A new perspective on Shampoo’s preconditioner',
  authors: 'Morwani, Shapira, Vyas, Malach, Kakade, Janson',
  year: 2024,
  source: 'arXiv 2406.17748',
  claim:
    'The square of Shampoo’s Kronecker product is one step of power iteration, from the identity, towards the Kronecker ' +
    'product nearest to the Gauss-Newton matrix or to Adagrad’s, and close to it already.',
  async run({ full, signal, onStep }: Context) {
    const [steps, samples] = full ? [2000, 4000] : [300, 400]
    const { name, train } = digitData(2000, 1)
    const learner = trainee(new Random('T3'), train, samples)
    const results: Closeness[] = []
    const measure = async (what: string, matrices: readonly Tensor[]) => {
      for (const [i, layer] of layers.entries()) {
        await onStep(0.5 + results.length / 20, what)
        results.push(await closeness(`${what}, ${layer}`, matrices[i]!, signal))
      }
    }
    await measure('Gauss-Newton at the start', await learner.gaussNewton())
    for (let step = 0; step < steps; step++) {
      if (step % 50 === 0) await onStep((0.5 * step) / steps, 'training')
      await learner.step()
    }
    const gaussNewton = await learner.gaussNewton()
    await measure('Gauss-Newton after training', gaussNewton)
    await measure('Adagrad', learner.adagrad())
    await onStep(0.9, 'other gradients')
    const exact = rearrangeGradients(gaussNewton[1]!)
    const cosineFrom = async (gradients: Tensor) => {
      const { left, right } = await shampooFactors(rearrangeGradients(gradients))
      return kroneckerCosine(exact, left, right)
    }
    const fisher = await cosineFrom((await learner.empiricalFisher())[1]!)
    const batches = await cosineFrom((await learner.ofBatches(samples))[1]!)
    const bySvd = Math.abs(cosineBySvd(gaussNewton[1]!) - results[3]!.optimal)
    const firstStep = Math.max(...results.map((result) => result.firstStep))
    const share = Math.min(...results.map(({ optimal, squared }) => squared / optimal))
    const holds =
      firstStep < 1e-10 && bySvd < 1e-6 && share > 0.9 && results.every((r) => r.squared > r.shampoo)
    return {
      figures: [
        { name: 'one step of power iteration from Shampoo’s factors', paper: 'equal', measured: firstStep },
        {
          name: 'the best cosine from that by singular values',
          paper: null,
          measured: bySvd,
          note: 'second layer after training',
        },
        ...results.map(cosineFigure),
        { name: 'least share of the best cosine that Shampoo squared reaches', paper: null, measured: share },
        {
          name: 'Gauss-Newton by the empirical Fisher’s factors',
          paper: null,
          measured: fisher,
          note: 'cosine of Shampoo squared, second layer after training',
        },
        { name: `Gauss-Newton by factors of batches of ${batch}`, paper: null, measured: batches },
      ],
      holds,
      verdict: holds
        ? `cosines of a ${sizes.join('-')} network on ${name}: the first step of power iteration is Shampoo’s square, which reaches at least ${showNumber(share)} of the best Kronecker product’s cosine and is nearer to the matrix than Shampoo’s own product everywhere.`
        : 'the first step of power iteration is not Shampoo’s square, or that is not close to the best product.',
    }
  },
}
