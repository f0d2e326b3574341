import { describe, expect, test } from 'vitest'
import { type Digits, initialWeights, network, type Weights } from '../../papers/digitNetwork.js'
import { drawNoise, estimate, guesses, headGradients, type Net } from '../../papers/guessedGradient.js'
import { compileJs } from '../../src/engines/js/index.js'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { forwardGradient, grad } from '../../src/transforms/index.js'
import { expectClose } from '../helpers/derivatives.js'

const random = new Random('guesses')
const sizes = [5, 6, 4, 3]
const size = 8
const net: Net = {
  weights: initialWeights(random, sizes),
  heads: [6, 4].map((width) => initialWeights(random, [width, 3])),
}
const batch: Digits = {
  images: new Tensor(Float32Array.from(random.normals(size * 5)), [size, 5]),
  labels: new Tensor(Int32Array.from({ length: size }, (_, i) => i % 3)),
}
const replaced = (layer: number, own: Weights) => net.weights.map((w, i) => own[i - 2 * layer] ?? w)
const loss = (layer: number) => (own: Weights) =>
  np.crossEntropy(network(replaced(layer, own), batch.images, np.relu), batch.labels)
const ownOf = (layer: number) => net.weights.slice(2 * layer, 2 * layer + 2)
const [, , localWeights, localActivities] = guesses

describe('guessed gradients', () => {
  test.each([0, 1])(
    'of layer %i along the local loss are the projection that forwardGradient finds',
    (layer) => {
      const local = (own: Weights) => {
        const y = np.relu(network(replaced(layer, own).slice(0, 2 * layer + 2), batch.images, np.relu))
        return np.crossEntropy(network(net.heads[layer]!, y, np.relu), batch.labels)
      }
      const own = ownOf(layer)
      const expected = forwardGradient(loss(layer), { guesses: [grad(local)(own)], samples: 0 })(own)
      estimate(net, layer, localWeights!, own, batch).forEach((got, i) => {
        expectClose(got, expected[i]!.data, 1e-5)
      })
    },
  )

  test('in activities are exact where the local loss is the loss itself', () => {
    const same: Net = { weights: net.weights, heads: [net.heads[0]!, net.weights.slice(4)] }
    const expected = grad(loss(1))(ownOf(1))
    estimate(same, 1, localActivities!, ownOf(1), batch).forEach((got, i) => {
      expectClose(got, expected[i]!.data, 1e-6)
    })
    expectClose(headGradients(same, batch)[1]![0]!, grad(loss(2))(ownOf(2))[0]!.data, 1e-6)
  })

  test.each(guesses.slice(0, 2))('$name are unbiased: within 4.5 standard errors of 3000 draws', (guess) => {
    const expected = grad(loss(1))(ownOf(1)).flatMap(({ data }) => [...data])
    const [sum, squares] = [expected.map(() => 0), expected.map(() => 0)]
    const draws = 3000
    const run = compileJs((noise: Weights) => estimate(net, 1, guess, noise, batch))
    for (let k = 0; k < draws; k++) {
      run(drawNoise(random, net, guess, size)[1]!)
        .flatMap(({ data }) => [...data])
        .forEach((value, i) => {
          sum[i]! += value / draws
          squares[i]! += value ** 2 / draws
        })
    }
    expected.forEach((value, i) => {
      const error = Math.sqrt((squares[i]! - sum[i]! ** 2) / draws)
      expect(Math.abs(sum[i]! - value)).toBeLessThanOrEqual(4.5 * error + 1e-7)
    })
  })
})
