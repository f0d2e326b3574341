import { quote } from '../error.js'
import {
  type AttributeProto,
  type GraphProto,
  type TensorProto,
  AttributeProto_AttributeType as Type,
} from '../schema/onnx_pb.js'

/** Attributes by name, as they are in the file. */
export type AttributeMap = ReadonlyMap<string, AttributeProto>

const utf8 = new TextDecoder()

/**
 * A node's attributes. Each reader returns the value, or `absent` when the node does not state it; it throws
 * when the attribute has another type, or is missing and no `absent` was given.
 */
export class Attributes {
  private readonly map: AttributeMap

  constructor(map: AttributeMap) {
    this.map = map
  }

  has(name: string): boolean {
    return this.map.has(name)
  }

  int(name: string, absent?: number): number {
    return this.read(name, Type.INT, (a) => toNumber(a.i), absent)
  }

  /** An integer that is 0 or 1. */
  flag(name: string, absent = false): boolean {
    return this.int(name, absent ? 1 : 0) !== 0
  }

  float(name: string, absent?: number): number {
    return this.read(name, Type.FLOAT, (a) => a.f, absent)
  }

  string(name: string, absent?: string): string {
    return this.read(name, Type.STRING, (a) => utf8.decode(a.s), absent)
  }

  ints(name: string, absent?: readonly number[]): readonly number[] {
    return this.read(name, Type.INTS, (a) => a.ints.map(toNumber), absent)
  }

  floats(name: string, absent?: readonly number[]): readonly number[] {
    return this.read(name, Type.FLOATS, (a) => a.floats, absent)
  }

  strings(name: string, absent?: readonly string[]): readonly string[] {
    return this.read(name, Type.STRINGS, (a) => a.strings.map((s) => utf8.decode(s)), absent)
  }

  tensor(name: string): TensorProto {
    return this.read(name, Type.TENSOR, (a) => a.t as TensorProto)
  }

  graph(name: string): GraphProto {
    return this.read(name, Type.GRAPH, (a) => a.g as GraphProto)
  }

  private read<T>(name: string, type: Type, value: (attribute: AttributeProto) => T, absent?: T): T {
    const attribute = this.map.get(name)
    if (!attribute) {
      if (absent === undefined) throw new Error(`attribute ${quote(name)} is missing`)
      return absent
    }
    // Files from before IR version 2 do not state types.
    if (attribute.type !== type && attribute.type !== Type.UNDEFINED)
      throw new Error(
        `attribute ${quote(name)} is of type ${Type[attribute.type] ?? attribute.type}, expected ${Type[type]}`,
      )
    const result = value(attribute)
    if (result === undefined) throw new Error(`attribute ${quote(name)} holds no ${Type[type].toLowerCase()}`)
    return result
  }
}

/** Attributes of a node; in a function's body some are those of the node that calls it. */
export function attributesOf(attributes: readonly AttributeProto[], caller?: AttributeMap): AttributeMap {
  const map = new Map<string, AttributeProto>()
  for (const attribute of attributes) {
    const { name, refAttrName } = attribute
    const value = refAttrName ? caller?.get(refAttrName) : attribute
    if (value) map.set(name, value)
  }
  return map
}

/** Integers of magnitude beyond 2^53 mean "as far as possible" wherever ONNX uses them, so their last digits do not matter. */
function toNumber(value: bigint): number {
  return Number(value)
}
