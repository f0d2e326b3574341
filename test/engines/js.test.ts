import { describe, expect, test } from 'vitest'
import { interpret } from '../../src/engines/interpret.js'
import { compileProgramJs, generateJs } from '../../src/engines/js/index.js'
import { add, cast, div, mul, neg, sub } from '../../src/ops/arithmetic.js'
import { broadcastTo, reduceSum, reshape, transpose } from '../../src/ops/broadcast.js'
import { equal, less } from '../../src/ops/compare.js'
import { dot } from '../../src/ops/dot.js'
import { maximum } from '../../src/ops/kinks.js'
import { reduceMax } from '../../src/ops/reduce.js'
import { concatenate, pad, reverse, sliceAxis } from '../../src/ops/slice.js'
import { exp, log, tanh } from '../../src/ops/smooth.js'
import { traceFlat } from '../../src/program/builder.js'
import { check } from '../../src/program/check.js'
import { print } from '../../src/program/print.js'
import type { Program } from '../../src/program/program.js'
import type { Type, Value, Var } from '../../src/program/value.js'
import { type DType, isFloat } from '../../src/tensor/dtype.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import { uniform } from '../helpers/random.js'
import { randomProgram, randomTensor } from './randomProgram.js'

const f64 = (...shape: number[]): Type => ({ dtype: 'float64', shape })

function programOf(f: (...x: Var[]) => readonly Value[], ...types: Type[]): Program {
  return traceFlat((inputs) => f(...inputs), types).program
}

/** Largest difference, relative to the larger of 1 and the tensor's largest element; infinite where one is NaN. */
function difference(got: Tensor, expected: Tensor): number {
  let scale = 1
  for (const x of expected.data) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x))
  let worst = 0
  expected.data.forEach((x, i) => {
    const y = got.data[i] as number
    if (!Object.is(x, y) && x !== y)
      worst = Math.max(worst, Number.isNaN(x - y) ? Infinity : Math.abs(x - y) / scale)
  })
  return worst
}

function expectSame(program: Program, inputs: readonly Tensor[], tolerance: number): void {
  const compiled = compileProgramJs(program)
  const expected = interpret(program, inputs)
  for (const got of [compiled(inputs), compiled(inputs)])
    got.forEach((output, i) => {
      const reference = expected[i] as Tensor
      expect(`${output}`).toBe(`${reference}`)
      expect(difference(output, reference), `output ${i}`).toBeLessThanOrEqual(tolerance)
    })
}

describe('random programs give what the interpreter gives', () => {
  const tolerance: Record<DType, number> = { float64: 1e-12, float32: 1e-5, int32: 0, bool: 0 }
  for (const dtype of ['float64', 'float32', 'int32', 'bool'] as const)
    test(`of ${dtype}, seeds 1 to 150`, () => {
      for (let seed = 1; seed <= 150; seed++) {
        const { program, inputs } = randomProgram(seed, dtype)
        check(program)
        try {
          expectSame(program, inputs, tolerance[dtype])
        } catch (error) {
          throw new Error(`seed ${seed}, ${dtype}\n${print(program)}\n${generateJs(program)}`, {
            cause: error,
          })
        }
      }
    })
})
