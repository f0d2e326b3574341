import { describe, expect, test } from 'vitest'
import { add, cast, div, mul, neg, stopGradient, sub } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../../src/ops/broadcast.js'
import { dot } from '../../src/ops/dot.js'
import { optimize } from '../../src/ops/optimize.js'
import { exp } from '../../src/ops/smooth.js'
import { sin } from '../../src/ops/trigonometric.js'
import { check } from '../../src/program/check.js'
import { shareCommonSubexpressions } from '../../src/program/passes/commonSubexpressions.js'
import { eliminateDeadCode } from '../../src/program/passes/deadCode.js'
import { foldConstants } from '../../src/program/passes/foldConstants.js'
import { print } from '../../src/program/print.js'
import { evaluate, type Program } from '../../src/program/program.js'
import { fullTensor, Tensor, tensor } from '../../src/tensor/tensor.js'
import { float, program } from './programs.js'

function printed(result: Program): string {
  check(result)
  return print(result)
}

describe('eliminateDeadCode', () => {
  test('drops what no output depends on and keeps every input', () => {
    const p = program([float(2), float(2)], (x, y) => {
      exp(sin(y))
      return mul(x, x)
    })
    expect(printed(eliminateDeadCode(p))).toMatchInlineSnapshot(`
      "(a:float64[2], b:float64[2]) =>
        c:float64[2] = mul a a
        return c"
    `)
  })

  test('returns the same program when all of it is needed', () => {
    const p = program([float(2)], (x) => exp(x))
    expect(eliminateDeadCode(p)).toBe(p)
  })

  test('copes with constants and inputs as outputs', () => {
    const p = program([float(2)], (x) => [x, tensor(3)])
    expect(printed(eliminateDeadCode(p))).toMatchInlineSnapshot(`
      "(a:float64[2]) =>
        return a, 3"
    `)
  })
})

describe('shareCommonSubexpressions', () => {
  test('computes equal expressions once, through several levels', () => {
    const p = program([float(3)], (x) => add(mul(sin(x), 2), mul(sin(x), 2)))
    expect(printed(shareCommonSubexpressions(p))).toMatchInlineSnapshot(`
      "(a:float64[3]) =>
        b:float64[3] = sin a
        c:float64[3] = mul b 2
        d:float64[3] = add c c
        return d"
    `)
  })

  test('tells 0 from -0 and float32 from float64 constants, and joins NaN with NaN', () => {
    const p = program([float(1)], (x) => [
      mul(x, 0),
      mul(x, -0),
      mul(x, 0),
      mul(x, Number.NaN),
      mul(x, Number.NaN),
    ])
    expect(shareCommonSubexpressions(p).equations).toHaveLength(3)
  })

  test('joins equal views of different buffers and keeps constants of different shape apart', () => {
    const views = new Float64Array([1, 2, 1, 2])
    const p = program([float(2)], (x) => [
      add(x, new Tensor(views.subarray(0, 2))),
      add(x, new Tensor(views.subarray(2, 4))),
      add(x, new Tensor(views.subarray(0, 2), [1, 2])),
    ])
    expect(shareCommonSubexpressions(p).equations).toHaveLength(2)
  })

  test('compares large constants by identity', () => {
    const [a, b] = [fullTensor([100], 1, 'float64'), fullTensor([100], 1, 'float64')]
    const p = program([float(100)], (x) => [add(x, a), add(x, b), add(x, a)])
    expect(shareCommonSubexpressions(p).equations).toHaveLength(2)
  })

  test('tells parameters apart', () => {
    const p = program([float(2, 2)], (x) => [reduceSum(x, [0]), reduceSum(x, [1]), reduceSum(x, [0])])
    const shared = shareCommonSubexpressions(p)
    expect(shared.equations).toHaveLength(2)
    expect(shared.outputs[2]).toBe(shared.outputs[0])
  })
})

/** A trace evaluates constants at once, so programs with constant equations come from replacing an input. */
function withConstant(p: Program, constant: Tensor): Program {
  const [first, ...inputs] = p.inputs
  const replace = <T>(x: T) => (x === first ? constant : x)
  return {
    inputs,
    equations: p.equations.map((equation) => ({ ...equation, inputs: equation.inputs.map(replace) })),
    outputs: p.outputs.map(replace),
  }
}

describe('foldConstants', () => {
  test('evaluates what depends on constants only', () => {
    const p = program([float(), float(3)], (c, x) => mul(x, add(exp(c), 1)))
    expect(printed(foldConstants(withConstant(p, tensor(0))))).toMatchInlineSnapshot(`
      "(a:float64[3]) =>
        b:float64[3] = mul a 2
        return b"
    `)
  })

  test('leaves results that are large, or much larger than what they come from', () => {
    const p = program([float(), float(1000)], (c, x) => mul(x, broadcastTo(c, [1000])))
    const constant = withConstant(p, tensor(2))
    expect(foldConstants(constant)).toBe(constant)
    const outer = withConstant(
      program([float(100), float()], (c, x) => mul(x, neg(c))),
      fullTensor([100], 2, 'float64'),
    )
    expect(foldConstants(outer, { maxBytes: 799 })).toBe(outer)
    expect(foldConstants(outer, { maxBytes: 800 }).equations).toHaveLength(1)
  })

  test('does not spend long on one equation', () => {
    const big = fullTensor([300, 300], 1, 'float64')
    const p = withConstant(
      program([float(300, 300)], (c) => dot(c, c, [[1], [0]])),
      big,
    )
    expect(foldConstants(p)).toBe(p)
  })
})

describe('optimize', () => {
  test('runs all passes until nothing changes', () => {
    const p = program([float(2, 3)], (x) => {
      const zero = mul(stopGradient(x), 0)
      const shown = transpose(transpose(neg(neg(x)), [1, 0]), [1, 0])
      const scaled = mul(div(mul(shown, 3), 2), reshape(broadcastTo(tensor(1), [6]), [2, 3]))
      exp(shown)
      return add(reduceSum(mul(scaled, scaled), [0, 1]), reduceSum(sub(zero, zero), [0, 1]))
    })
    expect(printed(p)).toMatchInlineSnapshot(`
      "(a:float64[2,3]) =>
        b:float64[2,3] = stopGradient a
        c:float64[2,3] = mul b 0
        d:float64[2,3] = neg a
        e:float64[2,3] = neg d
        f:float64[3,2] = transpose{permutation=[1,0]} e
        g:float64[2,3] = transpose{permutation=[1,0]} f
        h:float64[2,3] = mul g 3
        i:float64[2,3] = div h 2
        j:float64[2,3] = mul i <float64[2,3]>
        k:float64[2,3] = exp g
        l:float64[2,3] = mul j j
        m:float64[] = reduceSum{axes=[0,1]} l
        n:float64[2,3] = sub c c
        o:float64[] = reduceSum{axes=[0,1]} n
        p:float64[] = add m o
        return p"
    `)
    const best = optimize(p)
    expect(printed(best)).toMatchInlineSnapshot(`
      "(a:float64[2,3]) =>
        b:float64[2,3] = mul a 0
        c:float64[2,3] = mul a 1.5
        d:float64[2,3] = mul c c
        e:float64[] = reduceSum{axes=[0,1]} d
        f:float64[2,3] = sub b b
        g:float64[] = reduceSum{axes=[0,1]} f
        h:float64[] = add e g
        return h"
    `)
    expect(optimize(best)).toBe(best)
  })

  test('keeps inputs that nothing uses, and constant results', () => {
    const p = program([float(2), float(3)], (_, y) => [y, tensor(1)])
    const best = optimize(p)
    expect(best.inputs).toHaveLength(2)
    expect(evaluate(best, [tensor([1, 2]), tensor([3, 4, 5])]).map((x) => (x as Tensor).toArray())).toEqual([
      [3, 4, 5],
      1,
    ])
  })

  test('does not store a broadcast constant', () => {
    const p = withConstant(
      program([float(), float(1000)], (c, x) => [
        add(x, broadcastTo(c, [1000])),
        reduceSum(broadcastTo(c, [1000]), [0]),
      ]),
      tensor(2),
    )
    expect(printed(optimize(p))).toMatchInlineSnapshot(`
      "(a:float64[1000]) =>
        b:float64[1000] = add a 2
        return b, 2000"
    `)
  })

  test('handles a chain of three thousand equations, and reaches its end', () => {
    const p = program([float(4)], (x) => {
      let y = cast(x, 'float64')
      for (let i = 0; i < 1000; i++) y = mul(sin(add(y, 0)), broadcastTo(tensor(1.5), [4]))
      return y
    })
    expect(p.equations).toHaveLength(3000)
    const best = optimize(p)
    expect(best.equations).toHaveLength(2000)
    expect(evaluate(best, [tensor([1, 2, 3, 4])])).toEqual(evaluate(p, [tensor([1, 2, 3, 4])]))
  })
})
