import { losses, type Problem } from 'evolute/curvature'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { normalTensor } from './networks.js'

const [vocabulary, context, width, heads, depth] = [50304, 1024, 768, 12, 12]

/** y = x W + b. */
interface Linear {
  readonly weight: Tensor
  readonly bias: Tensor
}

interface Norm {
  readonly scale: Tensor
  readonly offset: Tensor
}

interface Block {
  readonly before: readonly [Norm, Norm]
  readonly attention: Linear
  readonly projection: Linear
  readonly up: Linear
  readonly down: Linear
}

interface Gpt {
  readonly tokens: Tensor
  readonly positions: Tensor
  readonly blocks: readonly Block[]
  readonly last: Norm
}

const linear = (x: Tensor, { weight, bias }: Linear) => np.add(np.matmul(x, weight), bias)

function attention(x: Tensor, into: Linear, out: Linear): Tensor {
  const [batch, length] = x.shape as [number, number]
  const byHead = (x: Tensor) =>
    np.transpose(np.reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3])
  const [q, k, v] = np.split(linear(x, into), 3, { axis: -1 }).map(byHead) as [Tensor, Tensor, Tensor]
  const scores = np.divide(np.matmul(q, np.transpose(k, [0, 1, 3, 2])), Math.sqrt(width / heads))
  const past = np.tril(np.ones([length, length], { dtype: 'bool' }))
  const weights = np.softmax(np.where(past, scores, -1e9))
  const mixed = np.transpose(np.matmul(weights, v), [0, 2, 1, 3])
  return linear(np.reshape(mixed, [batch, length, width]), out)
}

/** GPT-2 (Radford et al. 2019), its read-out tied to the embedding of the tokens, which come as numbers. */
function gpt({ tokens, positions, blocks, last }: Gpt, numbers: Tensor): Tensor {
  const chosen = np.take(tokens, np.astype(numbers, 'int32'), { axis: 0 })
  const start = np.add(chosen, np.slice(positions, [0, numbers.shape[1]!]))
  const features = blocks.reduce((x, { before: [first, second], ...layers }) => {
    const mixed = np.add(x, attention(np.layerNorm(x, first), layers.attention, layers.projection))
    const hidden = np.gelu(linear(np.layerNorm(mixed, second), layers.up))
    return np.add(mixed, linear(hidden, layers.down))
  }, start)
  return np.matmul(np.layerNorm(features, last), np.transpose(tokens))
}

/** The network "nanoGPT" of curvlinops' benchmark, 124 million parameters, on `samples` random sequences of `length` tokens. */
export function nanoGpt(samples: number, length: number): Problem {
  const random = new Random('nano-gpt')
  const normals = (...shape: number[]) => normalTensor(random, shape, 0.02)
  const zeros = (n: number) => new Tensor(new Float32Array(n), [n])
  const layer = (from: number, to: number): Linear => ({ weight: normals(from, to), bias: zeros(to) })
  const norm = (): Norm => ({
    scale: new Tensor(new Float32Array(width).fill(1), [width]),
    offset: zeros(width),
  })
  const parameters: Gpt = {
    tokens: normals(vocabulary, width),
    positions: normals(context, width),
    blocks: Array.from({ length: depth }, () => ({
      before: [norm(), norm()],
      attention: layer(width, 3 * width),
      projection: layer(width, width),
      up: layer(width, 4 * width),
      down: layer(4 * width, width),
    })),
    last: norm(),
  }
  const drawn = () =>
    Float32Array.from({ length: samples * length }, () => Math.floor(vocabulary * random.uniform()))
  return {
    parameters: parameters as unknown as Problem['parameters'],
    apply: gpt as unknown as Problem['apply'],
    loss: losses['cross-entropy']!,
    inputs: new Tensor(drawn(), [samples, length]),
    targets: new Tensor(Int32Array.from(drawn()), [samples, length]),
  }
}
