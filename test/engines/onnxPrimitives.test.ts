import { describe, expect, test } from 'vitest'
import { compileProgramOnnx } from '../../src/engines/onnx/session.js'
import { primitives } from '../../src/ops/table.js'
import { bind, traceFlat } from '../../src/program/builder.js'
import type { Primitive } from '../../src/program/primitive.js'
import { dtypes, isFloat } from '../../src/tensor/dtype.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { accepts, type Call, callsOf } from './onnxCases.js'

const tolerance = { float32: 1e-5, float64: 1e-11, int32: 0, bool: 0 }
/** Below this a float may be off by so much: results that underflow. */
const least = { float32: 1e-37, float64: 1e-300, int32: 0, bool: 0 }

/** JavaScript's 1 ** NaN and (+-1) ** Infinity are NaN, where IEEE 754 and ONNX Runtime say 1. */
const isOddPower = (name: string, x: number, y: number) =>
  name === 'pow' && Math.abs(x) === 1 && !Number.isFinite(y)

/** Elements that differ; those of sums are compared relative to the largest of them. */
function differences(
  { name, scalar }: Primitive,
  actual: Tensor,
  expected: Tensor,
  inputs: readonly Tensor[],
): string[] {
  const { dtype, data } = expected
  const largest = scalar ? 0 : Math.max(0, ...[...data].map(Math.abs).filter(Number.isFinite))
  const [first, last] = [inputs.at(-2), inputs.at(-1)!]
  return [...data].flatMap((wanted, i) => {
    const got = actual.data[i]!
    const [x, y] = [first?.data[Math.floor(i / last.size) % first.size], last.data[i % last.size]!]
    const allowed = tolerance[dtype] * Math.max(largest, Math.abs(wanted)) + least[dtype]
    if (got === wanted || Math.abs(got - wanted) <= allowed || Object.is(got, wanted)) return []
    return isOddPower(name, x!, y)
      ? []
      : [`${name}(${first ? `${x}, ` : ''}${y}) = ${got}, expected ${wanted}`]
  })
}

async function runOnnx(primitive: Primitive, { inputs, params }: Call): Promise<Tensor[]> {
  const { program } = traceFlat((x) => bind(primitive, x, params), inputs)
  const compiled = await compileProgramOnnx(program, { threads: 1 })
  try {
    return await compiled.run(inputs)
  } finally {
    await compiled.dispose()
  }
}

const lowered = primitives.filter((primitive) => primitive.lower)

describe.each(lowered.map((primitive) => [primitive.name, primitive] as const))('%s', (name, primitive) => {
  const accepted = dtypes.filter((dtype) => accepts(primitive, dtype))

  test(`is tried on ${accepted.join(', ')}`, () => {
    expect(accepted.length).toBeGreaterThan(0)
    expect(name === 'and' || name === 'or' || name === 'not' || accepted.some(isFloat)).toBe(true)
  })

  test.each(accepted)(`${name} of %s is in ONNX Runtime what evaluate says`, async (dtype) => {
    for (const call of callsOf(primitive, dtype)) {
      const { inputs, params } = call
      const expected = primitive.evaluate(inputs, params, primitive.infer(inputs, params))
      const actual = await runOnnx(primitive, call)
      const what = `${inputs.map(String)} ${JSON.stringify(params)}`
      expect(actual.map(String), what).toEqual(expected.map(String))
      expect(
        actual.flatMap((y, i) => differences(primitive, y, expected[i]!, inputs)),
        what,
      ).toEqual([])
    }
  })
})
