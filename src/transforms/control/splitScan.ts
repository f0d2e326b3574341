import { eliminateDeadCode } from '../../program/passes/deadCode.js'
import type { Cut } from '../../program/primitive.js'
import type { Equation, Program } from '../../program/program.js'
import { type Value, Var } from '../../program/value.js'
import { type Parts, splitProgram } from '../partial.js'
import { chosen, grow, readsOf } from './groups.js'
import type { ScanParams } from './scanOp.js'

/**
 * Partial evaluation of a scan: a scan of what is known, which stacks what the rest needs of each step, and a
 * scan of the rest over these stacks. Of residuals that are constants or elements of a sequence nothing new
 * is stored. With `checkpoint` the residuals are the known inputs of a step, and the second scan computes
 * the known part of the step again.
 */
export function splitScan(equation: Equation, unknown: readonly boolean[], params: ScanParams): Cut {
  const { body, constants, carry: count, length, checkpoint } = params
  const carryEnd = constants + count
  const isCarry = (i: number) => i >= constants && i < carryEnd
  const { flags, result: parts } = grow(unknown.slice(constants, carryEnd), (flags) => {
    const later = body.outputs.map((_, i) => i < count && Boolean(flags[i]))
    const inputs = unknown.map((is, i) => (isCarry(i) ? Boolean(flags[i - constants]) : is))
    const cut = splitProgram(body, inputs, { later })
    const parts = checkpoint ? recomputing(cut, chosen(body.inputs, inputs)) : cut
    return { flags: parts.knownOutputs.slice(0, count).map((known) => !known), result: parts }
  })
  const isUnknown = unknown.map((is, i) => (isCarry(i) ? Boolean(flags[i - constants]) : is))
  const group = (i: number) => (i < constants ? 'constants' : i < carryEnd ? 'carry' : 'sequences')
  const select = (name: string, wanted: boolean) =>
    body.inputs.map((_, i) => i).filter((i) => group(i) === name && isUnknown[i] === wanted)

  const knownBefore = chosen(equation.outputs, parts.knownOutputs)
  const knownInside = parts.known.outputs.slice(0, knownBefore.length)
  const knownCarries = chosen(parts.knownOutputs.slice(0, count), parts.knownOutputs.slice(0, count)).length
  const stacks = new Map<Var, Var>()
  knownInside.forEach((value, i) => {
    if (i >= knownCarries && value instanceof Var) stacks.set(value, knownBefore[i] as Var)
  })
  const fixed: [inside: Var, outside: Value][] = []
  const running: [inside: Var, outside: Value][] = []
  const added: [inside: Var, outside: Var][] = []
  for (const residual of parts.known.outputs.slice(knownBefore.length) as Var[]) {
    const place = body.inputs.indexOf(residual)
    if (place >= 0 && !isCarry(place)) {
      const list = place < constants ? fixed : running
      list.push([residual, equation.inputs[place] as Value])
      continue
    }
    const { builder } = equation.outputs[0] as Var
    const known = stacks.get(residual)
    const stack = known ?? builder.variable({ dtype: residual.dtype, shape: [length, ...residual.shape] })
    if (!known) added.push([residual, stack])
    running.push([residual, stack])
  }

  const first = ['constants', 'carry', 'sequences'].flatMap((name) => select(name, false))
  const known: Equation = {
    primitive: equation.primitive,
    inputs: first.map((i) => equation.inputs[i] as Value),
    outputs: [...knownBefore, ...added.map(([, stack]) => stack)],
    params: {
      ...params,
      body: {
        inputs: first.map((i) => body.inputs[i] as Var),
        equations: parts.known.equations,
        outputs: [...knownInside, ...added.map(([inside]) => inside)],
      },
      constants: select('constants', false).length,
      carry: knownCarries,
    },
  }
  const [cs, hs, xs] = ['constants', 'carry', 'sequences'].map((name) => select(name, true)) as [
    number[],
    number[],
    number[],
  ]
  const at = (places: readonly number[]) =>
    places.map((i): [Var, Value] => [body.inputs[i] as Var, equation.inputs[i] as Value])
  const second = [...fixed, ...at(cs), ...at(hs), ...running, ...at(xs)]
  const rest: Equation = {
    primitive: equation.primitive,
    inputs: second.map(([, outside]) => outside),
    outputs: chosen(equation.outputs, parts.knownOutputs, false),
    params: {
      ...params,
      body: { ...parts.unknown, inputs: second.map(([inside]) => inside) },
      constants: fixed.length + cs.length,
      carry: hs.length,
    },
  }
  return { known: known.outputs.length > 0 ? [known] : [], unknown: [rest] }
}

/** The parts with the known inputs for residuals: the second one begins with the equations of the first. */
function recomputing({ known, unknown, knownOutputs }: Parts, unknownInputs: readonly Var[]): Parts {
  const count = knownOutputs.filter(Boolean).length
  const whole: Program = eliminateDeadCode({
    inputs: [...known.inputs, ...unknownInputs],
    equations: [...known.equations, ...unknown.equations],
    outputs: unknown.outputs,
  })
  const reads = readsOf(whole)
  const residuals = known.inputs.filter((x) => reads.has(x))
  const outputs = known.outputs.slice(0, count)
  return {
    known: { ...eliminateDeadCode({ ...known, outputs }), outputs: [...outputs, ...residuals] },
    unknown: { ...whole, inputs: [...residuals, ...unknownInputs] },
    knownOutputs,
  }
}
