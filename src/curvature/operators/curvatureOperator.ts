import { interpret } from '../../engines/interpret.js'
import type { LinearOperator } from '../../linalg/operators/operator.js'
import type { Progress } from '../../linalg/products.js'
import { requirePositive } from '../../linalg/products.js'
import { axpy, type Vector } from '../../linalg/vector.js'
import { optimize } from '../../ops/optimize.js'
import { bindInputs } from '../../program/bindInputs.js'
import { forecast } from '../../program/forecast.js'
import type { Program } from '../../program/program.js'
import type { Shape } from '../../tensor/shape.js'
import { fullTensor, Tensor } from '../../tensor/tensor.js'
import { trace } from '../../transforms/index.js'
import { type FlatProblem, flatProblem, type ParameterBlock, type Selection } from '../parameters.js'
import { type Batch, batchesOf, type Problem } from '../problem.js'
import { requireProblem } from '../requirements.js'
import { type CutProduct, cutProduct } from './cutProduct.js'
import { deterministic } from './deterministic.js'
import { type Halves, type Plan, planFor, showBytes } from './plan.js'
import { inPrecision, type Precision } from './precision.js'
import { type BatchProducts, batchProducts } from './products.js'

export interface OperatorOptions {
  /** Samples in one run, halved until the memory budget is met. Default 256, at most all. */
  readonly batch?: number
  /** Default `auto`, by a product. */
  readonly precision?: Precision
  /** The parameters in question: their names or a test of them; the others are constants. Default all. */
  readonly parameters?: Selection
  /** Bytes that residuals and runs may take, by forecast. Default 2 GiB. */
  readonly memoryBytes?: number
  /** Whether intermediate values that do not depend on the direction are kept. Default `auto`: where memory allows. */
  readonly residuals?: 'keep' | 'recompute' | 'auto'
  /** The most vectors in one run. Default 16. */
  readonly block?: number
  /** Whether the operator may move to other parameters; it then keeps its programs general. Default false. */
  readonly moves?: boolean
  readonly signal?: AbortSignal
  /** Called after each batch whose residuals were computed. */
  readonly onStep?: (progress: Progress) => void
}

/** A linear map that a model, its loss and a data set define; products are means over the samples unless said otherwise. */
export interface CurvatureOperator extends LinearOperator {
  readonly dtype: 'float32' | 'float64'
  /** The parameters in the order of the vectors. */
  readonly blocks: readonly ParameterBlock[]
  readonly samples: number
  readonly plan: Plan
  /** The median seconds of a product with one vector so far, and how many vectors there were. */
  productTime(): { seconds: number; products: number }
  /** @throws unless the operator was made with `moves`. */
  moveTo(parameters: Problem['parameters']): Promise<void>
  dispose(): Promise<void>
}

/** A symmetric one, with its parts. */
export interface SymmetricCurvature extends CurvatureOperator {
  /** The products of [k, parameters] with the same matrix of batch `index` alone: the mean over its samples. */
  applyBatch(index: number, vectors: Tensor): Promise<Tensor>
}

/** What a batch's linear map is, as a function to be traced. */
export interface BatchMap {
  /** M v from theta, the batch's inputs, targets and weights (0 for samples that fill it up), and further data. */
  readonly product: (theta: Tensor, data: readonly Tensor[], v: Tensor) => Tensor
  /** The shape of v. */
  readonly direction: Shape
  /** Further data of batch `index`, after inputs, targets and weights. */
  readonly extra?: (index: number) => readonly Tensor[]
}

export interface PreparedMap {
  readonly problem: FlatProblem
  readonly plan: Plan
  readonly products: BatchProducts
  moveTo(parameters: Problem['parameters']): Promise<void>
}

/** Plans and prepares the products of a linear map over all batches of a problem. */
export async function prepareMap(
  where: string,
  problem: Problem,
  options: OperatorOptions,
  mapOf: (problem: FlatProblem, batch: number) => BatchMap,
): Promise<PreparedMap> {
  requireProblem(problem)
  const { precision = 'auto', moves = false, signal, onStep } = options
  const prepare = (dtype: 'float32' | 'float64') =>
    preparedFor(where, flatProblem(problem, dtype, options.parameters), options, mapOf)
  const { flat, map, batches, cut, halves, plan } = inPrecision(
    precision,
    prepare,
    ({ halves, plan }) => forecast(halves.linear).flops * plan.batches,
  )
  const sharedAt = (theta: Tensor) => (moves ? interpret(cut.shared, [theta]) : [])
  const data = (index: number) => [...inputsOf(batches[index]!), ...(map.extra?.(index) ?? [])]
  const products = await batchProducts(
    halves,
    { shared: sharedAt(flat.theta), batch: data },
    plan,
    (done) => {
      signal?.throwIfAborted()
      onStep?.({ done, total: plan.batches })
    },
  )
  return {
    problem: flat,
    plan,
    products,
    async moveTo(parameters) {
      if (!moves) throw new Error(`${where}: moveTo needs the option moves: true when the operator is made`)
      const moved = flatProblem({ ...problem, parameters }, flat.dtype, options.parameters)
      await products.moveTo(sharedAt(moved.theta))
    },
  }
}

function preparedFor(
  where: string,
  flat: FlatProblem,
  options: OperatorOptions,
  mapOf: (problem: FlatProblem, batch: number) => BatchMap,
) {
  const { memoryBytes = 2 ** 31, residuals = 'auto', moves = false } = options
  requirePositive(memoryBytes, 'memoryBytes', where)
  const samples = flat.inputs.shape[0]!
  const budget = { memoryBytes, residuals, maxBlock: options.block ?? 16 }
  for (let batch = Math.min(options.batch ?? 256, samples); ; batch = batch >> 1) {
    const batches = batchesOf(flat, batch)
    const map = mapOf(flat, batch)
    const cut = cutProduct(deterministic(() => productProgram(flat, map, batches[0]!)))
    const halves = moves ? simplified(cut) : halvesAt(cut, flat.theta)
    const plan = planFor(halves, batch, batches.length, budget)
    if (plan) return { flat, map, batches, cut, halves, plan }
    if (batch > 1) continue
    const least = planFor(halves, batch, batches.length, {
      ...budget,
      memoryBytes: Number.POSITIVE_INFINITY,
      residuals: 'recompute',
    })
    throw new Error(
      `${where}: memoryBytes is ${memoryBytes} (${showBytes(memoryBytes)}), but one sample and one vector at a time take ` +
        `${showBytes(least!.totalBytes)} by forecast; raise it`,
    )
  }
}

const inputsOf = ({ inputs, targets, weights }: Batch): Tensor[] => [inputs, targets, weights]

function productProgram({ theta, dtype }: FlatProblem, map: BatchMap, batch: Batch): Program {
  const data = [...inputsOf(batch), ...(map.extra?.(0) ?? [])]
  return trace(
    (vector: Tensor, ...rest: Tensor[]) => map.product(vector, rest.slice(0, -1), rest.at(-1)!),
    theta,
    ...data,
    fullTensor(map.direction, 0, dtype),
  ).program
}

const simplified = ({ known, linear }: CutProduct): Halves => ({
  known: optimize(known),
  linear: optimize(linear),
})

/** The halves at fixed parameters: what follows from theta alone is computed here. */
function halvesAt({ shared, known, linear }: CutProduct, theta: Tensor): Halves {
  const values = interpret(shared, [theta])
  const bound = (program: Program) =>
    optimize(
      bindInputs(
        program,
        program.inputs.map((_, i) => values[i] ?? null),
      ),
    )
  return { known: bound(known), linear: bound(linear) }
}

/** A symmetric operator in the parameters whose products are means over the samples. */
export async function symmetricCurvature(
  where: string,
  problem: Problem,
  options: OperatorOptions,
  mapOf: (problem: FlatProblem, batch: number) => BatchMap,
): Promise<SymmetricCurvature> {
  const { problem: flat, plan, products, moveTo } = await prepareMap(where, problem, options, mapOf)
  const samples = flat.inputs.shape[0]!
  const n = flat.theta.size
  const clock = stopwatch()
  const sum = async (batches: Iterable<number>, count: number, vectors: Tensor): Promise<Tensor> => {
    const total = new Float64Array(vectors.size)
    for (const b of batches) {
      options.signal?.throwIfAborted()
      const { data } = await products.run(b, vectors)
      axpy(1 / count, data as Vector, total)
    }
    return new Tensor(flat.dtype === 'float64' ? total : Float32Array.from(total), vectors.shape)
  }
  const apply = (vectors: Tensor) =>
    clock.time(vectors.shape[0]!, () => sum(Array(plan.batches).keys(), samples, vectors))
  return {
    rows: n,
    columns: n,
    dtype: flat.dtype,
    blocks: flat.blocks,
    samples,
    plan,
    apply,
    applyTranspose: apply,
    applyBatch: (index, vectors) => sum([index], Math.min(plan.batch, samples - index * plan.batch), vectors),
    productTime: clock.read,
    moveTo,
    dispose: () => products.dispose(),
  }
}

/** Times products: the median over calls of the seconds for each vector. */
export function stopwatch() {
  const times: number[] = []
  let products = 0
  return {
    async time<T>(count: number, run: () => Promise<T>): Promise<T> {
      const started = performance.now()
      const result = await run()
      times.push((performance.now() - started) / 1000 / count)
      products += count
      return result
    },
    read: () => ({
      seconds: [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN,
      products,
    }),
  }
}
