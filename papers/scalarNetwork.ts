/** The weights of a network of one linear unit a layer. */
export type ScalarNetwork = Float64Array

export const output = (w: ScalarNetwork): number => w.reduce((product, x) => product * x, 1)

/** (w_1 w_2 ... w_D - 1)^2 / 2. */
export const scalarLoss = (w: ScalarNetwork): number => (output(w) - 1) ** 2 / 2

export function scalarGradient(w: ScalarNetwork): Float64Array {
  const error = output(w) - 1
  return w.map((_, i) => w.reduce((product, x, j) => (i === j ? product : product * x), error))
}

/**
 * Where gradient flow from `w` ends. It keeps every w_i^2 - w_j^2, so that its end is w_i^2 + c with the one c for which the
 * product is 1. Holds for outputs above 0: others may end in a saddle.
 */
export function flowSolution(w: ScalarNetwork): ScalarNetwork {
  if (!(output(w) > 0))
    throw new Error(`flowSolution: the output is ${output(w)}, expected a positive number`)
  const squares = w.map((x) => x * x)
  const excess = (c: number) => squares.reduce((sum, square) => sum + Math.log(square + c), 0)
  let [low, high] = [-Math.min(...squares), 1]
  for (;;) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high)
      return squares.map((square, i) => Math.sign(w[i]!) * Math.sqrt(square + high))
    if (excess(middle) > 0) high = middle
    else low = middle
  }
}

/** The largest eigenvalue of the Hessian where the loss is zero: it is g g^T there, with g_i = 1 / w_i. */
export const solutionSharpness = (solution: ScalarNetwork): number =>
  solution.reduce((sum, x) => sum + 1 / (x * x), 0)
