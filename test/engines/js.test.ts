import { describe, expect, test, vi } from 'vitest'
import { compileElements, compileProgramJs, generateJs } from '../../src/engines/js/index.js'
import { add, cast, div, mul, neg, select, sub } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../../src/ops/broadcast.js'
import { equal, less } from '../../src/ops/compare.js'
import { dot } from '../../src/ops/dot.js'
import { maximum } from '../../src/ops/kinks.js'
import { reduceMax } from '../../src/ops/reduce.js'
import { concatenate, pad, reverse, sliceAxis } from '../../src/ops/slice.js'
import { exp, log, tanh } from '../../src/ops/smooth.js'
import { bind, traceFlat } from '../../src/program/builder.js'
import type { Primitive } from '../../src/program/primitive.js'
import type { Program } from '../../src/program/program.js'
import type { Type, Value, Var } from '../../src/program/value.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import { uniform } from '../helpers/random.js'
import { expectSame } from './expectSame.js'
import { randomTensor } from './randomProgram.js'

const f64 = (...shape: number[]): Type => ({ dtype: 'float64', shape })

function programOf(f: (...x: Var[]) => readonly Value[], ...types: Type[]): Program {
  return traceFlat((inputs) => f(...inputs), types).program
}

/** Compares on random inputs, seed 1. */
function expectSameOnRandom(program: Program, tolerance = 1e-12): void {
  const random = uniform(1)
  const inputs = program.inputs.map((x) => randomTensor(x, random))
  expectSame(program, inputs, tolerance)
}

describe('generated code', () => {
  test('writes over spare outputs, whatever they hold', () => {
    const program = programOf(
      (x) => {
        return [pad(exp(x), [1, 0], [0, 2]), dot(x, x, [[1], [0]]), reduceSum(x, [0]), reduceMax(x, [1]), x]
      },
      f64(3, 3),
    )
    const run = compileProgramJs(program)
    const random = uniform(2)
    const [zeroth, first, second] = [0, 1, 2].map(() => randomTensor(f64(3, 3), random))
    const spare = run([zeroth!])
    const [expected, other] = [run([first!]), run([second!])]
    const again = run([first!], spare)
    expect(again).toEqual(expected)
    expect(again[0]!.data).toBe(spare[0]!.data)
    expect(run([second!], again)).toEqual(other)
  })

  test('of a residual, its Jacobian and its cost is one loop without temporary arrays', () => {
    const [x, y] = [tensor([1, 2, 3, 4, 5]), tensor([5, 4, 3, 2, 1])]
    const program = programOf((b) => {
      const at = (i: number) => reshape(sliceAxis(b, 0, i, i + 1), [])
      const e = exp(neg(mul(at(1), x)))
      const r = sub(mul(at(0), e), y)
      const column = (v: Value) => reshape(v, [5, 1])
      const jacobian = concatenate([column(e), column(neg(mul(mul(at(0), x), e)))], 1)
      return [r, jacobian, mul(reduceSum(mul(r, r), [0]), 0.5)]
    }, f64(2))
    expectSame(program, [tensor([2, 0.3])], 1e-15)
    expect(generateJs(program)).toMatchInlineSnapshot(`
      "'use strict'
      const c0 = constants[0].data // float64[5]
      const c1 = constants[1].data // float64[5]
      return function program(inputs, spare) {
        const x0 = inputs[0]
        const y0 = spare ? spare[0] : new Float64Array(5)
        const y1 = spare ? spare[1] : new Float64Array(10)
        const e0 = x0[1]
        const e2 = x0[0]
        let v9 = 0
        for (let i = 0; i < 5; i++) {
          const e1 = c0[i]
          const v0 = e0 * e1
          const v1 = -v0
          const v2 = Math.exp(v1)
          const v3 = e2 * v2
          const v7 = v3 - c1[i]
          y0[i] = v7
          const v4 = e2 * e1
          const v5 = v4 * v2
          const v6 = -v5
          y1[i * 2] = v2
          y1[1 + i * 2] = v6
          const v8 = v7 * v7
          v9 += v8
        }
        const v11 = v9 * 0.5
        return [y0, y1, Float64Array.of(v11)]
      }"
    `)
  })

  test('reads matrices transposed where they lie', () => {
    const program = programOf(
      (a, b) => [
        dot(transpose(a, [1, 0]), b, [[1], [0]]),
        dot(a, b, [[0], [0]]),
        dot(a, transpose(a, [1, 0]), [[1], [0]]),
      ],
      f64(9, 6),
      f64(9, 13),
    )
    expect(generateJs(program)).not.toContain('const t0')
    expectSameOnRandom(program)
  })

  test('multiplies matrices of all layouts and of sizes around its blocks', () => {
    for (const [m, k, n] of [
      [1, 9, 1],
      [5, 1, 7],
      [4, 8, 4],
      [7, 6, 1],
      [1, 5, 9],
      [3, 4, 2],
      [9, 11, 13],
      [0, 3, 2],
      [3, 0, 5],
    ] as const) {
      const swap = (x: Value) => transpose(x, [1, 0])
      const program = programOf(
        (a, at, b, bt) => [
          dot(a, b, [[1], [0]]),
          dot(swap(at), b, [[1], [0]]),
          dot(a, bt, [[1], [1]]),
          dot(at, bt, [[0], [1]]),
        ],
        f64(m, k),
        f64(k, m),
        f64(k, n),
        f64(n, k),
      )
      expectSameOnRandom(program)
    }
  })

  test('multiplies batches whose axes are out of order', () => {
    const program = programOf(
      (a, b) => [
        dot(
          a,
          b,
          [
            [0, 3],
            [2, 0],
          ],
          [[2], [1]],
        ),
        dot(a, reverse(b, [1]), [
          [3, 0],
          [0, 2],
        ]),
      ],
      f64(3, 4, 5, 2),
      f64(2, 5, 3),
    )
    expectSameOnRandom(program)
  })

  test('runs loops long enough to be functions of their own', () => {
    const program = programOf(
      (a, b) => {
        const x = tanh(add(a, b))
        const total = reduceSum(mul(x, x), [0, 1])
        const shifted = mul(x, sub(total, reduceMax(x, [0, 1])))
        return [
          reduceSum(shifted, [0]),
          reduceSum(transpose(shifted, [1, 0]), [0]),
          pad(shifted, [1, 0], [0, 2]),
          total,
        ]
      },
      f64(20, 30),
      f64(30),
    )
    expectSameOnRandom(program)
    expectSameOnRandom(
      programOf((a) => [reduceSum(exp(a), [0]), reduceMax(a, [0])], { dtype: 'float32', shape: [40, 9] }),
      1e-6,
    )
  })
})

describe('values at the edge', () => {
  test('arrays without elements', () => {
    const program = programOf(
      (a, b) => [
        exp(a),
        reduceSum(a, [0]),
        reduceSum(a, [1]),
        reduceSum(a, [0, 1]),
        dot(a, b, [[0], [0]]),
        concatenate([a, a], 0),
        pad(a, [1, 0], [1, 0]),
        broadcastTo(reshape(a, [3, 0]), [2, 3, 0]),
      ],
      f64(0, 3),
      f64(0, 2),
    )
    expectSameOnRandom(program)
  })

  test('scalars of every dtype, as arrays of one element too', () => {
    const program = programOf(
      (a, b, c) => {
        const s = mul(reduceSum(b, [0, 1]), a)
        return [
          s,
          less(s, 0),
          cast(s, 'int32'),
          dot(reshape(s, [1, 1]), b, [[1], [0]]),
          dot(b, c, [[0], [0]]),
          concatenate([b, reshape(s, [1, 1])], 0),
        ]
      },
      f64(),
      f64(1, 1),
      f64(1, 4),
    )
    expectSameOnRandom(program)
  })

  test('numbers that are not finite, and -0', () => {
    const special = tensor([Number.NaN, Infinity, -Infinity, -0, 0, -3])
    const program = programOf(
      (x) => [
        mul(x, Number.NaN),
        add(x, -Infinity),
        div(1, add(x, -0)),
        div(1, neg(mul(x, 0))),
        maximum(x, Number.NaN),
        reduceMax(x, [0]),
        reduceMax(sliceAxis(x, 0, 1, 6), [0]),
        less(x, 0),
        select(equal(x, x), x, -7),
        log(x),
        cast(x, 'int32'),
        cast(x, 'bool'),
      ],
      f64(6),
    )
    expectSame(program, [special], 0)
    const [signed] = compileProgramJs(programOf((x) => [div(1, mul(x, tensor(-0)))], f64(1)))([tensor([1])])
    expect(signed?.item()).toBe(-Infinity)
  })

  test('int32 wraps around inside a loop as it does in an array', () => {
    const program = programOf(
      (x) => {
        const y = mul(x, x)
        return [add(mul(y, 3), x), div(x, 0), reduceSum(y, [0]), div(y, 7)]
      },
      { dtype: 'int32', shape: [3] },
    )
    expectSame(program, [tensor(Int32Array.of(2 ** 31 - 1, -(2 ** 31), 65537))], 0)
  })

  test('float32 values that are compared are the rounded ones', () => {
    const program = programOf(
      (x) => {
        const y = add(mul(x, 0.1), 0.7)
        const top = reduceMax(y, [0])
        return [
          reduceSum(cast(equal(y, top), 'float32'), [0]),
          less(add(mul(y, 0), 1), add(mul(y, 0), 1 + 1e-9)),
        ]
      },
      { dtype: 'float32', shape: [5] },
    )
    expectSameOnRandom(program, 0)
  })

  test('repeated outputs, inputs and constants as outputs, inputs that nothing reads', () => {
    const constant = tensor([1, 2, 3])
    const program = programOf(
      (a, _, b) => {
        const x = add(a, b)
        return [
          x,
          x,
          a,
          constant,
          reshape(x, [3, 1]),
          transpose(broadcastTo(constant, [2, 3]), [1, 0]),
          tensor(4),
        ]
      },
      f64(3),
      f64(7),
      f64(),
    )
    expectSameOnRandom(program)
    const inputs = [tensor([1, 2, 3]), tensor(new Float64Array(7)), tensor(5)]
    expect(compileProgramJs(program)(inputs)[2]).toBe(inputs[0])
  })

  test('elements alone are those of the tensors', () => {
    const program = programOf((x, y) => [mul(x, y), tensor(4), y, x], f64(3), f64(3))
    const inputs = [tensor([1, 2, 3]), tensor([4, 5, 6])]
    const elements = (tensors: readonly Tensor[]) => tensors.map(({ data }) => data)
    const run = compileElements(program)
    const outputs = run(elements(inputs))
    expect(outputs).toEqual(elements(compileProgramJs(program)(inputs)))
    expect(outputs[3]).toBe(inputs[0]!.data)
    expect(run([Float64Array.of(2, 2, 2), inputs[1]!.data], outputs)[0]).toBe(outputs[0])
    expect(outputs[0]).toEqual(Float64Array.of(8, 10, 12))
  })

  test('the outputs of two calls share no memory, with each other or with constants', () => {
    const constant = tensor([1, 2, 3])
    const program = programOf(
      (x) => [mul(x, constant), reduceSum(exp(x), [0]), constant, dot(x, x, [[], []])],
      f64(3),
    )
    const run = compileProgramJs(program)
    const first = run([tensor([1, 2, 3])])
    const kept = first.map((x) => x.data.slice())
    run([tensor([7, 8, 9])])
    expect(first.map((x) => x.data)).toEqual(kept)
    for (const x of first) x.data.fill(-1)
    expect(run([tensor([1, 2, 3])]).map((x) => x.data)).toEqual(kept)
    expect(constant.toArray()).toEqual([1, 2, 3])
  })
})

/** A row that no engine knows anything of beyond the table's rules. */
function unknownRow(name: string, rules: Partial<Primitive>): (x: Value) => Value {
  const never = (): never => {
    throw new Error(`${name}: not used here`)
  }
  const primitive = {
    name,
    infer: ([x]: readonly Type[]) => [x as Type],
    derivative: never,
    batch: never,
    lower: never,
    evaluate: never,
    ...rules,
  } as Primitive
  return (x) => bind(primitive, [x], {})[0] as Value
}

describe('rows of the table that the engine does not know', () => {
  test('run by their own evaluate, and a result that shares memory with its operand is copied', () => {
    const same = unknownRow('same', { evaluate: ([x]) => [x as Tensor] })
    const program = programOf((a) => {
      const kept = same(exp(a))
      const other = same(tanh(exp(mul(exp(a), 0.1))))
      return [add(kept, other), kept]
    }, f64(4))
    expectSameOnRandom(program)
  })

  test('are read through their view when it is affine, and evaluated when it is not', () => {
    const roll = unknownRow('roll', {
      view: ([i]) => [`(${i} + 1) % 5`],
      evaluate: ([x]) => [new Tensor((x as Tensor).data.map((_, i, data) => data[(i + 1) % 5] as number))],
    })
    const flip = unknownRow('flip', {
      view: ([i]) => [`4 - (${i})`],
      evaluate: ([x]) => [new Tensor((x as Tensor).data.slice().reverse())],
    })
    const program = programOf((a) => [add(roll(a), flip(exp(a))), mul(flip(flip(a)), a)], f64(5))
    expect(generateJs(program)).toContain('// roll')
    expect(generateJs(program)).not.toContain('// flip')
    expectSameOnRandom(program)
  })
})

describe('errors', () => {
  test('name the input that does not fit', () => {
    const run = compileProgramJs(programOf((x) => [exp(x)], f64(3)))
    expect(() => run([])).toThrow('got 0 inputs, expected 1')
    expect(() => run([tensor([1, 2])])).toThrow('input 0 is float64[2], expected float64[3]')
    expect(() => run([tensor(new Float32Array(3))])).toThrow('input 0 is float32[3], expected float64[3]')
  })

  test('say what to do where a Content-Security-Policy forbids generated code', () => {
    const program = programOf((x) => [exp(x)], f64(3))
    vi.stubGlobal('Function', function forbidden() {
      throw new EvalError('Refused to evaluate a string as JavaScript')
    })
    try {
      expect(() => compileProgramJs(program)).toThrow(
        /Content-Security-Policy.*use the ONNX engine or the interpreter/,
      )
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
