/** Why an iteration ended. */
export type Reason =
  | 'optimal'
  | 'tolerance'
  | 'precision'
  | 'stalled'
  | 'maxSteps'
  | 'unbounded'
  | 'collapsed'

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
    sentence:
      'All points have drawn together and find nothing better nearby; without derivatives that this is a minimum is not checked.',
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
    sentence: 'The function falls without end: it reached minus infinity.',
  },
}
