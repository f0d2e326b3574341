import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'

const maxDepth = 100
/** An estimate of the bytes of JavaScript objects that a file may decode to; raw_data is not copied and costs nothing. */
const memoryBudget = 2 ** 30

const varint = 0
const bit64 = 1
const lengthDelimited = 2
const bit32 = 5

/**
 * Checks that `bytes` are a well-formed message of `schema` before they are decoded: wire types, lengths within their
 * parent, nesting depth, and the memory that decoding will take. The decoder of the protobuf library trusts all of these.
 * @throws Error saying what is wrong, and at which byte.
 */
export function checkWire(schema: DescMessage, bytes: Uint8Array): void {
  let at = 0
  let memory = 0

  const fail = (reason: string): never => {
    throw new Error(`${reason} at byte ${at}`)
  }

  function spend(cost: number): void {
    memory += cost
    if (memory > memoryBudget) fail('too many small values (decoding would exhaust the memory)')
  }

  /** Reads a varint; only its low 32 bits are right beyond 2^53, which no tag or length reaches. */
  function readVarint(end: number): number {
    let value = 0
    for (let i = 0; i < 10; i++) {
      if (at >= end) fail('truncated (a number is cut off)')
      const byte = bytes[at++] as number
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return value
    }
    return fail('not protobuf (a number of more than ten bytes)')
  }

  function skip(size: number, end: number): void {
    if (size > end - at) fail(`truncated (${size} bytes announced, ${end - at} left)`)
    at += size
  }

  function checkPacked(type: ScalarType, size: number, end: number): void {
    const width = fixedWidth(type)
    if (width > 0) {
      if (size % width !== 0) fail(`a list of ${width}-byte values has ${size} bytes`)
      spend(8 * (size / width))
      skip(size, end)
      return
    }
    if (size > end - at) fail(`truncated (${size} bytes announced, ${end - at} left)`)
    for (const stop = at + size; at < stop; ) {
      readVarint(stop)
      spend(scalarCost(type))
    }
  }

  function checkField(field: DescField | undefined, wireType: number, end: number, depth: number): void {
    const scalar = scalarOf(field)
    if (field !== undefined && !acceptedWireTypes(field).includes(wireType))
      fail(`wrong wire type ${wireType} for ${field.parent.name}.${field.name}`)
    if (wireType === varint) {
      readVarint(end)
      spend(scalarCost(scalar))
    } else if (wireType === bit64 || wireType === bit32) {
      skip(wireType === bit64 ? 8 : 4, end)
      spend(8)
    } else if (wireType === lengthDelimited) {
      const size = readVarint(end)
      if (field?.message) checkMessage(field.message, size, end, depth + 1)
      else if (scalar !== undefined && isPackable(scalar)) checkPacked(scalar, size, end)
      else {
        spend(scalarCost(scalar) + (scalar === ScalarType.STRING ? size : 0))
        skip(size, end)
      }
    } else fail(`not an ONNX file (wire type ${wireType})`)
  }

  function checkMessage(desc: DescMessage, size: number, parentEnd: number, depth: number): void {
    if (size > parentEnd - at)
      fail(`truncated (${desc.name} announces ${size} bytes, ${parentEnd - at} left)`)
    if (depth > maxDepth) fail(`nested more than ${maxDepth} levels deep`)
    spend(messageCost)
    const fields = fieldsOf(desc)
    for (const end = at + size; at < end; ) {
      const tag = readVarint(end)
      const number = Math.floor(tag / 8)
      if (number < 1 || number >= 2 ** 29) fail(`not an ONNX file (field number ${number})`)
      checkField(fields.get(number), tag % 8, end, depth)
    }
  }

  checkMessage(schema, bytes.length, bytes.length, 1)
}

const messageCost = 400

/** Bytes of memory for one decoded value: a number in a list, or an object of its own. */
function scalarCost(type: ScalarType | undefined): number {
  if (type === undefined) return 150 // an unknown field, kept as an object
  if (type === ScalarType.BYTES) return 150
  if (type === ScalarType.INT64 || type === ScalarType.UINT64) return 32
  return type === ScalarType.STRING ? 32 : 8
}

function fixedWidth(type: ScalarType): number {
  return type === ScalarType.DOUBLE ? 8 : type === ScalarType.FLOAT ? 4 : 0
}

function isPackable(type: ScalarType): boolean {
  return type !== ScalarType.STRING && type !== ScalarType.BYTES
}

function scalarOf(field: DescField | undefined): ScalarType | undefined {
  return field?.enum ? ScalarType.INT32 : field?.scalar
}

function acceptedWireTypes(field: DescField): readonly number[] {
  const type = scalarOf(field)
  if (type === undefined || !isPackable(type)) return [lengthDelimited]
  const one = type === ScalarType.DOUBLE ? bit64 : type === ScalarType.FLOAT ? bit32 : varint
  return field.fieldKind === 'list' ? [one, lengthDelimited] : [one]
}

const fieldMaps = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>()

function fieldsOf(desc: DescMessage): ReadonlyMap<number, DescField> {
  let fields = fieldMaps.get(desc)
  if (!fields) {
    fields = new Map(desc.fields.map((field) => [field.number, field]))
    fieldMaps.set(desc, fields)
  }
  return fields
}
