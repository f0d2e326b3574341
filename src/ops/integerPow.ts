import type { Primitive, Series } from '../program/primitive.js'
import type { Type, Value } from '../program/value.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { mul } from './arithmetic.js'
import { apply, expectDtype, numbers } from './define.js'
import { evaluateElementwise } from './elementwise.js'
import { series } from './taylor.js'

/** x^n for a fixed integer n >= 2: repeated multiplication, so that every derivative is finite at 0. */
const integerPowOp: Primitive<{ exponent: number }> = {
  name: 'integerPow',
  infer([x], { exponent }) {
    expectDtype('integerPow', x as Type, numbers)
    if (!(Number.isInteger(exponent) && exponent >= 1))
      throw new Error(`integerPow: the exponent is ${exponent}, expected a positive integer; use pow`)
    return [{ dtype: (x as Type).dtype, shape: (x as Type).shape }]
  },
  evaluate: ([x], { exponent }, [type]) => [
    evaluateElementwise((x) => (x as number) ** exponent, [x as Tensor], type as Type),
  ],
  derivative: ({ tangents: [t], inputs: [x], params: { exponent } }) => [
    t ? mul(t, mul(integerPow(x as Value, exponent - 1), exponent)) : null,
  ],
  taylor: ({ series: [x], outputs: [out], params: { exponent }, lift }) =>
    [lift((x) => powerBySquaring(x, exponent), x as Series)].map((v) =>
      series(out as Value, (k) => v.coefficient(k)),
    ),
  batch: ({ inputs: [x], params }) => [integerPow(x as Value, params.exponent)],
  lower(onnx, [x], { params: { exponent } }) {
    const power = (n: number): string => {
      if (n === 1) return x as string
      const half = power(n >> 1)
      const even = onnx.node('Mul', [half, half])
      return n % 2 ? onnx.node('Mul', [even, x as string]) : even
    }
    return [power(exponent)]
  },
  flops: ({ outputs: [type] }) => 2 * sizeOf((type as Type).shape),
}

function powerBySquaring(x: Value, n: number): Value {
  if (n === 1) return x
  const half = powerBySquaring(x, n >> 1)
  const even = mul(half, half)
  return n % 2 ? mul(even, x) : even
}

/** x^n for an integer n >= 1. */
export function integerPow(x: Value, exponent: number): Value {
  if (exponent === 1) return x
  return exponent === 2 ? mul(x, x) : apply(integerPowOp, [x], { exponent })
}

export const integerPowOps: readonly Primitive[] = [integerPowOp as Primitive]
