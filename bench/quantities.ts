import { Random } from 'evolute/linalg'
import { crossEntropy } from 'evolute/numpy'
import type { Tensor } from 'evolute/tensor'
import { ggn, grad, hvp, ravel } from 'evolute/transforms'
import { normal, type Problem } from './problems/problem.js'

/** What is computed for each problem; what is linearised may be prepared at the point. */
export const quantities = ['gradient', 'hvp', 'hvp linearised', 'ggn linearised'] as const

export type Quantity = (typeof quantities)[number]

/** The functions that evolute compiles, and what they are called with. */
export interface Derivatives {
  readonly point: Tensor
  readonly direction: Tensor
  readonly of: Readonly<Record<Quantity, { f: (...args: Tensor[]) => Tensor; args: readonly Tensor[] }>>
}

/** Derivatives of the mean cross-entropy of a problem in its weights, laid out as one vector. */
export function derivativesOf({ name, weights, inputs, labels, model }: Problem): Derivatives {
  const [point, unravel] = ravel<Record<string, Tensor>>(weights)
  const direction = normal(new Random(`bench/direction/${name}`), point.shape, 1)
  const logits = (theta: Tensor, x: Tensor) => model(unravel(theta), x)
  const loss = (theta: Tensor, x: Tensor, y: Tensor) => crossEntropy(logits(theta, x), y)
  const linearised = {
    hvp: (v: Tensor) => hvp(loss)(point, v, inputs, labels),
    ggn: (v: Tensor) => ggn(logits, (z: Tensor) => crossEntropy(z, labels))(point, v, inputs),
  }
  return {
    point,
    direction,
    of: {
      gradient: { f: (theta, x, y) => grad(loss)(theta!, x!, y!), args: [point, inputs, labels] },
      hvp: {
        f: (theta, v, x, y) => hvp(loss)(theta!, v!, x!, y!),
        args: [point, direction, inputs, labels],
      },
      'hvp linearised': { f: (v) => linearised.hvp(v!), args: [direction] },
      'ggn linearised': { f: (v) => linearised.ggn(v!), args: [direction] },
    },
  }
}
