import type { Random } from 'evolute/linalg'
import { Tensor } from 'evolute/tensor'

/** A network, its weights and one batch of data, for the derivatives of its loss at these weights. */
export interface Problem {
  /** A word, which peers know it by. */
  readonly name: string
  /** What it is, for the table. */
  readonly title: string
  /** The weights, in the order of the flat vector. */
  readonly weights: Readonly<Record<string, Tensor>>
  readonly inputs: Tensor
  /** Class numbers, int32. */
  readonly labels: Tensor
  /** The logits [..., classes] of a batch of inputs. */
  readonly model: (weights: Readonly<Record<string, Tensor>>, inputs: Tensor) => Tensor
}

/** float32 normals with the given standard deviation. */
export function normal(random: Random, shape: readonly number[], deviation: number): Tensor {
  const size = shape.reduce((product, n) => product * n, 1)
  return new Tensor(
    Float32Array.from({ length: size }, () => deviation * random.normal()),
    shape,
  )
}

/** int32 class numbers below `classes`. */
export function classNumbers(random: Random, shape: readonly number[], classes: number): Tensor {
  const size = shape.reduce((product, n) => product * n, 1)
  return new Tensor(
    Int32Array.from({ length: size }, () => Math.floor(classes * random.uniform())),
    shape,
  )
}

/** Weights of the given shapes: normals of deviation 1/sqrt(fan in); vectors are normals of deviation 0.1. */
export function initialize(
  random: Random,
  shapes: Readonly<Record<string, readonly number[]>>,
  fanIn: (shape: readonly number[]) => number,
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      normal(random, shape, shape.length === 1 ? 0.1 : 1 / Math.sqrt(fanIn(shape))),
    ]),
  )
}
