import { losses, type Problem } from 'evolute/curvature'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'

/** A convolution, and the scale and shift of the normalisation behind it. */
interface Unit {
  readonly kernel: Tensor
  readonly scale: Tensor
  readonly shift: Tensor
}

/** Two convolutions beside an identity, or beside a third one where the shape changes. */
interface Block {
  readonly first: Unit
  readonly second: Unit
  readonly shortcut?: Unit
}

interface ResNet {
  readonly stem: Unit
  readonly blocks: readonly Block[]
  readonly weight: Tensor
  readonly bias: Tensor
}

const widths = [64, 64, 128, 128, 256, 256, 512, 512]
const strideOf = (block: number) => (block > 0 && widths[block] !== widths[block - 1] ? 2 : 1)

/** ResNet-18 (He et al. 2016) with the stem for large images and normalisations at their initial statistics, as in inference. */
function resNet18({ stem, blocks, weight, bias }: ResNet, image: Tensor): Tensor {
  const unit = ({ kernel, scale, shift }: Unit, x: Tensor, stride: number) => {
    const padding = Math.floor(kernel.shape[2]! / 2)
    const perChannel = (v: Tensor) => np.reshape(v, [-1, 1, 1])
    const y = np.conv(x, kernel, { strides: stride, padding })
    return np.add(np.multiply(y, perChannel(scale)), perChannel(shift))
  }
  const start = np.maxPool(np.relu(unit(stem, image, 2)), 3, { strides: 2, padding: 1 })
  const features = blocks.reduce((x, { first, second, shortcut }, i) => {
    const stride = strideOf(i)
    const y = unit(second, np.relu(unit(first, x, stride)), 1)
    return np.relu(np.add(y, shortcut ? unit(shortcut, x, stride) : x))
  }, start)
  return np.add(np.matmul(np.mean(features, { axis: [2, 3] }), weight), bias)
}

/** The network "CIFAR ResNet18" of curvlinops' benchmark on random images, 11.2 million parameters. */
export function cifarResNet(samples: number): Problem {
  const random = new Random('cifar-resnet')
  const normals = (shape: readonly number[], inputs: number) => {
    const size = shape.reduce((a, b) => a * b, 1)
    return new Tensor(
      Float32Array.from(random.normals(size), (x) => x * Math.sqrt(2 / inputs)),
      shape,
    )
  }
  const unit = (from: number, to: number, side: number): Unit => ({
    kernel: normals([to, from, side, side], from * side * side),
    scale: new Tensor(new Float32Array(to).fill(1), [to]),
    shift: new Tensor(new Float32Array(to), [to]),
  })
  const parameters: ResNet = {
    stem: unit(3, 64, 7),
    blocks: widths.map((to, i) => {
      const from = widths[i - 1] ?? 64
      const convolutions = { first: unit(from, to, 3), second: unit(to, to, 3) }
      return strideOf(i) === 2 ? { ...convolutions, shortcut: unit(from, to, 1) } : convolutions
    }),
    weight: normals([512, 10], 512),
    bias: new Tensor(new Float32Array(10), [10]),
  }
  return {
    parameters: parameters as unknown as Problem['parameters'],
    apply: resNet18 as unknown as Problem['apply'],
    loss: losses['cross-entropy']!,
    inputs: new Tensor(
      Float32Array.from({ length: samples * 3072 }, () => random.uniform()),
      [samples, 3, 32, 32],
    ),
    targets: new Tensor(Int32Array.from({ length: samples }, () => Math.floor(10 * random.uniform()))),
  }
}
