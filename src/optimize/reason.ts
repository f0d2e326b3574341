/** Why an iteration ended. */
export type Reason =
  | 'optimal'
  | 'tolerance'
  | 'precision'
  | 'collapsed'
  | 'solved'
  | 'noRoot'
  | 'kkt'
  | 'infeasible'
  | 'saddle'
  | 'stalled'
  | 'maxSteps'
  | 'unbounded'

/** Whether a reason is that of a local minimum, and what it says. */
export const reasons: Readonly<Record<Reason, { readonly converged: boolean; readonly sentence: string }>> = {
  optimal: {
    converged: true,
    sentence: 'A full step would reduce the function by less than the tolerance.',
  },
  tolerance: {
    converged: true,
    sentence: 'The last step reduced the function by less than the tolerance.',
  },
  precision: {
    converged: true,
    sentence: 'Steps have become too small to improve the point any further in float64.',
  },
  collapsed: {
    converged: true,
    sentence: 'All points have drawn together; without derivatives, that this is a minimum is not checked.',
  },
  solved: {
    converged: true,
    sentence: 'The equations hold.',
  },
  noRoot: {
    converged: false,
    sentence:
      'The equations do not hold here, and no step nearby makes them hold better: start elsewhere, or they have no solution.',
  },
  kkt: {
    converged: true,
    sentence:
      'The constraints hold, and the conditions of Karush, Kuhn and Tucker for a minimum under them, within the tolerance.',
  },
  infeasible: {
    converged: false,
    sentence:
      'The constraints do not hold here, and no step nearby lessens their violation: start elsewhere, or they contradict each other.',
  },
  saddle: {
    converged: false,
    sentence:
      'The gradient vanishes, but the function curves down here, so this is no minimum: start elsewhere.',
  },
  stalled: {
    converged: false,
    sentence:
      'Steps that reduce the function have become vanishingly small although the model promises more: the ' +
      'function may have a kink here, its derivatives may be wrong, or the parameters badly scaled.',
  },
  maxSteps: {
    converged: false,
    sentence: 'The largest number of steps was reached; continue from the state, or raise maxSteps.',
  },
  unbounded: {
    converged: false,
    sentence: 'The function falls without end, as far as it was followed.',
  },
}
