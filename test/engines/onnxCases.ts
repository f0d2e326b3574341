import type { Params, Primitive } from '../../src/program/primitive.js'
import { allocate, type DType, isFloat } from '../../src/tensor/dtype.js'
import { type Shape, sizeOf } from '../../src/tensor/shape.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import { uniform } from '../helpers/random.js'

/** One call of a primitive. */
export interface Call {
  readonly inputs: readonly Tensor[]
  readonly params: Params
}

const magnitudes = [0, 1e-8, 0.1, 0.5, 1, 1.5, 2, 2.5, 3, 5, 10, 17.5, 21, 40, 90, 1000, 123456.7, 1e10, 1e30]
const tiny = { float32: 1e-36, float64: 1e-300 }
const huge = { float32: 3e38, float64: 1e300 }

/** Zeros of both signs, ties, halves, tiny and huge numbers, infinities and NaN. */
export function numbersOf(dtype: DType): Tensor {
  if (dtype === 'bool') return tensor([false, true])
  if (dtype === 'int32') return tensor([0, 1, -1, 2, 3, -3, 7, 100, -12345], { dtype })
  const finite = [...magnitudes, tiny[dtype as 'float32'], huge[dtype as 'float32']]
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  return tensor([...finite, ...finite.map((x) => -x), ...special], { dtype })
}

/**
 * Numbers of both signs, some of them equal. No NaN: ReduceMax, ReduceMin, MaxPool and TopK of ONNX Runtime overlook it,
 * where `evaluate` says NaN.
 */
export function randomTensor(shape: Shape, dtype: DType, seed = 1): Tensor {
  const random = uniform(seed)
  const data = allocate(dtype, sizeOf(shape))
  for (let i = 0; i < data.length; i++)
    data[i] =
      dtype === 'bool'
        ? Math.round(random())
        : Math.round(16 * (random() - 0.5)) / (dtype === 'int32' ? 1 : 3)
  return new Tensor(data, shape)
}

const int32 = (values: number[], shape: Shape = [values.length]) => tensor(values, { dtype: 'int32', shape })

type Rows = (dtype: DType) => [readonly (Shape | Tensor)[], Params?][]

const window1 = { strides: [2], padding: [[1, 2]], dilation: [2] }
const window2 = {
  strides: [2, 1],
  padding: [
    [1, 0],
    [0, 2],
  ],
  dilation: [1, 2],
}
const plain2 = {
  strides: [1, 1],
  padding: [
    [1, 1],
    [1, 1],
  ],
  dilation: [1, 1],
}
const even2 = {
  strides: [2, 2],
  padding: [
    [0, 0],
    [0, 0],
  ],
  dilation: [1, 1],
}

/** Calls of the primitives that are not elementwise: shapes are filled with random numbers of the dtype. */
const structural: Readonly<Record<string, Rows>> = {
  cast: (dtype) =>
    (['float64', 'float32', 'int32', 'bool'] as const)
      .filter((to) => to !== dtype)
      .flatMap((to) => [
        [[[2, 3]], { dtype: to }],
        [[[]], { dtype: to }],
      ]),
  integerPow: (dtype) =>
    [3, 4, 7].map((exponent) => [[dtype === 'int32' ? [4] : numbersOf(dtype)], { exponent }]),
  reshape: () => [
    [[[2, 3]], { shape: [3, 2] }],
    [[[]], { shape: [1, 1] }],
    [[[0, 3]], { shape: [3, 0] }],
    [[[1, 4]], { shape: [4] }],
  ],
  transpose: () => [
    [[[2, 3, 4]], { permutation: [2, 0, 1] }],
    [[[2, 0]], { permutation: [1, 0] }],
    [[[]], { permutation: [] }],
  ],
  broadcast: () => [
    [[[3]], { shape: [2, 3] }],
    [[[2, 1]], { shape: [4, 2, 5] }],
    [[[]], { shape: [2, 2] }],
    [[[1]], { shape: [0] }],
  ],
  reduceSum: () => [
    [[[2, 3, 4]], { axes: [0, 2] }],
    [[[3]], { axes: [0] }],
    [[[2, 0]], { axes: [1] }],
    [[[2, 3]], { axes: [] }],
    [[[0, 2]], { axes: [1] }],
  ],
  reduceMax: extreme,
  reduceMin: extreme,
  argMax: () => [
    [[[4, 5]], { axis: 1 }],
    [[[4, 5]], { axis: 0 }],
    [[[2, 3, 2]], { axis: 1 }],
  ],
  cumulativeSum: () => [
    [[[4, 5]], { axis: 1, reverse: false }],
    [[[4, 5]], { axis: 0, reverse: true }],
    [[[0]], { axis: 0, reverse: true }],
  ],
  argTopK: () => [
    [[[3, 9]], { k: 4, largest: true }],
    [[[3, 9]], { k: 9, largest: false }],
    [[[2, 3]], { k: 0, largest: true }],
  ],
  slice: () => [
    [[[5, 6]], { start: [1, 0], limit: [4, 6], stride: [1, 2] }],
    [[[5]], { start: [2], limit: [2], stride: [1] }],
    [[[]], { start: [], limit: [], stride: [] }],
  ],
  pad: () => [
    [[[2, 3]], { low: [1, 0], high: [0, 2], interior: [0, 0] }],
    [[[2, 3]], { low: [1, 0], high: [0, 2], interior: [2, 1] }],
    [[[0, 3]], { low: [1, 0], high: [1, 0], interior: [1, 0] }],
    [[[4]], { low: [0], high: [0], interior: [3] }],
    [[[]], { low: [], high: [], interior: [] }],
  ],
  concatenate: () => [
    [
      [
        [2, 3],
        [2, 1],
      ],
      { axis: 1 },
    ],
    [
      [
        [0, 3],
        [2, 3],
        [1, 3],
      ],
      { axis: 0 },
    ],
    [
      [
        [2, 0],
        [2, 0],
      ],
      { axis: 1 },
    ],
  ],
  reverse: () => [
    [[[3, 4]], { axes: [0, 1] }],
    [[[3, 4]], { axes: [1] }],
    [[[0]], { axes: [0] }],
  ],
  gather: () => [
    [[[4, 3], int32([2, 0, 2, 3, 1, 1], [3, 2])], { axis: 0, batchDims: 0 }],
    [[[2, 4], int32([3])], { axis: 1, batchDims: 0 }],
    [[[2, 5, 3], int32([4, 0, 1, 1], [2, 2])], { axis: 1, batchDims: 1 }],
    [[[2, 3, 4, 2], int32([1, 3, 0, 0, 2, 1], [2, 3])], { axis: 2, batchDims: 1 }],
    [[[4, 3], int32([], [0])], { axis: 0, batchDims: 0 }],
    [[[4], int32([2], [])], { axis: 0, batchDims: 0 }],
  ],
  scatterAdd: () => [
    [[[3, 3], int32([2, 0, 2])], { axis: 0, batchDims: 0, shape: [4, 3] }],
    [[[2, 4], int32([1, 1, 0, 2])], { axis: 1, batchDims: 0, shape: [2, 3] }],
    [[[2, 2, 3], int32([4, 0, 1, 1], [2, 2])], { axis: 1, batchDims: 1, shape: [2, 5, 3] }],
    [[[2, 3, 3, 2], int32([1, 3, 0, 0, 2, 1], [2, 3])], { axis: 2, batchDims: 1, shape: [2, 3, 4, 2] }],
    [[[0, 3], int32([], [0])], { axis: 0, batchDims: 0, shape: [2, 3] }],
    [[[], int32([2], [])], { axis: 0, batchDims: 0, shape: [4] }],
  ],
  patches: () => [
    [[[2, 3, 9]], { window: [3], ...window1 }],
    [[[2, 7, 6]], { window: [2, 3], ...window2 }],
    [[[4, 4]], { window: [2, 2], ...even2 }],
    [[[3, 4, 4]], { window: [1, 1], ...plain2 }],
  ],
  unpatches: () => [
    [[[2, 3, 3, 4]], { window: [3], spatial: [9], ...window1 }],
    [[[2, 6, 4, 4]], { window: [2, 3], spatial: [7, 6], ...window2 }],
    [[[4, 2, 2]], { window: [2, 2], spatial: [5, 4], ...even2 }],
    [[[3, 1, 6, 6]], { window: [1, 1], spatial: [4, 4], ...plain2 }],
  ],
  windowSum: () => [
    [[[2, 3, 9]], { window: [3], ...window1 }],
    [[[2, 7, 6]], { window: [2, 3], ...window2 }],
    [[[4, 4]], { window: [2, 2], ...even2 }],
  ],
  windowSpread: () => [
    [[[2, 3, 4]], { window: [3], spatial: [9], ...window1 }],
    [[[2, 4, 4]], { window: [2, 3], spatial: [7, 6], ...window2 }],
    [[[4, 2, 2]], { window: [2, 2], spatial: [5, 4], ...even2 }],
  ],
  maxPool: () => [
    [[[2, 3, 9]], { window: [3], strides: [2], padding: [[1, 1]], dilation: [2] }],
    [
      [[2, 4, 6]],
      {
        window: [2, 3],
        strides: [1, 2],
        padding: [
          [1, 0],
          [1, 1],
        ],
        dilation: [1, 1],
      },
    ],
    [[[4, 4]], { window: [2, 2], ...even2 }],
  ],
  dot: () => [
    [
      [
        [3, 4],
        [4, 2],
      ],
      { contract: [[1], [0]], batch: [[], []] },
    ],
    [
      [
        [4, 3],
        [2, 4],
      ],
      { contract: [[0], [1]], batch: [[], []] },
    ],
    [[[3], [3]], { contract: [[0], [0]], batch: [[], []] }],
    [[[3], [2]], { contract: [[], []], batch: [[], []] }],
    [[[], [2]], { contract: [[], []], batch: [[], []] }],
    [
      [
        [3, 0],
        [0, 2],
      ],
      { contract: [[1], [0]], batch: [[], []] },
    ],
    [
      [
        [2, 3, 4],
        [2, 4, 5],
      ],
      { contract: [[2], [1]], batch: [[0], [0]] },
    ],
    [
      [
        [3, 2, 4],
        [4, 5, 2],
      ],
      { contract: [[2], [0]], batch: [[1], [2]] },
    ],
    [
      [
        [2, 3, 4, 5],
        [5, 4, 3],
      ],
      {
        contract: [
          [3, 1],
          [0, 2],
        ],
        batch: [[], []],
      },
    ],
    [
      [
        [2, 3],
        [2, 3],
      ],
      { contract: [[1], [1]], batch: [[0], [0]] },
    ],
  ],
  convolution: () => convolutions(['image', 'kernel']),
  convolutionImage: () => convolutions(['result', 'kernel']),
  convolutionKernel: () => convolutions(['image', 'result']),
}

function extreme(): ReturnType<Rows> {
  return [
    [[[2, 3, 4]], { axes: [0, 2] }],
    [[[3]], { axes: [0] }],
    [[[2, 3]], { axes: [1] }],
  ]
}

type Role = 'image' | 'kernel' | 'result'

function convolutions(roles: readonly Role[]): ReturnType<Rows> {
  const forms = [
    { image: [2, 3, 9], kernel: [4, 3, 3], result: [2, 4, 4], groups: 1, ...window1 },
    { image: [2, 4, 9], kernel: [6, 2, 3], result: [2, 6, 4], groups: 2, ...window1 },
    { image: [2, 3, 7, 6], kernel: [4, 3, 2, 3], result: [2, 4, 4, 4], groups: 1, ...window2 },
    { image: [1, 2, 5, 5], kernel: [3, 2, 3, 3], result: [1, 3, 5, 5], groups: 1, ...plain2 },
    { image: [2, 4, 5, 4], kernel: [4, 1, 2, 2], result: [2, 4, 2, 2], groups: 4, ...even2 },
    { image: [2, 3, 4, 4], kernel: [2, 3, 1, 1], result: [2, 2, 6, 6], groups: 1, ...plain2 },
  ]
  return forms.map(({ image, kernel, result, ...window }) => {
    const shapes = { image, kernel, result }
    return [
      roles.map((role) => shapes[role]),
      { ...window, spatial: image.slice(2), window: kernel.slice(2) },
    ]
  })
}

/** Calls of a primitive on inputs of `dtype`; for several operands of an elementwise one, all pairs of numbers. */
export function callsOf(primitive: Primitive, dtype: DType): Call[] {
  const rows = structural[primitive.name]
  if (rows)
    return rows(dtype).map(([inputs, params = {}]) => ({
      inputs: inputs.map((x, i) => (x instanceof Tensor ? x : randomTensor(x, dtype, i + 1))),
      params,
    }))
  if (!primitive.scalar) throw new Error(`onnxCases: no calls for ${primitive.name}; add a row`)
  let x = numbersOf(dtype)
  const column = new Tensor(x.data, [x.size, 1])
  if (primitive.name === 'select')
    return [{ inputs: [tensor([true, false], { shape: [2, 1, 1] }), column, x], params: {} }]
  if (!binary.has(primitive.name))
    return [x, new Tensor(x.data.slice(1, 2), []), new Tensor(allocate(dtype, 0), [0, 2])].map((x) => ({
      inputs: [x],
      params: {},
    }))
  // ONNX Runtime refuses to divide an integer by zero, see onnx.test.ts.
  if (dtype === 'int32' && ['div', 'remainder'].includes(primitive.name))
    x = tensor(x.data.filter((n) => n !== 0))
  return [
    { inputs: [column, x], params: {} },
    { inputs: [randomTensor([2, 3], dtype), new Tensor(x.data.slice(-1), [])], params: {} },
    { inputs: [randomTensor([0, 3], dtype), randomTensor([1], dtype)], params: {} },
  ]
}

const binary = new Set([
  'add',
  'sub',
  'mul',
  'div',
  'equal',
  'less',
  'lessEqual',
  'and',
  'or',
  'maximum',
  'minimum',
  'pow',
  'atan2',
  'remainder',
])

/** Sums and orders of bools have no meaning of their own; these operations accept them, ONNX does not. */
const notForBool = new Set(['scatterAdd', 'argMax', 'argTopK', 'unpatches'])

/** Whether the primitive is meant for inputs of `dtype`. */
export function accepts(primitive: Primitive, dtype: DType): boolean {
  if (dtype === 'bool' && notForBool.has(primitive.name)) return false
  if (!isFloat(dtype) && primitive.name === 'maxPool') return false
  try {
    for (const { inputs, params } of callsOf(primitive, dtype)) primitive.infer(inputs, params)
    return true
  } catch (error) {
    if (/expected/.test(String(error))) return false
    throw error
  }
}
