import { expect } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { grad, jvp } from '../../src/transforms/index.js'

type F = (x: Tensor) => Tensor

/** The sum of the results with fixed unequal weights, so that no derivative cancels. */
const weighted =
  (f: F): F =>
  (x) => {
    const y = np.ravel(f(x))
    return np.sum(np.multiply(y, np.add(np.arange(y.size), 1.5)))
  }

/** (f(x + h e_i) - f(x - h e_i)) / 2h for every element. */
function centralDifferences(f: F, x: Tensor): number[] {
  return Array.from(x.data, (_, i) => {
    const h = 1e-6 * Math.max(1, Math.abs(x.data[i]!))
    const at = (step: number) => {
      const moved = Float64Array.from(x.data)
      moved[i]! += step
      return f(new Tensor(moved, x.shape)).item()
    }
    return (at(h) - at(-h)) / (2 * h)
  })
}

function expectClose(got: Iterable<number>, expected: readonly number[], tolerance: number): void {
  const scale = Math.max(1, ...expected.map(Math.abs))
  Array.from(got).forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `element ${i}: ${value} and ${expected[i]}`).toBeLessThan(
      tolerance * scale,
    )
  })
}

/** Checks the gradient, its agreement with forward mode, and the derivative of the gradient, in float64. */
export function expectDerivatives(f: F, x: np.ArrayLike, tolerance = 1e-6): void {
  const point = np.asarray(x)
  const scalar = weighted(f)
  const gradient = grad(scalar)
  expectClose(gradient(point).data, centralDifferences(scalar, point), tolerance)
  const [, forward] = jvp(scalar, [point], [np.onesLike(point)])
  expectClose([forward.item()], [np.sum(gradient(point)).item()], 1e-10)
  const second = weighted(gradient)
  expectClose(grad(second)(point).data, centralDifferences(second, point), 20 * tolerance)
}
