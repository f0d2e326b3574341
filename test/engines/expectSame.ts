import { expect } from 'vitest'
import { interpret } from '../../src/engines/interpret.js'
import { compileProgramJs } from '../../src/engines/js/index.js'
import type { Program } from '../../src/program/program.js'
import type { Tensor } from '../../src/tensor/tensor.js'

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

/** Compiled code gives the interpreter's outputs, twice. */
export function expectSame(program: Program, inputs: readonly Tensor[], tolerance: number): void {
  const compiled = compileProgramJs(program)
  const expected = interpret(program, inputs)
  for (const got of [compiled(inputs), compiled(inputs)])
    got.forEach((output, i) => {
      const reference = expected[i] as Tensor
      expect(`${output}`).toBe(`${reference}`)
      expect(difference(output, reference), `output ${i}`).toBeLessThanOrEqual(tolerance)
    })
}
