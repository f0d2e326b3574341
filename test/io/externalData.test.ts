import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { externalDataIn } from '../../src/io/externalData.js'

const root = mkdtempSync(join(tmpdir(), 'evolute-external-'))
const folder = join(root, 'model')
const load = externalDataIn(folder)

beforeAll(() => {
  mkdirSync(join(folder, 'part'), { recursive: true })
  writeFileSync(join(folder, 'w.bin'), new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]))
  writeFileSync(join(folder, 'part', '..v.bin'), new Uint8Array([9]))
  writeFileSync(join(root, 'secret'), 'secret')
  mkdirSync(join(root, 'model2'))
  writeFileSync(join(root, 'model2', 'secret'), 'secret')
})

afterAll(() => rmSync(root, { recursive: true }))

describe('external data', () => {
  test('is read from a range of a file in the folder or below it', () => {
    expect(load('w.bin', 2, 3)).toEqual(new Uint8Array([2, 3, 4]))
    expect(load('./w.bin', 8, 0)).toEqual(new Uint8Array())
    expect(load('part/..v.bin', 0, 1)).toEqual(new Uint8Array([9]))
  })

  test('may be reached through a link that stays inside the folder', () => {
    symlinkSync('w.bin', join(folder, 'inside'))
    expect(load('inside', 7, 1)).toEqual(new Uint8Array([7]))
  })

  test('is found when the folder itself is reached through a link', () => {
    symlinkSync(folder, join(root, 'link'))
    expect(externalDataIn(join(root, 'link'))('w.bin', 0, 1)).toEqual(new Uint8Array([0]))
  })
})

describe('external data is refused', () => {
  test('for a path that is absolute, climbs or is none', () => {
    const paths = [
      '/etc/hostname',
      join(root, 'secret'),
      '../secret',
      'part/../../secret',
      'part\\..\\..\\secret',
    ]
    for (const path of [
      ...paths,
      'part/../w.bin',
      'C:\\secret',
      'c:secret',
      '\\\\host\\share',
      'w.bin\0',
      '',
    ])
      expect(() => load(path, 0, 1), path).toThrow(/must stay inside/)
  })

  test('for a link that leads outside, as a file or as a folder', () => {
    symlinkSync(join(root, 'secret'), join(folder, 'leak'))
    symlinkSync('..', join(folder, 'up'))
    symlinkSync(join(root, 'model2'), join(folder, 'sibling'))
    symlinkSync('/dev/zero', join(folder, 'zeros'))
    for (const path of ['leak', 'up/secret', 'sibling/secret', 'zeros'])
      expect(() => load(path, 0, 1), path).toThrow(/a link leads outside/)
  })

  test('for a range that the file does not have', () => {
    const ranges = [
      [0, 9],
      [8, 1],
      [-1, 2],
      [0, -1],
      [0.5, 1],
      [2 ** 60, 1],
      [Number.NaN, 1],
      [0, Number.POSITIVE_INFINITY],
    ]
    for (const [offset, length] of ranges as [number, number][])
      expect(() => load('w.bin', offset, length), `${offset}, ${length}`).toThrow(/has 8 bytes, but/)
  })

  test('for a folder, and for a pipe without waiting for it', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    expect(() => load('pipe', 0, 1)).toThrow(/not a regular file/)
    expect(() => load('part', 0, 1)).toThrow(/not a regular file/)
  })

  test('for a file that does not exist or a loop of links, without naming the folder', () => {
    symlinkSync('loop', join(folder, 'loop'))
    expect(() => load('none', 0, 1)).toThrow(/^external data "none" does not exist$/)
    expect(() => load('loop', 0, 1)).toThrow(/^external data "loop" cannot be read \(ELOOP\)$/)
    expect(() => load('w.bin/x', 0, 1)).toThrow(/^external data "w.bin\/x" cannot be read \(ENOTDIR\)$/)
  })

  test('but a hard link cannot be told from a file of the folder', () => {
    linkSync(join(root, 'secret'), join(folder, 'hard'))
    expect(load('hard', 0, 6)).toHaveLength(6)
  })
})
