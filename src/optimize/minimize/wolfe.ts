import { dot } from '../../linalg/vector.js'
import type { Bracket, LinePoint, Search, SearchState } from '../search.js'

export interface WolfeOptions {
  /** Least part of the reduction promised by the slope for which a point is taken. Default 1e-4. */
  readonly accept?: number
  /** The slope at a point taken is at most this part of that at the start. Default 0.9, for conjugate gradients 0.1. */
  readonly slope?: number
}

/** An open end grows by this factor. */
const growth = 4
/** The next place keeps this part of the bracket away from its ends. */
const margin = 0.1

/**
 * Line search for the strong Wolfe conditions, f(t) <= f(0) + accept t f'(0) and |f'(t)| <= slope |f'(0)|, for descents
 * that predict by the gradient alone. The bracket's low end falls enough and slopes down, the high end slopes up or lies
 * above it, so that the conditions hold between them (Nocedal and Wright 2006, section 3.5); a place without a finite
 * value is a high end like any other. The next place is the minimum of a cubic through both ends.
 */
export function strongWolfe({ accept = 1e-4, slope: flat = 0.9 }: WolfeOptions = {}): Search {
  return {
    name: 'strong Wolfe',
    start: (initialSize) => ({ size: initialSize }),
    async update({ size, bracket }, step, reduction, trial) {
      const initial = -step.predicted / step.size
      const { low, high } = bracket ?? { low: { size: 0, rise: 0, slope: initial } }
      const enough = reduction >= accept * step.predicted
      // Where the descent goes no farther than this, that the value falls is enough.
      if (enough && step.size < size) return taken
      const slope = enough ? dot((await trial()).gradient, step.move) / step.size : Number.NaN
      if (enough && Math.abs(slope) <= -flat * initial) return taken
      const here: LinePoint = { size: step.size, rise: -reduction, slope }
      if (enough && -reduction < low.rise && slope < 0) return refused({ low: here, ...(high && { high }) })
      return refused({ low, high: here })
    },
  }
}

const taken: { readonly accepted: boolean; readonly state: SearchState } = {
  accepted: true,
  state: { size: 1 },
}

function refused(bracket: Bracket): { accepted: boolean; state: SearchState } {
  return { accepted: false, state: { size: nextSize(bracket), bracket } }
}

function nextSize({ low, high }: Bracket): number {
  if (!high) return growth * low.size
  const width = high.size - low.size
  const inner = cubicMinimum(low, high)
  return Number.isFinite(inner)
    ? low.size + Math.min(Math.max(inner, margin), 1 - margin) * width
    : low.size + width * (Number.isFinite(high.rise) ? 0.5 : 0.1)
}

/** Where between low (0) and high (1) the cubic of both values and slopes is least; a parabola where one slope is unknown. */
function cubicMinimum(low: LinePoint, high: LinePoint): number {
  const width = high.size - low.size
  const [rise, start, end] = [high.rise - low.rise, low.slope * width, high.slope * width]
  if (!Number.isFinite(end)) return -start / (2 * (rise - start))
  const theta = start + end - 3 * rise
  const root = Math.sqrt(theta * theta - start * end)
  return 1 - (end + root - theta) / (end - start + 2 * root)
}
