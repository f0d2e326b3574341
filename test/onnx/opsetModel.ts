import { create } from '@bufbuild/protobuf'
import { tensorToProto } from '../../src/onnx/file/tensors.js'
import { node, valueInfo } from '../../src/onnx/file/write.js'
import {
  type ModelProto,
  OperatorSetIdProtoSchema,
  type TensorProto,
  TensorProto_DataType as Type,
} from '../../src/onnx/schema/onnx_pb.js'
import { sizeOf } from '../../src/tensor/shape.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import { modelOf } from '../helpers/onnxModels.js'
import { uniform } from '../helpers/random.js'
import type { Form, Setting } from './opsetForms.js'

/** A model of one operation, and seeded inputs in [-1, 1). */
export function modelOfForm(
  { op, domain = '', shapes, settings = [], attributes = {}, outputs = 1 }: Form,
  opset: number,
  seed: number,
): { proto: ModelProto; inputs: Record<string, Tensor> } {
  const random = uniform(seed)
  const inputs = Object.fromEntries(
    shapes.map((shape, i) => {
      const data = Float32Array.from({ length: sizeOf(shape) }, () => 2 * random() - 1)
      return [`x${i}`, tensor(data, { shape })]
    }),
  )
  const given = [...Object.keys(inputs), ...settings.map((setting, i) => (setting ? `s${i}` : ''))]
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`)
  const isIndex = (i: number) => i === 1 && (op === 'TopK' || op === 'MaxPool')
  const proto = modelOf(
    {
      node: [node(op, given, results, attributes, { domain })],
      initializer: settings.flatMap((setting, i) => (setting ? [settingTensor(setting, `s${i}`, op)] : [])),
      input: shapes.map((shape, i) => valueInfo(`x${i}`, Type.FLOAT, shape)),
      output: results.map((name, i) => valueInfo(name, isIndex(i) ? Type.INT64 : Type.FLOAT)),
    },
    opset,
  )
  proto.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }))
  return { proto, inputs }
}

function settingTensor(setting: Setting, name: string, op: string): TensorProto {
  if ('int32' in setting) return tensorToProto(tensor(setting.int32, { dtype: 'int32' }), name)
  if ('float32' in setting) return tensorToProto(tensor(Float32Array.from(setting.float32)), name)
  if ('scalar' in setting && op !== 'CumSum')
    return tensorToProto(tensor(setting.scalar, { dtype: 'float32' }), name)
  const integers = 'scalar' in setting ? setting.scalar : setting
  return tensorToProto(tensor(integers, { dtype: 'int32' }), name, Type.INT64)
}
