import { losses, type Problem } from 'evolute/curvature'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { renderDigits } from '../../src/cli/demo/digits.js'
import { logits, train } from '../../src/cli/demo/network.js'

type Layers = { weight: Tensor; bias: Tensor }[]

/** Fully connected layers with relu between, weights [in, out]. */
function fullyConnected(layers: Layers, x: Tensor): Tensor {
  return layers.reduce((y, { weight, bias }, i) => {
    const z = np.add(np.matmul(y, weight), bias)
    return i + 1 < layers.length ? np.relu(z) : z
  }, x)
}

function initialLayers(widths: readonly number[], random: Random): Layers {
  return widths.slice(1).map((out, i) => {
    const n = widths[i]!
    const weight = Float32Array.from(random.normals(n * out), (x) => x * Math.sqrt(2 / n))
    return { weight: new Tensor(weight, [n, out]), bias: new Tensor(new Float32Array(out)) }
  })
}

function classification(parameters: Layers, samples: number, inputs: number, random: Random): Problem {
  return {
    parameters,
    apply: fullyConnected,
    loss: losses['cross-entropy']!,
    inputs: new Tensor(
      Float32Array.from({ length: samples * inputs }, () => random.uniform()),
      [samples, inputs],
    ),
    targets: new Tensor(Int32Array.from({ length: samples }, () => Math.floor(10 * random.uniform()))),
  }
}

/** The network "MNIST MLP" of curvlinops' benchmark, 512 random samples in one batch. */
export function mnistMlp(): Problem {
  const random = new Random('mnist-mlp')
  const widths = [784, 1024, 512, 256, 128, 64, 10]
  return classification(initialLayers(widths, random), 512, 784, random)
}

/** A network of about a million parameters on `samples` random images, or with other hidden layers. */
export function million(samples: number, hidden: readonly number[] = [800, 400, 100]): Problem {
  const random = new Random('million')
  return classification(initialLayers([784, ...hidden, 10], random), samples, 784, random)
}

/** A small network trained on rendered digits: one whose matrices can be written out. */
export async function trainedDigits(samples: number, steps: number, signal: AbortSignal): Promise<Problem> {
  const { images, labels } = renderDigits(samples, 0)
  const network = await train(images, labels, { steps, seed: 0, signal, onStep: () => {} })
  return {
    parameters: { ...network },
    apply: logits,
    loss: losses['cross-entropy']!,
    inputs: images,
    targets: labels,
  }
}
