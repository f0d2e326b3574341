import type { LinearOperator } from '../../linalg/operators/operator.js'
import { allocate } from '../../tensor/dtype.js'
import { sizeOf } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'
import { linearize, vjp } from '../../transforms/index.js'
import { outputShape } from '../parameters.js'
import type { Problem } from '../problem.js'
import {
  type CurvatureOperator,
  type OperatorOptions,
  type PreparedMap,
  prepareMap,
  stopwatch,
} from './curvatureOperator.js'

/**
 * The Jacobian of the model's outputs for all samples in its parameters: rows are the outputs of the first sample, then of
 * the second and so on, columns the parameters. Targets and loss play no part.
 */
export async function outputJacobian(
  problem: Problem,
  options: OperatorOptions = {},
): Promise<CurvatureOperator & Required<Pick<LinearOperator, 'applyTranspose'>>> {
  const push = await prepareMap('outputJacobian', problem, options, (flat) => ({
    direction: flat.theta.shape,
    product: (theta, [x], v) => linearize((vector: Tensor) => flat.apply(vector, x!), theta)[1](v),
  }))
  const { problem: flat, plan } = push
  const outputs = sizeOf(outputShape(flat, 1))
  const same = { ...options, precision: flat.dtype, batch: plan.batch }
  let pull: Promise<PreparedMap> | undefined
  // Prepared when first used: products with J alone need none of it.
  const pulling = () => {
    pull ??= prepareMap('outputJacobian', problem, same, (flat, batch) => ({
      direction: outputShape(flat, batch),
      product: (theta, [x], u) => vjp((vector: Tensor) => flat.apply(vector, x!), theta)[1](u)[0] as Tensor,
    }))
    return pull
  }
  const samples = flat.inputs.shape[0]!
  const [rows, columns] = [samples * outputs, flat.theta.size]
  const inBatch = (b: number, batch: number) => Math.min(batch, samples - b * batch) * outputs
  const clock = stopwatch()
  return {
    rows,
    columns,
    dtype: flat.dtype,
    blocks: flat.blocks,
    samples,
    plan,
    apply: (vectors) =>
      clock.time(vectors.shape[0]!, async () => {
        const k = vectors.shape[0]!
        const result = allocate(flat.dtype, k * rows)
        for (let b = 0; b < plan.batches; b++) {
          options.signal?.throwIfAborted()
          const { data } = await push.products.run(b, vectors)
          const each = data.length / k
          for (let i = 0; i < k; i++)
            result.set(
              data.subarray(i * each, i * each + inBatch(b, plan.batch)),
              i * rows + b * plan.batch * outputs,
            )
        }
        return new Tensor(result, [k, rows])
      }),
    applyTranspose: (vectors) =>
      clock.time(vectors.shape[0]!, async () => {
        const { products, plan, problem } = await pulling()
        const k = vectors.shape[0]!
        const shape = outputShape(problem, plan.batch)
        const each = sizeOf(shape)
        const total = new Float64Array(k * columns)
        for (let b = 0; b < plan.batches; b++) {
          options.signal?.throwIfAborted()
          const part = allocate(flat.dtype, k * each)
          for (let i = 0; i < k; i++) {
            const from = i * rows + b * plan.batch * outputs
            part.set(vectors.data.subarray(from, from + inBatch(b, plan.batch)), i * each)
          }
          const { data } = await products.run(b, new Tensor(part, [k, ...shape]))
          for (let i = 0; i < total.length; i++) total[i]! += data[i] as number
        }
        return new Tensor(flat.dtype === 'float64' ? total : Float32Array.from(total), [k, columns])
      }),
    productTime: clock.read,
    async moveTo(parameters) {
      await push.moveTo(parameters)
      if (pull) await (await pull).moveTo(parameters)
    },
    async dispose() {
      await push.products.dispose()
      if (pull) await (await pull).products.dispose()
    },
  }
}

/**
 * The empirical neural tangent kernel J J^T over all samples and outputs (Jacot, Gabriel, Hongler 2018), by products.
 * See `tangentKernel` for its entries.
 */
export async function tangentKernelOperator(
  problem: Problem,
  options: OperatorOptions = {},
): Promise<CurvatureOperator> {
  const jacobian = await outputJacobian(problem, options)
  const apply = async (vectors: Tensor) => jacobian.apply(await jacobian.applyTranspose(vectors))
  return { ...jacobian, columns: jacobian.rows, apply, applyTranspose: apply }
}
