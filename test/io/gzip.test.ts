import { gzipSync, crc32 as zlibCrc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { crc32 } from '../../src/io/crc32.js'
import { DataError } from '../../src/io/error.js'
import { gunzip } from '../../src/io/gzip.js'
import { bytesOf, fromBase64 } from './bytes.js'

// Python 3: gzip.compress(b'hello ', mtime=0) + gzip.compress(b'world', mtime=0)
const twoMembers = fromBase64('H4sIAAAAAAACA8tIzcnJVwAA9vmB7QYAAAAfiwgAAAAAAAIDK88vykkBAEMRdzoFAAAA')

test('crc32 gives the check value of RFC 1952, in one piece or several', () => {
  expect(crc32(bytesOf('123456789'))).toBe(0xcbf43926)
  expect(crc32(bytesOf('6789'), crc32(bytesOf('12345')))).toBe(0xcbf43926)
  const noise = Uint8Array.from({ length: 1000 }, (_, i) => (i * i * 31) % 251)
  expect(crc32(noise)).toBe(zlibCrc32(noise))
})

describe('gunzip', () => {
  test('joins the members that Python wrote', () => {
    expect(new TextDecoder().decode(gunzip(twoMembers))).toBe('hello world')
  })

  test('gives back what zlib compressed, also over many slices and an odd member boundary', () => {
    let state = 12345
    const noise = Uint8Array.from({ length: 300_000 }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return state >>> 28
    })
    const whole = gzipSync(noise)
    expect(Buffer.from(gunzip(whole)).equals(noise)).toBe(true)
    expect(gunzip(bytesOf(whole, gzipSync(new Uint8Array(0)), whole)).length).toBe(600_000)
  })

  test('refuses every cut of a file, and every flipped byte after its header', () => {
    for (let length = 0; length < twoMembers.length; length++) {
      // A cut between two members leaves a complete file.
      if (length !== 26) expect(() => gunzip(twoMembers.subarray(0, length))).toThrow(DataError)
    }
    for (let at = 10; at < 26; at++) {
      const flipped = twoMembers.slice()
      flipped[at] = (flipped[at] as number) ^ 1
      expect(() => gunzip(flipped)).toThrow(DataError)
    }
  })

  test('refuses trailing bytes', () => {
    for (const tail of ['x', 'junk', 'x'.repeat(100)])
      expect(() => gunzip(bytesOf(twoMembers, tail))).toThrow(/damaged or truncated/)
  })

  test('refuses a bomb, by size and by ratio', () => {
    const bomb = gzipSync(new Uint8Array(70e6))
    expect(bomb.length).toBeLessThan(100_000)
    expect(() => gunzip(bomb)).toThrow('decompresses to more than the 67108864 bytes accepted')
    expect(() => gunzip(bomb, { maxBytes: 1e6 })).toThrow('1000000 bytes')
    expect(gunzip(bomb, { maxRatio: 1100 }).length).toBe(70e6)
  })
})
