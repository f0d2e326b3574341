import type { Tensor } from '../tensor/tensor.js'
import { rebuild } from './call.js'
import { grad, jvp, type Likes, linearize, vjp } from './derivatives.js'
import { flattenValues, type Like } from './stage.js'

/** Further arguments as the function receives them: numbers and arrays made tensors. */
function asTensors(tree: unknown): unknown {
  const { values, structure } = flattenValues(tree)
  return rebuild(structure, values)
}

/**
 * The function (x, v, ...rest) -> H v with the Hessian H of f in its first argument, forward over
 * reverse: about two gradients. To apply H at one point many times, linearize(grad(f), x) instead.
 */
export function hvp<X, Rest extends readonly unknown[]>(
  f: (x: X, ...rest: Rest) => Tensor | number,
): (x: Like<X>, v: Like<X>, ...rest: Likes<Rest>) => X {
  return (x, v, ...rest) => {
    const given = (rest as readonly Like<unknown>[]).map(asTensors) as unknown as Rest
    const gradient = grad((x: X) => f(x, ...given)) as (x: Like<X>) => X
    return jvp<[X], X>((x) => gradient(x as Like<X>), [x], [v])[1]
  }
}

/**
 * The function (x, v, ...rest) -> J^T L J v, the Gauss-Newton product: J is the Jacobian of
 * `model(x, ...rest)` in x and L the Hessian of `loss` at the model's result.
 */
export function ggn<X, Rest extends readonly unknown[], Y>(
  model: (x: X, ...rest: Rest) => Y,
  loss: (y: Y) => Tensor | number,
): (x: Like<X>, v: Like<X>, ...rest: Likes<Rest>) => X {
  return (x, v, ...rest) => {
    const given = (rest as readonly Like<unknown>[]).map(asTensors) as unknown as Rest
    const at = (x: X) => model(x, ...given)
    const [y, push] = linearize<[X], Y>(at, x)
    const [, pull] = vjp<[X], Y>(at, x)
    const curved = hvp<Y, []>(loss)(y as Like<Y>, push(v) as Like<Y>)
    return pull(curved as Like<Y>)[0]
  }
}
