/** Programs with control flow on all engines: the interpreter, generated JavaScript, ONNX Runtime. */
import { describe, expect, test } from 'vitest'
import { compileProgramOnnx } from '../../src/engines/index.js'
import { interpret } from '../../src/engines/interpret.js'
import { compileProgramJs } from '../../src/engines/js/index.js'
import * as np from '../../src/numpy/index.js'
import { optimize } from '../../src/ops/optimize.js'
import { castTensor, type Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, hessian, jvp, trace, vmap } from '../../src/transforms/index.js'
import { expectClose } from '../helpers/derivatives.js'
import { programs, real, whilePrograms } from '../transforms/controlPrograms.js'

type Map = (x: Tensor) => Tensor

const point = tensor([0.9, 0.4, 1.3, -0.5])
const other = tensor([0.1, 1.2, 0.65, -0.8])
const points = np.stack([point, other])
const batched =
  (f: Map): Map =>
  (x) =>
    vmap(f)(np.stack([x, np.flip(x)])) as Tensor
const total =
  (f: Map): Map =>
  (x) =>
    np.sum(np.sin(f(x)))
const transforms: Readonly<Record<string, (f: Map) => Map>> = {
  value: (f) => f,
  batched,
  jvp: (f) => (x) => jvp(f, [x], [x])[1],
}
const reverse: typeof transforms = {
  gradient: (f) => grad(total(f)) as Map,
  'batched gradient': (f) => batched(grad(total(f)) as Map),
  hessian: (f) => hessian(total(f)) as Map,
}

async function expectSameEverywhere(f: Map, dtype: 'float64' | 'float32', tolerance: number) {
  const at = [point, other].map((x) => castTensor(x, dtype))
  const program = optimize(trace(f, at[0]).program)
  const compiled = compileProgramJs(program)
  const session = await compileProgramOnnx(program, { threads: 1 })
  for (const x of at) {
    const expected = [...(interpret(program, [x])[0] as Tensor).data]
    const scale = Math.max(1, ...expected.map(Math.abs))
    expectClose(compiled([x])[0] as Tensor, expected, tolerance * scale)
    expectClose((await session.run([x]))[0] as Tensor, expected, tolerance * scale)
  }
  await session.dispose()
}

const all = [
  ...Object.entries(programs).map(([name, make]) => ({ name, make, rules: { ...transforms, ...reverse } })),
  ...Object.entries(whilePrograms).map(([name, make]) => ({ name, make, rules: transforms })),
]

describe.each(all)('$name', ({ make, rules }) => {
  test('gives the same on all engines in float64', async () => {
    for (const transform of Object.values(rules))
      await expectSameEverywhere(transform(make(real)), 'float64', 1e-12)
  })
})

test('loops and branches in float32 give the same on all engines', async () => {
  const f: Map = (x) => {
    const [c, ys] = real.scan(
      (c, e) => {
        const y = real.cond(
          np.greater(e, 0.3),
          (c) => np.sin(np.multiply(c, e)),
          (c) => np.exp(c),
          c,
        )
        return [y, np.multiply(y, x)]
      },
      np.sum(x),
      x,
    )
    return np.add(np.sum(ys, { axis: 0 }), c)
  }
  const loop: Map = (x) =>
    real.whileLoop(
      (c) => np.less(np.sum(c), 30),
      (c) => np.multiply(c, 1.5),
      np.exp(x),
      0,
    )
  for (const transform of [...Object.values(transforms), ...Object.values(reverse)])
    await expectSameEverywhere(transform(f), 'float32', 2e-5)
  for (const transform of Object.values(transforms))
    await expectSameEverywhere(transform(loop), 'float32', 2e-5)
  expect(points.shape).toEqual([2, 4])
})
