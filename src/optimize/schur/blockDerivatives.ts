import { compileProgramJs } from '../../engines/js/index.js'
import * as np from '../../numpy/index.js'
import { broadcastTo, reshape } from '../../ops/broadcast.js'
import { concatenate, sliceAxis } from '../../ops/slice.js'
import { traceFlat } from '../../program/builder.js'
import type { Program } from '../../program/program.js'
import { range } from '../../tensor/shape.js'
import { fullTensor, Tensor } from '../../tensor/tensor.js'
import { batchProgram } from '../../transforms/batch.js'
import { trace } from '../../transforms/index.js'
import type { BlockProblem, Observations } from './blockProblem.js'
import { scalarDerivatives } from './scalarDerivatives.js'

/**
 * The observations from `first` on, and for each its residuals with their derivatives: rows of those by the camera, those
 * by the point, and the residual itself. [count, residuals, a + b + 1]
 */
export interface BlockDerivatives {
  readonly first: number
  readonly count: number
  readonly rows: Float64Array
}

/** How many observations are computed at once: their intermediate values stay in the processor's cache. */
const most = 512

/** The residual traced and differentiated once, number by number, and compiled for a batch of observations. */
export function blockDerivatives(
  residual: BlockProblem['residual'],
  { cameras, points, camera, point, data }: Observations,
): { readonly residuals: number; at(x: Float64Array): Generator<BlockDerivatives> } {
  const [a, b] = [cameras.size, points.size]
  const total = camera.length
  const batch = Math.min(most, total)
  const width = data.size / total
  const { program } = trace(
    (camera: Tensor, point: Tensor, seen: Tensor) =>
      np.astype(np.ravel(residual(camera, point, seen)), 'float64'),
    ...[[a], [b], data.shape.slice(1)].map((shape) => fullTensor(shape, 0, 'float64')),
  )
  const residuals = program.outputs[0]!.shape[0]!
  const run = compileProgramJs(overRows(scalarDerivatives(program, a + b), batch, [a + b, width]))
  const offset = cameras.count * a
  const blocks = new Float64Array(batch * (a + b))
  const gather = (x: Float64Array, first: number) => {
    let next = 0
    for (let k = first; k < first + batch; k++) {
      const [c, p] = [camera[k]! * a, offset + point[k]! * b]
      for (let i = 0; i < a; i++) blocks[next++] = x[c + i]!
      for (let i = 0; i < b; i++) blocks[next++] = x[p + i]!
    }
    return new Tensor(blocks, [batch, a + b])
  }
  const seen = (first: number) =>
    new Tensor(data.data.subarray(first * width, (first + batch) * width), [batch, width])
  return {
    residuals,
    *at(x) {
      for (let from = 0; from < total; from += batch) {
        // The last batch is filled up from before its beginning.
        const first = Math.min(from, total - batch)
        const [made] = run([gather(x, first), seen(first)])
        const skip = from - first
        yield {
          first: from,
          count: batch - skip,
          rows: (made!.data as Float64Array).subarray((skip * made!.size) / batch),
        }
      }
    },
  }
}

/** A program of single numbers for every row of matrices [rows, widths[i]], whose columns are its inputs. */
function overRows(program: Program, rows: number, widths: readonly number[]): Program {
  const types = widths.map((width) => ({ dtype: 'float64', shape: [rows, width] }) as const)
  return traceFlat((matrices) => {
    const columns = matrices.flatMap((matrix) =>
      range(matrix.shape[1]!).map((j) => reshape(sliceAxis(matrix, 1, j, j + 1), [rows])),
    )
    const { outputs, batched } = batchProgram(
      program,
      columns,
      columns.map(() => true),
      rows,
    )
    const made = outputs.map((output, i) =>
      reshape(batched[i] ? output : broadcastTo(output, [rows]), [rows, 1]),
    )
    return [concatenate(made, 1)]
  }, types).program
}
