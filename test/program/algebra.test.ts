import { describe, expect, test } from 'vitest'
import { simplify } from '../../src/ops/algebra.js'
import { add, cast, div, mul, neg, select, stopGradient, sub } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../../src/ops/broadcast.js'
import { less } from '../../src/ops/compare.js'
import { dot } from '../../src/ops/dot.js'
import { optimize } from '../../src/ops/optimize.js'
import { concatenate, pad, slice } from '../../src/ops/slice.js'
import { exp } from '../../src/ops/smooth.js'
import { bind } from '../../src/program/builder.js'
import { check } from '../../src/program/check.js'
import { eliminateDeadCode } from '../../src/program/passes/deadCode.js'
import { print } from '../../src/program/print.js'
import type { Program } from '../../src/program/program.js'
import type { Type, Value, Var } from '../../src/program/value.js'
import { fullTensor, tensor } from '../../src/tensor/tensor.js'
import { float, program, typed } from './programs.js'

/** One round of algebra, without the equations that it has made useless. */
function simplified(types: readonly Type[], f: (...inputs: Var[]) => Value | Value[]): string {
  const before = program(types, f)
  const after = eliminateDeadCode(simplify(before))
  check(after)
  return print(after)
}

const unchanged = (p: Program) => expect(simplify(p)).toBe(p)

describe('arithmetic with constants', () => {
  test('zeros and ones vanish', () => {
    expect(
      simplified([float(3)], (x) => [add(x, 0), add(0, x), sub(x, 0), mul(x, 1), mul(1, x), div(x, 1)]),
    ).toMatchInlineSnapshot(`
      "(a:float64[3]) =>
        return a, a, a, a, a, a"
    `)
  })

  test('a zero that widens the result leaves its broadcast', () => {
    expect(simplified([float(3)], (x) => add(x, fullTensor([2, 3], 0, 'float64')))).toMatchInlineSnapshot(`
      "(a:float64[3]) =>
        b:float64[2,3] = broadcast{shape=[2,3]} a
        return b"
    `)
  })

  test('signs are changed by neg', () => {
    expect(
      simplified([float(3)], (x) => [mul(x, -1), sub(0, x), neg(neg(x)), neg(neg(neg(x)))]),
    ).toMatchInlineSnapshot(`
      "(a:float64[3]) =>
        b:float64[3] = neg a
        c:float64[3] = neg a
        d:float64[3] = neg a
        return b, c, a, d"
    `)
  })

  test('sums with negated terms are differences', () => {
    expect(
      simplified([float(3), float(3)], (x, y) => [add(x, neg(y)), add(neg(x), y), sub(x, neg(y))]),
    ).toMatchInlineSnapshot(`
      "(a:float64[3], b:float64[3]) =>
        c:float64[3] = sub a b
        d:float64[3] = sub b a
        e:float64[3] = add a b
        return c, d, e"
    `)
  })

  test('two constant factors become one', () => {
    expect(simplified([float(3)], (x) => mul(mul(x, 3), 5))).toMatchInlineSnapshot(`
      "(a:float64[3]) =>
        b:float64[3] = mul a 15
        return b"
    `)
    expect(simplified([float(3)], (x) => mul(7, mul(3, mul(x, 5))))).toMatchInlineSnapshot(`
      "(a:float64[3]) =>
        b:float64[3] = mul a 105
        return b"
    `)
  })

  test('factors that are tensors become one, zeros included, if that is no larger', () => {
    const [c, d] = [tensor([1, 0, 3]), tensor([2, 5, -1])]
    const p = simplify(program([float(3)], (x) => neg(mul(d, mul(x, c)))))
    expect(print(simplify(p))).toMatchInlineSnapshot(`
      "(a:float64[3]) =>
        b:float64[3] = mul a <float64[3]>
        c:float64[3] = mul a <float64[3]>
        d:float64[3] = mul a <float64[3]>
        return d"
    `)
    unchanged(program([float(3)], (x) => mul(mul(x, c), reshape(d, [3, 1]))))
    unchanged(program([float(3)], (x) => mul(mul(x, c), tensor([1e-320, 1, 1]))))
  })

  test('a sum of multiples of one value is a multiple', () => {
    expect(
      simplified([float(3)], (x) => [add(x, x), add(mul(x, 3), mul(x, tensor([1, 2, 3])))]),
    ).toMatchInlineSnapshot(`
      "(a:float64[3]) =>
        b:float64[3] = mul a 2
        c:float64[3] = mul a <float64[3]>
        return b, c"
    `)
    unchanged(program([float()], (x) => add(mul(x, 1e308), mul(x, 1.5e308))))
  })

  test('factors stay when their product overflows or underflows, and for integers', () => {
    for (const [c, d] of [
      [1e200, 1e200],
      [1e-200, 1e-200],
      [1e-160, 1e-160],
      [Number.POSITIVE_INFINITY, 2],
      [Number.NaN, 2],
    ] as const)
      unchanged(program([float()], (x) => mul(mul(x, c), d)))
    unchanged(program([typed('float32', [])], (x) => mul(mul(x, 1e-20), 1e-20)))
    unchanged(program([typed('int32', [])], (x) => mul(mul(x, 3), 5)))
  })

  test('division by a power of two is multiplication, other divisions stay', () => {
    expect(simplified([float(3)], (x) => [div(x, 8), div(x, -0.25)])).toMatchInlineSnapshot(`
      "(a:float64[3]) =>
        b:float64[3] = mul a 0.125
        c:float64[3] = mul a -4
        return b, c"
    `)
    for (const c of [3, 0, 2 ** -1074, 2 ** 1023, Number.POSITIVE_INFINITY, Number.NaN])
      unchanged(program([float(3)], (x) => div(x, c)))
    unchanged(program([typed('int32', [3])], (x) => div(x, 2)))
  })

  test('a product with zero stays, because of NaN and infinity', () => {
    unchanged(program([float(3)], (x) => mul(x, 0)))
  })

  test('select with a known condition is its branch', () => {
    const yes = fullTensor([2, 3], 1, 'bool')
    const no = fullTensor([], 0, 'bool')
    expect(
      simplified([float(3), float(2, 3)], (x, y) => [select(yes, x, y), select(no, x, y)]),
    ).toMatchInlineSnapshot(`
      "(a:float64[3], b:float64[2,3]) =>
        c:float64[2,3] = broadcast{shape=[2,3]} a
        return c, b"
    `)
    unchanged(program([float(3)], (x) => select(tensor([true, false, true]), x, 0)))
  })

  test('stopGradient is dropped by optimize only', () => {
    const p = program([float(3)], (x) => stopGradient(x))
    unchanged(p)
    expect(optimize(p).equations).toHaveLength(0)
  })
})

describe('moves', () => {
  test('two become one, or none', () => {
    expect(
      simplified([float(2, 3, 4)], (x) => [
        transpose(transpose(x, [1, 2, 0]), [1, 2, 0]),
        transpose(transpose(x, [1, 2, 0]), [2, 0, 1]),
        reshape(reshape(x, [6, 4]), [24]),
        reshape(reshape(x, [6, 4]), [2, 3, 4]),
        broadcastTo(broadcastTo(x, [1, 2, 3, 4]), [5, 2, 3, 4]),
        slice(slice(x, [0, 1, 1], [2, 3, 4]), [1, 0, 1], [2, 2, 3]),
      ]),
    ).toMatchInlineSnapshot(`
      "(a:float64[2,3,4]) =>
        b:float64[4,2,3] = transpose{permutation=[2,0,1]} a
        c:float64[24] = reshape{shape=[24]} a
        d:float64[1,2,3,4] = reshape{shape=[1,2,3,4]} a
        e:float64[5,2,3,4] = broadcast{shape=[5,2,3,4]} d
        f:float64[1,2,2] = slice{start=[1,1,2] limit=[2,3,4] stride=[1,1,1]} a
        return b, a, c, a, e, f"
    `)
  })

  test('those that change nothing are gone, those that move axes of length one are reshapes', () => {
    expect(
      simplified([float(3, 1)], (x) => [transpose(x, [1, 0]), broadcastTo(x, [1, 3, 1])]),
    ).toMatchInlineSnapshot(`
      "(a:float64[3,1]) =>
        b:float64[1,3] = reshape{shape=[1,3]} a
        c:float64[1,3,1] = reshape{shape=[1,3,1]} a
        return b, c"
    `)
    const identities = program([float(3, 2)], (x) => {
      const raw = (p: Program, params: object) =>
        bind((p.equations[0] as (typeof p.equations)[0]).primitive, [x], { ...params })[0] as Value
      const some = (f: (x: Value) => Value) => program([float(3, 2)], f)
      return [
        raw(
          some((x) => transpose(x, [1, 0])),
          { permutation: [0, 1] },
        ),
        raw(
          some((x) => reshape(x, [6])),
          { shape: [3, 2] },
        ),
        raw(
          some((x) => broadcastTo(x, [1, 3, 2])),
          { shape: [3, 2] },
        ),
        raw(
          some((x) => cast(x, 'float32')),
          { dtype: 'float64' },
        ),
        raw(
          some((x) => slice(x, [0, 0], [1, 1])),
          { start: [0, 0], limit: [3, 2], stride: [1, 1] },
        ),
        raw(
          some((x) => reduceSum(x, [0])),
          { axes: [] },
        ),
      ]
    })
    expect(print(simplify(identities))).toMatchInlineSnapshot(`
      "(a:float64[3,2]) =>
        return a, a, a, a, a, a"
    `)
  })

  test('an elementwise operation broadcasts its operands itself where another gives the shape', () => {
    expect(
      simplified([float(2, 3), float(3), float()], (x, y, z) => [
        mul(x, broadcastTo(y, [2, 3])),
        add(broadcastTo(y, [2, 3]), broadcastTo(z, [2, 3])),
        select(less(broadcastTo(z, [2, 3]), x), broadcastTo(y, [2, 3]), 0),
        add(x, fullTensor([2, 3], 7, 'float64')),
        exp(broadcastTo(y, [2, 3])),
      ]),
    ).toMatchInlineSnapshot(`
      "(a:float64[2,3], b:float64[3], c:float64[]) =>
        d:float64[2,3] = mul a b
        e:float64[2,3] = broadcast{shape=[2,3]} c
        f:float64[2,3] = add b e
        g:bool[2,3] = less c a
        h:float64[2,3] = select g b 0
        i:float64[2,3] = add a 7
        j:float64[2,3] = broadcast{shape=[2,3]} b
        k:float64[2,3] = exp j
        return d, f, h, i, k"
    `)
  })

  test('a slice within one part of a concatenation is a slice of the part', () => {
    expect(
      simplified([float(2, 3), float(2, 4)], (x, y) => {
        const both = concatenate([x, y], 1)
        return [
          slice(both, [0, 0], [2, 3]),
          slice(both, [0, 4], [1, 7], [1, 2]),
          slice(both, [0, 2], [2, 5]),
          slice(both, [0, 3], [2, 7]),
        ]
      }),
    ).toMatchInlineSnapshot(`
      "(a:float64[2,3], b:float64[2,4]) =>
        c:float64[2,7] = concatenate{axis=1} a b
        d:float64[1,2] = slice{start=[0,1] limit=[1,4] stride=[1,2]} b
        e:float64[2,3] = slice{start=[0,2] limit=[2,5] stride=[1,1]} c
        return a, d, e, b"
    `)
  })
})

describe('sums', () => {
  test('of padded neighbours are concatenations', () => {
    const parts = [float(3), float(2), float(4)]
    expect(
      simplified(parts, (x, y, z) => add(add(pad(y, [3], [4]), pad(z, [5], [0])), pad(x, [0], [6]))),
    ).toMatchInlineSnapshot(`
      "(a:float64[3], b:float64[2], c:float64[4]) =>
        d:float64[6] = concatenate{axis=0} b c
        e:float64[9] = concatenate{axis=0} a d
        return e"
    `)
    expect(
      simplified([float(2, 1), float(2, 2)], (x, y) => add(pad(x, [1, 3], [0, 1]), pad(y, [1, 1], [0, 2]))),
    ).toMatchInlineSnapshot(`
      "(a:float64[2,1], b:float64[2,2]) =>
        c:float64[2,3] = concatenate{axis=1} b a
        d:float64[3,5] = pad{low=[1,1] high=[0,1] interior=[0,0]} c
        return d"
    `)
    expect(
      print(optimize(program(parts, (x, y, z) => concatenate([x, concatenate([y, z], 0)], 0)))),
    ).toMatchInlineSnapshot(`
      "(a:float64[3], b:float64[2], c:float64[4]) =>
        d:float64[9] = concatenate{axis=0} a b c
        return d"
    `)
  })

  test('of padded values that leave a gap, overlap, or are interleaved stay', () => {
    const two = [float(2), float(2)]
    unchanged(program(two, (x, y) => add(pad(x, [0], [3]), pad(y, [3], [0]))))
    unchanged(program(two, (x, y) => add(pad(x, [0], [1]), pad(y, [1], [0]))))
    unchanged(program(two, (x, y) => add(pad(x, [0], [3], [1]), pad(y, [3], [1]))))
    unchanged(
      program([float(1, 1), float(1, 1)], (x, y) => add(pad(x, [0, 0], [1, 1]), pad(y, [1, 1], [0, 0]))),
    )
  })

  test('over axes of length one are reshapes', () => {
    expect(
      simplified([float(1, 3, 1)], (x) => [reduceSum(x, [0, 2]), reduceSum(x, [0, 1])]),
    ).toMatchInlineSnapshot(`
      "(a:float64[1,3,1]) =>
        b:float64[3] = reshape{shape=[3]} a
        c:float64[1] = reduceSum{axes=[0,1]} a
        return b, c"
    `)
  })

  test('of copies are products', () => {
    expect(
      simplified([float(3), float(2, 1)], (x, y) => [
        reduceSum(broadcastTo(x, [5, 3]), [0]),
        reduceSum(broadcastTo(x, [5, 3]), [0, 1]),
        reduceSum(broadcastTo(x, [5, 3]), [1]),
        reduceSum(broadcastTo(y, [2, 6]), [1]),
      ]),
    ).toMatchInlineSnapshot(`
      "(a:float64[3], b:float64[2,1]) =>
        c:float64[1,3] = reshape{shape=[1,3]} a
        d:float64[3] = reduceSum{axes=[0]} c
        e:float64[3] = mul d 5
        f:float64[1,3] = reshape{shape=[1,3]} a
        g:float64[] = reduceSum{axes=[0,1]} f
        h:float64[] = mul g 5
        i:float64[1,3] = reshape{shape=[1,3]} a
        j:float64[1] = reduceSum{axes=[1]} i
        k:float64[5] = broadcast{shape=[5]} j
        l:float64[2] = reduceSum{axes=[1]} b
        m:float64[2] = mul l 6
        return e, h, k, m"
    `)
  })

  test('of no copies, and of copies of integers, stay', () => {
    unchanged(program([float(3)], (x) => reduceSum(broadcastTo(x, [0, 3]), [0])))
    unchanged(program([typed('int32', [3])], (x) => reduceSum(broadcastTo(x, [2, 3]), [0])))
  })
})

describe('dot', () => {
  test('reads transposed operands in place', () => {
    expect(
      simplified([float(2, 3), float(4, 3)], (x, y) => dot(x, transpose(y, [1, 0]), [[1], [0]])),
    ).toMatchInlineSnapshot(`
      "(a:float64[2,3], b:float64[4,3]) =>
        c:float64[2,4] = dot{contract=[[1],[1]] batch=[[],[]]} a b
        return c"
    `)
  })

  test('with batch axes too', () => {
    expect(
      simplified([float(2, 5, 3), float(5, 3, 4)], (x, y) =>
        dot(transpose(x, [1, 0, 2]), transpose(y, [0, 2, 1]), [[2], [2]], [[0], [0]]),
      ),
    ).toMatchInlineSnapshot(`
      "(a:float64[2,5,3], b:float64[5,3,4]) =>
        c:float64[5,2,4] = dot{contract=[[2],[1]] batch=[[1],[0]]} a b
        return c"
    `)
  })

  test('keeps a transpose that reorders the free axes', () => {
    unchanged(program([float(2, 3, 4), float(4)], (x, y) => dot(transpose(x, [1, 0, 2]), y, [[2], [0]])))
  })
})
