import type { Equation, Program } from '../../program/program.js'
import type { Type } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { groupsOf, type ScanParams } from '../control/scanOp.js'
import { type Indices, none, union } from './sets.js'

/** For each element of a value, the inputs that reach it; undefined when none reaches any. */
export type Reach = readonly Indices[] | undefined

type Propagate = (program: Program, inputs: readonly Reach[]) => Reach[]

/** What reaches the outputs of a scan or a switch; undefined for other operations. */
export function throughControl(
  { primitive, params, outputs }: Equation,
  given: readonly Reach[],
  propagate: Propagate,
): Reach[] | undefined {
  if (primitive.name === 'scan')
    return throughScan(params as unknown as ScanParams, outputs, given, propagate)
  if (primitive.name !== 'switch') return undefined
  const branches = params.branches as readonly Program[]
  return branches
    .map((branch) => propagate(branch, given.slice(1)))
    .reduce((a, b) => a.map((reach, i) => merge(reach, b[i])))
}

/** Step by step, in the order in which it runs. */
function throughScan(
  params: ScanParams,
  outputs: readonly Type[],
  given: readonly Reach[],
  propagate: Propagate,
): Reach[] {
  const { body, carry: count, length, reverse } = params
  const [constants, initial, sequences] = groupsOf(given, params)
  const elements = body.inputs.slice(body.inputs.length - sequences.length)
  const stacked = outputs
    .slice(count)
    .map(({ shape }): Indices[] => new Array<Indices>(sizeOf(shape)).fill(none))
  let carry = initial
  for (let step = 0; step < length; step++) {
    const at = reverse ? length - 1 - step : step
    const slices = sequences.map((reach, i) => {
      const size = sizeOf((elements[i] as Type).shape)
      return reach?.slice(at * size, (at + 1) * size)
    })
    const results = propagate(body, [...constants, ...carry, ...slices])
    carry = results.slice(0, count)
    results.slice(count).forEach((reach, i) => {
      reach?.forEach((set, k) => {
        const whole = stacked[i] as Indices[]
        whole[at * reach.length + k] = set
      })
    })
  }
  return [...carry, ...stacked]
}

/** What reaches a value by either of two ways. */
export function merge(a: Reach, b: Reach): Reach {
  return a && b ? a.map((set, i) => union(set, b[i] as Indices)) : (a ?? b)
}
