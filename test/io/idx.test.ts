import { describe, expect, test } from 'vitest'
import { DataError } from '../../src/io/error.js'
import { readIdx } from '../../src/io/idx.js'

describe('readIdx', () => {
  test.each([
    [8, [0, 255], 'int32[2]', [0, 255]],
    [9, [1, 255], 'int32[2]', [1, -1]],
    [11, [0x01, 0x00, 0xff, 0xff], 'int32[2]', [256, -1]],
    [12, [0, 1, 0, 0, 255, 255, 255, 255], 'int32[2]', [65536, -1]],
    [13, [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0], 'float32[2]', [1.5, -2]],
    [14, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], 'float64[2]', [1.5, -2]],
  ])('reads element type %d from bytes %j', (type, data, kind, values) => {
    const x = readIdx(Uint8Array.from([0, 0, type, 1, 0, 0, 0, 2, ...data]))
    expect(x.toString()).toBe(kind)
    expect(x.toArray()).toEqual(values)
  })

  test('reads dimensions in row-major order', () => {
    const x = readIdx(Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
    expect(x.toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
  })

  test.each([
    [[], /truncated/],
    [[0, 0, 8], /truncated/],
    [[1, 0, 8, 1, 0, 0, 0, 0], /not an IDX file/],
    [[0, 0, 10, 1, 0, 0, 0, 0], /not an IDX file/],
    [[0, 0, 8, 3, 0, 0, 0, 1], /3 dimensions of the IDX file are incomplete/],
    [[0, 0, 8, 1, 0, 0, 0, 2, 7], /truncated: 1 bytes of data, but shape \[2\] of u1 takes 2/],
    [[0, 0, 8, 1, 0, 0, 0, 1, 7, 7], /trailing bytes/],
    [[0, 0, 14, 2, 255, 255, 255, 255, 255, 255, 255, 255], /too large/],
    [[0, 0, 14, 1, 255, 255, 255, 255], /truncated/],
  ])('refuses %j', (bytes, reason) => {
    expect(() => readIdx(Uint8Array.from(bytes))).toThrow(reason)
    expect(() => readIdx(Uint8Array.from(bytes))).toThrow(DataError)
  })
})
