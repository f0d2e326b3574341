import { describe, expect, test } from 'vitest'
import { bytesOf } from '../../src/cli/memory.js'

describe('sizes of memory', () => {
  test.each([
    ['500MB', 5e8],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['80000', 80_000],
    ['2kb', 2000],
    ['3 tib', 3 * 2 ** 40],
  ])('%s', (text, bytes) => {
    expect(bytesOf(text, '--memory')).toBe(bytes)
  })

  test.each(['', '0', '-5MB', '5 apples', 'MB', '0.2'])('%j is none', (text) => {
    expect(() => bytesOf(text, '--memory')).toThrow(
      /--memory: got ".*", expected a size such as 500MB or 2GiB/,
    )
  })
})
