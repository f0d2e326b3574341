import { expect } from 'vitest'
import { compileProgramOnnx } from '../../src/engines/onnx/session.js'
import { programToModel } from '../../src/onnx/export/model.js'
import { traceFlat } from '../../src/program/builder.js'
import { evaluate, type Program } from '../../src/program/program.js'
import type { Type, Value } from '../../src/program/value.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { randomTensor } from './onnxCases.js'

export const float64 = (...shape: number[]): Type => ({ dtype: 'float64', shape })

export function programOf(f: (...x: Value[]) => Value | readonly Value[], ...types: Type[]): Program {
  return traceFlat((x) => [f(...x)].flat() as Value[], types).program
}

/** The operators of the exported graph, in order. */
export const operators = (program: Program) => programToModel(program).graph!.node.map((node) => node.opType)

export async function run(
  program: Program,
  inputs = program.inputs.map((x, i) => randomTensor(x.shape, x.dtype, i + 1)),
) {
  const compiled = await compileProgramOnnx(program)
  const outputs = await compiled.run(inputs)
  await compiled.dispose()
  return { inputs, outputs }
}

export async function expectAsInterpreted(program: Program) {
  const { inputs, outputs } = await run(program)
  const expected = evaluate(program, inputs) as Tensor[]
  expect(outputs.map(String)).toEqual(expected.map(String))
  outputs.forEach((y, i) => {
    y.data.forEach((n, k) => {
      expect(n).toBeCloseTo(expected[i]!.data[k]!, 10)
    })
  })
}
