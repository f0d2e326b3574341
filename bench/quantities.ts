import { Random } from 'evolute/linalg'
import { crossEntropy } from 'evolute/numpy'
import type { Tensor } from 'evolute/tensor'
import { ggn, grad, hvp, ravel } from 'evolute/transforms'
import { normal, type Problem } from './problems/problem.js'

/** What is computed for each problem. Only the last two may be prepared at the point. */
export const quantities = ['gradient', 'hvp', 'hvp linearised', 'ggn linearised'] as const

export type Quantity = (typeof quantities)[number]

/** The functions that evolute compiles, and what they are called with. The batch is a constant in all. */
export interface Derivatives {
  readonly point: Tensor
  readonly direction: Tensor
  readonly of: Readonly<Record<Quantity, { f: (...vectors: Tensor[]) => Tensor; args: readonly Tensor[] }>>
}

/** Derivatives of the mean cross-entropy of a problem in its weights, laid out as one vector. */
export function derivativesOf({ name, weights, inputs, labels, model }: Problem): Derivatives {
  const [point, unravel] = ravel<Record<string, Tensor>>(weights)
  const direction = normal(new Random(`bench/direction/${name}`), point.shape, 1)
  const logits = (theta: Tensor) => model(unravel(theta), inputs)
  const loss = (z: Tensor) => crossEntropy(z, labels)
  const total = (theta: Tensor) => loss(logits(theta))
  return {
    point,
    direction,
    of: {
      gradient: { f: (theta) => grad(total)(theta!), args: [point] },
      hvp: { f: (theta, v) => hvp(total)(theta!, v!), args: [point, direction] },
      'hvp linearised': { f: (v) => hvp(total)(point, v!), args: [direction] },
      'ggn linearised': { f: (v) => ggn(logits, loss)(point, v!), args: [direction] },
    },
  }
}
