import { toTensor, toValue } from '../../numpy/convert.js'
import * as np from '../../numpy/index.js'
import { optimize } from '../../ops/optimize.js'
import { traceFlat } from '../../program/builder.js'
import { forecast, totalBytes } from '../../program/forecast.js'
import type { Program } from '../../program/program.js'
import type { Type } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { fullTensor, type Tensor } from '../../tensor/tensor.js'
import { linearize, vjp, vmap } from '../../transforms/index.js'
import { type FlatProblem, outputShape } from '../parameters.js'

/** What of each pair's [outputs, outputs] matrix is wanted. */
export type KernelKind = 'full' | 'trace' | 'sum-of-logits'

/**
 * How two blocks of samples are paired (Novak, Sohl-Dickstein, Schoenholz 2022):
 * - `contraction`: both Jacobians are formed and multiplied, N M C^2 P operations for P parameters;
 * - `products`: the rows of one Jacobian are pushed through the network of the other samples, N M C forward passes.
 */
export type KernelMethod = 'contraction' | 'products'

/** The programs of one pair of blocks, and their forecast. */
export interface BlockPrograms {
  readonly method: KernelMethod
  /** Inputs [block, ...] to rows of the Jacobian, [block, rows of a sample, ...shape] for each parameter tensor. */
  readonly rows: Program
  /** (...rows, ...other rows) or (inputs, ...other rows) to entries [block, block, entries, entries]. */
  readonly pair: Program
  readonly bytes: number
}

/** The programs that pair `block` samples with as many others. */
export function blockPrograms(
  flat: FlatProblem,
  kind: KernelKind,
  method: KernelMethod,
  block: number,
): BlockPrograms {
  const { leaves, dtype, inputs } = flat
  const outputs = sizeOf(outputShape(flat, 1))
  const outputsOf = (leaves: readonly Tensor[], sample: Tensor) =>
    np.reshape(flat.applyLeaves(leaves, np.expandDims(sample, 0)), [outputs])
  const cotangents =
    kind === 'sum-of-logits'
      ? fullTensor([1, outputs], 1 / Math.sqrt(outputs), dtype)
      : np.eye(outputs, { dtype })
  const rowsOf = (sample: Tensor) => {
    const [, pull] = vjp((leaves: readonly Tensor[]) => outputsOf(leaves, sample), leaves)
    return vmap((u: Tensor) => pull(u)[0] as readonly Tensor[])(cotangents)
  }
  const push = (x: Tensor, others: readonly Tensor[]) => {
    const all = (leaves: readonly Tensor[]) => vmap((sample: Tensor) => outputsOf(leaves, sample))(x)
    const [, product] = linearize(all, leaves)
    return np.transpose(vmap(vmap(product))(others), [2, 0, 3, 1])
  }
  const x: Type = { dtype, shape: [block, ...inputs.shape.slice(1)] }
  const rows = programOf(([x]) => vmap(rowsOf)(x!), [x])
  const jacobian = rows.outputs
  const pair =
    method === 'products'
      ? programOf(([x, ...others]) => [push(x!, others)], [x, ...jacobian])
      : programOf(
          (both) => [contract(both.slice(0, leaves.length), both.slice(leaves.length), kind)],
          [...jacobian, ...jacobian],
        )
  const kept = totalBytes(jacobian)
  return {
    method,
    rows,
    pair,
    bytes: Math.max(forecast(rows).peakBytes + kept, forecast(pair).peakBytes),
  }
}

/** A function as a program, traced on types alone: the Jacobians of large blocks are never made for it. */
function programOf(f: (inputs: Tensor[]) => readonly Tensor[], types: readonly Type[]): Program {
  return optimize(traceFlat((inputs) => f(inputs.map(toTensor)).map(toValue), types).program)
}

/** Entries [n, m, side, side] from the rows [n, k, ...] and [m, k, ...] of each parameter. */
function contract(a: readonly Tensor[], b: readonly Tensor[], kind: KernelKind): Tensor {
  const [[n, k], [m]] = [a[0]!.shape, b[0]!.shape] as [[number, number], [number]]
  const gram = (left: number, right: number) =>
    a
      .map((rows, i) => np.matmul(np.reshape(rows, [left, -1]), np.transpose(np.reshape(b[i]!, [right, -1]))))
      .reduce((sum, part) => np.add(sum, part))
  return kind === 'trace'
    ? np.reshape(np.divide(gram(n, m), k), [n, m, 1, 1])
    : np.transpose(np.reshape(gram(n * k, m * k), [n, k, m, k]), [0, 2, 1, 3])
}

/** Floating-point operations of `pairs` pairs of blocks, of `seconds` different second ones. */
export function kernelFlops(
  { method, rows, pair }: BlockPrograms,
  seconds: number,
  pairs: number,
  symmetric: boolean,
): number {
  // A block beside itself needs its Jacobian once.
  const firsts = method === 'products' ? 0 : symmetric ? pairs - seconds : pairs
  return (seconds + firsts) * forecast(rows).flops + pairs * forecast(pair).flops
}
