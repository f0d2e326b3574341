import { describe, expect, test } from 'vitest'
import { compileProgram, compileProgramJs, interpret } from '../../src/engines/index.js'
import * as np from '../../src/numpy/index.js'
import { optimize } from '../../src/ops/optimize.js'
import { explain } from '../../src/program/explain.js'
import { forecast } from '../../src/program/forecast.js'
import type { Program } from '../../src/program/program.js'
import { type Value, Var } from '../../src/program/value.js'
import { Tensor } from '../../src/tensor/tensor.js'
import {
  type CheckpointPolicy,
  checkpoint,
  grad,
  hessian,
  hvp,
  jacobian,
  jvp,
  trace,
  vmap,
} from '../../src/transforms/index.js'
import { expectClose, randomLike } from '../helpers/derivatives.js'

const seed = 13
const random = (from: number, ...shape: number[]) =>
  randomLike(new Tensor(new Float64Array(shape.reduce((a, b) => a * b, 1)), shape), from)

type Layer = (x: Tensor, w: Tensor) => Tensor
const layer: Layer = (x, w) => np.tanh(np.multiply(np.sin(np.matmul(x, w)), np.exp(np.tanh(np.matmul(x, w)))))

/** Layers that hold many intermediate values each. */
const network =
  (depth: number, step: Layer) =>
  (x: Tensor, w: Tensor): Tensor => {
    let y = x
    for (let i = 0; i < depth; i++) y = step(y, w)
    return np.sum(np.square(y))
  }

const policies: CheckpointPolicy[] = ['nothing', 'dots', 'everything', (operation) => operation === 'sin']

/** The most bytes alive while a program really runs, each tensor dropped after its last use. */
function measuredPeak(program: Program, inputs: readonly Tensor[]): number {
  const last = new Map<Value, number>()
  program.equations.forEach(({ inputs }, i) => {
    for (const x of inputs) last.set(x, i)
  })
  for (const y of program.outputs) last.set(y, Number.POSITIVE_INFINITY)
  const values = new Map<Value, Tensor>(program.inputs.map((x, i) => [x, inputs[i]!]))
  const alive = () => {
    let bytes = 0
    for (const data of new Set([...values.values()].map((x) => x.data))) bytes += data.byteLength
    return bytes
  }
  let peak = 0
  program.equations.forEach(({ primitive, inputs, params, outputs }, i) => {
    const results = primitive.evaluate(
      inputs.map((x) => (x instanceof Var ? values.get(x)! : x)),
      params,
      outputs,
    )
    outputs.forEach((y, k) => {
      values.set(y, results[k]!)
    })
    peak = Math.max(peak, alive())
    for (const x of [...inputs, ...outputs])
      if (last.get(x) === i && !program.inputs.includes(x as Var)) values.delete(x)
  })
  return peak
}

describe(`checkpoint, seed ${seed}`, () => {
  const [x, w] = [random(seed, 3, 4), random(seed + 1, 4, 4)]

  test.each(policies)('changes no derivative of any order or mode (policy %s)', (policy) => {
    const plain = network(3, layer)
    const f = network(3, checkpoint(layer, { policy }))
    expectClose(f(x, w), plain(x, w).data, 1e-15)
    for (const argument of [0, 1])
      expectClose(
        grad(f, { argument })(x, w) as Tensor,
        (grad(plain, { argument })(x, w) as Tensor).data,
        1e-12,
      )
    const of = (g: typeof f) => (w: Tensor) => g(x, w)
    expectClose(jvp(of(f), [w], [random(9, 4, 4)])[1], jvp(of(plain), [w], [random(9, 4, 4)])[1].data, 1e-12)
    expectClose(hvp(of(f))(w, random(9, 4, 4)), hvp(of(plain))(w, random(9, 4, 4)).data, 1e-11)
    const small = (g: typeof f) => (s: Tensor) => g(np.multiply(x, s), w)
    const s = random(4, 3, 1)
    expectClose(hessian(small(f))(s), hessian(small(plain))(s).data, 1e-11)
    expectClose(jacobian(grad(small(f)), { mode: 'reverse' })(s), hessian(small(plain))(s).data, 1e-11)
    const third = (g: typeof f) => grad((s: Tensor) => np.sum(np.sin(hessian(small(g))(s))))(s)
    expectClose(third(f), third(plain).data, 1e-9)
    const batch = np.stack([s, random(5, 3, 1)])
    expectClose(vmap(grad(small(f)))(batch), vmap(grad(small(plain)))(batch).data, 1e-12)
  })

  test('uses nested checkpoints, values from outside, and integers', () => {
    const at = new Tensor(Int32Array.of(2, 0))
    const f = (wrap: typeof checkpoint) => (x: Tensor) => {
      const inner = wrap((y: Tensor) => np.sin(np.multiply(y, np.sum(x))))
      const outer = wrap((y: Tensor, at: Tensor) => np.exp(np.take(inner(inner(y)), at)))
      return np.sum(outer(x, at))
    }
    const plain = f(((g: unknown) => g) as typeof checkpoint)
    expectClose(grad(f(checkpoint))(random(3, 4)), grad(plain)(random(3, 4)).data, 1e-13)
    expectClose(hessian(f(checkpoint))(random(3, 4)), hessian(plain)(random(3, 4)).data, 1e-12)
  })

  test('runs on all engines', async () => {
    const f = network(3, checkpoint(layer, { policy: 'dots' }))
    const { program } = trace(grad(f), x, w)
    const expected = grad(network(3, layer))(x, w).data
    for (const engine of ['interpret', 'js', 'onnx'] as const) {
      const executable = await compileProgram(program, { engine })
      expectClose((await executable.run([x, w]))[0]!, expected, 1e-12)
      await executable.dispose()
    }
    expectClose(interpret(program, [x, w])[0]!, expected, 1e-12)
    expectClose(compileProgramJs(program)([x, w])[0]!, expected, 1e-12)
    expect(explain(program)).toContain('checkpoint')
  })

  test('lowers peak memory as forecast and as measured', () => {
    const depth = 12
    const [x, w] = [random(seed, 64, 64), random(seed + 1, 64, 64)]
    const of = (step: Layer) => optimize(trace(grad(network(depth, step)), x, w).program)
    const unit = x.data.byteLength
    const peaks = [
      layer,
      ...(['everything', 'dots', 'nothing'] as const).map((policy) => checkpoint(layer, { policy })),
    ].map((step) => {
      const program = of(step)
      const [forecasted, measured] = [
        forecast(program).peakBytes / unit,
        measuredPeak(program, [x, w]) / unit,
      ]
      expect(Math.abs(forecasted - measured)).toBeLessThan(0.05 * measured)
      return { forecasted, measured }
    })
    const [all, everything, dots, nothing] = peaks.map(({ measured }) => measured) as [
      number,
      number,
      number,
      number,
    ]
    expect(everything).toBeGreaterThan(0.8 * all)
    expect(dots).toBeLessThan(0.5 * all)
    expect(nothing).toBeLessThan(0.4 * all)
    expect(nothing).toBeLessThan(dots)
    const flops = (step: Layer) => forecast(of(step)).flops
    expect(flops(checkpoint(layer))).toBeLessThan(1.5 * flops(layer))
    expect(flops(checkpoint(layer, { policy: 'dots' }))).toBeLessThan(1.1 * flops(layer))
  })

  test('lowers the memory that compiled JavaScript allocates', () => {
    const [x, w] = [random(seed, 256, 256), random(seed + 1, 256, 256)]
    const allocated = (step: Layer) => {
      const program = optimize(trace(grad(network(16, step)), x, w).program)
      const before = process.memoryUsage().arrayBuffers
      const run = compileProgramJs(program)
      const bytes = process.memoryUsage().arrayBuffers - before
      expect(run).toBeTypeOf('function')
      return bytes / x.data.byteLength
    }
    const [plain, less] = [allocated(layer), allocated(checkpoint(layer))]
    expect(less).toBeLessThan(0.4 * plain)
  })

  test('refuses unknown policies', () => {
    expect(() => checkpoint(layer, { policy: 'some' as never })).toThrow(
      /policy is some, expected nothing, dots/,
    )
  })
})
