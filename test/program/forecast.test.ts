import { describe, expect, test } from 'vitest'
import { add, mul, neg } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape } from '../../src/ops/broadcast.js'
import { dot } from '../../src/ops/dot.js'
import { exp } from '../../src/ops/smooth.js'
import { explain } from '../../src/program/explain.js'
import { forecast } from '../../src/program/forecast.js'
import { tensor } from '../../src/tensor/tensor.js'
import { float, program, typed } from './programs.js'

describe('forecast', () => {
  test('counts operations and traffic of a matrix-vector product', () => {
    const p = program([float(3, 4), float(4)], (x, y) => dot(x, y, [[1], [0]]))
    // 3 rows of 4 products and 4 sums; 12 + 4 numbers read, 3 written; all of them alive at once.
    expect(forecast(p)).toEqual({ equations: 1, flops: 24, bytes: 19 * 8, peakBytes: 19 * 8 })
  })

  test('frees an intermediate after its last use', () => {
    const p = program([float(100)], (x) => neg(neg(neg(neg(x)))))
    // The input and two intermediates at a time.
    expect(forecast(p)).toEqual({ equations: 4, flops: 400, bytes: 4 * 1600, peakBytes: 3 * 800 })
  })

  test('keeps what is used later, and results, to the end', () => {
    const p = program([float(10)], (x) => {
      const kept = neg(x)
      const sum = reduceSum(neg(kept), [0])
      return [add(kept, sum), sum]
    })
    // add: the input, kept and the result are 80 B each, the sum is 8 B; before: input, kept, neg, sum.
    expect(forecast(p).peakBytes).toBe(248)
  })

  test('takes a reshape as another name of the same elements', () => {
    const p = program([float(4, 5)], (x) => neg(reshape(neg(reshape(x, [20])), [2, 10])))
    // The input and both results of neg; the middle one lives on under its new name.
    expect(forecast(p)).toEqual({ equations: 4, flops: 40, bytes: 2 * 320, peakBytes: 3 * 160 })
  })

  test('counts a constant once, an input named twice once, and unused results while they are made', () => {
    const c = tensor([1, 2, 3])
    const p = program([float(3)], (x) => {
      mul(x, c)
      return mul(mul(x, x), c)
    })
    expect(forecast(p)).toEqual({ equations: 3, flops: 9, bytes: 72 + 48 + 72, peakBytes: 4 * 24 })
  })

  test('knows the sizes of types, and empty arrays', () => {
    expect(forecast(program([typed('float32', [5]), typed('bool', [7])], (x) => x)).peakBytes).toBe(27)
    const none = { equations: 1, flops: 0, bytes: 0, peakBytes: 0 }
    expect(forecast(program([float(0, 3)], (x) => neg(x)))).toEqual(none)
  })
})

describe('explain', () => {
  test('shows what every equation costs', () => {
    const p = program([float(64, 784), float(784, 128), float(128)], (x, w, b) =>
      reduceSum(exp(add(dot(x, w, [[1], [0]]), broadcastTo(b, [64, 128]))), [0, 1]),
    )
    expect(explain(p)).toMatchInlineSnapshot(`
      "                                                                  flops    moved
      (a:float64[64,784], b:float64[784,128], c:float64[128]) =>
        d:float64[64,128] = dot{contract=[[1],[0]] batch=[[],[]]} a b  12.8 M  1.27 MB
        e:float64[64,128] = broadcast{shape=[64,128]} c                    0   66.6 kB
        f:float64[64,128] = add d e                                    8.19 k   197 kB
        g:float64[64,128] = exp f                                      81.9 k   131 kB
        h:float64[] = reduceSum{axes=[0,1]} g                          8.19 k  65.5 kB
        return h
      5 equations, 12.9 M flops, 1.73 MB moved, peak memory 1.40 MB"
    `)
  })

  test('rounds to three digits, up to the next prefix', () => {
    expect(explain(program([float(999_999)], (x) => neg(x)))).toContain(
      '1 equation, 1.00 M flops, 16.0 MB moved',
    )
  })

  test('shows a program without equations', () => {
    expect(explain(program([float(2)], (x) => x))).toMatchInlineSnapshot(`
      "  flops  moved
      (a:float64[2]) =>
        return a
      0 equations, 0 flops, 0 B moved, peak memory 16 B"
    `)
  })
})
