import { describe, expect, test } from 'vitest'
import { DataError } from '../../src/io/error.js'
import { readNpy, writeNpy } from '../../src/io/npy.js'
import { tensor } from '../../src/tensor/tensor.js'
import { bytesOf, fromBase64, npyDict, npyFile } from './bytes.js'

const read = (descr: string, shape: string, data: number[], fortran?: string) =>
  readNpy(npyFile(npyDict(descr, shape, fortran), data))

describe('readNpy', () => {
  test.each([
    ['<f8', [0, 0, 0, 0, 0, 0, 0xf8, 0xbf], 'float64', -1.5],
    ['>f8', [0xbf, 0xf8, 0, 0, 0, 0, 0, 0], 'float64', -1.5],
    ['<f4', [0, 0, 0xc0, 0xbf], 'float32', -1.5],
    ['>f4', [0xbf, 0xc0, 0, 0], 'float32', -1.5],
    ['<f2', [0, 0xbe], 'float32', -1.5],
    ['>f2', [0xbe, 0], 'float32', -1.5],
    ['|i1', [0xfe], 'int32', -2],
    ['<i2', [0xfe, 0xff], 'int32', -2],
    ['>i4', [0xff, 0xff, 0xff, 0xfe], 'int32', -2],
    ['<i8', [0xfe, 255, 255, 255, 255, 255, 255, 255], 'int32', -2],
    ['>i8', [0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff], 'int32', 2147483647],
    ['<i8', [0, 0, 0, 0x80, 255, 255, 255, 255], 'int32', -2147483648],
    ['|u1', [0xfe], 'int32', 254],
    ['>u2', [0xff, 0xfe], 'int32', 65534],
    ['<u4', [0xff, 0xff, 0xff, 0x7f], 'int32', 2147483647],
    ['>u8', [0, 0, 0, 0, 0, 0, 1, 0], 'int32', 256],
    ['|b1', [1], 'bool', 1],
    ['|b1', [7], 'bool', 1],
  ])('reads %s %j as %s %d', (descr, data, dtype, value) => {
    const x = read(descr, '()', data)
    expect(x.toString()).toBe(`${dtype}[]`)
    expect(x.item()).toBe(value)
  })

  test('reads the corners of float16 as NumPy 2.4 does', () => {
    const bits = [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3555, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0xc000]
    const x = read(
      '<f2',
      '(11,)',
      bits.flatMap((word) => [word & 255, word >> 8]),
    )
    // np.array(bits, '<u2').view('<f2').astype(float).tolist()
    expect([...x.data]).toEqual([
      0,
      -0,
      2 ** -24,
      6.097555160522461e-5,
      6.103515625e-5,
      0.333251953125,
      65504,
      Infinity,
      -Infinity,
      NaN,
      -2,
    ])
  })

  test('reads a big-endian Fortran-order file that NumPy 2.4 wrote', () => {
    // np.save(f, np.asfortranarray(np.arange(24, dtype='>i2').reshape(2, 3, 4)))
    const x = readNpy(
      fromBase64(
        'k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMywgNCksIH0gICAg' +
          'ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAMAAQAEAAIABQAAQANAAUAEQAJ' +
          'ABUAAgAOAAYAEgAKABYAAwAPAAcAEwALABc=',
      ),
    )
    expect(x.shape).toEqual([2, 3, 4])
    expect([...x.data]).toEqual(Array.from({ length: 24 }, (_, i) => i))
  })

  test('reads Fortran order by columns, and does not care for the order of one dimension', () => {
    expect(read('|u1', '(2, 3)', [1, 4, 2, 5, 3, 6], 'True').toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect(read('|u1', '(3,)', [1, 2, 3], 'True').toArray()).toEqual([1, 2, 3])
    expect(read('|u1', '(2, 0)', [], 'True').shape).toEqual([2, 0])
  })

  test.each([2, 3])('reads format version %d, whose header length has four bytes', (version) => {
    expect(readNpy(npyFile(npyDict('|u1', '(2,)'), [3, 4], version)).toArray()).toEqual([3, 4])
  })

  test('reads headers with other key orders, double quotes, Python 2 integers and no padding', () => {
    const dict = `{"shape": (2L, 1L), "descr": "|u1", "fortran_order": False}`
    expect(readNpy(npyFile(dict, [3, 4])).toArray()).toEqual([[3], [4]])
  })

  test('reads from the middle of a larger buffer, also a Node Buffer, without changing it', () => {
    const file = npyFile(npyDict('>f8', '(1,)'), [0xbf, 0xf8, 0, 0, 0, 0, 0, 0])
    const held = Buffer.concat([Buffer.from([9, 9, 9]), file])
    expect(readNpy(held.subarray(3)).toArray()).toEqual([-1.5])
    expect(held.subarray(3).equals(file)).toBe(true)
  })

  test.each([
    ['', /not a \.npy file/],
    ['PK\x03\x04', /not a \.npy file/],
    ['\x93NUMPY\x04\x00\x10\x00', /version 4 is unknown/],
    ['\x93NUMPY\x01\x00\x10', /truncated/],
    ['\x93NUMPY\x01\x00\x80\x00{', /claims 128 bytes, 1 are there/],
    ['\x93NUMPY\x02\x00\xff\xff\xff\xff{', /claims 4294967295 bytes, at most/],
  ])('refuses the start %j', (start, reason) => {
    expect(() => readNpy(bytesOf(start))).toThrow(reason)
    expect(() => readNpy(bytesOf(start))).toThrow(DataError)
  })

  test.each([
    ['|O', '(2,)', /pickle/],
    ['<c8', '(2,)', /'<c8' is not supported/],
    ['<U4', '(2,)', /'<U4' is not supported/],
    ['<M8[ns]', '(2,)', /not supported/],
    ['|u1', '(4,)', /truncated: 2 bytes of data, but shape \[4\] of u1 takes 4/],
    ['|u1', '(1,)', /trailing bytes: 2 bytes of data, but shape \[1\] of u1 takes 1/],
    ['<f8', '(1000000000, 1000000)', /truncated/],
    ['<f8', '(9007199254740991, 8)', /too large/],
    ['<f8', '(9007199254740991, 9007199254740991, 0)', /too large/],
    ['<f8', '(99999999999999999999,)', /bad dimension/],
    ['|u1', '(-2,)', /bad dimension/],
    ['|u1', '(2.0,)', /bad dimension/],
    ['|u1', `(${'1,'.repeat(65)})`, /65 dimensions/],
  ])('refuses %s of shape %s', (descr, shape, reason) => {
    expect(() => read(descr, shape, [0, 0])).toThrow(reason)
    expect(() => read(descr, shape, [0, 0])).toThrow(DataError)
  })

  test.each([
    ["{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", /structured/],
    ["{'descr': '|u1', 'shape': (2,), }", /must hold/],
    ["{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", /malformed/],
    ["{'descr': '|u1', 'fortran_order': exit(), 'shape': (2,)}", /malformed/],
    ["{'descr': '|u1', 'fortran_order': False, 'shape': ((((2))))}", /malformed/],
    ["['descr']", /not a Python dict/],
    ['(('.repeat(4000), /not a Python dict/],
  ])('refuses the header %.60s', (dict, reason) => {
    expect(() => readNpy(npyFile(dict, [0, 0]))).toThrow(reason)
    expect(() => readNpy(npyFile(dict, [0, 0]))).toThrow(DataError)
  })

  test.each([
    ['<i8', [0, 0, 0, 0x80, 0, 0, 0, 0], 'int64 value 2147483648'],
    ['<i8', [255, 255, 255, 0x7f, 255, 255, 255, 255], 'int64 value -2147483649'],
    ['<u8', [255, 255, 255, 255, 255, 255, 255, 255], 'uint64 value 18446744073709551615'],
    ['<u4', [0, 0, 0, 0x80], 'uint32 value 2147483648'],
  ])('refuses %s %j, which int32 cannot hold', (descr, data, reason) => {
    expect(() => read(descr, '(1,)', data)).toThrow(`${reason} (element 0 as stored) is outside int32`)
  })
})

describe('writeNpy', () => {
  test('writes the bytes that NumPy 2.4 writes', () => {
    // np.save(f, np.array([[1.5], [-2]], '<f4'))
    const expected = bytesOf(
      '\x93NUMPY\x01\x00v\x00',
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }".padEnd(117),
      '\n',
      [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0],
    )
    expect(writeNpy(tensor([[1.5], [-2]], { dtype: 'float32' }))).toEqual(expected)
  })

  test.each([
    tensor([[1, NaN, -0]]),
    tensor(3, { dtype: 'float32' }),
    tensor([1, -2], { dtype: 'int32' }),
    tensor([[true], [false]]),
    tensor([], { shape: [0, 3] }),
  ])('round-trips %s', (x) => {
    expect(readNpy(writeNpy(x))).toEqual(x)
  })
})
