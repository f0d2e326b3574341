/** The memory that a checkpointed loop holds, measured while it runs. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { interpret } from '../../src/engines/interpret.js'
import * as np from '../../src/numpy/index.js'
import { elementwise } from '../../src/ops/elementwise.js'
import { optimize } from '../../src/ops/optimize.js'
import { bind } from '../../src/program/builder.js'
import { forecast } from '../../src/program/forecast.js'
import type { Primitive } from '../../src/program/primitive.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { grad, scan, trace } from '../../src/transforms/index.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** The second collection waits until what the first one found is freed. */
const held = () => {
  collect()
  collect()
  return process.memoryUsage().arrayBuffers
}

/** x; now and then when it or its derivative is computed, what is held then is noted. */
function probe(note: (bytes: number) => void): (x: Tensor) => Tensor {
  let calls = 0
  const op: Primitive = {
    ...elementwise({
      name: 'probe',
      accepts: ['float64'],
      scalar: (x) => x as number,
      onnx: 'Identity',
      derivative: ({ tangents: [t] }) => [t ? bind(op, [t], {})[0]! : null],
      transpose: ({ cotangents: [ct] }) => [ct ? bind(op, [ct], {})[0]! : null],
    }),
    evaluate([x]) {
      if (calls++ % 37 === 0) note(held())
      return [x!]
    },
  }
  return (x) => bind(op, [x], {})[0] as Tensor
}

function peaks(checkpoint: boolean, before: number) {
  let most = 0
  const look = probe((bytes) => {
    most = Math.max(most, bytes)
  })
  const f = (x: Tensor) => {
    const step = (c: Tensor) => [look(np.sin(np.multiply(c, x))), null] as const
    return np.sum(scan(step, x, null, { length: 400, checkpoint })[0])
  }
  const x = np.full([20_000], 0.3)
  const program = optimize(trace(grad(f), x).program)
  interpret(program, [x])
  return { forecast: forecast(program).peakBytes, measured: most - before }
}

test('peak memory falls as forecast', () => {
  const before = held()
  const [saving, plain] = [peaks(true, before), peaks(false, before)]
  console.info('bytes held at most', { plain, saving })
  for (const { forecast, measured } of [plain, saving]) {
    expect(measured).toBeGreaterThan(forecast / 2)
    expect(measured).toBeLessThan(forecast * 1.5)
  }
  expect(plain.measured / saving.measured).toBeGreaterThan(8)
})
