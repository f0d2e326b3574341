import { afterAll, expect, test, vi } from 'vitest'
import { compileProgramOnnx, configureOnnx } from '../../src/engines/onnx/session.js'
import { add, mul } from '../../src/ops/arithmetic.js'
import { dot } from '../../src/ops/dot.js'
import { tanh } from '../../src/ops/smooth.js'
import { traceFlat } from '../../src/program/builder.js'
import { evaluate } from '../../src/program/program.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { randomTensor } from './onnxCases.js'

// The WebAssembly build that browsers use also runs in Node.
vi.mock('#onnxruntime', () => import('../../src/engines/onnx/runtime.browser.js'))

afterAll(() => vi.restoreAllMocks())

test('the WebAssembly runtime gives what the interpreter gives', async () => {
  configureOnnx({ threads: 1 })
  const types = [
    { dtype: 'float64', shape: [2, 3] },
    { dtype: 'float64', shape: [3, 4] },
  ] as const
  const { program } = traceFlat(([x, w]) => [mul(tanh(add(dot(x!, w!, [[1], [0]]), 1)), 2)], types)
  const compiled = await compileProgramOnnx(program)
  const inputs = types.map(({ shape, dtype }, i) => randomTensor(shape, dtype, i + 1))
  const [y] = await compiled.run(inputs)
  const [expected] = evaluate(program, inputs) as Tensor[]
  expect(String(y)).toBe(String(expected))
  y!.data.forEach((n, i) => {
    expect(n).toBeCloseTo(expected!.data[i]!, 12)
  })
  await compiled.dispose()
})
