import { expect, test } from 'vitest'
import { compile } from '../../src/engines/index.js'
import * as np from '../../src/numpy/index.js'
import type { Tensor } from '../../src/tensor/index.js'
import { grad, implicit } from '../../src/transforms/index.js'

test('a program with a solver in it runs on ONNX Runtime too, the solver beside it', async () => {
  // x = sqrt(theta) solves x^2 = theta; the derivative of 3 x is 3 / (2 sqrt(theta)).
  const root = implicit(
    (_: Tensor, theta: Tensor) => np.sqrt(theta),
    (x: Tensor, theta: Tensor) => np.subtract(np.multiply(x, x), theta),
    { linearSolve: (apply: (v: Tensor) => Tensor, b: Tensor) => np.divide(b, apply(np.onesLike(b))) },
  )
  const slope = compile(
    grad((theta: Tensor) => np.multiply(root(1, theta), 3)),
    { engine: 'onnx' },
  )
  expect((await slope(4)).item()).toBeCloseTo(0.75, 12)
})
