import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import {
  checkGradients,
  checkpoint,
  grad,
  hessian,
  hvp,
  jacobian,
  jet,
  jvp,
  laplacian,
  linearize,
  localPolynomial,
  scan,
  sparseHessian,
  trace,
  vjp,
  vmap,
  whileLoop,
} from '../../src/transforms/index.js'

type Unary = (x: Tensor) => Tensor
const square: Unary = (x) => np.square(x)
const sum: Unary = (x) => np.sum(np.square(x))
const loss = (p: { w: Tensor; b: Tensor[] }) => np.sum(np.add(p.w, p.b[0] as Tensor))
const at = { w: tensor([1, 2]), b: [tensor(3)] }

describe('results that are not one number', () => {
  test('an array', () => {
    expect(() => grad(square)([1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[Error: grad: the function returned float64[2], expected one float number; reduce it with sum or mean, or use jacobian]`,
    )
  })
  test('a tree', () => {
    expect(() => grad((x: Tensor) => ({ a: x }) as never)(1)).not.toThrow()
    expect(() => grad((x: Tensor) => [x, x] as never)(1)).toThrowErrorMatchingInlineSnapshot(
      `[Error: grad: the function returned float64[], float64[], expected one float number; reduce it with sum or mean, or use jacobian]`,
    )
  })
  test('an integer', () => {
    expect(() => grad((x: Tensor) => np.argmax(x))([1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[Error: grad: the function returned int32[], expected one float number; reduce it with sum or mean, or use jacobian]`,
    )
  })
  test('nothing', () => {
    expect(() => grad((() => undefined) as never)(1)).toThrowErrorMatchingInlineSnapshot(
      `[Error: trace: the function returned nothing; return its result]`,
    )
  })
  test('an instance of a class', () => {
    expect(() => grad((() => new Map()) as never)(1)).toThrowErrorMatchingInlineSnapshot(
      `[Error: the result of the function: got an instance of Map, expected tensors, numbers, or arrays and plain objects of them]`,
    )
  })
  test('a promise', () => {
    expect(() => grad((async (x: Tensor) => x) as never)(1)).toThrowErrorMatchingInlineSnapshot(
      `[Error: trace: the function returned a promise; a traced function must be synchronous]`,
    )
  })
})

describe('tangents and cotangents that do not fit', () => {
  test('a wrong shape', () => {
    expect(() => jvp(sum, [[1, 2]], [[1, 2, 3]])).toThrowErrorMatchingInlineSnapshot(
      `[Error: jvp: tangent 0: got float64[3], expected float64[2]]`,
    )
    expect(() => jvp(sum, [[1, 2]], [1])).toThrowErrorMatchingInlineSnapshot(
      `[Error: jvp: tangent 0: got float64[], expected float64[2]]`,
    )
    expect(() => linearize(sum, [1, 2])[1]([[1, 2]])).toThrowErrorMatchingInlineSnapshot(
      `[Error: linearize: tangent 0: got float64[1,2], expected float64[2]]`,
    )
    expect(() => vjp(square, [1, 2])[1]([1])).toThrowErrorMatchingInlineSnapshot(
      `[Error: vjp: cotangent: got float64[1], expected float64[2]]`,
    )
    expect(() => hvp(sum)([1, 2], [1])).toThrowErrorMatchingInlineSnapshot(
      `[Error: jvp: tangent 0: got float64[1], expected float64[2]]`,
    )
  })
  test('a wrong dtype', () => {
    expect(() => jvp(sum, [[1, 2]], [Float32Array.of(1, 2)])).toThrowErrorMatchingInlineSnapshot(
      `[Error: jvp: tangent 0: got float32[2], expected float64[2]]`,
    )
  })
  test('a wrong tree', () => {
    expect(() => jvp(loss, [at], [{ w: [1, 2] } as never])).toThrowErrorMatchingInlineSnapshot(
      `[Error: jvp: tangent 0: got the tree {w:*}, expected the tree {w:*,b:[*]}]`,
    )
    expect(() => jvp(loss, [at], [{ w: [1, 2], b: [[1], [2]] } as never])).toThrowErrorMatchingInlineSnapshot(
      `[Error: jvp: tangent 0: got the tree {w:*,b:*}, expected the tree {w:*,b:[*]}]`,
    )
    expect(() =>
      jvp(loss, [{ w: [1, 2], b: [tensor(3)] }], [{ w: [1, 2], b: [[1, 2]] }]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: jvp: tangent 0 at b[0]: got float64[2], expected float64[]]`,
    )
  })
  test('too few', () => {
    expect(() => jvp(sum, [[1, 2]], [] as never)).toThrowErrorMatchingInlineSnapshot(
      `[Error: jvp: tangent 0: got nothing, expected one tensor]`,
    )
  })
  test('the keys of an object may come in any order', () => {
    const f = (p: { a: Tensor; b: Tensor }) => np.multiply(p.a, np.square(p.b))
    expect(jvp(f, [{ a: 2, b: 3 }], [{ b: 1, a: 0 }])[1].item()).toBe(12)
  })
})

describe('arguments that cannot be differentiated', () => {
  test('integers', () => {
    expect(() => grad(sum)(Int32Array.of(1, 2))).toThrowErrorMatchingInlineSnapshot(
      `[Error: grad: argument 0 is int32[2]; derivatives need float32 or float64, cast it or differentiate another argument]`,
    )
    expect(() => hessian(sum)(true)).toThrowErrorMatchingInlineSnapshot(
      `[Error: grad: argument 0 is bool[]; derivatives need float32 or float64, cast it or differentiate another argument]`,
    )
    expect(() =>
      grad(loss as never)({ w: [1, 2], b: [Int32Array.of(1)] } as never),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: grad: argument 0 at b[0] is int32[1]; derivatives need float32 or float64, cast it or differentiate another argument]`,
    )
  })
  test('an argument that does not exist', () => {
    expect(() => grad(sum, { argument: 1 })([1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[Error: grad: argument 1 does not exist, the call has 1]`,
    )
    expect(() => jacobian(sum, { argument: -1 })([1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[Error: jacobian: argument -1 does not exist, the call has 1]`,
    )
  })
  test('an array that the function destructures', () => {
    expect(() =>
      grad((([a, b]: number[]) => np.multiply(a!, b!)) as never)([1, 2]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: float64[2] is traced and cannot be destructured or spread; take it apart with unstack or slice of evolute/numpy, or give the function an object of numbers, such as { a: 1, b: 2 }, instead of an array]`,
    )
  })
  test('what is neither a tensor nor a tree of them', () => {
    expect(() => grad(sum)('3' as never)).toThrowErrorMatchingInlineSnapshot(
      `[Error: argument 0: got "3", expected tensors, numbers, or arrays and plain objects of them]`,
    )
    expect(() => grad(sum)(null as never)).toThrowErrorMatchingInlineSnapshot(
      `[Error: argument 0: got null, expected tensors, numbers, or arrays and plain objects of them]`,
    )
    expect(() => grad(sum)(new Date(0) as never)).toThrowErrorMatchingInlineSnapshot(
      `[Error: argument 0: got an instance of Date, expected tensors, numbers, or arrays and plain objects of them]`,
    )
    expect(() => grad(sum)([[1, 2], [3]])).toThrowErrorMatchingInlineSnapshot(
      `[Error: tensor: ragged array, expected 2 at depth 1, got 1 elements]`,
    )
  })
})

describe('paths through integers carry no derivative', () => {
  const floor = (x: Tensor) => np.astype(np.astype(x, 'int32'), 'float64')
  const stairs = (x: Tensor) => np.sum(np.multiply(x, floor(x)))
  const x = tensor([2.5, -1.5])

  test('a cast there and back is a constant, in every mode', () => {
    expect(grad(stairs)(x).toArray()).toEqual([2, -1])
    expect(jvp(stairs, [x], [[1, 1]])[1].item()).toBe(1)
    expect(jet((x: Tensor) => stairs(x), x, [[1, 1], null])[1].map((d) => d.item())).toEqual([1, 0])
    expect(hessian(stairs)(x).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(sparseHessian(stairs)(x).values.size).toBe(0)
  })

  test('a counter in a while is one too, so that reverse mode needs no step of it', () => {
    const count = (x: Tensor) =>
      whileLoop(
        (n: Tensor) => np.less(n, x),
        (n) => np.add(n, 1),
        tensor(0, { dtype: 'int32' }),
      )
    expect(grad((x: Tensor) => np.multiply(x, count(x)))(2.5).item()).toBe(3)
  })
})

describe('reverse mode through while', () => {
  const double = (x: Tensor) =>
    whileLoop(
      (c: Tensor) => np.less(np.sum(c), 3),
      (c) => np.multiply(c, 2),
      x,
    )
  const f = (x: Tensor) => np.sum(double(x))
  const x = tensor([1, 0.5])
  const two = np.stack([x, x])

  test.each<[string, () => unknown]>([
    ['grad', () => grad(f)(x)],
    ['vjp', () => vjp(double, x)[1](x)],
    ['hessian', () => hessian(f)(x)],
    ['sparseHessian', () => sparseHessian(f)(x)],
    ['a reverse Jacobian', () => jacobian(double, { mode: 'reverse' })(x)],
    ['vmap of grad', () => vmap(grad(f))(two)],
    ['grad of vmap', () => grad((x: Tensor) => np.sum(vmap(double)(x)))(two)],
    ['grad of a checkpoint', () => grad(checkpoint(f))(x)],
    [
      'grad of a scan of it',
      () =>
        grad((x: Tensor) =>
          np.sum(scan((c: Tensor) => [double(c), null] as const, x, null, { length: 2 })[0]),
        )(x),
    ],
  ])('%s says what to use', (_, run) => {
    expect(run).toThrow(/whileLoop: reverse mode .* use foriLoop .* or scan, or forward mode/)
  })

  test('forward mode goes through, and so does reverse mode beside a loop that does not vary', () => {
    expect(linearize(double, x)[1]([1, 10]).toArray()).toEqual([2, 20])
    expect(jacobian(double, { mode: 'forward' })(x).toArray()).toEqual([
      [2, 0],
      [0, 2],
    ])
    expect(laplacian((x: Tensor) => np.sum(np.square(double(x))))(x).item()).toBe(16)
    const beside = (x: Tensor) => np.sum(np.multiply(x, double(tensor([1, 1]))))
    expect(grad(beside)(x).toArray()).toEqual([2, 2])
  })
})

describe('wrong orders and degrees', () => {
  test.each([0, -1, 1.5, Number.NaN])('checkGradients refuses order %s', (order) => {
    expect(() => checkGradients(sum, [1, 2], { order })).toThrow(
      `checkGradients: order is ${order}, expected an integer of at least 1`,
    )
  })
  test('localPolynomial refuses degree 3', () => {
    expect(() => localPolynomial([[1], [2]], [1, 2], { degree: 3 as never })).toThrow(
      'degree is 3, expected 1 or 2',
    )
  })
  test('a jet of order 0 is the value', () => {
    expect(jet(sum, [1, 2], [])).toEqual([sum(tensor([1, 2])), []])
  })
})

describe('traced values used as numbers', () => {
  const using = (use: (x: Tensor) => unknown) => () =>
    grad((x: Tensor) => {
      use(x)
      return np.sum(x)
    })([1, 2])

  test('in a comparison of if', () => {
    expect(using((x) => (x as unknown as number) > 0)).toThrowErrorMatchingInlineSnapshot(
      `[Error: float64[2] is traced and has no numbers yet, but a JavaScript operator or if asks for them; use functions of evolute/numpy (add, multiply, where, ...) inside functions that are differentiated or compiled]`,
    )
  })
  test('in arithmetic and text', () => {
    expect(using((x) => (x as unknown as number) * 2)).toThrowErrorMatchingInlineSnapshot(
      `[Error: float64[2] is traced and has no numbers yet, but a JavaScript operator or if asks for them; use functions of evolute/numpy (add, multiply, where, ...) inside functions that are differentiated or compiled]`,
    )
    expect(using((x) => `${x}`)).toThrowErrorMatchingInlineSnapshot(
      `[Error: float64[2] is traced and has no numbers yet, but a JavaScript operator or if asks for them; use functions of evolute/numpy (add, multiply, where, ...) inside functions that are differentiated or compiled]`,
    )
  })
  test('read as numbers', () => {
    expect(using((x) => x.item())).toThrowErrorMatchingInlineSnapshot(
      `[Error: float64[2] is traced and has no numbers yet, but item() asks for them; use functions of evolute/numpy (add, multiply, where, ...) inside functions that are differentiated or compiled]`,
    )
    expect(using((x) => x.toArray())).toThrowErrorMatchingInlineSnapshot(
      `[Error: float64[2] is traced and has no numbers yet, but toArray() asks for them; use functions of evolute/numpy (add, multiply, where, ...) inside functions that are differentiated or compiled]`,
    )
    expect(using((x) => x.data)).toThrowErrorMatchingInlineSnapshot(
      `[Error: float64[2] is traced and has no numbers yet, but data asks for them; use functions of evolute/numpy (add, multiply, where, ...) inside functions that are differentiated or compiled]`,
    )
    expect(using((x) => Math.sin(x as unknown as number))).toThrowErrorMatchingInlineSnapshot(
      `[Error: float64[2] is traced and has no numbers yet, but a JavaScript operator or if asks for them; use functions of evolute/numpy (add, multiply, where, ...) inside functions that are differentiated or compiled]`,
    )
    expect(using((x) => tensor([x as unknown as number, 1]))).toThrowErrorMatchingInlineSnapshot(
      `[Error: float64[2] is traced and has no numbers yet, but a JavaScript operator or if asks for them; use functions of evolute/numpy (add, multiply, where, ...) inside functions that are differentiated or compiled]`,
    )
  })
})

describe('values that leave their trace', () => {
  test('used afterwards', () => {
    let leaked: Tensor | undefined
    grad((x: Tensor) => {
      leaked = np.sin(x)
      return x
    })(1)
    expect(() => np.add(leaked as Tensor, 1)).toThrowErrorMatchingInlineSnapshot(
      `[Error: add: a traced value was used after its trace had ended; return values from the traced function instead of storing them outside it]`,
    )
    expect(() => (leaked as Tensor).item()).toThrowErrorMatchingInlineSnapshot(
      `[Error: float64[] is traced and has no numbers yet, but item() asks for them; use functions of evolute/numpy (add, multiply, where, ...) inside functions that are differentiated or compiled]`,
    )
    expect(() => grad((x: Tensor) => np.multiply(x, leaked as Tensor))(1)).toThrowErrorMatchingInlineSnapshot(
      `[Error: trace: a traced value was used after its trace had ended; return values from the traced function instead of storing them outside it]`,
    )
  })
  test('captured by trace, which has nobody to give them', () => {
    expect(() =>
      grad((x: Tensor) => {
        trace((y: Tensor) => np.multiply(x, y), 1)
        return x
      })(1),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: trace: the function uses 1 traced value(s) from outside; pass them as arguments]`,
    )
  })
  test('an error inside a traced function leaves nothing behind', () => {
    expect(() =>
      grad((_: Tensor) => {
        throw new Error('mine')
      })(1),
    ).toThrow('mine')
    expect(grad(sum)([1]).toArray()).toEqual([2])
  })
})
