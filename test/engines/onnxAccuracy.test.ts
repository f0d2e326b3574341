import { expect, test } from 'vitest'
import { compileProgramOnnx } from '../../src/engines/onnx/session.js'
import { expm1, log1p, logistic, softplus } from '../../src/ops/smooth.js'
import { atan2, erf, erfc } from '../../src/ops/special.js'
import { acos, acosh, asin, asinh, atan, atanh, cosh, sinh, tan } from '../../src/ops/trigonometric.js'
import { traceFlat } from '../../src/program/builder.js'
import type { Value } from '../../src/program/value.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { uniform } from '../helpers/random.js'

/** Both signs of 10^-300 to 10^`most`, and denser between 0.001 and 100; seed 7. */
function numbers(most: number): number[] {
  const random = uniform(7)
  const wide = Array.from({ length: 600 }, () => 10 ** (-300 + (300 + most) * random()))
  const near = Array.from({ length: 3000 }, () => 10 ** (-3 + 5 * random())).filter((x) => x < 10 ** most)
  return [...wide, ...near].flatMap((x) => [x, -x])
}

async function worst(
  f: (...x: Value[]) => Value,
  exact: (...x: number[]) => number,
  points: readonly number[][],
) {
  const inputs = points[0]!.map((_, k) => new Tensor(Float64Array.from(points, (point) => point[k]!)))
  const { program } = traceFlat((x) => [f(...x)], inputs)
  const compiled = await compileProgramOnnx(program, { threads: 1 })
  const [result] = await compiled.run(inputs)
  await compiled.dispose()
  let worst = { error: 0, at: [0] as readonly number[] }
  points.forEach((at, i) => {
    const [got, wanted] = [result!.data[i]!, exact(...at)]
    const error = got === wanted ? 0 : Math.abs(got - wanted) / Math.max(Math.abs(wanted), 1e-300)
    if (!(error <= worst.error)) worst = { error, at }
  })
  return worst
}

const everywhere = numbers(300)
const within = (least: number, most: number) => everywhere.filter((x) => least <= x && x <= most)

test.each([
  ['expm1', expm1, Math.expm1, everywhere],
  ['log1p', log1p, Math.log1p, within(-1, Number.POSITIVE_INFINITY)],
  // Further out ONNX Runtime's Sin and Cos err by 4e-16 absolutely, which near zeros of tan is more relatively.
  ['tan', tan, Math.tan, within(-3, 3)],
  ['asin', asin, Math.asin, within(-1, 1)],
  ['acos', acos, Math.acos, within(-1, 1)],
  ['atan', atan, Math.atan, everywhere],
  // Up to 709.78, where exp overflows; sinh and cosh themselves do so at 710.47.
  ['sinh', sinh, Math.sinh, within(-709, 709)],
  ['cosh', cosh, Math.cosh, within(-709, 709)],
  ['asinh', asinh, Math.asinh, everywhere],
  ['acosh', acosh, Math.acosh, within(1, Number.POSITIVE_INFINITY)],
  ['atanh', atanh, Math.atanh, within(-1, 1)],
  ['logistic', logistic, (x: number) => 1 / (1 + Math.exp(-x)), within(-700, 1e300)],
  [
    'softplus',
    softplus,
    (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    within(-690, 1e300),
  ],
] as const)('%s in float64 agrees with JavaScript to 1e-13', async (_, f, exact, points) => {
  const { error, at } = await worst(
    f,
    exact,
    points.map((x) => [x]),
  )
  expect(error, `at ${at}`).toBeLessThan(1e-13)
})

test('erf in float64 agrees with its series to 1e-14', async () => {
  const { error, at } = await worst(
    erf,
    erfBySeries,
    within(-5.5, 5.5).map((x) => [x]),
  )
  expect(error, `at ${at}`).toBeLessThan(1e-14)
})

test('erfc in float64 agrees with its continued fraction to 1e-13 as far as it does not underflow', async () => {
  const exact = (x: number) => {
    let fraction = x
    for (let k = 2000; k >= 1; k--) fraction = x + k / 2 / fraction
    const [short, rest] = [Math.fround(x), x - Math.fround(x)]
    return (Math.exp(-short * short) * Math.exp(-rest * (x + short))) / (fraction * Math.sqrt(Math.PI))
  }
  const points = within(1.5, 26).map((x) => [x])
  const { error, at } = await worst(erfc, exact, points)
  expect(error, `at ${at}`).toBeLessThan(1e-13)
  const small = within(-6, 1.5).map((x) => [x])
  expect((await worst(erfc, (x) => 1 - erfBySeries(x), small)).error).toBeLessThan(1e-14)
})

test('atan2 in float64 agrees with JavaScript in all quadrants and on the axes', async () => {
  const some = [
    ...everywhere.filter((_, i) => i % 200 < 2),
    0,
    -0,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]
  const { error, at } = await worst(
    atan2,
    Math.atan2,
    some.flatMap((y) => some.map((x) => [y, x])),
  )
  expect(error, `at ${at}`).toBeLessThan(1e-13)
})

/** The Maclaurin series with exact rational steps of 200 bits: 2/sqrt(pi) sum_n (-1)^n x^(2n+1) / (n! (2n+1)). */
function erfBySeries(x: number): number {
  const one = 1n << 200n
  const fixed =
    BigInt(Math.round(x * 2 ** 20)) * (one >> 20n) +
    BigInt(Math.round((x - Math.round(x * 2 ** 20) / 2 ** 20) * 2 ** 80)) * (one >> 80n)
  const square = (fixed * fixed) / one
  let [term, sum] = [fixed, 0n]
  for (let n = 0n; n < 400n; n++) {
    sum += term / (2n * n + 1n)
    term = (-term * square) / one / (n + 1n)
  }
  return Math.abs(x) < 1e-8
    ? (2 / Math.sqrt(Math.PI)) * x
    : (2 / Math.sqrt(Math.PI)) * (Number(sum >> 120n) / 2 ** 80)
}
