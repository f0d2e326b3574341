import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { grad, vmap } from '../../src/transforms/index.js'
import { uniform } from '../helpers/random.js'
import { expectDerivatives } from './derivatives.js'

/** n complex numbers, seed 3. */
function signal(n: number): Tensor {
  const next = uniform(3)
  return new Tensor(
    Float64Array.from({ length: 2 * n }, () => 2 * next() - 1),
    [n, 2],
  )
}

/** The sum itself. */
function direct(x: Tensor, sign: number): number[] {
  const n = x.shape[0]!
  return Array.from({ length: n }, (_, k) => {
    let [re, im] = [0, 0]
    for (let j = 0; j < n; j++) {
      const angle = (sign * 2 * Math.PI * ((j * k) % n)) / n
      const [a, b] = [x.data[2 * j]!, x.data[2 * j + 1]!]
      re += a * Math.cos(angle) - b * Math.sin(angle)
      im += a * Math.sin(angle) + b * Math.cos(angle)
    }
    return [re, im]
  }).flat()
}

function expectNear(got: Tensor, wanted: ArrayLike<number>, tolerance: number): void {
  expect(got.size).toBe(wanted.length)
  got.data.forEach((x, i) => {
    expect(Math.abs(x - wanted[i]!)).toBeLessThan(tolerance)
  })
}

describe('fft', () => {
  test.each([1, 2, 3, 4, 5, 7, 8, 12, 64, 97, 100, 128])('of %i numbers is the sum', (n) => {
    const x = signal(n)
    expectNear(np.fft(x), direct(x, -1), 1e-13 * n)
    expectNear(np.ifft(np.fft(x)), x.data, 1e-14 * Math.log2(n + 1) * 4)
    const real = np.slice(x, null, 0)
    const spectrum = np.rfft(real)
    expect(spectrum.shape).toEqual([Math.floor(n / 2) + 1, 2])
    const whole = np.fft(np.stack([real, np.zerosLike(real)], { axis: 1 }))
    expectNear(spectrum, whole.data.slice(0, spectrum.size), 1e-13 * n)
    expectNear(np.irfft(spectrum, { n }), real.data, 1e-13)
  })

  test('keeps accuracy for many numbers', () => {
    for (const n of [1 << 14, 10007]) {
      const x = signal(n)
      expectNear(np.ifft(np.fft(x)), x.data, 1e-13)
    }
  })

  test.each([4, 5])('has derivatives of all orders, n = %i', (n) => {
    expectDerivatives((x) => np.square(np.fft(np.sin(x))), signal(n))
    expectDerivatives((x) => np.square(np.irfft(np.rfft(x), { n })), np.slice(signal(n), null, 0))
  })

  test('convolves by products, and its gradient is a correlation', () => {
    const [x, y] = [np.asarray([1, 2, 0, -1, 3]), np.asarray([0.5, -1, 2, 0, 0])]
    const convolve = (x: Tensor) => {
      const [a, b] = [np.rfft(x), np.rfft(y)]
      const [re, im] = [0, 1].map((k) => np.slice(a, null, k)) as [Tensor, Tensor]
      const [c, d] = [0, 1].map((k) => np.slice(b, null, k)) as [Tensor, Tensor]
      const real = np.subtract(np.multiply(re, c), np.multiply(im, d))
      const imaginary = np.add(np.multiply(re, d), np.multiply(im, c))
      return np.irfft(np.stack([real, imaginary], { axis: 1 }), { n: 5 })
    }
    const circular = (k: number) =>
      Array.from(y.data).reduce((sum, e, j) => sum + e * x.data[(k - j + 5) % 5]!, 0)
    expectNear(convolve(x), [0, 1, 2, 3, 4].map(circular), 1e-14)
    const slope = grad((x: Tensor) => np.sum(np.slice(convolve(x), [2, 3])))(x)
    expectNear(slope, [2, -1, 0.5, 0, 0], 1e-14)
  })

  test('works under vmap, in float32 and over leading axes', () => {
    const batch = np.stack([signal(6), np.multiply(signal(6), 2)])
    expect(vmap(np.fft)(batch).data).toEqual(np.fft(batch).data)
    expect(np.fft(np.astype(batch, 'float32')).dtype).toBe('float32')
  })

  test('goes along any axis of numbers', () => {
    const x = np.stack([signal(4), np.sin(signal(4)), np.cos(signal(4))])
    const turned = np.transpose(x, [1, 0, 2])
    expect(np.fft(turned, { axis: 0 }).data).toEqual(np.transpose(np.fft(x), [1, 0, 2]).data)
    expect(np.ifft(turned, { axis: -2 }).data).toEqual(np.transpose(np.ifft(x), [1, 0, 2]).data)
    const real = np.slice(x, null, null, 0)
    const half = np.rfft(np.transpose(real), { axis: 0 })
    expect(half.data).toEqual(np.transpose(np.rfft(real), [1, 0, 2]).data)
    expectNear(np.irfft(half, { axis: 0 }), np.transpose(real).data, 1e-14)
    expect(() => np.fft(x, { axis: 2 })).toThrow(/axis 2 is out of range/)
  })

  test('says what it expects', () => {
    expect(() => np.fft([1, 2, 3])).toThrow(/expected complex numbers \[..., n, 2\]/)
    expect(() => np.irfft(signal(3), { n: 7 })).toThrow(/expected floor\(n\/2\) \+ 1/)
    expect(() => np.rfft(np.zeros([2, 0]))).toThrow(/n > 0/)
  })
})
