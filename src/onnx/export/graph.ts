import { transpose } from '../../ops/broadcast.js'
import type { Lowering, OnnxAttribute } from '../../program/lowering.js'
import type { DType } from '../../tensor/dtype.js'
import { Tensor, tensor } from '../../tensor/tensor.js'
import { tensorToProto } from '../file/tensors.js'
import { type AttributeValue, node as nodeProto } from '../file/write.js'
import { type GraphProto, type NodeProto, type TensorProto, TensorProto_DataType } from '../schema/onnx_pb.js'

/** Constants up to this many elements are compared by their numbers, larger ones by identity. */
const comparedElements = 64

/** The nodes and constants of one graph, under unique names. */
export interface GraphWriter extends Omit<Lowering, 'compose' | 'subgraph'> {
  readonly written: readonly NodeProto[]
  /** The constants that some node uses. */
  initializers(): TensorProto[]
  /** What the next nodes are named after. */
  scope: string
  /** A name that no value has. */
  fresh(stem: string): string
  /** An empty graph inside this one, whose names differ from those here. */
  inner(): GraphWriter
  /** Gives values of nodes other names. */
  rename(to: ReadonlyMap<string, string>): void
}

/** An empty graph; names in `taken` are left to others. */
export function graphWriter(taken: Iterable<string>): GraphWriter {
  return writerWith(namer(taken))
}

/** Names that differ from those taken and from each other. */
function namer(taken: Iterable<string>): (stem: string) => string {
  const names = new Set(taken)
  const counts = new Map<string, number>()
  const fresh = (stem: string): string => {
    const count = counts.get(stem) ?? 0
    counts.set(stem, count + 1)
    const name = `${stem}_${count}`
    if (names.has(name)) return fresh(stem)
    names.add(name)
    return name
  }
  return fresh
}

function writerWith(fresh: (stem: string) => string): GraphWriter {
  const written: NodeProto[] = []
  const constants = new Map<unknown, TensorProto>()
  const tensors = new Map<string, Tensor>()

  const store = (key: unknown, value: Tensor, elementType?: number): string => {
    let proto = constants.get(key)
    if (!proto) {
      proto = tensorToProto(value, fresh('constant'), elementType)
      constants.set(key, proto)
      tensors.set(proto.name, value)
    }
    return proto.name
  }
  const writer: GraphWriter = {
    written,
    scope: 'node',
    node: (op, inputs, attributes) => writer.nodes(op, inputs, 1, attributes)[0] as string,
    nodes(op, inputs, outputs, attributes = {}) {
      // A constant is stored as it is read: a matrix product by its transpose would turn it around at every run.
      const constant = op === 'Transpose' ? tensors.get(inputs[0] as string) : undefined
      if (constant) {
        const order = attributes.perm as readonly number[]
        return [store(`${inputs[0]} in the order ${order}`, transpose(constant, order) as Tensor)]
      }
      const name = fresh(writer.scope)
      const results = Array.from({ length: outputs }, (_, i) => (i ? fresh(writer.scope) : name))
      written.push(nodeProto(op, inputs, results, onnxAttributes(attributes), { name }))
      return results
    },
    constant(value, dtype = 'float64') {
      const made = value instanceof Tensor ? value : tensor(value, { dtype })
      return store(made.size > comparedElements ? made : contentKey(made), made)
    },
    int64: (values) =>
      store(`int64 ${values}`, tensor([...values], { dtype: 'int32' }), TensorProto_DataType.INT64),
    initializers() {
      const used = new Set(withInner(written).flatMap((node) => node.input))
      return [...constants.values()].filter((proto) => used.has(proto.name))
    },
    fresh,
    inner: () => writerWith(fresh),
    rename(to) {
      const renamed = (name: string) => to.get(name) ?? name
      for (const node of withInner(written)) {
        node.input = node.input.map(renamed)
        node.output = node.output.map(renamed)
      }
    },
  }
  return writer
}

/** Nodes with those of the graphs that they run, which see the values around them. */
function withInner(nodes: readonly NodeProto[]): NodeProto[] {
  return nodes.flatMap((node) => [node, ...node.attribute.flatMap(({ g }) => (g ? withInner(g.node) : []))])
}

/** Equal for tensors of the same type and bits; zero and minus zero differ. */
function contentKey({ dtype, shape, data }: Tensor): string {
  return `${dtype as DType} ${shape}: ${Array.from(data, (x) => (Object.is(x, -0) ? '-0' : x))}`
}

function onnxAttributes(attributes: Readonly<Record<string, OnnxAttribute>>): Record<string, AttributeValue> {
  const convert = (value: OnnxAttribute): AttributeValue => {
    if (typeof value === 'number') return { int: value }
    if (typeof value === 'string') return { string: value }
    if ('graph' in value) return { graph: value.graph as GraphProto }
    return 'float' in value ? value : { ints: value }
  }
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, convert(value)]))
}
