import { join } from 'node:path'
import { readArray } from 'evolute/io'
import { Tensor } from 'evolute/tensor'
import { type Digits, digits, pixels } from './digitNetwork.js'

/** Digits of 14 by 14 pixels to train on, and others to test on. */
export interface DigitData {
  readonly name: string
  readonly train: Digits
  readonly test: Digits
}

/** The first images of MNIST at half their resolution where EVOLUTE_DATA says where they lie, else rendered digits. */
export function digitData(train: number, test: number): DigitData {
  const folder = process.env.EVOLUTE_DATA
  if (!folder) return { name: 'rendered digits', ...digits(train, test) }
  const load = (files: string, count: number): Digits => ({
    images: halved(readArray(join(folder, 'mnist', `${files}-images-idx3-ubyte.gz`)), count),
    labels: new Tensor(
      Int32Array.from(
        readArray(join(folder, 'mnist', `${files}-labels-idx1-ubyte.gz`)).data.subarray(0, count),
      ),
    ),
  })
  return { name: 'MNIST at 14 by 14', train: load('train', train), test: load('t10k', test) }
}

/** Means of 2 by 2 pixels of the first `count` images, less the mean and over the deviation of all pixels. */
function halved({ data }: Tensor, count: number): Tensor {
  const means = Float64Array.from({ length: count * pixels }, (_, i) => {
    const [image, row, column] = [Math.floor(i / pixels), Math.floor((i % pixels) / 14), i % 14]
    const at = image * 784 + 56 * row + 2 * column
    return (data[at]! + data[at + 1]! + data[at + 28]! + data[at + 29]!) / 4
  })
  const mean = means.reduce((sum, x) => sum + x / means.length, 0)
  const deviation = Math.sqrt(means.reduce((sum, x) => sum + (x - mean) ** 2 / means.length, 0))
  return new Tensor(
    Float32Array.from(means, (x) => (x - mean) / deviation),
    [count, pixels],
  )
}

/** The examples whose label is below `classes`. */
export function ofClasses({ images, labels }: Digits, classes: number): Digits {
  const chosen = Array.from(labels.data.keys()).filter((i) => labels.data[i]! < classes)
  const width = images.shape[1]!
  const data = new Float32Array(chosen.length * width)
  chosen.forEach((from, i) => {
    data.set(images.data.subarray(from * width, (from + 1) * width), i * width)
  })
  return {
    images: new Tensor(data, [chosen.length, width]),
    labels: new Tensor(Int32Array.from(chosen, (i) => labels.data[i]!)),
  }
}
