import type { Tensor } from '../tensor/tensor.js'
import { rebuild } from './call.js'
import { grad, jvp, type Likes, linearize, vjp } from './derivatives.js'
import { type Arguments, flattenValues, type Like, type Tensored, type TensorFunction } from './stage.js'

/** Further arguments as the function receives them: numbers and arrays made tensors. */
export function asTensors(tree: unknown): unknown {
  const { values, structure } = flattenValues(tree)
  return rebuild(structure, values)
}

export type Tail<A extends Arguments> = A extends readonly [unknown, ...infer Rest] ? Rest : Arguments

/** A product with a curvature matrix: of the point, the direction, and further arguments. */
type Product<A extends Arguments> = (x: Like<A[0]>, v: Like<A[0]>, ...rest: Likes<Tail<A>>) => Tensored<A[0]>

/**
 * The function (x, v, ...rest) -> H v with the Hessian H of f in its first argument, forward over
 * reverse: about two gradients. To apply H at one point many times, linearize(grad(f), x) instead.
 */
export function hvp<A extends Arguments>(f: (...args: A) => Tensor | number): Product<A> {
  return (x, v, ...rest) => {
    const given = rest.map(asTensors)
    const gradient = grad((x: unknown) => (f as TensorFunction<Tensor>)(x, ...given))
    return jvp(gradient as TensorFunction<Tensored<A[0]>>, [x], [v])[1]
  }
}

/**
 * The function (x, v, ...rest) -> J^T L J v, the Gauss-Newton product: J is the Jacobian of
 * `model(x, ...rest)` in x and L the Hessian of `loss` at the model's result.
 */
export function ggn<A extends Arguments, Y>(
  model: (...args: A) => Y,
  loss: (y: Y) => Tensor | number,
): Product<A> {
  return (x, v, ...rest) => {
    const given = rest.map(asTensors)
    const at = (x: unknown) => (model as TensorFunction<Y>)(x, ...given)
    const [y, push] = linearize(at as TensorFunction<Y>, x)
    const [, pull] = vjp(at as TensorFunction<Y>, x)
    const curved = hvp(loss)(y as Like<Y>, push(v) as Like<Y>)
    return pull(curved as Like<Y>)[0]
  }
}
