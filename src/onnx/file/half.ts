/** The value of an IEEE 754 half-precision number (1 sign, 5 exponent, 10 mantissa bits); exact in float32. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const mantissa = bits & 0x3ff
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY
  if (exponent === 0) return sign * mantissa * 2 ** -24
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}

const word = new Uint32Array(1)
const float = new Float32Array(word.buffer)

/** The value of a bfloat16 number, which is the upper half of a float32. */
export function bfloat16ToNumber(bits: number): number {
  word[0] = bits << 16
  return float[0] as number
}
