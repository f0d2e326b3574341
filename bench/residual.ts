import { compileJs } from 'evolute/engines'
import { add, exp, multiply, slice, subtract } from 'evolute/numpy'
import { type Tensor, tensor } from 'evolute/tensor'
import { jacobian } from 'evolute/transforms'
import { median } from './measure.js'

const times = tensor(Float64Array.from({ length: 14 }, (_, i) => i / 4))
const values = tensor(Float64Array.from({ length: 14 }, (_, i) => 2 * Math.exp((-0.7 * i) / 4) + 0.5))

/** a exp(-b t) + c - y at 14 points: the size of a problem of curve fitting. */
function residual(theta: Tensor): Tensor {
  const [a, b, c] = [0, 1, 2].map((i) => slice(theta, i)) as [Tensor, Tensor, Tensor]
  return subtract(add(multiply(a, exp(multiply(multiply(b, -1), times))), c), values)
}

/** Seconds of one call for the residual and its Jacobian on the JavaScript engine: the median of 20 runs. */
export function timeResidual(): number {
  const both = compileJs((theta: Tensor) => [residual(theta), jacobian(residual)(theta)] as const)
  const theta = tensor(Float64Array.of(1.5, 1, 0.3))
  const calls = 20_000
  const run = () => {
    const start = performance.now()
    for (let i = 0; i < calls; i++) both(theta)
    return (performance.now() - start) / 1000 / calls
  }
  return median(Array.from({ length: 20 }, run))
}
