import { compileProgram } from '../../engines/index.js'
import { type Progress, requireCount } from '../../linalg/products.js'
import * as np from '../../numpy/index.js'
import { totalBytes } from '../../program/forecast.js'
import { allocate } from '../../tensor/dtype.js'
import { type Shape, sameShape, showShape, sizeOf } from '../../tensor/shape.js'
import { castTensor, Tensor } from '../../tensor/tensor.js'
import { showBytes } from '../operators/plan.js'
import { type FlatProblem, flatProblem, outputShape, type Selection } from '../parameters.js'
import type { Problem } from '../problem.js'
import { blockPrograms, type KernelKind, type KernelMethod, kernelFlops } from './blocks.js'

export interface TangentKernelOptions {
  /**
   * - `full` (default): all [outputs, outputs] entries of each pair of samples;
   * - `trace`: their mean over equal outputs, (1/C) tr;
   * - `sum-of-logits`: the entry of the one function sum_c f_c / sqrt(C), which stands for the whole matrix as a
   *   multiple of the identity in wide networks (Mohamadi, Bae, Sutherland 2023).
   */
  readonly kind?: KernelKind
  /** The samples of the second axis [M, ...]. Default the problem's own, which makes the kernel symmetric. */
  readonly others?: Tensor
  /** `auto` (default): which takes fewer operations by forecast; only `full` has `products`. */
  readonly method?: KernelMethod | 'auto'
  /** Default float64. */
  readonly precision?: 'float32' | 'float64'
  /** The parameters whose gradients are multiplied. Default all. */
  readonly parameters?: Selection
  /** Samples in one block, halved until the memory budget is met. Default 64, at most all. */
  readonly batch?: number
  /** Bytes for the kernel and the runs, by forecast. Default 2 GiB. */
  readonly memoryBytes?: number
  readonly signal?: AbortSignal
  /** Called after each pair of blocks. */
  readonly onStep?: (progress: Progress) => void
}

export interface TangentKernel {
  /** [N, M], or [N, M, C, C] for `full`. */
  readonly kernel: Tensor
  readonly method: KernelMethod
  /** Samples in one block. */
  readonly batch: number
  /** Forecasts: of operations, and of the bytes of the kernel and the largest run together. */
  readonly flops: number
  readonly totalBytes: number
}

/**
 * The empirical neural tangent kernel between the N samples of a problem and M others,
 * Theta[i, j, c, d] = sum_p df_c(x_i)/dtheta_p df_d(x'_j)/dtheta_p (Jacot, Gabriel, Hongler 2018), at the problem's
 * parameters. Targets and loss play no part; outputs of any shape count as C of them. Gradients are taken for each sample
 * by itself, so a model that mixes the samples of a batch is measured with batches of one.
 *
 * @throws when `others` are not of the shape of the problem's inputs; when the budget does not hold the kernel and one pair.
 */
export async function tangentKernel(
  problem: Problem,
  options: TangentKernelOptions = {},
): Promise<TangentKernel> {
  const { kind = 'full', precision = 'float64', others, signal, onStep } = options
  const flat = flatProblem(problem, precision, options.parameters)
  if (others) requireSamples(others, flat)
  const second = others ? castTensor(others, precision) : flat.inputs
  const shape = kernelShape(flat, second, kind)
  const { programs, pairs, ...plan } = planned(flat, second, shape, options)
  const blocks = (x: Tensor) => blocksOf(x, plan.batch)
  const [firsts, seconds] = [blocks(flat.inputs), blocks(second)]
  const kernel = new Tensor(allocate(precision, sizeOf(shape)), shape)
  const rows = await compileProgram(programs.rows)
  const pair = await compileProgram(programs.pair)
  let done = 0
  try {
    for (const [j, samples] of seconds.entries()) {
      const right = await rows.run([samples])
      for (let i = others ? 0 : j; i < firsts.length; i++) {
        signal?.throwIfAborted()
        const first = [firsts[i]!]
        const left = plan.method === 'products' ? first : i === j && !others ? right : await rows.run(first)
        const [entries] = (await pair.run([...left, ...right])) as [Tensor]
        write(kernel, entries, i * plan.batch, j * plan.batch)
        if (!others) write(kernel, np.transpose(entries, [1, 0, 3, 2]), j * plan.batch, i * plan.batch)
        onStep?.({ done: ++done, total: pairs })
      }
    }
  } finally {
    await rows.dispose()
    await pair.dispose()
  }
  return { kernel: kind === 'full' ? kernel : np.reshape(kernel, shape.slice(0, 2)), ...plan }
}

/** [N, M, C, C], or [N, M, 1, 1] for kinds with one number for each pair. */
function kernelShape(flat: FlatProblem, { shape: [m] }: Tensor, kind: KernelKind): Shape {
  const side = kind === 'full' ? sizeOf(outputShape(flat, 1)) : 1
  return [flat.inputs.shape[0]!, m!, side, side]
}

/** The largest blocks that fit the budget, and the method that then takes fewer operations. */
function planned(flat: FlatProblem, second: Tensor, shape: Shape, options: TangentKernelOptions) {
  const { kind = 'full', method = 'auto', memoryBytes = 2 ** 31, others } = options
  const [n, m] = [flat.inputs.shape[0]!, second.shape[0]!]
  requireCount(options.batch ?? 64, 'batch', 'tangentKernel')
  const methods = methodsFor(kind, method)
  const kernelBytes = totalBytes([{ dtype: flat.dtype, shape }])
  for (let batch = Math.min(options.batch ?? 64, Math.max(n, m)); ; batch = batch >> 1) {
    const [rows, columns] = [Math.ceil(n / batch), Math.ceil(m / batch)]
    const pairs = others ? rows * columns : (rows * (rows + 1)) / 2
    const plans = methods
      .map((method) => blockPrograms(flat, kind, method, batch))
      .map((programs) => ({
        programs,
        pairs,
        method: programs.method,
        batch,
        flops: kernelFlops(programs, columns, pairs, !others),
        totalBytes: kernelBytes + programs.bytes,
      }))
      .sort((a, b) => a.flops - b.flops)
    const fitting = plans.find(({ totalBytes }) => totalBytes <= memoryBytes)
    if (fitting) return fitting
    if (batch > 1) continue
    const least = Math.min(...plans.map(({ totalBytes }) => totalBytes))
    throw new Error(
      `tangentKernel: memoryBytes is ${memoryBytes} (${showBytes(memoryBytes)}), but the kernel ${showShape(shape)} and one ` +
        `pair of samples take ${showBytes(least)} by forecast; raise it, or ask for fewer samples`,
    )
  }
}

function methodsFor(kind: KernelKind, method: KernelMethod | 'auto'): readonly KernelMethod[] {
  if (!['full', 'trace', 'sum-of-logits'].includes(kind))
    throw new Error(`tangentKernel: kind is ${kind}, expected 'full', 'trace' or 'sum-of-logits'`)
  if (!['auto', 'contraction', 'products'].includes(method))
    throw new Error(`tangentKernel: method is ${method}, expected 'auto', 'contraction' or 'products'`)
  if (kind !== 'full' && method === 'products')
    throw new Error(`tangentKernel: method is products, which kind ${kind} does not have; leave it out`)
  if (kind !== 'full') return ['contraction']
  return method === 'auto' ? ['contraction', 'products'] : [method]
}

function requireSamples({ shape }: Tensor, { inputs }: FlatProblem): void {
  const sample = inputs.shape.slice(1)
  if (!(shape[0]! > 0) || !sameShape(shape.slice(1), sample))
    throw new Error(
      `tangentKernel: others has shape ${showShape(shape)}, expected samples like the inputs, [M,${sample.join(',')}]`,
    )
}

/** Equal blocks of samples; the last is filled up with copies of the last sample. */
function blocksOf(x: Tensor, size: number): Tensor[] {
  const n = x.shape[0]!
  return Array.from({ length: Math.ceil(n / size) }, (_, block) => {
    const indices = Int32Array.from({ length: size }, (_, i) => Math.min(block * size + i, n - 1))
    return np.take(x, indices, { axis: 0 })
  })
}

/** Puts a block's entries at (row, column) of the kernel, as far as they are of samples and not of filling. */
function write({ data, shape }: Tensor, block: Tensor, row: number, column: number): void {
  const [n, m, side] = shape as [number, number, number]
  const [height, width] = block.shape as [number, number]
  const size = side * side
  const used = Math.min(width, m - column) * size
  for (let i = 0; i < Math.min(height, n - row); i++) {
    const from = i * width * size
    data.set(block.data.subarray(from, from + used), ((row + i) * m + column) * size)
  }
}
