import { describe, expect, test } from 'vitest'
import { sum } from '../../src/numpy/index.js'
import { readModel } from '../../src/onnx/file/read.js'
import { node } from '../../src/onnx/file/write.js'
import { importModel } from '../../src/onnx/import/index.js'
import { isFloat } from '../../src/tensor/dtype.js'
import { castTensor, Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, jvp, vjp } from '../../src/transforms/index.js'
import { type OnnxCase, onnxCases } from '../helpers/onnxCases.js'
import { chain } from '../helpers/onnxModels.js'
import { uniform } from '../helpers/random.js'
import { allNodes, exclusionOf } from './outOfScope.js'
import { prepare } from './runCase.js'

const seed = 5

/** Functions with jumps or kinks, or that lose digits, where a difference quotient says nothing of the derivative. */
const jumps = [
  ...[
    'Abs',
    'Ceil',
    'Clip',
    'Det',
    'Floor',
    'Hardmax',
    'HardSigmoid',
    'HardSwish',
    'Mod',
    'Round',
    'Shrink',
    'Sign',
  ],
  ...[
    'Cast',
    'CastLike',
    'Equal',
    'Greater',
    'GreaterOrEqual',
    'IsInf',
    'IsNaN',
    'Less',
    'LessOrEqual',
    'Where',
  ],
  ...['GlobalMaxPool', 'Max', 'MaxPool', 'Min', 'ReduceMax', 'ReduceMin', 'ThresholdedRelu', 'TopK'],
  ...['DeformConv', 'GridSample', 'RoiAlign'],
]

/** Cases at the edge of a function's domain, at a kink, or of nothing. */
const singular =
  /^test_(acosh_example|elu_example|selu_example|leakyrelu_example|l2normalization_axis_0|pow|reduce_log_sum(_exp)?_empty_set)$/

describe.skipIf(!process.env.EVOLUTE_DATA)('the derivative of an imported operation', () => {
  test(`agrees with central differences, and forward with reverse mode, on ONNX's own cases in float64 (seed ${seed})`, () => {
    const failures: string[] = []
    let count = 0
    for (const onnxCase of onnxCases('node')) {
      const { name, modelBytes } = onnxCase
      const nodes = allNodes(readModel(modelBytes).graph?.node ?? [])
      const isSmooth = !nodes.some(({ opType }) => jumps.includes(opType)) && !singular.test(name)
      if (!isSmooth || name.includes('expanded') || exclusionOf(onnxCase)) continue
      try {
        const result = slopes(onnxCase)
        if (!result) continue
        count++
        const { forward, reverse, quotient } = result
        const scale = 1 + Math.abs(quotient)
        const agree =
          Math.abs(forward - quotient) <= 1e-4 * scale && Math.abs(forward - reverse) <= 1e-9 * scale
        if (!agree) failures.push(`${name}: ${JSON.stringify(result)}`)
      } catch (error) {
        if (!(error as Error).message.includes('must be known'))
          failures.push(`${name}: ${(error as Error).message}`)
      }
    }
    expect(failures).toEqual([])
    expect(count).toBeGreaterThan(300)
  }, 120_000)
})

test.each(['Elu', 'Celu', 'Softplus', 'Mish'])(
  'the derivative of %s at 0, where it is pieced together but smooth, is right',
  (op) => {
    const model = importModel(chain(node(op, ['x'], ['y'])), { precision: 'float64' })
    const f = (x: Tensor) => sum(model.apply({}, { x }).y as Tensor)
    const step = 1e-6
    const quotient = (f(tensor([step])).item() - f(tensor([-step])).item()) / (2 * step)
    expect(grad(f)(tensor([0])).data[0]).toBeCloseTo(quotient, 5)
  },
)

type Tensors = Record<string, Tensor>

const mapFloat64 = (x: Tensor, f: (value: number, i: number) => number) =>
  new Tensor(Float64Array.from(x.data as Float64Array, f), x.shape)

const total = (values: readonly Tensor[]) => values.reduce((all, y) => all + y.item(), 0)

/** The derivative of the sum of a case's outputs along a random direction of its float inputs, in three ways. */
function slopes(onnxCase: OnnxCase): { forward: number; reverse: number; quotient: number } | undefined {
  const run = prepare(onnxCase)[0]
  const given = Object.entries(run?.inputs ?? {})
  const inputShapes = Object.fromEntries(given.map(([name, x]) => [name, x.shape]))
  const model = importModel(onnxCase.modelBytes, { precision: 'float64', inputShapes })
  const isMoving = (x: Tensor) => isFloat(x.dtype) && x.size > 0
  const still = Object.fromEntries(given.filter(([, x]) => !isMoving(x)))
  const at: Tensors = Object.fromEntries(
    given.filter(([, x]) => isMoving(x)).map(([name, x]) => [name, castTensor(x, 'float64')]),
  )
  const f = (x: Tensors) => {
    const outputs = Object.values(model.apply(model.parameters, { ...still, ...x }))
    return outputs.filter((y) => isFloat(y.dtype)).map((y) => sum(y))
  }
  if (Object.keys(at).length === 0 || f(at).length === 0) return undefined

  const random = uniform(seed)
  const v = Object.fromEntries(
    Object.entries(at).map(([name, x]) => [name, mapFloat64(x, () => random() - 0.5)]),
  )
  const [, tangents] = jvp(f, [at], [v])
  const [, pull] = vjp(f, at)
  const [gradient] = pull(tangents.map(() => tensor(1))) as unknown as [Tensors]
  const products = Object.entries(v).map(([name, t]) =>
    mapFloat64(t, (ti, i) => ti * gradient[name]!.data[i]!),
  )
  const step = 1e-5
  const moved = (by: number) =>
    Object.fromEntries(
      Object.entries(at).map(([name, x]) => [name, mapFloat64(x, (xi, i) => xi + by * v[name]!.data[i]!)]),
    )
  return {
    forward: total(tangents),
    reverse: total(products.map((x) => sum(x))),
    quotient: (total(f(moved(step))) - total(f(moved(-step)))) / (2 * step),
  }
}
