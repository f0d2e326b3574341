import { compileProgram, type Executable } from '../engines/index.js'
import type { LinearOperator } from '../linalg/operator.js'
import type { Progress } from '../linalg/products.js'
import * as np from '../numpy/index.js'
import { bindInputs } from '../program/bindInputs.js'
import { traceFlat } from '../program/builder.js'
import { forecast } from '../program/forecast.js'
import { evaluate, type Program } from '../program/program.js'
import { type Type, type Value, Var } from '../program/value.js'
import { bytesPerElement } from '../tensor/dtype.js'
import { sizeOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { ravel, trace, valueAndGrad } from '../transforms/index.js'
import { linearizeProgram } from '../transforms/linearize.js'
import { type Batch, batchesOf, castProblem, type Problem } from './problem.js'

export interface HessianOptions {
  /** Samples in one run of the program. Default 256. */
  readonly batch?: number
  /** `auto`: float64 where a product is cheap (under 500 million operations), else float32. */
  readonly precision?: 'float32' | 'float64' | 'auto'
  /** Bytes that may be kept of all batches' intermediate values; over it they are computed anew. Default 2 GiB. */
  readonly residualBytes?: number
  readonly signal?: AbortSignal
  readonly onStep?: (progress: Progress) => void
}

/** The Hessian of the mean loss over a data set, with what was learned on the way to it. */
export interface LossHessian extends LinearOperator {
  readonly dtype: 'float32' | 'float64'
  readonly loss: number
  readonly gradient: Float64Array
  /** Share of samples classified rightly; null where targets are values. */
  readonly accuracy: number | null
  /** Whether residuals of the linearisation are kept, or each product starts from the data. */
  readonly linearized: boolean
  /** Seconds of one gradient over all data, the median of those timed. */
  readonly gradientSeconds: number
  /** Seconds of one product so far, their median, and the number of products. */
  readonly productTime: () => { seconds: number; products: number }
  dispose(): Promise<void>
}

const cheap = 5e8

/** Inputs of the batch program after the parameters: data, targets, weights. */
const batchInputs = ({ inputs, targets, weights }: Batch): Tensor[] => [inputs, targets, weights]

/** The gradient, loss and number of right answers of one weighted batch, as a program of (theta, x, y, w). */
function batchProgram(
  problem: Problem,
  unravel: (vector: Tensor) => unknown,
  theta: Tensor,
  batch: Batch,
): Program {
  const { apply, loss } = problem
  const total = (vector: Tensor, x: Tensor, y: Tensor, w: Tensor) =>
    np.sum(np.multiply(loss.perSample(apply(unravel(vector), x), y), w))
  const right = (vector: Tensor, x: Tensor, y: Tensor, w: Tensor) =>
    loss.targets === 'classes'
      ? np.sum(np.where(np.equal(np.argmax(apply(unravel(vector), x), { axis: 1 }), y), w, 0))
      : np.zeros([], { dtype: theta.dtype })
  return trace(
    (vector: Tensor, x: Tensor, y: Tensor, w: Tensor) => {
      const [value, gradient] = valueAndGrad(total)(vector, x, y, w)
      return [gradient, value, right(vector, x, y, w)]
    },
    theta,
    ...batchInputs(batch),
  ).program
}

/** The first outputs of a program. */
const onlyOutputs = (program: Program, count: number): Program => ({
  ...program,
  outputs: program.outputs.slice(0, count),
})

const bytesOf = (types: readonly Type[]) =>
  types.reduce((sum, { dtype, shape }) => sum + sizeOf(shape) * bytesPerElement(dtype), 0)

/**
 * The Hessian of (1/N) sum_i loss(model(theta, x_i), y_i) in the parameters theta, laid out as one vector.
 * The gradient's program is linearised at theta: what does not depend on the direction (forward and backward
 * pass) is computed once for each batch and kept, so that a product costs about one gradient.
 */
export async function lossHessian(problem: Problem, options: HessianOptions = {}): Promise<LossHessian> {
  const { batch: size = 256, precision = 'auto', residualBytes = 2 ** 31, signal, onStep } = options
  const samples = problem.inputs.shape[0]!
  const plan = (dtype: 'float32' | 'float64') => {
    const typed = castProblem(problem, dtype)
    const [theta, unravel] = ravel<unknown>(typed.parameters as never)
    const batches = batchesOf(typed, Math.min(size, samples))
    const program = batchProgram(typed, unravel, theta, batches[0]!)
    const { primal, linear } = linearizeProgram(program, [true, false, false, false])
    return { dtype, theta, batches, program, primal, linear: onlyOutputs(linear, 1) }
  }
  const wide = precision === 'float32' ? undefined : plan('float64')
  const work = wide ? forecast(wide.linear).flops * wide.batches.length : Number.POSITIVE_INFINITY
  const chosen = wide && (precision === 'float64' || work < cheap) ? wide : plan('float32')
  const { dtype, theta, batches, program, primal, linear } = chosen

  const at = bindInputs(primal, [theta, null, null, null])
  const residuals = at.outputs.slice(program.outputs.length)
  const product = bindInputs(linear, [...residuals.map((r) => (r instanceof Var ? null : r)), null])
  const varying = residuals.filter((r): r is Var => r instanceof Var)
  const keep = bytesOf(varying) * batches.length <= residualBytes

  const gradientRun = await compileProgram(onlyOutputs(at, program.outputs.length))
  const sums = { gradient: new Float64Array(theta.size), loss: 0, right: 0 }
  const gradientTimes: number[] = []
  for (let pass = 0, spent = 0; pass < 9 && spent < 1; pass++) {
    const started = performance.now()
    for (const batch of batches) {
      signal?.throwIfAborted()
      const [gradient, loss, right] = await gradientRun.run(batchInputs(batch))
      if (pass > 0) continue
      gradient!.data.forEach((g, i) => {
        sums.gradient[i]! += g / samples
      })
      sums.loss += loss!.item() / samples
      sums.right += right!.item()
    }
    const seconds = (performance.now() - started) / 1000
    spent += seconds
    gradientTimes.push(seconds)
  }
  await gradientRun.dispose()
  requireFinite(sums.loss, sums.gradient)

  const products = keep
    ? await linearizedProducts(product, { ...at, outputs: varying }, batches, signal, onStep)
    : await recomputedProducts(product, { ...at, outputs: varying }, batches)
  const productTimes: number[] = []
  return {
    rows: theta.size,
    columns: theta.size,
    dtype,
    loss: sums.loss,
    gradient: sums.gradient,
    accuracy: problem.loss.targets === 'classes' ? sums.right / samples : null,
    linearized: keep,
    gradientSeconds: median(gradientTimes),
    productTime: () => ({ seconds: median(productTimes), products: productTimes.length }),
    async apply(vectors) {
      const [block] = vectors.shape as [number, number]
      const result = new Float64Array(vectors.size)
      for (let k = 0; k < block; k++) {
        const started = performance.now()
        const v = new Tensor(vectors.data.slice(k * theta.size, (k + 1) * theta.size))
        const row = result.subarray(k * theta.size, (k + 1) * theta.size)
        for (let b = 0; b < batches.length; b++) {
          signal?.throwIfAborted()
          const part = await products.run(b, v)
          for (let i = 0; i < row.length; i++) row[i]! += (part.data[i] as number) / samples
        }
        productTimes.push((performance.now() - started) / 1000)
      }
      return new Tensor(dtype === 'float64' ? result : Float32Array.from(result), vectors.shape)
    },
    dispose: () => products.dispose(),
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

interface BatchProducts {
  /** The product of batch `b`'s part of the Hessian with v. */
  run(b: number, v: Tensor): Promise<Tensor>
  dispose(): Promise<void>
}

/** Runs the residuals' program once for each batch and keeps the results; one batch's become constants. */
async function linearizedProducts(
  product: Program,
  residualsOf: Program,
  batches: readonly Batch[],
  signal?: AbortSignal,
  onStep?: HessianOptions['onStep'],
): Promise<BatchProducts> {
  const prepare = await compileProgram(residualsOf)
  const kept: Tensor[][] = []
  for (const [i, batch] of batches.entries()) {
    signal?.throwIfAborted()
    kept.push(await prepare.run(batchInputs(batch)))
    onStep?.({ done: i + 1, total: batches.length })
  }
  await prepare.dispose()
  const single = kept.length === 1
  const run: Executable = await compileProgram(single ? bindInputs(product, [...kept[0]!, null]) : product)
  return {
    run: async (b, v) => (await run.run(single ? [v] : [...kept[b]!, v]))[0]!,
    dispose: () => run.dispose(),
  }
}

/** Computes residuals and product in one program, from the data each time. */
async function recomputedProducts(
  product: Program,
  residualsOf: Program,
  batches: readonly Batch[],
): Promise<BatchProducts> {
  const v = product.inputs.at(-1)!
  const { program } = traceFlat(
    (inputs) => {
      const data: Value[] = inputs.slice(0, -1)
      return evaluate(product, [...evaluate(residualsOf, data), inputs.at(-1)!])
    },
    [...residualsOf.inputs, v],
  )
  const run = await compileProgram(program)
  return {
    run: async (b, v) => (await run.run([...batchInputs(batches[b]!), v]))[0]!,
    dispose: () => run.dispose(),
  }
}

function requireFinite(loss: number, gradient: Float64Array): void {
  if (!Number.isFinite(loss))
    throw new Error(
      `lossHessian: the loss is ${loss}; check the scale of the inputs and that the loss suits the outputs`,
    )
  const bad = gradient.findIndex((g) => !Number.isFinite(g))
  if (bad >= 0)
    throw new Error(
      `lossHessian: the gradient is ${gradient[bad]} at parameter ${bad}; the model is not differentiable there`,
    )
}
