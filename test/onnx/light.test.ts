import { describe, expect, test } from 'vitest'
import { readModel } from '../../src/onnx/file/read.js'
import { importModel } from '../../src/onnx/import/index.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { onnxCases } from '../helpers/onnxCases.js'
import { uniform } from '../helpers/random.js'
import { compare, runStock, runTraced, stockBytes } from './runCase.js'

const seed = 3
/**
 * The weights are constants, which makes huge logits, so networks are compared before the softmax, which would turn
 * their last digits into everything. VGG's half gigabyte of weights is left out; its operations are all in AlexNet.
 */
const names = [
  'bvlc_alexnet',
  'densenet121',
  'inception_v1',
  'inception_v2',
  'resnet50',
  'shufflenet',
  'squeezenet',
  'zfnet512',
]

describe.skipIf(!process.env.EVOLUTE_DATA)(
  `whole networks of operator set 9, compiled (seed ${seed})`,
  () => {
    const nets = process.env.EVOLUTE_DATA ? [...onnxCases('light')] : []

    test.each(names)('light_%s gives what stock ONNX Runtime gives', async (name) => {
      const net = nets.find((candidate) => candidate.name === `light_${name}`)
      const bytes = net?.modelBytes as Uint8Array
      const last = readModel(bytes).graph?.node.at(-1)
      const logits = last?.opType === 'Softmax' ? last.input : (last?.output ?? [])
      const model = importModel(bytes, { name, outputs: logits })
      const random = uniform(seed)
      const inputs = Object.fromEntries(
        model.inputs.map(({ name, shape }) => {
          const size = (shape as number[]).reduce((a, b) => a * b, 1)
          return [name, new Tensor(Float32Array.from({ length: size }, random), shape as number[])]
        }),
      )
      const expected = await runStock(stockBytes(bytes, model), inputs, model.outputs)
      const results = await runTraced({ model, inputs, expected, tolerance: 1e-4 })
      expect(results.length).toBe(expected.length)
      compare(results[0] as Tensor, expected[0] as Tensor, 1e-4)
    })
  },
)
