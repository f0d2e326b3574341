import * as np from 'evolute/numpy'
import type { Tensor } from 'evolute/tensor'
import { collapsedJet, grad, jvp, vmap } from 'evolute/transforms'
import { type Layers, network, networkOnPlane } from './network.js'

/** Values and Laplacians of the network at points [n, d], the Laplacian by its second derivatives in some of d `axes`. */
export type Laplacian = (
  layers: Layers,
  x: Tensor,
  axes: Tensor,
) => { readonly value: Tensor; readonly laplacian: Tensor }

const scaleOf = (x: Tensor, axes: Tensor) => x.shape.at(-1)! / axes.size

/**
 * The sparse estimate of STDE, (d / |axes|) sum_j d^2 u / dx_j^2, by one collapsed 2-jet in all axes; with all d of them
 * it is exact and the forward Laplacian.
 */
export const byTaylorMode: Laplacian = (layers, x, axes) => {
  const count = axes.size
  const float = { dtype: x.dtype }
  const weights = np.full([count], scaleOf(x, axes), float)
  const tangents = [np.eye(count, float), null]
  const { value, sum } = collapsedJet(
    networkOnPlane(layers, x, axes),
    np.zeros([count], float),
    tangents,
    weights,
  )
  return { value, laplacian: sum }
}

/** The same number by forward over backward, a Hessian product for each axis (SDGD; Hu et al. 2023, arXiv 2307.12306). */
export const byNesting: Laplacian = (layers, x, axes) => {
  const u = (x: Tensor) => network(layers, x)
  const gradient = grad((x: Tensor) => np.sum(u(x)))
  const second = (axis: Tensor) =>
    np.sum(np.multiply(jvp(gradient, [x], [np.broadcastTo(axis, x.shape)])[1], axis), { axis: -1 })
  const directions = np.oneHot(axes, x.shape.at(-1)!, { dtype: x.dtype })
  const sum = np.sum(vmap(second)(directions), { axis: 0 })
  return { value: u(x), laplacian: np.multiply(sum, scaleOf(x, axes)) }
}
