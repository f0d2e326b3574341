/** The slope of log y over log x by least squares: the exponent of y ~ x^slope. */
export function exponent(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [x.map(Math.log), y.map(Math.log)]
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0)
  const [ma, mb] = [mean(a), mean(b)]
  return (
    a.reduce((sum, value, i) => sum + (value - ma) * (b[i]! - mb), 0) /
    a.reduce((sum, value) => sum + (value - ma) ** 2, 0)
  )
}

/** |a - b| / |b| in the Euclidean (Frobenius) norm. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, size] = [0, 0]
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2
    size += b[i]! ** 2
  }
  return Math.sqrt(difference / size)
}

/** The square root of the mean of squares. */
export const rms = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value ** 2 / values.length, 0))
