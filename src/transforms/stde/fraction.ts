/** An exact rational number in lowest terms, its denominator positive. */
export interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

export function fraction(numerator: bigint | number, denominator: bigint | number = 1n): Fraction {
  const [n, d] = [BigInt(numerator), BigInt(denominator)]
  if (d === 0n) throw new Error('fraction: the denominator is 0')
  const common = (d < 0n ? -1n : 1n) * divisor(n < 0n ? -n : n, d < 0n ? -d : d)
  return { numerator: n / common, denominator: d / common }
}

const divisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : divisor(b, a % b))

export const times = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.numerator * b.numerator, a.denominator * b.denominator)

export const plus = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator)

export const over = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.numerator * b.denominator, a.denominator * b.numerator)

export const toNumber = ({ numerator, denominator }: Fraction): number =>
  Number(numerator) / Number(denominator)

export function factorialOf(n: number): bigint {
  let product = 1n
  for (let k = 2n; k <= BigInt(n); k++) product *= k
  return product
}

export function binomial(n: number, k: number): bigint {
  return factorialOf(n) / (factorialOf(k) * factorialOf(n - k))
}
