import type { Tensor } from 'evolute/tensor'

/** Steps of Adam (Kingma and Ba 2015, algorithm 1) that change the weights in place. */
export function adam(weights: readonly Tensor[]): (gradient: readonly Tensor[], rate: number) => void {
  const means = weights.map(({ size }) => new Float64Array(size))
  const squares = weights.map(({ size }) => new Float64Array(size))
  let step = 0
  return (gradient, rate) => {
    step++
    const corrected = (rate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step)
    weights.forEach(({ data }, k) => {
      const [g, mean, square] = [gradient[k]!.data, means[k]!, squares[k]!]
      for (let i = 0; i < data.length; i++) {
        mean[i] = 0.9 * mean[i]! + 0.1 * g[i]!
        square[i] = 0.999 * square[i]! + 0.001 * g[i]! ** 2
        data[i]! -= (corrected * mean[i]!) / (Math.sqrt(square[i]!) + 1e-12)
      }
    })
  }
}
