import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { tensorToProto } from '../../src/onnx/file/tensors.js'
import { model, node, valueInfo } from '../../src/onnx/file/write.js'
import {
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  TensorProto_DataType as Type,
} from '../../src/onnx/schema/onnx_pb.js'
import { tensor } from '../../src/tensor/tensor.js'

export function modelOf(graph: MessageInitShape<typeof GraphProtoSchema>, opset = 17): ModelProto {
  return model(create(GraphProtoSchema, { name: 'test', ...graph }), { opsets: { '': opset } })
}

/** A model of float vectors from `x` to `y`. */
export function chain(...nodes: NodeProto[]): ModelProto {
  const [x, y] = ['x', 'y'].map((name) => valueInfo(name, Type.FLOAT, ['n']))
  return modelOf({ node: nodes, input: [x!], output: [y!] })
}

/** y = If(sum(x) > 0, x * scale, -x + shift), with one graph in each branch, a typed attribute and initializers. */
export function branching(): ModelProto {
  const [x, y] = ['x', 'y'].map((name) => valueInfo(name, Type.FLOAT, ['n']))
  const branch = (name: string, nodes: NodeProto[]) =>
    create(GraphProtoSchema, { name, node: nodes, output: [valueInfo(`${name}_y`, Type.FLOAT)] })
  return modelOf({
    input: [x!],
    output: [y!],
    initializer: [
      tensorToProto(tensor([2], { dtype: 'float32' }), 'scale'),
      tensorToProto(tensor([0], { dtype: 'int32' }), 'axes', Type.INT64),
    ],
    node: [
      node('Constant', [], ['zero'], {
        value: { tensor: tensorToProto(tensor(0, { dtype: 'float32' }), '') },
      }),
      node('ReduceSum', ['x', 'axes'], ['sum'], { keepdims: { int: 0 } }),
      node('Greater', ['sum', 'zero'], ['positive']),
      node('If', ['positive'], ['y'], {
        then_branch: { graph: branch('then', [node('Mul', ['x', 'scale'], ['then_y'])]) },
        else_branch: {
          graph: branch('else', [
            node('Constant', [], ['shift'], { value_float: { float: 0.5 } }),
            node('Neg', ['x'], ['negative']),
            node('Add', ['negative', 'shift'], ['else_y']),
          ]),
        },
      }),
    ],
  })
}
