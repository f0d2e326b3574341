import { expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import { checkGradients, customJvp, customVjp, explain, grad, trace } from '../../src/transforms/index.js'

const sound = ({ w, b }: { w: Tensor; b: readonly Tensor[] }) => ({
  y: np.tanh(np.add(np.matmul(w, w), b[0]!)),
  z: np.sum(np.exp(b[1]!)),
})
const x = {
  w: [
    [0.3, -0.2],
    [1.1, 0.4],
  ],
  b: [tensor([0.5, -0.1]), tensor(0.7)],
}

test('sound derivatives pass to third order', () => {
  const check = checkGradients(sound, x, { order: 3 })
  expect(check.mismatches).toEqual([])
  expect([check.passed, check.compared]).toEqual([true, 3 * 2 * 7])
  expect(check.worst).toBeLessThan(1e-7)
  expect(`${check}`).toMatch(/42 derivatives agree/)
})

test('a wrong rule is found with its mode, leaf, index and size', () => {
  const forgetful = customVjp(
    (x: Tensor) => np.sin(x),
    (x) => [np.sin(x), x],
    (x, ct) => [np.multiply(np.multiply(ct, np.cos(x)), tensor([1, 1, 1.01]))],
  )
  const check = checkGradients((t: { a: Tensor; b: Tensor }) => np.add(np.sum(forgetful(t.a)), np.sum(t.b)), {
    a: [0.1, 0.2, 0.3],
    b: [1],
  })
  expect(check.passed).toBe(false)
  expect(check.mismatches.map(({ order, leaf, index }) => [order, leaf, index])).toEqual([
    [1, 'a', [2]],
    [1, 'a', [2]],
  ])
  const [first] = check.mismatches
  expect(first!.got / first!.expected).toBeCloseTo(1.01, 8)
  expect(`${check}`).toMatch(
    /2 of 8 derivatives differ.*\n {2}order 1, (jvp|vjp), at a\[2\]: got .*, expected .* ± .*, off by 5.2e-3/,
  )
})

test('a rule that is right at first and wrong at second order is found there', () => {
  const f = customJvp(
    (x: Tensor) => np.exp(x),
    ([x], [t]) => [
      np.exp(x),
      np.multiply(
        t,
        customJvp(
          (x: Tensor) => np.exp(x),
          ([x], [t]) => [np.exp(x), np.multiply(0.5, np.multiply(t, np.exp(x)))],
        )(x),
      ),
    ],
  )
  expect(checkGradients(f, [0.1, 0.2], { order: 1 }).passed).toBe(true)
  const check = checkGradients(f, [0.1, 0.2])
  expect([...new Set(check.mismatches.map(({ order }) => order))]).toEqual([2])
})

test('integers are held fixed, float32 is refused, and NaN never passes', () => {
  const f = (t: { x: Tensor; at: Tensor }) => np.take(np.square(t.x), t.at)
  expect(checkGradients(f, { x: [1, 2, 3], at: new Tensor(Int32Array.of(2, 2)) }).passed).toBe(true)
  expect(() => checkGradients((x: Tensor) => x, new Tensor(Float32Array.of(1)))).toThrow(
    /float32\[1\], expected numbers in float64/,
  )
  const nan = customJvp(
    (x: Tensor) => x,
    ([x], [t]) => [x, np.multiply(t, Number.NaN)],
  )
  expect(checkGradients(nan, [1], { order: 1 }).passed).toBe(false)
})

test('explain lists a traced function or its program with costs', () => {
  const traced = trace(
    grad((x: Tensor) => np.sum(np.sin(x))),
    tensor([1, 2, 3]),
  )
  expect(explain(traced)).toBe(explain(traced.program))
  expect(explain(traced)).toMatch(/cos a +30 +48 B/)
  expect(explain(traced)).toMatch(/peak memory \d+ B/)
})
