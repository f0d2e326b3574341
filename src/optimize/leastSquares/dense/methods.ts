import type { Box } from '../../box.js'
import { checkedMethod, type Descent } from '../../descent.js'
import { backtracking, damping, type Search, trustRegion } from '../../search.js'
import type { LeastSquaresModel } from '../model.js'
import { dampedGaussNewton, dogleg, gaussNewton, levenbergMarquardt } from './descents.js'
import { reflective } from './reflective.js'
import type { Scale } from './scaled.js'

/** A descent with a search. */
export interface Method {
  readonly descent: Descent<LeastSquaresModel, Scale>
  readonly search: Search
}

const methods = {
  /** The trust region of Levenberg, Marquardt and More. */
  levenbergMarquardt: () => ({ descent: levenbergMarquardt, search: trustRegion() }),
  /** With the damping itself as what is searched for, by Nielsen's rule. */
  damped: () => ({ descent: dampedGaussNewton, search: damping() }),
  gaussNewton: () => ({ descent: gaussNewton, search: backtracking() }),
  dogleg: () => ({ descent: dogleg, search: trustRegion() }),
  trustRegionReflective: (box) => ({ descent: reflective(box), search: trustRegion() }),
} satisfies Record<string, (box: Box) => Method>

export type MethodName = keyof typeof methods

/** @throws when the name is unknown, or the method knows nothing of bounds that there are. */
export function methodNamed(
  chosen: MethodName | Method | undefined,
  box: Box & { readonly bounded: boolean },
): Method {
  const name = chosen ?? (box.bounded ? 'trustRegionReflective' : 'levenbergMarquardt')
  if (typeof name !== 'string') return checkedMethod(name)
  if (!Object.hasOwn(methods, name))
    throw new Error(`method: got ${JSON.stringify(name)}, expected one of ${Object.keys(methods).join(', ')}`)
  if (box.bounded && name !== 'trustRegionReflective')
    throw new Error(
      `method: ${name} does not keep to bounds, expected trustRegionReflective, the default with bounds`,
    )
  return methods[name](box)
}
