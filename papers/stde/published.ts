import type { Equation, Interaction } from './problem.js'

/** What the paper reports for one problem and |J|. */
interface Row {
  readonly equation: Equation
  readonly interaction: Interaction
  readonly samples: number
  /** By dimension, in the order of {@link publishedDimensions}: relative L2 errors, and steps per second on an A100. */
  readonly errors: readonly number[]
  readonly rates?: readonly number[]
}

export const publishedDimensions = [100, 1000, 10_000, 100_000, 1_000_000]

const rows: readonly Row[] = [
  {
    equation: 'Allen-Cahn',
    interaction: 'two-body',
    samples: 100,
    errors: [1.03e-2, 6.21e-4, 3.45e-3, 2.59e-3, 1.38e-3],
    rates: [1035, 1054, 454, 156.9, 13.61],
  },
  {
    equation: 'Allen-Cahn',
    interaction: 'two-body',
    samples: 16,
    errors: [1.89e-2, 7.07e-4, 8.33e-4, 1.5e-3, 3.99e-3],
    rates: [1833.8, 1559.4, 587.6, 283.3, 21.34],
  },
  {
    equation: 'Poisson',
    interaction: 'two-body',
    samples: 16,
    errors: [3.5e-3, 4.91e-4, 4.7e-3, 3.49e-3, 9.18e-4],
  },
  {
    equation: 'sine-Gordon',
    interaction: 'two-body',
    samples: 16,
    errors: [3.64e-3, 5.4e-4, 5.32e-3, 9.56e-4, 9.47e-4],
    rates: [1926, 1467, 566, 279, 19.9],
  },
  {
    equation: 'Allen-Cahn',
    interaction: 'three-body',
    samples: 16,
    errors: [9.97e-3, 1.43e-3, 6.21e-4, 1.56e-5, 2.25e-6],
    rates: [1939, 1840, 1292, 357, 47],
  },
]

/** Relative L2 error and steps per second that the paper reports, where it does. */
export function published(
  equation: Equation,
  interaction: Interaction,
  samples: number,
  dimension: number,
): { readonly error: number | undefined; readonly rate: number | undefined } {
  const at = publishedDimensions.indexOf(dimension)
  const row = rows.find(
    (r) => r.equation === equation && r.interaction === interaction && r.samples === samples,
  )
  return { error: row?.errors[at], rate: row?.rates?.[at] }
}

/** Steps per second on an A100, two-body Allen-Cahn; null where the paper ran out of memory. */
export const publishedRates = {
  'forward over backward': [778, 561, 194, 27.2, null],
  'forward Laplacian': [1974.5, 373.73, 32.15, null, null],
} as const
