import { symmetricPart } from '../../src/ops/linalg/matrix.js'
import { primitives } from '../../src/ops/table.js'
import { bind } from '../../src/program/builder.js'
import type { Params, Primitive } from '../../src/program/primitive.js'
import { allocate, type DType, isFloat } from '../../src/tensor/dtype.js'
import { type Shape, sizeOf } from '../../src/tensor/shape.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { uniform } from './random.js'

/** A sample call of a primitive at ordinary points: away from kinks and from edges of its domain. */
export interface Case {
  /** The primitive's name and the case's number: `add 0`. */
  readonly name: string
  readonly primitive: Primitive
  readonly params: Params
  /** Inputs of the same shapes for every seed. */
  readonly sample: (seed: number, dtype?: DType) => Tensor[]
  /** Positions of the inputs that derivatives are taken in. */
  readonly active: readonly number[]
  /** The primitive as a function of its inputs. */
  readonly call: (...inputs: Tensor[]) => Tensor
}

/** Random tensors of one float dtype. */
class Sampler {
  private readonly random: () => number
  readonly dtype: DType

  constructor(seed: number, dtype: DType) {
    this.random = uniform(seed)
    this.dtype = dtype
  }

  private fill(shape: Shape, dtype: DType, value: (i: number) => number): Tensor {
    const data = allocate(dtype, sizeOf(shape))
    for (let i = 0; i < data.length; i++) data[i] = value(i)
    return new Tensor(data, shape)
  }

  within(low: number, high: number, ...shape: number[]): Tensor {
    return this.fill(shape, this.dtype, () => low + (high - low) * this.random())
  }

  any(...shape: number[]): Tensor {
    return this.within(-1.5, 1.5, ...shape)
  }

  /** Values at least 0.1 from zero and from each other, in random order; `shift` keeps two such sets apart. */
  apart(shift: number, ...shape: number[]): Tensor {
    const order = this.permutation(sizeOf(shape))
    return this.fill(shape, this.dtype, (i) => ((order[i] as number) - order.length / 2) * 0.4 + 0.1 + shift)
  }

  /** Values at least 0.2 from every multiple of 1/2. */
  fractional(...shape: number[]): Tensor {
    return this.fill(
      shape,
      this.dtype,
      () => Math.floor(6 * this.random() - 3) / 2 + 0.2 + 0.1 * this.random(),
    )
  }

  integers(below: number, ...shape: number[]): Tensor {
    return this.fill(shape, 'int32', () => Math.floor(below * this.random()))
  }

  mask(...shape: number[]): Tensor {
    return this.fill(shape, 'bool', () => (this.random() < 0.5 ? 1 : 0))
  }

  /** Square matrices whose diagonal exceeds the rest of its row by 2 at least. */
  dominant(...shape: number[]): Tensor {
    const x = this.any(...shape)
    const n = shape.at(-1) as number
    x.data.forEach((_, i) => {
      if (Math.floor(i / n) % n === i % n) x.data[i] = (x.data[i] as number) + 1.5 * n + 2
    })
    return x
  }

  /** Matrices with 3, 6, 9, ... on the diagonal and little beside it. */
  graded(...shape: number[]): Tensor {
    const x = this.within(-0.4, 0.4, ...shape)
    const [rows, columns] = shape.slice(-2) as [number, number]
    x.data.forEach((_, i) => {
      const row = Math.floor(i / columns) % rows
      if (row === i % columns) x.data[i] = (x.data[i] as number) + 3 * (row + 1)
    })
    return x
  }

  /** Orders of n things. */
  orders(count: number, n: number): Tensor {
    const rows = Array.from({ length: count }, () => this.permutation(n)).flat()
    return new Tensor(Int32Array.from(rows), [count, n])
  }

  private permutation(n: number): number[] {
    const order = Array.from({ length: n }, (_, i) => i)
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor((i + 1) * this.random())
      ;[order[i], order[j]] = [order[j] as number, order[i] as number]
    }
    return order
  }
}

interface Row {
  readonly inputs: (s: Sampler) => Tensor[]
  readonly params?: Params
  /** Default: every float input. */
  readonly active?: readonly number[]
  /** The output that derivatives are taken of. Default: the first. */
  readonly output?: number
  /** Inputs are symmetric matrices: those of the row are replaced by their symmetric parts. */
  readonly symmetric?: boolean
}

const unary = (low: number, high: number): Row[] => [
  { inputs: (s) => [s.within(low, high, 5)] },
  { inputs: (s) => [s.within(low, high, 0, 2)] },
]

const pair = (inputs: (s: Sampler, first: number[], second: number[]) => Tensor[]): Row[] =>
  [
    [
      [2, 3],
      [2, 3],
    ],
    [
      [2, 1, 3],
      [4, 1],
    ],
    [[], [3]],
    [
      [0, 2],
      [1, 2],
    ],
  ].map(([first, second]) => ({ inputs: (s) => inputs(s, first as number[], second as number[]) }))

const anyPair = pair((s, first, second) => [s.any(...first), s.any(...second)])
const apartPair = pair((s, first, second) => [s.apart(0, ...first), s.apart(0.17, ...second)])
const maskPair = pair((s, first, second) => [s.mask(...first), s.mask(...second)])

const of = (params: Params, inputs: Row['inputs']): Row => ({ params, inputs })

const plain = { strides: [1], padding: [[0, 0]], dilation: [1] }
const uneven = { strides: [2], padding: [[1, 2]], dilation: [2] }
const planar = {
  strides: [2, 1],
  padding: [
    [1, 0],
    [0, 1],
  ],
  dilation: [1, 2],
}

const rows: Readonly<Record<string, readonly Row[]>> = {
  add: anyPair,
  sub: anyPair,
  mul: anyPair,
  div: pair((s, first, second) => [s.any(...first), s.within(0.6, 2, ...second)]),
  neg: unary(-2, 2),
  stopGradient: unary(-2, 2),
  select: [
    { inputs: (s) => [s.mask(2, 3), s.any(2, 3), s.any(2, 3)] },
    { inputs: (s) => [s.mask(3), s.any(2, 1), s.any()] },
    { inputs: (s) => [s.mask(), s.any(2), s.any(2)] },
    { inputs: (s) => [s.mask(2, 1), s.any(0), s.any(2, 1)] },
  ],
  cast: [of({ dtype: 'float64' }, (s) => [s.any(2, 3)]), of({ dtype: 'int32' }, (s) => [s.fractional(4)])],
  equal: apartPair,
  less: apartPair,
  lessEqual: apartPair,
  and: maskPair,
  or: maskPair,
  not: [{ inputs: (s) => [s.mask(5)] }],
  floor: [{ inputs: (s) => [s.fractional(5)] }],
  ceil: [{ inputs: (s) => [s.fractional(5)] }],
  round: [{ inputs: (s) => [s.fractional(5)] }],
  sign: [{ inputs: (s) => [s.apart(0, 5)] }],
  abs: [{ inputs: (s) => [s.apart(0, 5)] }],
  relu: [{ inputs: (s) => [s.apart(0, 5)] }],
  maximum: apartPair,
  minimum: apartPair,
  exp: unary(-2, 2),
  expm1: unary(-2, 2),
  log: unary(0.5, 3),
  log1p: unary(-0.5, 2),
  sqrt: unary(0.5, 3),
  tanh: unary(-2, 2),
  logistic: unary(-3, 3),
  softplus: unary(-3, 3),
  pow: [
    ...pair((s, first, second) => [s.within(0.5, 2, ...first), s.within(-2, 3, ...second)]),
    { inputs: (s) => [s.within(-2, -0.5, 4), new Tensor(s.any(4).data.fill(3))], active: [0] },
  ],
  integerPow: [3, 4, 7].map((exponent) => of({ exponent }, (s) => [s.any(4)])),
  sin: unary(-3, 3),
  cos: unary(-3, 3),
  tan: unary(-1, 1),
  asin: unary(-0.8, 0.8),
  acos: unary(-0.8, 0.8),
  atan: unary(-3, 3),
  sinh: unary(-2, 2),
  cosh: unary(-2, 2),
  asinh: unary(-3, 3),
  acosh: unary(1.5, 3),
  atanh: unary(-0.7, 0.7),
  erf: unary(-2, 2),
  erfc: unary(-2, 2),
  atan2: pair((s, first, second) => [s.within(0.3, 2, ...first), s.any(...second)]),
  remainder: [
    { inputs: (s) => [s.within(2.3, 2.7, 2, 3), s.within(0.98, 1.02, 3)] },
    { inputs: (s) => [s.within(-1.7, -1.3, 3), s.within(0.98, 1.02)] },
  ],
  reshape: [
    of({ shape: [3, 2] }, (s) => [s.any(2, 3)]),
    of({ shape: [1] }, (s) => [s.any()]),
    of({ shape: [0, 5] }, (s) => [s.any(2, 0)]),
  ],
  transpose: [
    of({ permutation: [2, 0, 1] }, (s) => [s.any(2, 3, 4)]),
    of({ permutation: [1, 0] }, (s) => [s.any(0, 3)]),
  ],
  broadcast: [
    of({ shape: [2, 3, 4] }, (s) => [s.any(3, 1)]),
    of({ shape: [2] }, (s) => [s.any()]),
    of({ shape: [2, 0] }, (s) => [s.any(2, 1)]),
  ],
  reduceSum: [
    of({ axes: [0, 2] }, (s) => [s.any(2, 3, 4)]),
    of({ axes: [1] }, (s) => [s.any(2, 1)]),
    of({ axes: [0] }, (s) => [s.any(0, 2)]),
  ],
  slice: [
    of({ start: [1, 0], limit: [4, 5], stride: [1, 2] }, (s) => [s.any(5, 6)]),
    of({ start: [0, 2], limit: [2, 2], stride: [1, 3] }, (s) => [s.any(2, 4)]),
    of({ start: [1], limit: [6], stride: [3] }, (s) => [s.any(7)]),
  ],
  pad: [
    of({ low: [1, 0], high: [0, 2], interior: [2, 1] }, (s) => [s.any(2, 3)]),
    of({ low: [2], high: [1], interior: [3] }, (s) => [s.any(0)]),
    of({ low: [0], high: [0], interior: [1] }, (s) => [s.any(1)]),
  ],
  concatenate: [
    of({ axis: 1 }, (s) => [s.any(2, 1), s.any(2, 3), s.any(2, 0)]),
    of({ axis: 0 }, (s) => [s.any(2), s.any(3)]),
  ],
  reverse: [of({ axes: [0, 2] }, (s) => [s.any(2, 3, 4)]), of({ axes: [0] }, (s) => [s.any(0, 2)])],
  gather: [
    of({ axis: 1, batchDims: 0 }, (s) => [s.any(2, 4, 3), s.integers(4, 2, 3)]),
    of({ axis: 0, batchDims: 0 }, (s) => [s.any(4), s.integers(4)]),
    of({ axis: 1, batchDims: 1 }, (s) => [s.any(2, 4), s.integers(4, 2, 5)]),
    of({ axis: 2, batchDims: 1 }, (s) => [s.any(2, 3, 4, 2), s.integers(4, 2)]),
    of({ axis: 0, batchDims: 0 }, (s) => [s.any(4, 2), s.integers(4, 0)]),
  ],
  scatterAdd: [
    of({ axis: 1, batchDims: 0, shape: [2, 4, 3] }, (s) => [s.any(2, 6, 3), s.integers(4, 6)]),
    of({ axis: 0, batchDims: 0, shape: [4] }, (s) => [s.any(), s.integers(4)]),
    of({ axis: 1, batchDims: 1, shape: [2, 4] }, (s) => [s.any(2, 5), s.integers(4, 2, 5)]),
    of({ axis: 0, batchDims: 0, shape: [3, 2] }, (s) => [s.any(0, 2), s.integers(3, 0)]),
  ],
  reduceMax: [
    of({ axes: [1] }, (s) => [s.apart(0, 2, 4)]),
    of({ axes: [0, 2] }, (s) => [s.apart(0, 2, 3, 2)]),
    of({ axes: [1] }, (s) => [s.any(0, 2)]),
  ],
  reduceMin: [of({ axes: [0, 1] }, (s) => [s.apart(0, 2, 4)]), of({ axes: [0] }, (s) => [s.apart(0, 5)])],
  argMax: [of({ axis: 1 }, (s) => [s.apart(0, 2, 4, 2)])],
  cumulativeSum: [
    of({ axis: 1, reverse: false }, (s) => [s.any(2, 4, 2)]),
    of({ axis: 0, reverse: true }, (s) => [s.any(5)]),
    of({ axis: 0, reverse: false }, (s) => [s.any(0, 2)]),
  ],
  argTopK: [
    of({ k: 2, largest: true }, (s) => [s.apart(0, 2, 4)]),
    of({ k: 3, largest: false }, (s) => [s.apart(0, 5)]),
    of({ k: 0, largest: true }, (s) => [s.apart(0, 5)]),
  ],
  patches: [
    of({ ...plain, window: [3] }, (s) => [s.any(2, 5)]),
    of({ ...uneven, window: [2] }, (s) => [s.any(6)]),
    of({ ...planar, window: [2, 2] }, (s) => [s.any(1, 4, 5)]),
  ],
  unpatches: [
    of({ ...plain, window: [3], spatial: [5] }, (s) => [s.any(2, 3, 3)]),
    of({ ...uneven, window: [2], spatial: [6] }, (s) => [s.any(2, 4)]),
    of({ ...planar, window: [2, 2], spatial: [4, 5] }, (s) => [s.any(1, 4, 2, 4)]),
  ],
  windowSum: [
    of({ ...plain, window: [3] }, (s) => [s.any(2, 5)]),
    of({ ...uneven, window: [2] }, (s) => [s.any(6)]),
    of({ ...planar, window: [2, 2] }, (s) => [s.any(1, 4, 5)]),
    of({ ...plain, strides: [2], window: [2] }, (s) => [s.any(2, 5)]),
  ],
  windowSpread: [
    of({ ...plain, window: [3], spatial: [5] }, (s) => [s.any(2, 3)]),
    of({ ...uneven, window: [2], spatial: [6] }, (s) => [s.any(4)]),
    of({ ...planar, window: [2, 2], spatial: [4, 5] }, (s) => [s.any(1, 2, 4)]),
    of({ ...plain, strides: [2], window: [2], spatial: [5] }, (s) => [s.any(2, 2)]),
  ],
  maxPool: [
    of({ strides: [2], padding: [[0, 1]], dilation: [1], window: [2] }, (s) => [s.apart(0, 2, 5)]),
    of({ ...plain, window: [2] }, (s) => [s.apart(0, 2, 5)]),
    of({ strides: [2], padding: [[1, 1]], dilation: [2], window: [2] }, (s) => [s.apart(0, 6)]),
    of({ ...planar, window: [2, 2] }, (s) => [s.apart(0, 1, 4, 5)]),
  ],
  dot: [
    of({ contract: [[1], [0]], batch: [[], []] }, (s) => [s.any(2, 3), s.any(3, 2)]),
    of({ contract: [[0], [0]], batch: [[], []] }, (s) => [s.any(3), s.any(3)]),
    of({ contract: [[], []], batch: [[], []] }, (s) => [s.any(2), s.any(3)]),
    of(
      {
        contract: [
          [3, 1],
          [0, 2],
        ],
        batch: [[2], [3]],
      },
      (s) => [s.any(2, 3, 2, 4), s.any(4, 2, 3, 2)],
    ),
    of({ contract: [[1], [0]], batch: [[], []] }, (s) => [s.any(2, 0), s.any(0, 2)]),
  ],
  convolution: [
    of({ ...plain, groups: 1, spatial: [5], window: [3] }, (s) => [s.any(2, 2, 5), s.any(3, 2, 3)]),
    of({ ...uneven, groups: 2, spatial: [6], window: [2] }, (s) => [s.any(1, 4, 6), s.any(2, 2, 2)]),
    of({ ...planar, groups: 1, spatial: [4, 5], window: [2, 2] }, (s) => [
      s.any(1, 2, 4, 5),
      s.any(2, 2, 2, 2),
    ]),
    of({ ...plain, groups: 3, spatial: [3], window: [1] }, (s) => [s.any(0, 3, 3), s.any(6, 1, 1)]),
  ],
  convolutionImage: [
    of({ ...plain, groups: 1, spatial: [5], window: [3] }, (s) => [s.any(2, 3, 3), s.any(3, 2, 3)]),
    of({ ...uneven, groups: 2, spatial: [6], window: [2] }, (s) => [s.any(1, 2, 4), s.any(2, 2, 2)]),
    of({ ...planar, groups: 1, spatial: [4, 5], window: [2, 2] }, (s) => [
      s.any(1, 2, 2, 4),
      s.any(2, 2, 2, 2),
    ]),
  ],
  convolutionKernel: [
    of({ ...plain, groups: 1, spatial: [5], window: [3] }, (s) => [s.any(2, 2, 5), s.any(2, 3, 3)]),
    of({ ...uneven, groups: 2, spatial: [6], window: [2] }, (s) => [s.any(1, 4, 6), s.any(1, 2, 4)]),
    of({ ...planar, groups: 1, spatial: [4, 5], window: [2, 2] }, (s) => [
      s.any(1, 2, 4, 5),
      s.any(1, 2, 2, 4),
    ]),
  ],
  cholesky: [
    { inputs: (s) => [s.dominant(3, 3)] },
    { inputs: (s) => [s.dominant(2, 2, 2)] },
    { inputs: (s) => [s.dominant(0, 2, 2)] },
  ],
  triangularSolve: [
    of({ lower: true, transpose: false, unit: false }, (s) => [s.dominant(3, 3), s.any(3, 2)]),
    of({ lower: false, transpose: true, unit: false }, (s) => [s.dominant(2, 2, 2), s.any(2, 2, 1)]),
    of({ lower: true, transpose: true, unit: true }, (s) => [s.any(3, 3), s.any(3, 2)]),
    of({ lower: false, transpose: false, unit: false }, (s) => [s.dominant(0, 0), s.any(0, 2)]),
  ],
  lu: [
    { inputs: (s) => [s.dominant(3, 3)] },
    { inputs: (s) => [s.dominant(2, 2, 2)] },
    { output: 1, inputs: (s) => [s.dominant(2, 3, 3)] },
  ],
  solve: [false, true].map((transpose) => ({
    params: { transpose },
    // Factors of another matrix: only linearity in the right-hand side can be tried with inputs of any kind.
    inputs: (s: Sampler) => [s.any(1, 3, 3), s.dominant(1, 3, 3), s.orders(1, 3), s.any(1, 3, 2)],
    active: [3],
  })),
  slogdet: [
    { output: 1, inputs: (s) => [s.dominant(3, 3)] },
    { output: 1, inputs: (s) => [s.dominant(2, 2, 2)] },
    { output: 0, inputs: (s) => [s.dominant(2, 2)] },
  ],
  qr: [
    { inputs: (s) => [s.dominant(2, 2)] },
    { inputs: (s) => [s.graded(2, 4, 2)] },
    { output: 1, inputs: (s) => [s.graded(3, 2)] },
    { inputs: (s) => [s.any(0, 3, 2)] },
  ],
  eigh: [
    { output: 0, symmetric: true, inputs: (s) => [s.graded(3, 3)] },
    { output: 1, symmetric: true, inputs: (s) => [s.graded(2, 2, 2)] },
    { output: 1, symmetric: true, inputs: (s) => [s.any(2, 0, 0)] },
  ],
  svd: [
    { output: 0, inputs: (s) => [s.graded(3, 3)] },
    { output: 1, inputs: (s) => [s.graded(4, 2)] },
    { output: 2, inputs: (s) => [s.graded(2, 3, 2)] },
  ],
  expm: [
    { inputs: (s) => [s.any(3, 3)] },
    { inputs: (s) => [s.any(2, 2, 2), s.any(2, 2, 2)] },
    { inputs: (s) => [s.any(0, 0)] },
  ],
  sqrtm: [{ inputs: (s) => [s.dominant(3, 3)] }, { inputs: (s) => [s.dominant(1, 2, 2), s.any(1, 2, 2)] }],
  fft: [
    of({ inverse: false }, (s) => [s.any(4, 2)]),
    of({ inverse: true }, (s) => [s.any(2, 3, 2)]),
    of({ inverse: false }, (s) => [s.any(0, 2)]),
  ],
}

/** The cases of every primitive; of one that has none, nothing. */
export const cases: readonly Case[] = primitives.flatMap((primitive) =>
  (rows[primitive.name] ?? []).map(({ inputs, params = {}, active, output = 0, symmetric }, i): Case => {
    const part = (xs: readonly Tensor[]) => xs.map((x) => (symmetric ? (symmetricPart(x) as Tensor) : x))
    const sample = (seed: number, dtype: DType = 'float64') => part(inputs(new Sampler(seed, dtype)))
    const floats = sample(0).flatMap(({ dtype }, k) => (isFloat(dtype) ? [k] : []))
    const call = (...xs: Tensor[]) => bind(primitive, part(xs), params)[output] as Tensor
    return { name: `${primitive.name} ${i}`, primitive, params, sample, active: active ?? floats, call }
  }),
)

export const caseNames: readonly string[] = Object.keys(rows)
