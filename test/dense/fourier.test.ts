import { expect, test } from 'vitest'
import { transform } from '../../src/dense/fourier.js'

test('the Fourier transform of a wave is one number', () => {
  for (const n of [16, 15, 17]) {
    const wave = Float64Array.from({ length: 2 * n }, (_, k) =>
      (k % 2 ? Math.sin : Math.cos)((2 * Math.PI * 3 * Math.floor(k / 2)) / n),
    )
    transform(wave, false).forEach((x, k) => {
      expect(x).toBeCloseTo(k === 6 ? n : 0, 12)
    })
  }
})
