import { Tensor } from '../../src/tensor/tensor.js'
import { grad, vmap, hessian, jacobian, hvp, jvp, linearize } from '../../src/transforms/index.js'
declare const f: (x: Tensor, y: Tensor) => Tensor
declare const g: (x: Tensor) => Tensor
declare const t: Tensor
export const a = grad(f)
export const b = vmap(a)
export const c: Tensor = b(t, [1, 2])
export const d: Tensor = vmap(grad(f))(t, t)
export const e: Tensor = grad(grad(g))(3)
export const e2: Tensor = grad(grad(grad(g)))(3)
export const h: Tensor = hessian(g)(3)
export const h2: Tensor = jacobian(hessian(g))(3)
export const v = vmap(hvp(g))(t, t)
export const l = jvp(grad(g), [t], [t])[1]
export const ll: Tensor = linearize(grad(g), t)[0]
export const p = grad((p: { w: Tensor; b: [Tensor, Tensor] }, x: Tensor) => f(p.w, x))
export const q: Tensor = vmap(p, { inAxes: [null, 0] })({ w: t, b: [t, 1] }, t).w
