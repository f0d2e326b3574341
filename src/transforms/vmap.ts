import { broadcastTo } from '../ops/broadcast.js'
import { moveAxis } from '../ops/gather.js'
import type { Type } from '../program/value.js'
import { showType, type Value } from '../program/value.js'
import { normalizeAxis } from '../tensor/shape.js'
import { batchProgram } from './batch.js'
import { rebuild } from './call.js'
import type { Likes } from './derivatives.js'
import { type Arguments, flattenEach, stage, type TensorFunction } from './stage.js'

export interface VmapOptions {
  /** For each argument, the axis of its tensors that is mapped over, or null to share it. Default 0. */
  readonly inAxes?: number | readonly (number | null)[]
  /** The axis of the results along which they are stacked. Default 0. */
  readonly outAxis?: number
}

/**
 * The function that applies `f` to every element along an axis of its arguments and stacks the results,
 * as one batched program instead of a loop.
 * @throws when the mapped axes differ in length, or no argument is mapped.
 */
export function vmap<A extends Arguments, R>(
  f: (...args: A) => R,
  { inAxes = 0, outAxis = 0 }: VmapOptions = {},
): (...args: Likes<A>) => R {
  return (...args) => {
    const flat = flattenEach(args)
    const axes = args.map((_, i) => (typeof inAxes === 'number' ? inAxes : inAxes[i]))
    if (axes.includes(undefined))
      throw new Error(`vmap: inAxes has no entry for each of ${args.length} arguments`)
    let size: number | undefined
    const batched = flat.flatMap(({ values }, i) => values.map(() => axes[i] !== null))
    const values = flat.flatMap(({ values }, i) =>
      values.map((value) => {
        const axis = axes[i] as number | null
        if (axis === null) return value
        const from = normalizeAxis(axis, value.shape.length, `vmap: argument ${i} (${showType(value)})`)
        const length = value.shape[from] as number
        if (size !== undefined && length !== size)
          throw new Error(`vmap: argument ${i} has ${length} elements along axis ${axis}, the others ${size}`)
        size = length
        return moveAxis(value, from, 0)
      }),
    )
    if (size === undefined)
      throw new Error('vmap: no argument is mapped; give at least one a number in inAxes')
    const types = values.map(
      (value, i): Type => ({
        dtype: value.dtype,
        shape: batched[i] ? value.shape.slice(1) : value.shape,
      }),
    )
    const structure = { kind: 'array' as const, children: flat.map((x) => x.structure) }
    const { program, captured, outputStructure } = stage(f as TensorFunction, structure, types)
    const result = batchProgram(
      program,
      [...captured, ...values],
      [...captured.map(() => false), ...batched],
      size,
    )
    const outputs = result.outputs.map((output, i) => {
      const stacked: Value = result.batched[i]
        ? output
        : broadcastTo(output, [size as number, ...output.shape])
      return moveAxis(stacked, 0, normalizeAxis(outAxis, stacked.shape.length, 'vmap: outAxis'))
    })
    return rebuild(outputStructure, outputs)
  }
}
