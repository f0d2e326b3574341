import { shareCommonSubexpressions } from '../program/passes/commonSubexpressions.js'
import { eliminateDeadCode } from '../program/passes/deadCode.js'
import { foldConstants } from '../program/passes/foldConstants.js'
import { inlineCalls } from '../program/passes/inlineCalls.js'
import type { Rule } from '../program/passes/rewrite.js'
import { mapSubprograms, type Program } from '../program/program.js'
import type { Value } from '../program/value.js'
import { algebra, type Rules, simplify } from './algebra.js'

const mostRounds = 10

/** stopGradient only matters to derivatives, and these have been taken. */
const dropStopGradient: Rule = ({ inputs: [x] }) => x as Value

const rules: Rules = { ...algebra, stopGradient: [dropStopGradient] }

/**
 * A program with the same inputs and results that costs no more, for an engine to run: simplified, constants
 * folded, common subexpressions shared, dead code dropped, until nothing changes. Results agree up to the
 * rounding that {@link simplify} states. Differentiate first: stopGradient is dropped here, custom derivatives and checkpoints are
 * replaced by what they compute.
 */
export function optimize(program: Program): Program {
  let current = optimizeInside(eliminateDeadCode(inlineCalls(program)))
  for (let round = 0; round < mostRounds; round++) {
    const before = current
    current = simplify(current, rules)
    current = foldConstants(current)
    current = shareCommonSubexpressions(current)
    current = eliminateDeadCode(current)
    if (current === before) break
  }
  return current
}

/** The same program with the programs that its equations run optimized. */
function optimizeInside(program: Program): Program {
  let changed = false
  const equations = program.equations.map((equation) => {
    const params = mapSubprograms(equation.params, optimize)
    if (params !== equation.params) changed = true
    return params === equation.params ? equation : { ...equation, params }
  })
  return changed ? { ...program, equations } : program
}
