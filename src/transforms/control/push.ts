import type { MaybeZero, Series, TaylorCall } from '../../program/primitive.js'
import type { Program } from '../../program/program.js'
import type { Value } from '../../program/value.js'
import { range } from '../../tensor/shape.js'
import { jvpProgram } from '../jvp.js'
import { jetProgram, seriesOf } from '../taylor/taylor.js'

/** What goes along with values, one list for each of them: a tangent, or Taylor coefficients; null is zero. */
export type Along = readonly (readonly MaybeZero[])[]

/** A way to run programs forwards together with what goes along. */
export interface Push {
  /** How much goes along with each value. */
  readonly order: number
  run(program: Program, inputs: readonly Value[], along: Along): { outputs: Value[]; along: Along }
}

export const pushTangents: Push = {
  order: 1,
  run(program, inputs, along) {
    const { outputs, tangents } = jvpProgram(
      program,
      inputs,
      along.map(([t]) => t as MaybeZero),
    )
    return { outputs, along: tangents.map((t) => [t]) }
  },
}

const pushCoefficients = (order: number): Push => ({
  order,
  run(program, inputs, along) {
    const { outputs, coefficients } = jetProgram(program, inputs, along, order)
    return { outputs, along: coefficients }
  },
})

type Rule<P> = (
  push: Push,
  inputs: readonly Value[],
  along: Along,
  params: P,
) => { outputs: Value[]; along: Along }

/** The derivative and Taylor rules of an operation, from its rule for anything that goes along. */
export function forwardRules<P>(rule: Rule<P>) {
  const differentiate = (at: { inputs: readonly Value[]; tangents: readonly MaybeZero[]; params: P }) => {
    const { outputs, along } = rule(
      pushTangents,
      at.inputs,
      at.tangents.map((t) => [t]),
      at.params,
    )
    return { outputs, tangents: along.map(([t]) => t as MaybeZero) }
  }
  return {
    differentiate,
    derivative: (at: Parameters<typeof differentiate>[0]) => differentiate(at).tangents,
    taylor({ series, params, order }: TaylorCall<P>): Series[] {
      const along = series.map((x) => range(order).map((k) => x.coefficient(k + 1)))
      const values = series.map((x) => x.value)
      const at = rule(pushCoefficients(order), values, along, params)
      return at.outputs.map((value, i) => seriesOf(value, at.along[i] ?? []))
    },
  }
}

/** A flat list in rows of `width`. */
export function rows<T>(list: readonly T[], width: number): T[][] {
  return range(list.length / width).map((i) => list.slice(i * width, (i + 1) * width))
}

/** Each item as often as something goes along with it. */
export function repeated<T>(items: readonly T[], { order }: Push): T[] {
  return items.flatMap((item) => new Array<T>(order).fill(item))
}
