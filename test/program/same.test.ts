import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { samePrograms } from '../../src/program/same.js'
import { Tensor } from '../../src/tensor/index.js'
import { scan, trace } from '../../src/transforms/index.js'

const x = new Tensor(Float64Array.of(1, 2, 3))
const programOf = (f: (x: Tensor) => unknown) => trace(f, x).program

describe('the same program', () => {
  const models: Record<string, (x: Tensor) => unknown> = {
    arithmetic: (x) => np.sum(np.multiply(np.sin(x), np.array([1, 2, 3]))),
    'a loop': (x) => scan((c: Tensor, a: Tensor) => [np.add(c, a), np.multiply(c, a)], 0, x),
    'a captured constant': (x) => np.add(x, Number.NaN),
  }

  test.each(Object.keys(models))('%s traced twice', (name) => {
    expect(samePrograms(programOf(models[name]!), programOf(models[name]!))).toBe(true)
  })

  test.each([
    ['another constant', (x: Tensor) => np.add(x, 1), (x: Tensor) => np.add(x, 2)],
    ['0 and -0', (x: Tensor) => np.arctan2(x, 0), (x: Tensor) => np.arctan2(x, -0)],
    ['another operation', np.sin, np.cos],
    ['another axis', (x: Tensor) => np.reshape(x, [3, 1]), (x: Tensor) => np.reshape(x, [1, 3])],
    ['one more', np.sin, (x: Tensor) => np.sin(np.sin(x))],
    [
      'another body of a loop',
      models['a loop']!,
      (x: Tensor) => scan((c: Tensor, a: Tensor) => [np.subtract(c, a), np.multiply(c, a)], 0, x),
    ],
  ])('not with %s', (_, a, b) => {
    expect(samePrograms(programOf(a), programOf(b))).toBe(false)
  })
})
