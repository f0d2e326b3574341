import { describe, test } from 'vitest'
import { generateJs } from '../../src/engines/js/index.js'
import { check } from '../../src/program/check.js'
import { print } from '../../src/program/print.js'
import type { DType } from '../../src/tensor/dtype.js'
import { expectSame } from './expectSame.js'
import { randomProgram } from './randomProgram.js'

describe('random programs give what the interpreter gives', () => {
  const tolerance: Record<DType, number> = { float64: 1e-12, float32: 1e-5, int32: 0, bool: 0 }
  for (const dtype of ['float64', 'float32', 'int32', 'bool'] as const)
    test(`of ${dtype}, seeds 1 to 200`, () => {
      for (let seed = 1; seed <= 200; seed++) {
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
