import { compile } from '../../engines/index.js'
import { Random } from '../../linalg/index.js'
import * as np from '../../numpy/index.js'
import { programToModel } from '../../onnx/export/model.js'
import { tensorToProto } from '../../onnx/file/tensors.js'
import { writeModel } from '../../onnx/file/write.js'
import { optimize } from '../../ops/optimize.js'
import { Tensor } from '../../tensor/tensor.js'
import { ravel, trace, valueAndGrad } from '../../transforms/index.js'
import { side } from './digits.js'

/** Weights [in, out] and biases [out] of two layers. */
export interface Network {
  readonly weight1: Tensor
  readonly bias1: Tensor
  readonly weight2: Tensor
  readonly bias2: Tensor
}

const hidden = 16

/** Logits [batch, 10] of images [batch, side * side]. */
export function logits({ weight1, bias1, weight2, bias2 }: Network, images: Tensor): Tensor {
  const features = np.tanh(np.add(np.matmul(images, weight1), bias1))
  return np.add(np.matmul(features, weight2), bias2)
}

function initialNetwork(seed: number): Network {
  const random = new Random(seed)
  const weights = (rows: number, columns: number) =>
    new Tensor(
      Float32Array.from(random.normals(rows * columns), (x) => x / Math.sqrt(rows)),
      [rows, columns],
    )
  return {
    weight1: weights(side * side, hidden),
    bias1: new Tensor(new Float32Array(hidden)),
    weight2: weights(hidden, 10),
    bias2: new Tensor(new Float32Array(10)),
  }
}

export interface TrainOptions {
  readonly steps: number
  readonly seed: number
  readonly signal: AbortSignal
  readonly onStep: (step: number, loss: number) => void
}

/** Minimises the mean cross-entropy with Adam (Kingma and Ba 2015, algorithm 1; step 0.01) on batches of 100. */
export async function train(images: Tensor, labels: Tensor, options: TrainOptions): Promise<Network> {
  const { steps, seed, signal, onStep } = options
  const [start, unravel] = ravel<Network>(initialNetwork(seed))
  const loss = (theta: Tensor, x: Tensor, y: Tensor) => np.mean(np.crossEntropy(logits(unravel(theta), x), y))
  const gradient = compile(valueAndGrad(loss))
  const theta = start.data as Float32Array
  const mean = new Float64Array(theta.length)
  const square = new Float64Array(theta.length)
  const random = new Random(seed).split('batches')
  const batch = 100
  let order = random.permutation(labels.size)
  for (let step = 1, next = 0; step <= steps; step++, next += batch) {
    signal.throwIfAborted()
    if (next + batch > order.length) {
      order = random.permutation(labels.size)
      next = 0
    }
    const chosen = order.subarray(next, next + batch)
    const [value, slope] = await gradient(new Tensor(theta), pick(images, chosen), pick(labels, chosen))
    const rate = (0.01 * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step)
    for (let i = 0; i < theta.length; i++) {
      const g = slope.data[i]!
      mean[i] = 0.9 * mean[i]! + 0.1 * g
      square[i] = 0.999 * square[i]! + 0.001 * g * g
      theta[i] = theta[i]! - (rate * mean[i]!) / (Math.sqrt(square[i]!) + 1e-8)
    }
    onStep(step, value.item())
  }
  return unravel(new Tensor(theta))
}

/** The chosen samples of an array along its first axis. */
function pick(x: Tensor, chosen: ArrayLike<number>): Tensor {
  return np.take(x, Int32Array.from(chosen), { axis: 0 })
}

/** The network as an .onnx file of one input `image` [1, side * side] and one output `logits`. */
export function networkModel(network: Network): Uint8Array {
  const names = Object.keys(network)
  const image = new Tensor(new Float32Array(side * side), [1, side * side])
  const { program } = trace(logits, network, image)
  const model = programToModel(optimize(program), {
    name: 'digits',
    inputNames: [...names, 'image'],
    outputNames: ['logits'],
  })
  const graph = model.graph!
  graph.input = graph.input.filter(({ name }) => name === 'image')
  for (const [name, tensor] of Object.entries(network) as [string, Tensor][])
    graph.initializer.push(tensorToProto(tensor, name))
  return writeModel(model, { name: 'digits.onnx' })
}

/** The number of parameters. */
export function parameterCount(network: Network): number {
  return Object.values(network).reduce((sum, { size }: Tensor) => sum + size, 0)
}
