import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { DataError } from '../../src/io/error.js'
import { writeNpy } from '../../src/io/npy.js'
import { openNpz, readNpz, writeNpz } from '../../src/io/npz.js'
import { tensor } from '../../src/tensor/tensor.js'
import { bytesOf, fromBase64 } from './bytes.js'

const fromNumpy = fromBase64(
  'UEsDBC0AAAAIAAAAIQCryVyu//////////8FABQAYS5ucHkBABAAjAAAAAAAAABLAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6T' +
    'ZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6mjoKtQoUAC4GMGiwAxL2AFBLAwQtAAAACAAAACEAEBk6Gf//////////' +
    'BwAUAGIvYy5ucHkBABAAggAAAAAAAABIAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF6TZKiuo6Cell9UUpSYF59flJIKEndLzClO' +
    'BYoXZyQWpAL5GoY6CkaaOgq1CmQDLkYGAFBLAQItAy0AAAAIAAAAIQCryVyuSwAAAIwAAAAFAAAAAAAAAAAAAACAAQAAAABhLm5weVBL' +
    'AQItAy0AAAAIAAAAIQAQGToZSAAAAIIAAAAHAAAAAAAAAAAAAACAAYIAAABiL2MubnB5UEsFBgAAAAACAAIAaAAAAAMBAAAAAA==',
)

const zeros = (n: number) => writeNpy(tensor(new Float64Array(n)))

/** `bytes` with `patch` written at `offset` after the first `signature`. */
function patched(bytes: Uint8Array, signature: string, offset: number, patch: number[]): Uint8Array {
  const copy = Buffer.from(bytes)
  copy.set(patch, copy.indexOf(signature, 0, 'latin1') + offset)
  return copy
}

describe('readNpz', () => {
  test('reads what np.savez_compressed of NumPy 2.4 wrote', () => {
    // np.savez_compressed(f, a=np.arange(3, dtype='<f4') / 4, **{'b/c': np.array([[True, False]])})
    expect(readNpz(fromNumpy)).toEqual({
      a: tensor([0, 0.25, 0.5], { dtype: 'float32' }),
      'b/c': tensor([[true, false]]),
    })
  })

  test('reads only the array that is asked for, so that an unreadable one beside it does no harm', () => {
    const arrays = openNpz(
      zipSync({ 'good.npy': zeros(2), 'bad.npy': bytesOf('garbage'), 'note.txt': bytesOf('x') }),
    )
    expect([...arrays.keys()]).toEqual(['good', 'bad'])
    expect(arrays.get('good')?.().shape).toEqual([2])
    expect(() => arrays.get('bad')?.()).toThrow('array "bad": not a .npy file')
  })

  test('takes names that climb out of a folder, or that are special in JavaScript, as mere labels', () => {
    const made = readNpz(zipSync({ '../../etc/x.npy': zeros(1), '/abs.npy': zeros(1) }))
    expect(Object.keys(made)).toEqual(['../../etc/x', '/abs'])
    const renamed = Buffer.from(zipSync({ 'AAproto__.npy': zeros(1) }).slice())
    for (let at = renamed.indexOf('AAproto'); at !== -1; at = renamed.indexOf('AAproto'))
      renamed.write('__', at)
    const special = readNpz(renamed)
    expect(Object.keys(special)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(special)).toBe(Object.prototype)
  })

  test('refuses damage: a flipped byte, a cut, a tail, a wrong size, encryption, another method', () => {
    const stored = writeNpz({ x: tensor([1, 2, 3]) })
    const flipped = stored.slice()
    flipped.set([9], 30 + 'x.npy'.length + 128)
    expect(() => readNpz(flipped)).toThrow(
      'array "x": zip entry "x.npy" is damaged: its checksum does not match',
    )
    expect(() => readNpz(stored.subarray(0, -1))).toThrow('no end of directory')
    expect(() => readNpz(bytesOf(stored, [0]))).toThrow('trailing bytes')
    const central = 'PK\x01\x02'
    expect(() => readNpz(patched(stored, central, 8, [1]))).toThrow('encrypted')
    expect(() => readNpz(patched(stored, central, 10, [12]))).toThrow('compression method 12')
    expect(() => readNpz(patched(stored, central, 24, [1]))).toThrow('its directory says')
    expect(() => readNpz(patched(stored, central, 42, [1]))).toThrow('no local header')
    expect(() => readNpz(patched(stored, central, 20, [255, 255]))).toThrow('is truncated')
    expect(() => readNpz(patched(fromNumpy, central, 24, [1]))).toThrow(DataError)
    expect(() => readNpz(patched(stored, 'PK\x05\x06', 10, [2]))).toThrow(
      'directory of the zip archive is damaged',
    )
    expect(() => readNpz(patched(stored, 'PK\x05\x06', 10, [255, 255]))).toThrow('zip64')
  })

  test('refuses a name held twice', () => {
    const bytes = Buffer.from(zipSync({ 'x.npy': zeros(1), 'y.npy': zeros(2) }))
    for (let at = bytes.indexOf('y.npy'); at !== -1; at = bytes.indexOf('y.npy')) bytes.write('x', at)
    expect(() => readNpz(bytes)).toThrow('holds array "x" twice')
  })

  test('refuses a zip bomb by its declared size before decompressing, and one that lies while it grows', () => {
    const bomb = zipSync({ 'x.npy': zeros(9e6) }, { level: 9 })
    expect(bomb.length).toBeLessThan(200_000)
    expect(() => openNpz(bomb)).toThrow('decompresses to more than the 67108864 bytes accepted')
    expect(openNpz(bomb, { maxRatio: 2000 }).size).toBe(1)
    expect(() => openNpz(bomb, { maxRatio: 2000, maxBytes: 1e6 })).toThrow('1000000 bytes')
    const liar = patched(bomb, 'PK\x01\x02', 24, [0, 1, 0, 0])
    expect(() => readNpz(liar)).toThrow('decompresses to more than the 256 bytes')
  })
})

describe('writeNpz', () => {
  test('round-trips, and the same arrays give the same bytes', () => {
    const arrays = { x: tensor([[1, 2]]), 'layer/weight': tensor([1, 2], { dtype: 'int32' }) }
    expect(readNpz(writeNpz(arrays))).toEqual(arrays)
    expect(writeNpz(arrays)).toEqual(writeNpz(arrays))
    expect(readNpz(writeNpz({}))).toEqual({})
  })
})
