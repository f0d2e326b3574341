/** Where the flow x' = -gradient(x) from `start` comes to rest, and how it got there. */
export interface Flow {
  readonly end: Float64Array
  readonly steps: number
  /** Whether the gradient fell below `rest`. */
  readonly converged: boolean
}

export interface FlowOptions {
  /** Error that a step may make, relative to 1 + |x_i|. Default 1e-12. */
  readonly tolerance?: number
  /** Length of the gradient at which the flow counts as at rest; `tolerance` times curvature is never reached. Default 1e-9. */
  readonly rest?: number
  readonly maxSteps?: number
}

/** The tableau of Dormand and Prince 1980: stages, and the difference of the orders 5 and 4. The last stage is the next step. */
const stages = [
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
]
const difference = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40]

/** Integrates gradient flow to its end by Runge-Kutta steps of order 5 with a controlled error. */
export function gradientFlow(
  gradient: (x: Float64Array) => Float64Array,
  start: Float64Array,
  { tolerance = 1e-12, rest = 1e-9, maxSteps = 20_000 }: FlowOptions = {},
): Flow {
  const slope = (x: Float64Array) => gradient(x).map((g) => -g)
  let x = start
  let first = slope(x)
  let dt = 1e-2 / (1 + Math.hypot(...first))
  for (let steps = 0; ; steps++) {
    const converged = Math.hypot(...first) <= rest
    if (converged || steps === maxSteps) return { end: x, steps, converged }
    const slopes = [first]
    let next = x
    for (const row of stages) {
      next = x.map((value, i) => value + dt * row.reduce((sum, a, j) => sum + a * slopes[j]![i]!, 0))
      slopes.push(slope(next))
    }
    const error = Math.max(
      ...next.map((value, i) => {
        const off = dt * difference.reduce((sum, e, j) => sum + e * slopes[j]![i]!, 0)
        return Math.abs(off) / (tolerance * (1 + Math.abs(value)))
      }),
    )
    if (error <= 1) {
      x = next
      first = slopes.at(-1)!
    }
    dt *= Math.min(5, Math.max(0.2, 0.9 * Math.max(error, 1e-10) ** (-1 / 5)))
  }
}
