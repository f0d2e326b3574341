import type { Problem } from 'evolute/curvature'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { classification, normalTensor } from './networks.js'

/** A convolution, and the scale and shift of the normalisation behind it. */
interface Unit {
  readonly kernel: Tensor
  readonly scale: Tensor
  readonly shift: Tensor
}

/** Convolutions one after another beside an identity, or beside one more where the shape changes. */
interface Block {
  readonly units: readonly Unit[]
  readonly shortcut?: Unit
}

interface ResNet {
  readonly stem: Unit
  readonly blocks: readonly Block[]
  readonly weight: Tensor
  readonly bias: Tensor
}

interface Architecture {
  readonly samples: number
  /** Of square images of three colours. */
  readonly side: number
  readonly classes: number
  /** Blocks of each of the four stages. */
  readonly stages: readonly number[]
  /** Three convolutions with a bottleneck of a quarter of the width, instead of two. */
  readonly bottleneck: boolean
}

/** The sides of a block's kernels, and which of them steps over pixels. */
const kernels = { plain: { sides: [3, 3], strided: 0 }, bottleneck: { sides: [1, 3, 1], strided: 1 } }

/** ResNet (He et al. 2016) with normalisations at their initial statistics, as in inference. */
function resNet(strides: readonly number[], { stem, blocks, weight, bias }: ResNet, image: Tensor): Tensor {
  const unit = ({ kernel, scale, shift }: Unit, x: Tensor, stride: number) => {
    const padding = Math.floor(kernel.shape[2]! / 2)
    const perChannel = (v: Tensor) => np.reshape(v, [-1, 1, 1])
    const y = np.conv(x, kernel, { strides: stride, padding })
    return np.add(np.multiply(y, perChannel(scale)), perChannel(shift))
  }
  const start = np.maxPool(np.relu(unit(stem, image, 2)), 3, { strides: 2, padding: 1 })
  const features = blocks.reduce((x, { units, shortcut }, i) => {
    const { strided } = units.length === 2 ? kernels.plain : kernels.bottleneck
    const y = units.reduce(
      (y, one, j) => unit(one, j > 0 ? np.relu(y) : y, j === strided ? strides[i]! : 1),
      x,
    )
    return np.relu(np.add(y, shortcut ? unit(shortcut, x, strides[i]!) : x))
  }, start)
  return np.add(np.matmul(np.mean(features, { axis: [2, 3] }), weight), bias)
}

/** A ResNet with random parameters on random images. */
function residualNetwork({ samples, side, classes, stages, bottleneck }: Architecture): Problem {
  const random = new Random('residual network')
  const normals = (shape: readonly number[], inputs: number) =>
    normalTensor(random, shape, Math.sqrt(2 / inputs))
  const unit = (from: number, to: number, side: number): Unit => ({
    kernel: normals([to, from, side, side], from * side * side),
    scale: new Tensor(new Float32Array(to).fill(1), [to]),
    shift: new Tensor(new Float32Array(to), [to]),
  })
  const { sides } = bottleneck ? kernels.bottleneck : kernels.plain
  let from = 64
  const strides: number[] = []
  const blocks = stages.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i): Block => {
      const stride = stage > 0 && i === 0 ? 2 : 1
      const inner = 64 * 2 ** stage
      const to = bottleneck ? 4 * inner : inner
      const widths = [from, ...sides.map((_, j) => (j + 1 < sides.length ? inner : to))]
      const units = sides.map((side, j) => unit(widths[j]!, widths[j + 1]!, side))
      const changes = stride > 1 || from !== to
      const shortcut = changes ? { shortcut: unit(from, to, 1) } : {}
      strides.push(stride)
      from = to
      return { units, ...shortcut }
    }),
  )
  const parameters: ResNet = {
    stem: unit(3, 64, 7),
    blocks,
    weight: normals([from, classes], from),
    bias: new Tensor(new Float32Array(classes), [classes]),
  }
  const apply = (p: ResNet, x: Tensor) => resNet(strides, p, x)
  return classification(parameters, apply, [samples, 3, side, side], classes, random)
}

/** The network "CIFAR ResNet18" of curvlinops' benchmark, 11.2 million parameters. */
export const cifarResNet18 = (samples: number) =>
  residualNetwork({ samples, side: 32, classes: 10, stages: [2, 2, 2, 2], bottleneck: false })

/** The network "ImageNet ResNet50" of curvlinops' benchmark, 25.6 million parameters. */
export const imageNetResNet50 = (samples: number) =>
  residualNetwork({ samples, side: 224, classes: 1000, stages: [3, 4, 6, 3], bottleneck: true })
