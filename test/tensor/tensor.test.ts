import { describe, expect, test } from 'vitest'
import { Tensor, tensor, unflatten } from '../../src/tensor/index.js'
import { broadcastShapes, normalizeAxis } from '../../src/tensor/shape.js'
import { castTensor } from '../../src/tensor/tensor.js'
import { flatten, leafNames, sameStructure, showStructure } from '../../src/tensor/tree.js'

describe('tensor', () => {
  test('takes numbers, nested arrays and typed arrays, and gives them back', () => {
    expect(tensor(3).toArray()).toBe(3)
    expect(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]).toArray(),
    ).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect(tensor(new Float32Array([1, 2, 3, 4]), { shape: [2, 2] }).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(tensor([]).shape).toEqual([0])
  })

  test('has the dtype of what it is made of, or the one asked for', () => {
    expect(tensor([1, 2]).dtype).toBe('float64')
    expect(tensor([true, false]).dtype).toBe('bool')
    expect(tensor(new Int32Array(2)).dtype).toBe('int32')
    expect(tensor([1.7, -1.7], { dtype: 'int32' }).toArray()).toEqual([1, -1])
    expect(castTensor(tensor([0, 0.5]), 'bool').toArray()).toEqual([0, 1])
  })

  test('refuses what is no array, naming what came', () => {
    expect(() => tensor([[1, 2], [3]])).toThrow('ragged array, expected 2 at depth 1, got 1 elements')
    expect(() => tensor([1, 'two'] as never)).toThrow('got two at depth 1')
    expect(() => tensor(undefined as never)).toThrow('got undefined, expected a number')
    expect(() => new Tensor(new Float64Array(3), [2, 2])).toThrow(
      'data has 3 elements, but shape [2,2] holds 4',
    )
    expect(() => tensor([1, 2]).item()).toThrow('shape [2], expected one element')
  })

  test('is not silently NaN under JavaScript operators', () => {
    expect(() => (tensor(2) as unknown as number) * 2).toThrow('used with a JavaScript operator')
    expect(`${tensor([1, 2])}`).toBe('float64[2]')
  })
})

describe('shapes', () => {
  test('broadcast as NumPy does', () => {
    expect(broadcastShapes([[3, 1], [4]])).toEqual([3, 4])
    expect(broadcastShapes([[], [2, 0], [1]])).toEqual([2, 0])
    expect(() => broadcastShapes([[3], [4]], 'add')).toThrow('add: shapes [3] and [4] do not broadcast')
  })

  test('axes count from the end when negative', () => {
    expect(normalizeAxis(-1, 3, 'sum')).toBe(2)
    expect(() => normalizeAxis(3, 3, 'sum')).toThrow('sum: axis 3 is out of range for 3 dimension(s)')
  })
})

describe('trees', () => {
  const isLeaf = (node: unknown) => typeof node === 'number'
  const tree = {
    layers: [
      { w: 1, b: 2 },
      { w: 3, b: 4 },
    ],
    scale: 5,
  }

  test('are taken apart and put together again', () => {
    const { leaves, structure } = flatten<number>(tree, isLeaf)
    expect(leaves).toEqual([1, 2, 3, 4, 5])
    expect(unflatten(structure, leaves)).toEqual(tree)
    expect(leafNames(structure)).toEqual([
      'layers[0].w',
      'layers[0].b',
      'layers[1].w',
      'layers[1].b',
      'scale',
    ])
    expect(showStructure(structure)).toBe('{layers:[{w:*,b:*},{w:*,b:*}],scale:*}')
  })

  test('differ when keys, lengths or kinds do', () => {
    const of = (value: unknown) => flatten<number>(value as never, isLeaf).structure
    expect(sameStructure(of({ a: 1 }), of({ a: 2 }))).toBe(true)
    expect(sameStructure(of({ a: 1 }), of({ b: 1 }))).toBe(false)
    expect(sameStructure(of([1]), of([1, 2]))).toBe(false)
    expect(sameStructure(of([1]), of(1))).toBe(false)
  })

  test('hold only plain containers', () => {
    expect(() => flatten<number>(new Map() as never, isLeaf)).toThrow('got an instance of Map')
    expect(() => unflatten({ kind: 'array', children: [{ kind: 'leaf' }] }, [1, 2])).toThrow(
      'got 2 leaves, expected 1',
    )
  })
})
