import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { digitData, ofClasses } from '../../papers/digitData.js'
import { network, pixels } from '../../papers/digitNetwork.js'
import { trainDigits } from '../../papers/digitTraining.js'
import { exponent, relativeDistance, rms } from '../../papers/powerLaw.js'
import { hessianSpectrum, outliersOf } from '../../papers/spectralOutliers.js'
import { analyticKernel, circle, normalWeights, tangentNetwork } from '../../papers/tangentNetwork.js'

const data = process.env.EVOLUTE_DATA ?? ''
afterEach(() => vi.unstubAllEnvs())

describe('outliers', () => {
  test('end at the last gap of half again, whatever gaps come before', () => {
    expect(outliersOf([10, 4, 3.9, 1.1, 1, 0.9])).toEqual({ count: 3, gap: 3.9 / 1.1 })
    expect(outliersOf([10, 9, 8, 2])).toEqual({ count: 3, gap: 4 })
  })

  test('there are none where neighbours are near each other', () => {
    expect(outliersOf([1.3, 1.2, 1.1, 1])).toEqual({ count: 0, gap: 1 })
  })

  const spectrumOf = async (classes: number) => {
    const train = ofClasses(digitData(1000, 1).train, classes)
    const sizes = [pixels, 16, classes]
    const weights = await trainDigits(train, {
      sizes,
      steps: 40 * classes,
      seed: 'outliers',
      onStep: async () => {},
    })
    return hessianSpectrum(weights, train, new AbortController().signal)
  }

  const expectOutliers = async (classes: number) => {
    const { outliers, above, bulk, parameters } = await spectrumOf(classes)
    expect(outliers.count).toBe(classes - 1)
    // Eight probes see k eigenvalues with a standard error of sqrt(k / 4).
    expect(Math.abs(above - outliers.count)).toBeLessThan(3 * Math.sqrt(outliers.count / 4))
    expect(bulk).toBeGreaterThan(0.4)
    expect(parameters).toBe(16 * (pixels + 1) + classes * 17)
  }

  test.each([4, 10])('of a network that learned %i rendered digits are one fewer', async (classes) => {
    vi.stubEnv('EVOLUTE_DATA', '')
    await expectOutliers(classes)
  })

  test.skipIf(!data)('of a network trained on MNIST are nine (EVOLUTE_DATA)', () => expectOutliers(10))
})

describe('digits', () => {
  test('are rendered where no folder is named', () => {
    vi.stubEnv('EVOLUTE_DATA', '')
    const { name, train, test } = digitData(30, 20)
    expect(name).toBe('rendered digits')
    expect([train.images.shape, test.images.shape]).toEqual([
      [30, pixels],
      [20, pixels],
    ])
  })

  test.skipIf(!data)('are those of MNIST, halved and standardised, where it is (EVOLUTE_DATA)', () => {
    const { train, test } = digitData(500, 10)
    expect([...train.labels.data.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9])
    expect([...test.labels.data.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4])
    expect(np.mean(train.images).item()).toBeCloseTo(0, 5)
    expect(np.std(train.images).item()).toBeCloseTo(1, 5)
  })

  test('of some classes keep their images', () => {
    const images = new Tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2])
    const some = ofClasses({ images, labels: new Tensor(Int32Array.of(0, 7, 1)) }, 2)
    expect([...some.images.data]).toEqual([1, 2, 5, 6])
    expect([...some.labels.data]).toEqual([0, 1])
  })

  test('are learned', async () => {
    vi.stubEnv('EVOLUTE_DATA', '')
    const { train } = digitData(400, 1)
    const loss = (weights: readonly Tensor[]) =>
      np.crossEntropy(network(weights, train.images, np.relu), train.labels).item()
    const options = { sizes: [pixels, 16, 10], seed: 'learn', onStep: async () => {} }
    const [before, after] = [
      await trainDigits(train, { ...options, steps: 0 }),
      await trainDigits(train, { ...options, steps: 200 }),
    ]
    expect(loss(after)).toBeLessThan(0.2 * loss(before))
  })
})

/** The recursion of the analytic kernel with its two expectations as sums over the angle of a plane normal vector. */
function kernelByQuadrature(x: readonly number[], z: readonly number[], hidden: number): number {
  const inner = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0) / a.length + 0.01
  let [sigma, u, v] = [inner(x, z), inner(x, x), inner(z, z)]
  let theta = sigma
  const n = 40_000
  for (let layer = 0; layer < hidden; layer++) {
    const t = Math.acos(Math.min(1, sigma / Math.sqrt(u * v)))
    let [product, slope] = [0, 0]
    for (let i = 0; i < n; i++) {
      const angle = (2 * Math.PI * (i + 0.5)) / n
      const [a, b] = [Math.cos(angle), Math.cos(angle - t)]
      if (a <= 0 || b <= 0) continue
      // The mean of r^2 is 2.
      product += (2 * 2 * a * b) / n
      slope += 2 / n
    }
    sigma = Math.sqrt(u * v) * product + 0.01
    theta = theta * slope + sigma
    ;[u, v] = [u + 0.01, v + 0.01]
  }
  return theta
}

describe('the analytic tangent kernel', () => {
  test('is its recursion with expectations by quadrature', () => {
    const x = new Tensor(Float64Array.of(1, 2, -0.5, 0.3), [2, 2])
    for (const hidden of [0, 1, 3]) {
      const kernel = analyticKernel(x, x, hidden)
      const rows = [
        [1, 2],
        [-0.5, 0.3],
      ]
      const expected = rows.flatMap((a) => rows.map((b) => kernelByQuadrature(a, b, hidden)))
      expect([...kernel.data]).toEqual(expected.map((value) => expect.closeTo(value, 3)))
    }
  })

  test('on the circle has the variances of its layers on the diagonal', () => {
    const points = circle([0, 1])
    // Sigma grows by beta^2 = 0.01 a layer, and Theta is the sum of the Sigmas.
    expect(analyticKernel(points, points, 2).data[0]).toBeCloseTo(1.01 + 1.02 + 1.03, 12)
  })

  test('is that of a network whose outputs have the variance of its last layer', () => {
    const points = circle([0.4])
    const outputs = Array.from({ length: 400 }, (_, seed) =>
      tangentNetwork(normalWeights(new Random(seed), [2, 64, 1]), points).item(),
    )
    expect(rms(outputs) ** 2).toBeGreaterThan(1.02 * (1 - 4 * Math.sqrt(2 / 400)))
    expect(rms(outputs) ** 2).toBeLessThan(1.02 * (1 + 4 * Math.sqrt(2 / 400)))
  })
})

describe('power laws', () => {
  test('have their exponent as slope', () => {
    const x = [2, 4, 9, 30]
    expect(
      exponent(
        x,
        x.map((value) => 3 * value ** -0.5),
      ),
    ).toBeCloseTo(-0.5, 12)
  })

  test('relative distances are over the second', () => {
    expect(relativeDistance([3, 0], [0, 4])).toBeCloseTo(5 / 4, 12)
    expect(rms([3, 4])).toBeCloseTo(Math.sqrt(12.5), 12)
  })
})
