import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { OnnxError } from '../../src/onnx/error.js'
import { bfloat16ToNumber, float16ToNumber } from '../../src/onnx/file/half.js'
import { tensorFromProto, tensorToProto } from '../../src/onnx/file/tensors.js'
import {
  TensorProto_DataLocation,
  TensorProtoSchema,
  TensorProto_DataType as Type,
} from '../../src/onnx/schema/onnx_pb.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'

type Fields = MessageInitShape<typeof TensorProtoSchema>

function decode(fields: Fields): Tensor {
  return tensorFromProto(create(TensorProtoSchema, { name: 'w', ...fields })).tensor
}

function values(fields: Fields): number[] {
  return Array.from(decode(fields).data)
}

/** Little-endian bytes written by a DataView, whatever the host's order. */
function bytes(size: number, write: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(size))
  write(view)
  return new Uint8Array(view.buffer)
}

describe('the elements of a tensor', () => {
  test('are read from raw bytes of each type', () => {
    const raw = (size: number, write: (view: DataView) => void) => ({
      dims: [1n],
      rawData: bytes(size, write),
    })
    const cases: [Fields, string, number][] = [
      [{ dataType: Type.FLOAT, ...raw(4, (v) => v.setFloat32(0, 1.5, true)) }, 'float32', 1.5],
      [{ dataType: Type.DOUBLE, ...raw(8, (v) => v.setFloat64(0, 0.1, true)) }, 'float64', 0.1],
      [{ dataType: Type.INT8, ...raw(1, (v) => v.setInt8(0, -5)) }, 'int32', -5],
      [{ dataType: Type.UINT8, ...raw(1, (v) => v.setUint8(0, 250)) }, 'int32', 250],
      [{ dataType: Type.INT16, ...raw(2, (v) => v.setInt16(0, -300, true)) }, 'int32', -300],
      [{ dataType: Type.UINT16, ...raw(2, (v) => v.setUint16(0, 65000, true)) }, 'int32', 65000],
      [{ dataType: Type.INT32, ...raw(4, (v) => v.setInt32(0, -70000, true)) }, 'int32', -70000],
      [{ dataType: Type.UINT32, ...raw(4, (v) => v.setUint32(0, 70000, true)) }, 'int32', 70000],
      [{ dataType: Type.INT64, ...raw(8, (v) => v.setBigInt64(0, -7n, true)) }, 'int32', -7],
      [{ dataType: Type.UINT64, ...raw(8, (v) => v.setBigUint64(0, 7n, true)) }, 'int32', 7],
      [{ dataType: Type.BOOL, ...raw(1, (v) => v.setUint8(0, 2)) }, 'bool', 1],
      [{ dataType: Type.FLOAT16, ...raw(2, (v) => v.setUint16(0, 0xc100, true)) }, 'float32', -2.5],
      [{ dataType: Type.BFLOAT16, ...raw(2, (v) => v.setUint16(0, 0xc020, true)) }, 'float32', -2.5],
    ]
    for (const [fields, dtype, value] of cases) {
      const decoded = decode(fields)
      expect([decoded.dtype, decoded.item()], Type[fields.dataType as number]).toEqual([dtype, value])
    }
  })

  test('are read from the typed list of each type', () => {
    expect(values({ dataType: Type.FLOAT, dims: [2n], floatData: [1.5, -2] })).toEqual([1.5, -2])
    expect(values({ dataType: Type.DOUBLE, dims: [1n], doubleData: [0.1] })).toEqual([0.1])
    for (const type of [Type.INT8, Type.UINT8, Type.INT16, Type.UINT16, Type.INT32])
      expect(values({ dataType: type, dims: [2n], int32Data: [3, 100] })).toEqual([3, 100])
    expect(values({ dataType: Type.INT64, dims: [1n], int64Data: [-9n] })).toEqual([-9])
    expect(values({ dataType: Type.UINT32, dims: [1n], uint64Data: [9n] })).toEqual([9])
    expect(values({ dataType: Type.BOOL, dims: [2n], int32Data: [0, 1] })).toEqual([0, 1])
    expect(values({ dataType: Type.FLOAT16, dims: [1n], int32Data: [0x3c00] })).toEqual([1])
    expect(values({ dataType: Type.BFLOAT16, dims: [1n], int32Data: [0x3f80] })).toEqual([1])
  })

  test('may lie at an odd byte of the file, and are not shared with it', () => {
    const file = new Uint8Array([0, ...bytes(8, (v) => v.setFloat64(0, 0.1, true))])
    const decoded = decode({ dataType: Type.DOUBLE, dims: [], rawData: file.subarray(1) })
    file.fill(0)
    expect(decoded.item()).toBe(0.1)
  })

  test('keep the type in the file beside the tensor', () => {
    const proto = create(TensorProtoSchema, { dataType: Type.FLOAT16, dims: [1n], int32Data: [0] })
    expect(tensorFromProto(proto).elementType).toBe(Type.FLOAT16)
  })

  test('of int64 saturate when they mean "to the end"', () => {
    const int64Data = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n, 2n ** 31n - 1n, -(2n ** 31n)]
    const max = 2 ** 31 - 1
    expect(values({ dataType: Type.INT64, dims: [5n], int64Data })).toEqual([max, -max, max, max, -max - 1])
  })

  test('may be none', () => {
    expect(decode({ dataType: Type.FLOAT, dims: [0n, 3n] }).shape).toEqual([0, 3])
  })
})

describe('a tensor is refused, with its name and the reason:', () => {
  const refusals: [string, Fields, RegExp][] = [
    [
      'an integer outside int32',
      { dataType: Type.INT64, dims: [1n], int64Data: [2n ** 31n] },
      /2147483648 does not fit/,
    ],
    ['a byte outside its type', { dataType: Type.UINT8, dims: [1n], int32Data: [256] }, /element 0 is 256/],
    [
      'strings',
      { dataType: Type.STRING, dims: [1n], stringData: [new Uint8Array(1)] },
      /element type STRING is not/,
    ],
    [
      'complex numbers',
      { dataType: Type.COMPLEX64, dims: [1n], floatData: [1, 2] },
      /element type COMPLEX64/,
    ],
    ['an unknown type', { dataType: 99, dims: [1n] }, /element type number 99/],
    ['a negative dimension', { dataType: Type.FLOAT, dims: [-1n] }, /dimension -1/],
    ['a huge dimension', { dataType: Type.FLOAT, dims: [2n ** 40n, 0n] }, /dimension 1099511627776/],
    [
      'a huge shape',
      { dataType: Type.FLOAT, dims: [65536n, 65536n] },
      /4294967296 elements, expected at most/,
    ],
    [
      'a large shape without data',
      { dataType: Type.FLOAT, dims: [2n ** 31n - 1n] },
      /needs 2147483647 elements, but .* 0/,
    ],
    ['a thousand dimensions', { dataType: Type.FLOAT, dims: Array(1000).fill(1n) }, /1000 dimensions/],
    [
      'too many bytes',
      { dataType: Type.FLOAT, dims: [1n], rawData: new Uint8Array(5) },
      /needs 4 bytes, .* holds 5/,
    ],
    [
      'too few elements',
      { dataType: Type.FLOAT, dims: [3n], floatData: [1] },
      /needs 3 elements, .* holds 1/,
    ],
    [
      'segments',
      { dataType: Type.FLOAT, dims: [], floatData: [1], segment: { begin: 0n, end: 1n } },
      /segments/,
    ],
  ]
  for (const [what, fields, reason] of refusals)
    test(what, () => {
      const proto = create(TensorProtoSchema, { name: 'w', ...fields })
      const where = { file: 'm.onnx', node: { name: 'c', opType: 'Constant' } }
      expect(() => tensorFromProto(proto, undefined, where)).toThrow(OnnxError)
      expect(() => tensorFromProto(proto, undefined, where)).toThrow(
        /^m\.onnx: node "c" \(Constant\): tensor "w": /,
      )
      expect(() => tensorFromProto(proto, undefined, where)).toThrow(reason)
    })
})

describe('external data', () => {
  const external = (entries: Record<string, string>) =>
    create(TensorProtoSchema, {
      name: 'w',
      dataType: Type.FLOAT,
      dims: [2n],
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    })

  test('is asked for by location, offset and length', () => {
    const asked: unknown[] = []
    const load = (...args: unknown[]) => {
      asked.push(args)
      return bytes(8, (v) => v.setFloat32(4, 3, true))
    }
    const { tensor } = tensorFromProto(external({ location: 'a/w.bin', offset: '4096', length: '8' }), load)
    expect(Array.from(tensor.data)).toEqual([0, 3])
    tensorFromProto(external({ location: 'w.bin' }), load)
    expect(asked).toEqual([
      ['a/w.bin', 4096, 8],
      ['w.bin', 0, 8],
    ])
  })

  test('is refused without a loader, a location, a sensible range or enough bytes', () => {
    const load = () => new Uint8Array(7)
    expect(() => tensorFromProto(external({ location: 'w.bin' }))).toThrow(/no loader/)
    expect(() => tensorFromProto(external({}), load)).toThrow(/no location/)
    expect(() => tensorFromProto(external({ location: 'w', offset: '-1' }), load)).toThrow(/offset is "-1"/)
    expect(() => tensorFromProto(external({ location: 'w', length: '1e9' }), load)).toThrow(/length is "1e9"/)
    expect(() => tensorFromProto(external({ location: 'w', length: '12' }), load)).toThrow(/needs 8 bytes/)
    expect(() => tensorFromProto(external({ location: 'w' }), load)).toThrow(/needs 8 bytes, .* holds 7/)
  })

  test('that its loader refuses gives an OnnxError with the loader’s reason', () => {
    const load = () => {
      throw new Error('no such thing')
    }
    expect(() => tensorFromProto(external({ location: 'w' }), load)).toThrow(OnnxError)
    expect(() => tensorFromProto(external({ location: 'w' }), load)).toThrow(
      'tensor: tensor "w": no such thing',
    )
  })
})

describe('writing a tensor', () => {
  test('and reading it gives it back, in each type that its dtype may have', () => {
    const kept: [Tensor, number][] = [
      [tensor([[1.5, -2]], { dtype: 'float32' }), Type.FLOAT],
      [tensor([0.1, Number.NaN, -0]), Type.DOUBLE],
      [tensor([true, false]), Type.BOOL],
      [tensor(7, { dtype: 'int32' }), Type.INT32],
      [tensor([1, -(2 ** 31)], { dtype: 'int32' }), Type.INT64],
      [tensor([1, 255], { dtype: 'int32' }), Type.UINT8],
      [tensor([-128, 127], { dtype: 'int32' }), Type.INT8],
      [new Tensor(new Float32Array(0), [0, 2]), Type.FLOAT],
    ]
    for (const [x, type] of kept) {
      const proto = tensorToProto(x, 'x', type)
      expect(tensorFromProto(proto)).toEqual({ tensor: x, elementType: type })
    }
  })

  test('writes little-endian bytes of that tensor only', () => {
    const view = new Float32Array([9, 1, 2]).subarray(1)
    const { rawData } = tensorToProto(new Tensor(view), 'x')
    expect(rawData).toEqual(
      bytes(8, (v) => {
        v.setFloat32(0, 1, true)
        v.setFloat32(4, 2, true)
      }),
    )
  })

  test('is refused in a type that would change its values', () => {
    expect(() => tensorToProto(tensor([1.5]), 'x', Type.FLOAT)).toThrow(
      /float64\[1\], which cannot be written as FLOAT/,
    )
    expect(() => tensorToProto(tensor([300], { dtype: 'int32' }), 'x', Type.UINT8)).toThrow(
      /element 0 is 300/,
    )
    expect(() => tensorToProto(tensor([-1], { dtype: 'int32' }), 'x', Type.UINT64)).toThrow(/element 0 is -1/)
  })
})

describe('16-bit floats', () => {
  const floatFromBits = (bits: number) => bytesToFloat(bits >>> 0)
  const bytesToFloat = (bits: number) =>
    new DataView(bytes(4, (v) => v.setUint32(0, bits)).buffer).getFloat32(0)

  test('of IEEE half precision widen to the float32 of the same sign, shifted exponent and mantissa', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const exponent = (bits >> 10) & 31
      if (exponent === 0 || exponent === 31) continue
      const wide = ((bits & 0x8000) << 16) | ((exponent + 112) << 23) | ((bits & 0x3ff) << 13)
      if (float16ToNumber(bits) !== floatFromBits(wide)) expect.fail(`bits ${bits}`)
    }
  })

  test('have zeros, subnormals, infinities and NaN', () => {
    expect(float16ToNumber(0x8000)).toBe(-0)
    expect(float16ToNumber(0x0001)).toBe(2 ** -24)
    expect(float16ToNumber(0x83ff)).toBe(-1023 * 2 ** -24)
    expect(float16ToNumber(0x7bff)).toBe(65504)
    expect(float16ToNumber(0xfc00)).toBe(Number.NEGATIVE_INFINITY)
    expect(float16ToNumber(0x7e00)).toBeNaN()
  })

  test('of bfloat16 are the upper half of a float32', () => {
    for (const bits of [0, 0x8000, 1, 0x3f80, 0xc2f7, 0x7f80, 0xff7f])
      expect(bfloat16ToNumber(bits)).toBe(floatFromBits(bits << 16))
    expect(bfloat16ToNumber(0x7fc0)).toBeNaN()
  })
})
