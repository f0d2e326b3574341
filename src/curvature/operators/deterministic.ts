import type { Program } from '../../program/program.js'
import { samePrograms } from '../../program/same.js'

/**
 * The program of a model, traced twice: programs are functions of their inputs, so randomness can only come in while the
 * model's code runs.
 * @throws when the two differ.
 */
export function deterministic(trace: () => Program): Program {
  const program = trace()
  if (!samePrograms(program, trace()))
    throw new Error(
      'the model is not deterministic: traced twice it became two different programs, so it has no curvature to measure; ' +
        'switch off dropout, and draw random numbers once, outside the model',
    )
  return program
}
