import type { AttributeValue } from '../../src/onnx/file/write.js'

/** A setting that is an input: integers are int64, `f(...)` float32. */
export type Setting =
  | number[]
  | { readonly float32: number[] }
  | { readonly scalar: number }
  | { readonly int32: number[][] }
const f = (...float32: number[]): Setting => ({ float32 })
const int32 = (...rows: number[][]): Setting => ({ int32: rows })
const scalar = (value: number): Setting => ({ scalar: value })
const i = (int: number): AttributeValue => ({ int })
const ints = (...values: number[]): AttributeValue => ({ ints: values })
const floats = (...values: number[]): AttributeValue => ({ floats: values })
const float = (value: number): AttributeValue => ({ float: value })
const text = (string: string): AttributeValue => ({ string })

export interface Form {
  readonly op: string
  readonly domain?: string
  /** Operator sets in which it has this form; the model is tried in each. */
  readonly opsets: readonly number[]
  /** Shapes of float inputs. */
  readonly shapes: readonly (readonly number[])[]
  /** Inputs after those; null leaves one out. */
  readonly settings?: readonly (Setting | null)[]
  readonly attributes?: Readonly<Record<string, AttributeValue>>
  readonly outputs?: number
}

/** Operations whose meaning or form differs between operator sets: older sets are hardly covered by ONNX's own cases. */
export const forms: readonly Form[] = [
  { op: 'Softmax', opsets: [7, 11, 12], shapes: [[2, 3, 4]] },
  { op: 'Softmax', opsets: [7, 11], shapes: [[2, 3, 4]], attributes: { axis: i(2) } },
  { op: 'Softmax', opsets: [13, 21], shapes: [[2, 3, 4]] },
  { op: 'Softmax', opsets: [13], shapes: [[2, 3, 4]], attributes: { axis: i(1) } },
  { op: 'LogSoftmax', opsets: [7, 11, 13], shapes: [[2, 3, 4]] },
  { op: 'Hardmax', opsets: [7, 11, 13], shapes: [[2, 3, 4]] },
  { op: 'Clip', opsets: [7, 10], shapes: [[4, 3]], attributes: { min: float(-0.3), max: float(0.4) } },
  { op: 'Clip', opsets: [7], shapes: [[4, 3]], attributes: { max: float(0.4) } },
  { op: 'Clip', opsets: [11, 13], shapes: [[4, 3]], settings: [scalar(-0.3), scalar(0.4)] },
  { op: 'Clip', opsets: [12], shapes: [[4, 3]], settings: [null, scalar(0.4)] },
  {
    op: 'Slice',
    opsets: [7, 9],
    shapes: [[5, 6]],
    attributes: { starts: ints(1, -4), ends: ints(4, 100), axes: ints(0, 1) },
  },
  { op: 'Slice', opsets: [7], shapes: [[5, 6]], attributes: { starts: ints(1), ends: ints(-1) } },
  {
    op: 'Slice',
    opsets: [10, 13],
    shapes: [[5, 6]],
    settings: [
      [4, -1],
      [0, -100],
      [0, 1],
      [-2, -1],
    ],
  },
  { op: 'Pad', opsets: [7, 10], shapes: [[2, 3]], attributes: { pads: ints(0, 1, 2, 0), value: float(0.5) } },
  { op: 'Pad', opsets: [7], shapes: [[4, 3]], attributes: { pads: ints(1, 2, 0, 1), mode: text('reflect') } },
  { op: 'Pad', opsets: [11, 13, 18], shapes: [[2, 3]], settings: [[0, 1, 2, 0], scalar(0.5)] },
  {
    op: 'Pad',
    opsets: [11, 18],
    shapes: [[4, 3]],
    settings: [[1, -1, 0, 1]],
    attributes: { mode: text('edge') },
  },
  {
    op: 'Pad',
    opsets: [19],
    shapes: [[4, 3]],
    settings: [[2, 1], null, [-1]],
    attributes: { mode: text('wrap') },
  },
  { op: 'Dropout', opsets: [7, 9], shapes: [[2, 3]], attributes: { ratio: float(0.3) } },
  { op: 'Dropout', opsets: [12, 13], shapes: [[2, 3]], settings: [scalar(0.3)] },
  { op: 'Squeeze', opsets: [7, 11], shapes: [[1, 3, 1]], attributes: { axes: ints(-1) } },
  { op: 'Squeeze', opsets: [13], shapes: [[1, 3, 1]], settings: [[0]] },
  { op: 'Squeeze', opsets: [7, 13], shapes: [[1, 3, 1]] },
  { op: 'Unsqueeze', opsets: [7, 11], shapes: [[2, 3]], attributes: { axes: ints(0, 3) } },
  { op: 'Unsqueeze', opsets: [13], shapes: [[2, 3]], settings: [[-1, 0]] },
  ...['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceL2', 'ReduceLogSumExp'].flatMap((op): Form[] => [
    { op, opsets: [7, 11], shapes: [[2, 3, 4]], attributes: { axes: ints(1) } },
    { op, opsets: [7], shapes: [[2, 3, 4]], attributes: { axes: ints(0, 2), keepdims: i(0) } },
    { op, opsets: [18], shapes: [[2, 3, 4]], settings: [[-1]], attributes: { keepdims: i(0) } },
    { op, opsets: [18], shapes: [[2, 3, 4]], attributes: { noop_with_empty_axes: i(1) } },
  ]),
  { op: 'ReduceSum', opsets: [13], shapes: [[2, 3, 4]], settings: [[0, 1]] },
  { op: 'Split', opsets: [7, 11], shapes: [[5, 2]], attributes: { split: ints(2, 3) }, outputs: 2 },
  { op: 'Split', opsets: [7, 13], shapes: [[4, 2]], outputs: 2 },
  { op: 'Split', opsets: [13, 18], shapes: [[5, 2]], settings: [[1, 4]], outputs: 2 },
  { op: 'Split', opsets: [18], shapes: [[5, 2]], attributes: { num_outputs: i(3) }, outputs: 3 },
  { op: 'TopK', opsets: [7], shapes: [[3, 5]], attributes: { k: i(2) }, outputs: 2 },
  { op: 'TopK', opsets: [10], shapes: [[3, 5]], settings: [[2]], attributes: { axis: i(0) }, outputs: 2 },
  {
    op: 'TopK',
    opsets: [11, 21],
    shapes: [[3, 5]],
    settings: [[2]],
    attributes: { largest: i(0) },
    outputs: 2,
  },
  {
    op: 'Upsample',
    opsets: [7, 8],
    shapes: [[1, 2, 3, 3]],
    attributes: { scales: floats(1, 1, 2, 3), mode: text('nearest') },
  },
  {
    op: 'Upsample',
    opsets: [9],
    shapes: [[1, 2, 3, 3]],
    settings: [f(1, 1, 2, 2)],
    attributes: { mode: text('linear') },
  },
  { op: 'Resize', opsets: [10], shapes: [[1, 2, 4, 4]], settings: [f(1, 1, 2, 0.5)] },
  {
    op: 'Resize',
    opsets: [10],
    shapes: [[1, 2, 4, 4]],
    settings: [f(1, 1, 1.5, 2)],
    attributes: { mode: text('linear') },
  },
  {
    op: 'Resize',
    opsets: [11, 13, 18, 19],
    shapes: [[1, 2, 4, 4]],
    settings: [f(), f(1, 1, 1.5, 2)],
    attributes: { mode: text('linear') },
  },
  {
    op: 'Resize',
    opsets: [11, 13],
    shapes: [[1, 2, 4, 4]],
    settings: [f(), f(), [1, 2, 7, 3]],
    attributes: { mode: text('linear'), coordinate_transformation_mode: text('align_corners') },
  },
  {
    op: 'Resize',
    opsets: [11, 13],
    shapes: [[1, 1, 4, 4]],
    settings: [f(), f(1, 1, 2, 2)],
    attributes: { mode: text('cubic') },
  },
  {
    op: 'BatchNormalization',
    opsets: [7, 9, 14, 15],
    shapes: [[2, 3, 2], [3], [3], [3]],
    settings: [f(0.5, 1, 2)],
  },
  { op: 'InstanceNormalization', opsets: [7, 17], shapes: [[2, 3, 4], [3], [3]] },
  { op: 'GroupNormalization', opsets: [21], shapes: [[2, 4, 3], [4], [4]], attributes: { num_groups: i(2) } },
  {
    op: 'Gemm',
    opsets: [7, 9, 11, 13],
    shapes: [[2, 3], [4, 3], [4]],
    attributes: { transB: i(1), alpha: float(0.5), beta: float(2) },
  },
  {
    op: 'Gemm',
    opsets: [11],
    shapes: [
      [3, 2],
      [3, 4],
    ],
    attributes: { transA: i(1) },
  },
  {
    op: 'Gemm',
    opsets: [7],
    shapes: [
      [2, 3],
      [3, 4],
      [2, 1],
    ],
  },
  {
    op: 'AveragePool',
    opsets: [7, 10, 11, 19],
    shapes: [[1, 2, 5, 5]],
    attributes: {
      kernel_shape: ints(3, 2),
      pads: ints(1, 0, 1, 1),
      strides: ints(2, 2),
      count_include_pad: i(1),
    },
  },
  {
    op: 'AveragePool',
    opsets: [10, 19],
    shapes: [[1, 2, 6, 6]],
    attributes: { kernel_shape: ints(3, 3), strides: ints(2, 2), ceil_mode: i(1) },
  },
  {
    op: 'AveragePool',
    opsets: [7],
    shapes: [[1, 2, 5, 5]],
    attributes: { kernel_shape: ints(2, 2), auto_pad: text('SAME_LOWER') },
  },
  {
    op: 'MaxPool',
    opsets: [8, 10, 12],
    shapes: [[1, 2, 6, 5]],
    attributes: { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1), strides: ints(2, 2) },
    outputs: 2,
  },
  {
    op: 'MaxPool',
    opsets: [10],
    shapes: [[1, 2, 6, 6]],
    attributes: { kernel_shape: ints(2, 2), dilations: ints(2, 2), ceil_mode: i(1), strides: ints(3, 3) },
  },
  {
    op: 'LpPool',
    opsets: [11, 18],
    shapes: [[1, 2, 5, 5]],
    attributes: { kernel_shape: ints(2, 2), p: i(3) },
  },
  { op: 'GlobalLpPool', opsets: [7], shapes: [[1, 2, 3, 3]], attributes: { p: i(2) } },
  {
    op: 'Conv',
    opsets: [7, 11],
    shapes: [[2, 4, 7, 6], [6, 2, 3, 3], [6]],
    attributes: { group: i(2), strides: ints(2, 1), dilations: ints(1, 2), pads: ints(1, 2, 0, 1) },
  },
  {
    op: 'Conv',
    opsets: [11],
    shapes: [
      [1, 2, 5],
      [3, 2, 3],
    ],
    attributes: { auto_pad: text('SAME_UPPER'), strides: ints(2) },
  },
  {
    op: 'Conv',
    opsets: [7],
    shapes: [
      [1, 2, 4, 4, 3],
      [2, 2, 2, 3, 2],
    ],
  },
  {
    op: 'ConvTranspose',
    opsets: [7, 11],
    shapes: [[1, 4, 4, 3], [4, 3, 3, 2], [6]],
    attributes: {
      group: i(2),
      strides: ints(2, 3),
      pads: ints(1, 0, 0, 1),
      output_padding: ints(1, 1),
      dilations: ints(2, 1),
    },
  },
  {
    op: 'ConvTranspose',
    opsets: [11],
    shapes: [
      [1, 2, 4],
      [2, 3, 3],
    ],
    attributes: { output_shape: ints(9), strides: ints(2) },
  },
  {
    op: 'PRelu',
    opsets: [7, 9, 16],
    shapes: [
      [2, 3, 2],
      [3, 1],
    ],
  },
  { op: 'Gather', opsets: [7, 11], shapes: [[4, 3]], settings: [[2, 0, 3]] },
  { op: 'Gather', opsets: [11, 13], shapes: [[4, 3]], settings: [[-1, 0]], attributes: { axis: i(1) } },
  { op: 'Flatten', opsets: [7, 11], shapes: [[2, 3, 4]], attributes: { axis: i(2) } },
  { op: 'Flatten', opsets: [11, 21], shapes: [[2, 3, 4]], attributes: { axis: i(-1) } },
  {
    op: 'Concat',
    opsets: [7, 11],
    shapes: [
      [2, 3],
      [2, 1],
    ],
    attributes: { axis: i(1) },
  },
  { op: 'Expand', opsets: [8, 13], shapes: [[3, 1]], settings: [[2, 1, 4]] },
  { op: 'Tile', opsets: [7, 13], shapes: [[2, 3]], settings: [[2, 2]] },
  {
    op: 'CumSum',
    opsets: [11, 14],
    shapes: [[2, 4]],
    settings: [scalar(1)],
    attributes: { exclusive: i(1), reverse: i(1) },
  },
  { op: 'Pow', opsets: [7, 12, 15], shapes: [[3, 2]], settings: [scalar(3)] },
  { op: 'Celu', opsets: [12], shapes: [[4]], attributes: { alpha: float(0.7) } },
  {
    op: 'LRN',
    opsets: [7, 13],
    shapes: [[1, 5, 2, 2]],
    attributes: { size: i(3), alpha: float(0.3), beta: float(0.6), bias: float(1.5) },
  },
  {
    op: 'LayerNormalization',
    opsets: [17],
    shapes: [
      [2, 3, 4],
      [3, 4],
      [3, 4],
    ],
    attributes: { axis: i(1) },
    outputs: 3,
  },
  { op: 'DepthToSpace', opsets: [7, 11], shapes: [[1, 8, 2, 3]], attributes: { blocksize: i(2) } },
  { op: 'SpaceToDepth', opsets: [7, 13], shapes: [[1, 2, 4, 6]], attributes: { blocksize: i(2) } },
  ...['RNN', 'GRU', 'LSTM'].flatMap((op, kind): Form[] => {
    const rows = [3, 9, 12][kind] as number
    const shapes = [
      [4, 2, 5],
      [2, rows, 5],
      [2, rows, 3],
      [2, 2 * rows],
    ]
    const attributes = { hidden_size: i(3), direction: text('bidirectional') }
    return [
      { op, opsets: [7, 14], shapes, attributes, outputs: 2 },
      { op, opsets: [14], shapes, attributes: { ...attributes, clip: float(0.3) }, outputs: 2 },
    ]
  }),
  {
    op: 'GRU',
    opsets: [7, 14],
    shapes: [
      [4, 2, 5],
      [1, 9, 5],
      [1, 9, 3],
      [1, 18],
    ],
    attributes: { hidden_size: i(3), linear_before_reset: i(1), direction: text('reverse') },
    outputs: 2,
  },
]

/** ONNX Runtime's own operators. */
export const fused: readonly Form[] = [
  { op: 'Gelu', shapes: [[2, 5]] },
  { op: 'QuickGelu', shapes: [[2, 5]], attributes: { alpha: float(1.5) } },
  { op: 'BiasGelu', shapes: [[2, 5], [5]] },
  { op: 'FastGelu', shapes: [[2, 5], [5]] },
  {
    op: 'FusedMatMul',
    shapes: [
      [2, 3, 4],
      [2, 5, 3],
    ],
    attributes: { transA: i(1), transB: i(1), alpha: float(0.3) },
  },
  {
    op: 'SkipLayerNormalization',
    shapes: [[2, 3, 8], [2, 3, 8], [8], [8], [8]],
    attributes: { epsilon: float(1e-5) },
  },
  {
    op: 'SkipSimplifiedLayerNormalization',
    shapes: [[2, 3, 8], [2, 3, 8], [8]],
    attributes: { epsilon: float(1e-5) },
  },
  { op: 'Attention', shapes: [[2, 3, 8], [8, 24], [24]], attributes: { num_heads: i(2) } },
  {
    op: 'Attention',
    shapes: [[2, 3, 8], [8, 24], [24]],
    attributes: { num_heads: i(2), unidirectional: i(1) },
  },
  {
    op: 'Attention',
    shapes: [[2, 3, 8], [8, 24], [24]],
    settings: [int32([1, 1, 1], [1, 1, 0])],
    attributes: { num_heads: i(4) },
  },
].map((form) => ({ ...form, domain: 'com.microsoft', opsets: [17] }))
