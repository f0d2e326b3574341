/** sum_j x_j exp(-+2 pi i j k / n) of n complex numbers in pairs, of any n: O(n log n). May overwrite x. */
export function transform(x: Float64Array, inverse: boolean): Float64Array {
  const n = x.length / 2
  if (n <= 1) return x
  return (n & (n - 1)) === 0 ? powerOfTwo(x, inverse) : chirp(x, inverse)
}

/** exp(-+ pi i k / half) for k = 0..half-1. */
function roots(half: number, inverse: boolean): Float64Array {
  const w = new Float64Array(2 * half)
  for (let k = 0; k < half; k++) {
    const angle = (Math.PI * k) / half
    w[2 * k] = Math.cos(angle)
    w[2 * k + 1] = inverse ? Math.sin(angle) : -Math.sin(angle)
  }
  return w
}

/** Cooley and Tukey's algorithm in place, after a permutation by reversed bits. */
function powerOfTwo(x: Float64Array, inverse: boolean): Float64Array {
  const n = x.length / 2
  const w = roots(n / 2, inverse)
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) swap(x, i, j)
  }
  for (let half = 1; half < n; half *= 2) {
    const step = n / (2 * half)
    for (let start = 0; start < n; start += 2 * half)
      for (let k = 0; k < half; k++) {
        const [p, q, r] = [2 * (start + k), 2 * (start + k + half), 2 * k * step]
        const [c, s] = [w[r] as number, w[r + 1] as number]
        const re = c * (x[q] as number) - s * (x[q + 1] as number)
        const im = c * (x[q + 1] as number) + s * (x[q] as number)
        x[q] = (x[p] as number) - re
        x[q + 1] = (x[p + 1] as number) - im
        x[p] = (x[p] as number) + re
        x[p + 1] = (x[p + 1] as number) + im
      }
  }
  return x
}

function swap(x: Float64Array, i: number, j: number): void {
  for (const part of [0, 1]) {
    const held = x[2 * i + part] as number
    x[2 * i + part] = x[2 * j + part] as number
    x[2 * j + part] = held
  }
}

/** x *= y, complex. */
function multiply(x: Float64Array, y: Float64Array): void {
  for (let k = 0; k < x.length; k += 2) {
    const [a, b, c, d] = [x[k] as number, x[k + 1] as number, y[k] as number, y[k + 1] as number]
    x[k] = a * c - b * d
    x[k + 1] = a * d + b * c
  }
}

/** Bluestein's algorithm: with j k = (j^2 + k^2 - (k - j)^2) / 2 the transform is a convolution, done by powers of two. */
function chirp(x: Float64Array, inverse: boolean): Float64Array {
  const n = x.length / 2
  let size = 1
  while (size < 2 * n - 1) size *= 2
  const w = new Float64Array(2 * n)
  const unit = roots(n, inverse)
  // exp(-+ pi i k^2 / n), of period 2n in k^2, which keeps the angle small.
  for (let k = 0; k < n; k++) {
    const at = (k * k) % (2 * n)
    const sign = at < n ? 1 : -1
    w[2 * k] = sign * (unit[2 * (at % n)] as number)
    w[2 * k + 1] = sign * (unit[2 * (at % n) + 1] as number)
  }
  const signal = new Float64Array(2 * size)
  signal.set(x)
  multiply(signal.subarray(0, 2 * n), w)
  const filter = new Float64Array(2 * size)
  for (let k = 0; k < n; k++)
    for (const at of [k, (size - k) % size]) {
      filter[2 * at] = w[2 * k] as number
      filter[2 * at + 1] = -(w[2 * k + 1] as number)
    }
  const spectrum = powerOfTwo(signal, false)
  multiply(spectrum, powerOfTwo(filter, false))
  const result = powerOfTwo(spectrum, true).slice(0, 2 * n)
  for (let k = 0; k < result.length; k++) result[k] = (result[k] as number) / size
  multiply(result, w)
  return result
}
