import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DataError, readArray, readBytes, writeFileAtomic, writeNpy, writeNpz } from '../../src/io/index.js'
import { tensor } from '../../src/tensor/tensor.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evolute-io-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** The path of a new file with this content. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const idx = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 2, 3, 4])
const x = tensor([[1, 2]])

describe('readArray', () => {
  test.each([
    ['a.npy', writeNpy(x)],
    ['a.npy.gz', gzipSync(writeNpy(x))],
    ['a.npz', writeNpz({ x })],
    ['a.npz.gz', gzipSync(writeNpz({ x }))],
    ['a.csv', '1,2\n'],
    ['a.csv.gz', gzipSync('u,v\n1,2\n')],
    ['a.tsv', '1\t2\n'],
    ['a.txt', '1 2\n'],
    ['a.data', '1;2\n'],
    ['npy-without-extension', writeNpy(x)],
    ['gzip-without-extension', gzipSync(writeNpz({ x }))],
  ])('reads %s', (name, content) => {
    expect(readArray(file(name, content))).toEqual(x)
  })

  test.each(['labels-idx1-ubyte', 'labels.idx', 'labels'])('reads IDX from %s, gzipped or not', (name) => {
    expect(readArray(file(name, idx)).toArray()).toEqual([3, 4])
    expect(readArray(file(`${name}.gz`, gzipSync(idx))).toArray()).toEqual([3, 4])
  })

  test('picks one array of a .npz by option or by suffix', () => {
    const path = file('a.npz', writeNpz({ x, 'b/c:d': tensor([7]) }))
    expect(readArray(path, { key: 'x' })).toEqual(x)
    expect(readArray(`${path}:x`)).toEqual(x)
    expect(readArray(`${path}:b/c:d`).item()).toBe(7)
    expect(() => readArray(path)).toThrow(`${path}: holds 2 arrays (x, b/c:d); name one, as in file.npz:x`)
    expect(() => readArray(`${path}:y`)).toThrow(`${path}: holds no array "y", only: x, b/c:d`)
  })

  test.each([
    ['empty.csv', '', 'is empty'],
    ['cut.npy', writeNpy(x).subarray(0, -1), 'truncated: 15 bytes of data, but shape [1,2] of f8 takes 16'],
    ['tail.npy', Buffer.concat([writeNpy(x), Buffer.from('x')]), 'trailing bytes: 17 bytes'],
    ['text.npy', '1,2\n', 'not a .npy file'],
    ['text.npz', '1,2\n', 'not a zip archive'],
    ['text-idx3-ubyte', 'hello', 'not an IDX file'],
    ['plain.csv.gz', '1,2\n', 'not a gzip file, though its name ends in .gz'],
    ['cut.csv.gz', gzipSync('1,2\n').subarray(0, -1), 'the gzip data is damaged or truncated'],
    ['twice.csv.gz', gzipSync(gzipSync('1,2\n')), 'is gzipped twice'],
    ['none.npz', writeNpz({}), 'holds no .npy array'],
    ['row.csv', '1,2\n3,x\n', 'line 2, column 2: expected a number, got "x"'],
    ['photo.jpg', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), 'is not a format known here'],
    ['latin1.csv', Uint8Array.of(0xe9, 0x0a, 0x31), 'is not a format known here'],
  ])('refuses %s, naming it and the reason', (name, content, reason) => {
    const path = file(name, content)
    expect(() => readArray(path)).toThrow(`${path}: ${reason}`)
    expect(() => readArray(path)).toThrow(DataError)
  })

  test('refuses a missing file, a folder, a file under a file, and a key where there are no names', () => {
    const path = file('a.csv', '1\n')
    expect(() => readArray(join(folder, 'none.npy'))).toThrow('none.npy: no such file or folder')
    expect(() => readArray(`${join(folder, 'none.npz')}:x`)).toThrow('none.npz: no such file or folder')
    expect(() => readArray(folder)).toThrow(`${folder}: is a folder, expected a file`)
    expect(() => readArray(join(path, 'b'))).toThrow('a part of the path is not a folder')
    expect(() => readArray(path, { key: 'x' })).toThrow('holds no named arrays, so "x" cannot be picked')
    expect(() => readArray('a\0b')).toThrow(DataError)
    expect(() => readBytes(folder)).toThrow(DataError)
  })

  test.skipIf(process.platform === 'win32')('refuses a pipe without waiting for its other end', () => {
    const path = join(folder, 'pipe.npy')
    execFileSync('mkfifo', [path])
    expect(() => readArray(path)).toThrow(`${path}: is not a regular file`)
    expect(() => writeFileAtomic(path, 'x')).toThrow(`${path}: is not a regular file`)
  })

  test('passes decompression limits on', () => {
    const path = file('a.csv.gz', gzipSync('1\n'.repeat(1000)))
    expect(readArray(path).shape).toEqual([1000, 1])
    expect(() => readArray(path, { limits: { maxBytes: 100 } })).toThrow(`${path}: decompresses to more than`)
  })
})

describe('writeFileAtomic', () => {
  test('writes text and bytes, also over an existing file, and leaves only that file', () => {
    const path = file('report.html', 'old')
    writeFileAtomic(path, 'né')
    expect(readFileSync(path, 'utf8')).toBe('né')
    writeFileAtomic(path, Uint8Array.of(1, 2))
    expect([...readFileSync(path)]).toEqual([1, 2])
    expect(readdirSync(folder)).toEqual(['report.html'])
  })

  test('leaves nothing behind, and the old content in place, when it fails', () => {
    const occupied = join(folder, 'taken')
    mkdirSync(occupied)
    expect(() => writeFileAtomic(occupied, 'x')).toThrow(DataError)
    expect(() => writeFileAtomic(occupied, 'x')).toThrow('is a folder, expected a file')
    expect(() => writeFileAtomic(join(folder, 'none', 'a'), 'x')).toThrow('no such file or folder')
    const path = file('kept', 'old')
    expect(() => writeFileAtomic(path, 5 as unknown as string)).toThrow()
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder).sort()).toEqual(['kept', 'taken'])
  })

  test.skipIf(process.platform === 'win32')('writes through a link, which stays one', () => {
    const path = file('real', 'old')
    symlinkSync('real', join(folder, 'link'))
    writeFileAtomic(join(folder, 'link'), 'new')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true)
  })

  test.skipIf(process.platform === 'win32')('keeps the permissions of a file it replaces', () => {
    const path = file('script', 'old')
    chmodSync(path, 0o750)
    writeFileAtomic(path, 'new')
    expect(statSync(path).mode & 0o777).toBe(0o750)
  })
})
