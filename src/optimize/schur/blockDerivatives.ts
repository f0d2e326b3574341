import { compileProgramJs } from '../../engines/js/index.js'
import * as np from '../../numpy/index.js'
import { optimize } from '../../ops/optimize.js'
import { Tensor } from '../../tensor/tensor.js'
import { jacobian, trace, vmap } from '../../transforms/index.js'
import type { BlockProblem, Observations } from './blockProblem.js'

/** The residuals of observations from `first` on, and their derivatives by camera and point together, row by row. */
export interface BlockDerivatives {
  readonly first: number
  readonly count: number
  /** [count, residuals] */
  readonly residual: Float64Array
  /** [count, residuals, a + b] */
  readonly jacobian: Float64Array
}

/** How many observations are computed at once: their intermediate values stay in the processor's cache. */
const most = 1024

/** The residual traced and differentiated once, and compiled for a batch of observations. */
export function blockDerivatives(
  residual: BlockProblem['residual'],
  { cameras, points, camera, point, data }: Observations,
): { readonly residuals: number; at(x: Float64Array): Generator<BlockDerivatives> } {
  const [a, b] = [cameras.size, points.size]
  const total = camera.length
  const batch = Math.min(most, total)
  const flat = (block: Tensor, seen: Tensor) =>
    np.astype(np.ravel(residual(np.slice(block, [0, a]), np.slice(block, [a, a + b]), seen)), 'float64')
  const width = data.size / total
  const seen = (first: number) =>
    new Tensor(data.data.subarray(first * width, (first + batch) * width), [batch, ...data.shape.slice(1)])
  const { program } = trace(
    (x: Tensor, y: Tensor) => [vmap(flat)(x, y), vmap(jacobian(flat))(x, y)],
    new Tensor(new Float64Array(batch * (a + b)), [batch, a + b]),
    seen(0),
  )
  const run = compileProgramJs(optimize(program))
  const offset = cameras.count * a
  return {
    residuals: program.outputs[0]!.shape[1]!,
    *at(x) {
      for (let from = 0; from < total; from += batch) {
        // The last batch is filled up from before its beginning.
        const first = Math.min(from, total - batch)
        const gathered = new Float64Array(batch * (a + b))
        for (let k = 0; k < batch; k++) {
          const [c, p] = [camera[first + k]! * a, offset + point[first + k]! * b]
          for (let i = 0; i < a; i++) gathered[k * (a + b) + i] = x[c + i]!
          for (let i = 0; i < b; i++) gathered[k * (a + b) + a + i] = x[p + i]!
        }
        const [residual, jacobian] = run([new Tensor(gathered, [batch, a + b]), seen(first)]) as [
          Tensor,
          Tensor,
        ]
        const skip = from - first
        yield {
          first: from,
          count: batch - skip,
          residual: (residual.data as Float64Array).subarray((skip * residual.size) / batch),
          jacobian: (jacobian.data as Float64Array).subarray((skip * jacobian.size) / batch),
        }
      }
    },
  }
}
