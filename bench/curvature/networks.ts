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
    return {
      weight: normalTensor(random, [n, out], Math.sqrt(2 / n)),
      bias: new Tensor(new Float32Array(out)),
    }
  })
}

/** Normal numbers times `scale`, float32. */
export function normalTensor(random: Random, shape: readonly number[], scale: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  return new Tensor(
    Float32Array.from(random.normals(size), (x) => x * scale),
    shape,
  )
}

/** Random inputs of a shape [samples, ...], in random classes. */
export function classification(
  parameters: unknown,
  apply: Problem['apply'],
  shape: readonly number[],
  classes: number,
  random: Random,
): Problem {
  const size = shape.reduce((a, b) => a * b, 1)
  return {
    parameters: parameters as Problem['parameters'],
    apply,
    loss: losses['cross-entropy']!,
    inputs: new Tensor(
      Float32Array.from({ length: size }, () => random.uniform()),
      shape,
    ),
    targets: new Tensor(Int32Array.from({ length: shape[0]! }, () => Math.floor(classes * random.uniform()))),
  }
}

/** The network "MNIST MLP" of curvlinops' benchmark, 512 random samples in one batch. */
export function mnistMlp(): Problem {
  const random = new Random('mnist-mlp')
  const widths = [784, 1024, 512, 256, 128, 64, 10]
  return classification(initialLayers(widths, random), fullyConnected, [512, 784], 10, random)
}

/** A network of about a million parameters on `samples` random images, or with other hidden layers. */
export function million(samples: number, hidden: readonly number[] = [800, 400, 100]): Problem {
  const random = new Random('million')
  const layers = initialLayers([784, ...hidden, 10], random)
  return classification(layers, fullyConnected, [samples, 784], 10, random)
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
