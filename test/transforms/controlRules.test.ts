/** What control flow costs, prints and refuses. */
import { describe, expect, test, vi } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { optimize } from '../../src/ops/optimize.js'
import { explain } from '../../src/program/explain.js'
import { forecast } from '../../src/program/forecast.js'
import { shareCommonSubexpressions } from '../../src/program/passes/commonSubexpressions.js'
import { type Program, subprograms } from '../../src/program/program.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import { checkpoint } from '../../src/transforms/custom/checkpoint.js'
import { customJvp } from '../../src/transforms/custom/customJvp.js'
import {
  cond,
  foriLoop,
  grad,
  hessian,
  jvp,
  scan,
  switchCase,
  trace,
  vmap,
  whileLoop,
} from '../../src/transforms/index.js'
import { expectClose } from '../helpers/derivatives.js'

/** h <- tanh(W h + x), T times, with the sum of squares of all h. */
const recurrent =
  (steps: number, settings: Parameters<typeof scan>[3] = {}) =>
  (w: Tensor) => {
    const xs = np.reshape(np.sin(np.arange(steps * 3)), [steps, 3])
    const [, ys] = scan(
      (h, x) => {
        const next = np.tanh(np.add(np.matmul(w, h), x))
        return [next, np.sum(np.square(next))]
      },
      np.zeros([3]),
      xs,
      settings,
    )
    return np.sum(ys)
  }
const weight = tensor([0.5, -0.2, 0.1, 0.3, 0.4, -0.6, 0.2, 0.1, 0.7], { shape: [3, 3] })
const names = ({ equations }: Program) => equations.map(({ primitive }) => primitive.name)

describe('costs', () => {
  test('the derivative of a scan is one scan forwards and one backwards, of sizes that do not depend on its length', () => {
    const programs = [10, 1000].map((steps) => trace(grad(recurrent(steps)), weight).program)
    for (const program of programs) expect(names(program).filter((name) => name === 'scan')).toHaveLength(2)
    const size = (program: Program): number =>
      program.equations.reduce(
        (sum, { params }) => sum + 1 + subprograms(params).reduce((s, [, inner]) => s + size(inner), 0),
        0,
      )
    expect(size(programs[0]!)).toBe(size(programs[1]!))
  })

  test('the forecast is the number of steps times that of the body; of a while, one iteration', () => {
    const flops = (steps: number) => forecast(optimize(trace(grad(recurrent(steps)), weight).program)).flops
    expect(flops(200) / flops(100)).toBeCloseTo(2, 1)
    const loop = (x: Tensor) =>
      whileLoop(
        (y: Tensor) => np.less(np.sum(y), 9),
        (y) => np.add(y, 1),
        x,
      )
    const { program } = trace(loop, np.zeros([10]))
    expect(forecast(program).flops).toBe(10 + 1 + 10)
  })

  test('ten thousand steps take no deep recursion, forwards and backwards', () => {
    const steps = 10_000
    const f = (x: Tensor) =>
      foriLoop(0, steps, (_, c: Tensor) => np.add(np.multiply(c, 0.999), np.multiply(x, 0.001)), x)
    const expected = 1
    expectClose(grad(f)(1), [expected], 1e-9)
    expectClose(jvp(f, [1], [1])[1], [expected], 1e-9)
    const g = (x: Tensor) =>
      foriLoop(0, steps, (_, c: Tensor) => np.subtract(c, np.multiply(np.square(c), 1e-4)), x)
    const [h] = [1e-5]
    const slope = (np.subtract(g(tensor(1 + h)), g(tensor(1 - h))).item() as number) / (2 * h)
    expectClose(grad(g)(1), [slope], 1e-8)
  })

  test('what is the same in every step is computed once, before the loop', () => {
    const { program } = trace(
      (w: Tensor) =>
        scan((c, x) => [np.add(c, np.matmul(np.exp(w), x)), null], np.zeros([3]), np.ones([5, 3]))[0],
      weight,
    )
    expect(names(program)).toEqual(['exp', 'scan'])
    const residuals = trace(grad(recurrent(50)), weight).program.equations.flatMap(({ outputs }) => outputs)
    expect(residuals.filter(({ shape }) => `${shape}` === '50,3,3')).toEqual([])
  })

  test('unused carries, results, sequences and branches are dropped', () => {
    const f = (x: Tensor) => {
      const [{ a }, ys] = scan(
        ({ a, b, n }, e) => [
          { a: np.multiply(a, e.p), b: np.add(np.sin(b), e.q), n: np.add(n, 1) },
          { used: np.add(a, np.astype(n, 'float64')), not: np.exp(b) },
        ],
        { a: tensor(1), b: tensor(2), n: tensor(0, { dtype: 'int32' }) },
        { p: x, q: np.cos(x) },
      )
      return np.add(a, np.sum(ys.used))
    }
    const better = optimize(trace(f, np.ones([4])).program)
    expect(names(better)).toEqual(['scan', 'reduceSum', 'add'])
    expect(better.equations[0]!.outputs).toHaveLength(3)
    expect(better.equations[0]!.inputs).toHaveLength(3)
    const g = (x: Tensor) =>
      cond(
        np.less(x, 1),
        (y) => [np.sin(y), np.exp(y)],
        (y) => [y, y],
        x,
      )[0] as Tensor
    const branches = subprograms(optimize(trace(g, 0.5).program).equations.at(-1)!.params)
    expect(branches.map(([, branch]) => names(branch))).toEqual([[], ['sin']])
  })

  test('loops that do the same are computed once', () => {
    const loop = (x: Tensor) => scan((c, e) => [np.multiply(c, e), c], tensor(1), x)[0]
    const { program } = trace((x: Tensor) => np.add(loop(x), loop(x)), np.ones([4]))
    expect(names(shareCommonSubexpressions(program))).toEqual(['scan', 'add'])
    const other = (x: Tensor) => scan((c, e) => [np.add(c, e), c], tensor(1), x)[0]
    const different = trace((x: Tensor) => np.add(loop(x), other(x)), np.ones([4])).program
    expect(shareCommonSubexpressions(different)).toBe(different)
  })
})

describe('checkpoint', () => {
  test.each([true, 1, 4, 7, 30, 100])('of %s gives the derivatives that all residuals give', (checkpoint) => {
    for (const reverse of [false, true]) {
      const [plain, saving] = [recurrent(30, { reverse }), recurrent(30, { reverse, checkpoint })]
      expectClose(saving(weight), [...plain(weight).data], 1e-13)
      expectClose(grad(saving)(weight), [...grad(plain)(weight).data], 1e-13)
      expectClose(hessian(saving)(weight) as Tensor, [...(hessian(plain)(weight) as Tensor).data], 1e-12)
      const many = np.stack([weight, np.multiply(weight, 2)])
      expectClose(vmap(grad(saving))(many) as Tensor, [...(vmap(grad(plain))(many) as Tensor).data], 1e-13)
    }
  })

  test('takes memory as the square root of the number of steps, for at most one more evaluation', () => {
    const of = (steps: number, checkpoint: boolean) => {
      const f = (x: Tensor) => {
        const step = (c: Tensor) => [np.sin(np.multiply(np.exp(c), x)), null] as const
        return np.sum(scan(step, x, null, { length: steps, checkpoint })[0])
      }
      return forecast(optimize(trace(grad(f), np.ones([100])).program))
    }
    const [plain, saving] = [of(900, false), of(900, true)]
    expect(saving.peakBytes).toBeLessThan(plain.peakBytes / 8)
    expect(of(3600, true).peakBytes / saving.peakBytes).toBeLessThan(2.2)
    expect(saving.flops).toBeLessThan(1.7 * plain.flops)
  })
})

describe('rules of the user', () => {
  const body = (c: Tensor, e: Tensor) =>
    cond(
      np.less(c, 0.9),
      (c, e) => np.sin(np.add(np.multiply(c, e), np.exp(c))),
      (c, e) => np.multiply(c, e),
      c,
      e,
    )
  const loop = (step: typeof body) => (x: Tensor) =>
    scan((c: Tensor, e: Tensor) => [step(c, e), null], tensor(0.5), x)[0] as Tensor
  const ruled = customJvp(body, (xs, ts) => jvp(body, xs as never, ts as never))

  test.each([
    ['a checkpointed step', loop(checkpoint(body) as typeof body)],
    ['a checkpointed loop', checkpoint(loop(body)) as (x: Tensor) => Tensor],
    ['a step with a derivative of its own', loop(ruled as typeof body)],
  ])('%s has the derivatives of the plain one', (_, f) => {
    const x = tensor([0.3, 0.7, -0.2])
    for (const of of [grad, hessian])
      expectClose(of(f)(x) as Tensor, [...(of(loop(body))(x) as Tensor).data], 1e-13)
  })
})

describe('conditionals', () => {
  test('a known predicate or index runs one branch, at once', () => {
    const [taken, other] = [vi.fn((x: Tensor) => np.sin(x)), vi.fn((x: Tensor) => np.cos(x))]
    expect(cond(true, taken, other, 1).item()).toBe(Math.sin(1))
    expect(cond(tensor(0), other, taken, 1).item()).toBe(Math.sin(1))
    expect(switchCase(7, [other, taken], 1).item()).toBe(Math.sin(1))
    expect(switchCase(-1, [taken, other], 1).item()).toBe(Math.sin(1))
    expect(other).not.toHaveBeenCalled()
  })

  test('a branch that is not taken does no harm to derivatives', () => {
    const f = (x: Tensor) =>
      cond(
        np.greater(x, 0),
        (x) => np.sqrt(x),
        () => tensor(0),
        x,
      )
    expect([-1, 0, 4].map((x) => grad(f)(x).item())).toEqual([0, 0, 0.25])
  })

  test('a traced number of steps goes on in a while', () => {
    const f = (n: Tensor, x: Tensor) => foriLoop(0, n, (i, c: Tensor) => np.add(c, np.multiply(x, i)), x)
    const { program } = trace(f, tensor(3, { dtype: 'int32' }), tensor(2))
    expect(names(program)).toEqual(['while'])
    expectClose(vmap(f)(tensor([0, 3, 5], { dtype: 'int32' }), [1, 2, 3]) as Tensor, [1, 8, 33], 0)
  })
})

describe('printing', () => {
  test('programs inside a program are indented under the equation that runs them', () => {
    const f = (x: Tensor) =>
      cond(
        np.less(x, 1),
        (y) => np.sin(y),
        (y) => y,
        x,
      )
    expect(`${trace(f, 0.5)}`).toBe(
      [
        '(a:float64[]) =>',
        '  b:bool[] = less a 1',
        '  c:int32[] = cast{dtype="int32"} b',
        '  d:float64[] = switch c a',
        '    branches[0] = (a:float64[]) =>',
        '      return a',
        '    branches[1] = (a:float64[]) =>',
        '      b:float64[] = sin a',
        '      return b',
        '  return d',
      ].join('\n'),
    )
    expect(explain(trace(f, 0.5).program)).toContain('branches[1] = ')
  })
})

describe('errors', () => {
  const zero = tensor(0)
  test('a carry that changes is named with its types', () => {
    expect(() => scan(({ a }) => [{ a, b: np.ones([2]) }, null], { a: zero, b: zero }, np.ones([3]))).toThrow(
      'scan: the carry after one step at b: got float64[2], expected float64[]',
    )
    expect(() => scan((c) => [{ c }, null], zero, np.ones([3]))).toThrow(
      'scan: the carry after one step: got the tree {c:*}, expected one tensor',
    )
    expect(() =>
      whileLoop(
        (c: Tensor) => np.less(c, 3),
        (c) => np.astype(c, 'float32'),
        zero,
      ),
    ).toThrow('whileLoop: the carry after one step: got float32[], expected float64[]')
    expect(() => foriLoop(0, 3, (_, c: Tensor) => np.multiply(c, np.ones([2])), zero)).toThrow(
      'the carry after one step: got float64[2], expected float64[]',
    )
  })

  test('reverse mode through while says what to use', () => {
    const f = (x: Tensor) =>
      whileLoop(
        (c: Tensor) => np.less(c, 3),
        (c) => np.multiply(c, 2),
        x,
      )
    expect(jvp(f, [1], [1])[1].item()).toBe(4)
    expect(() => grad(f)(1)).toThrow(/whileLoop: reverse mode .* use foriLoop .* or scan/)
  })

  test('lengths, predicates and branches that do not fit', () => {
    const body = (c: Tensor) => [c, null] as const
    expect(() => scan(body, zero, null)).toThrow('scan: xs has no axis to run along')
    expect(() => scan(body, zero, null, { length: -1 })).toThrow('scan: length is -1')
    expect(() => scan(body, zero, [np.ones([2]), np.ones([3])])).toThrow(
      'scan: leaf 1 of xs is float64[3], expected 2',
    )
    expect(() => scan(body, zero, np.ones([4]), { checkpoint: 0.5 })).toThrow('scan: checkpoint is 0.5')
    expect(() => scan((c) => c as never, zero, np.ones([2]))).toThrow(
      'scan: the body must return an array of two',
    )
    expect(() =>
      whileLoop(
        (c: Tensor) => c,
        (c) => c,
        zero,
      ),
    ).toThrow('whileLoop: the condition returned float64[]')
    expect(() =>
      cond(
        np.array([true, false]),
        () => 1,
        () => 2,
      ),
    ).toThrow('cond: the predicate is bool[2]')
    expect(() => switchCase(0, [])).toThrow('switchCase: got no branches')
    expect(() => foriLoop(0.5, 2, (_, c: Tensor) => c, zero)).toThrow(
      'foriLoop: from is 0.5, expected an integer',
    )
    const f = (x: Tensor) =>
      cond(
        np.less(x, 1),
        (x) => ({ a: x }),
        () => ({ a: np.ones([2]) }),
        x,
      ).a
    expect(() => trace(f, 1)).toThrow('cond: the result of whenTrue, compared with whenFalse at a')
  })
})
