import type { CompileOptions } from '../../../engines/index.js'
import * as np from '../../../numpy/index.js'
import { optimize } from '../../../ops/optimize.js'
import { fullTensor, Tensor } from '../../../tensor/tensor.js'
import { leafNames, type Structure, unflatten } from '../../../tensor/tree.js'
import { jacobian, type Tensors, trace, vmap } from '../../../transforms/index.js'
import { flattenValues } from '../../../transforms/stage.js'
import { type Awaitable, after } from '../../solver.js'
import { flatVector, type Linearized, prepare } from '../residuals/residuals.js'

/** Data of many fits: a tree of tensors whose first axis is that of the fits. */
export interface FitData {
  readonly structure: Structure
  readonly leaves: readonly Tensor[]
  /** How many fits there are, where there are data. */
  readonly fits: number | undefined
}

/** @throws when a leaf has no first axis, or one of another length. */
export function fitData(tree: unknown): FitData {
  const { values, structure } = flattenValues(tree)
  const leaves = values as Tensor[]
  const names = leafNames(structure, 'data')
  leaves.forEach(({ shape }, i) => {
    if (shape.length === 0 || shape[0] !== leaves[0]!.shape[0])
      throw new Error(
        `${names[i]}: got shape [${shape}], expected the fits as first axis, ` +
          `${leaves[0]!.shape[0] ?? 'for example [fits, points]'}; what all fits share belongs into the function`,
      )
  })
  return { structure, leaves, fits: leaves[0]?.shape[0] }
}

/** The residuals of a lane, written over `spare`, an earlier result that is needed no more, where that is given. */
export type LaneResiduals = (lane: number, spare?: Linearized) => Linearized

/** Residuals of some fits at a time, each in a lane, as one batched program. */
export interface BatchResiduals {
  readonly lanes: number
  /** How many residuals a fit has. */
  readonly rows: number
  /** Gives a lane the data of a fit. */
  load(lane: number, fit: number): void
  /** The residuals of each lane at its row of points [lanes, parameters], until the next call. */
  linearize(points: Float64Array): Awaitable<LaneResiduals>
  dispose(): Promise<void>
}

/** A function of a vector and a fit's data traced, differentiated exactly, batched over lanes and compiled. */
export async function batchResiduals(
  f: (vector: Tensor, data: unknown) => unknown,
  { structure, leaves }: FitData,
  lanes: number,
  start: Float64Array,
  options: CompileOptions,
): Promise<BatchResiduals> {
  const n = start.length
  const flat = (x: Tensor, data: Tensors) => flatVector(f(x, data))
  const both = (x: Tensor, data: Tensors) => [flat(x, data), np.transpose(jacobian(flat)(x, data))]
  const loaded = leaves.map(({ dtype, shape }) => fullTensor([lanes, ...shape.slice(1)], 0, dtype))
  const points = new Tensor(new Float64Array(lanes * n), [lanes, n])
  const batched = (x: Tensor, ...values: Tensor[]) => vmap(both)(x, unflatten(structure, values))
  const program = optimize(trace(batched, points, ...loaded).program)
  const { run, dispose } = await prepare(program, options)
  const rows = program.outputs[0]!.shape[1]!
  let latest: Tensor[] | undefined
  return {
    lanes,
    rows,
    dispose,
    load(lane, fit) {
      leaves.forEach(({ data, shape }, i) => {
        const size = data.length / shape[0]!
        loaded[i]!.data.set(data.subarray(fit * size, (fit + 1) * size), lane * size)
      })
    },
    linearize: (x) =>
      after(run([new Tensor(x, [lanes, n]), ...loaded], latest), (outputs) => {
        latest = outputs
        const [residuals, columns] = outputs.map(({ data }) => data as Float64Array)
        return (lane, spare) => ({
          residual: part(residuals!, lane, rows, spare?.residual),
          columns: part(columns!, lane, rows * n, spare?.columns),
        })
      }),
  }
}

function part(
  x: Float64Array,
  lane: number,
  size: number,
  copy: Float64Array = new Float64Array(size),
): Float64Array {
  for (let i = 0; i < size; i++) copy[i] = x[lane * size + i]!
  return copy
}
