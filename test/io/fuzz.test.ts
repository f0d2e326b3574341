import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { expect, test } from 'vitest'
import { readCsv } from '../../src/io/csv.js'
import { DataError } from '../../src/io/error.js'
import { gunzip } from '../../src/io/gzip.js'
import { readIdx } from '../../src/io/idx.js'
import { readNpy, writeNpy } from '../../src/io/npy.js'
import { readNpz, writeNpz } from '../../src/io/npz.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import { bytesOf, npyDict, npyFile } from './bytes.js'

const seed = 20240607
const mutations = 2000

const x = tensor([
  [1.5, -2],
  [3, 4],
])
const fortran = npyFile(npyDict('>i2', '(2, 3)', 'True'), [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6], 2)
const limits = { maxBytes: 2 ** 20 }
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

const formats: [string, Uint8Array, (bytes: Uint8Array) => Tensor[]][] = [
  ['.npy', writeNpy(x), (bytes) => [readNpy(bytes)]],
  ['Fortran-order .npy', fortran, (bytes) => [readNpy(bytes)]],
  ['.npz', writeNpz({ x, y: x }), (bytes) => Object.values(readNpz(bytes, limits))],
  ['deflated .npz', zipSync({ 'x.npy': writeNpy(x) }), (bytes) => Object.values(readNpz(bytes, limits))],
  [
    'IDX',
    bytesOf([0, 0, 12, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]),
    (bytes) => [readIdx(bytes)],
  ],
  ['CSV', bytesOf('a,"b"\n1,2\n3.5,-4e2\n'), (bytes) => [readCsv(text(bytes)).values]],
  ['blank-separated text', bytesOf('# x y\n1 2\n3.5  -4e2\n'), (bytes) => [readCsv(text(bytes)).values]],
  ['gzip', gzipSync(writeNpy(x)), (bytes) => [readNpy(gunzip(bytes, limits))]],
]

test.each(formats)(`every mutated %s ends in tensors or a DataError (seed ${seed})`, (_, original, read) => {
  expect(read(original).length).toBeGreaterThan(0)
  const random = xoroshiro128plus(seed)
  const below = (n: number) => uniformInt(random, 0, n - 1)

  const mutate = (): Uint8Array => {
    const bytes = original.slice()
    for (let edits = 1 + below(4); edits > 0; edits--)
      bytes[below(bytes.length)] = [0, 255, below(256)][below(3)] ?? 0
    if (below(4) === 0) return bytes.slice(0, below(bytes.length))
    if (below(4) > 0) return bytes
    const [from, to] = [below(bytes.length), below(bytes.length)]
    return bytesOf(bytes.slice(0, from), bytes.slice(to))
  }

  let refused = 0
  for (let i = 0; i < mutations; i++) {
    const bytes = mutate()
    try {
      for (const made of read(bytes)) expect(made).toBeInstanceOf(Tensor)
    } catch (error) {
      if (!(error instanceof DataError)) throw new Error(`mutation ${i}: ${error}`, { cause: error })
      refused++
    }
  }
  expect(refused).toBeGreaterThan(mutations / 4)
})
