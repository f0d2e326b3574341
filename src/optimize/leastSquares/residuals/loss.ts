/** How much a residual counts: rho(z) of its square z, with rho(z) = z for small z. */
export interface RobustLoss {
  /** rho, rho' and rho'' at z >= 0. */
  readonly at: (z: number) => readonly [value: number, first: number, second: number]
}

export type LossName = 'linear' | 'softL1' | 'huber' | 'cauchy' | 'arctan' | 'tukey'

/** Losses that count large residuals less than their squares; scipy.optimize.least_squares has the first five. */
export const robustLosses: Readonly<Record<LossName, RobustLoss>> = {
  linear: { at: (z) => [z, 1, 0] },
  /** 2 (sqrt(1 + z) - 1) */
  softL1: {
    at(z) {
      const t = Math.sqrt(1 + z)
      return [(2 * z) / (t + 1), 1 / t, -0.5 / t ** 3]
    },
  },
  /** z up to 1, 2 sqrt(z) - 1 beyond */
  huber: { at: (z) => (z <= 1 ? [z, 1, 0] : [2 * Math.sqrt(z) - 1, 1 / Math.sqrt(z), -0.5 / z ** 1.5]) },
  /** ln(1 + z) */
  cauchy: { at: (z) => [Math.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2] },
  /** arctan z */
  arctan: { at: (z) => [Math.atan(z), 1 / (1 + z * z), (-2 * z) / (1 + z * z) ** 2] },
  /** (1 - (1 - z)^3) / 3 up to 1, 1/3 beyond: residuals beyond do not count at all */
  tukey: {
    at: (z) => (z <= 1 ? [(z * (3 - z * (3 - z))) / 3, (1 - z) ** 2, -2 * (1 - z)] : [1 / 3, 0, 0]),
  },
}

export function lossNamed(name: LossName | RobustLoss): RobustLoss {
  if (typeof name !== 'string') return name
  const loss = Object.hasOwn(robustLosses, name) ? robustLosses[name] : undefined
  if (!loss)
    throw new Error(
      `loss: got ${JSON.stringify(name)}, expected one of ${Object.keys(robustLosses).join(', ')}`,
    )
  return loss
}
