import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { check, forecast } from 'evolute/program'
import { Tensor } from 'evolute/tensor'
import { jvp, trace, valueAndGrad, vjp } from 'evolute/transforms'
import { optimize } from '../src/ops/optimize.js'
import { primitives } from '../src/ops/table.js'
import type { Paper } from './paper.js'

const random = new Random('D1')
const normal = (...shape: number[]) => new Tensor(random.normals(shape.reduce((n, m) => n * m, 1)), shape)

const [w, kernel] = [normal(8, 6), normal(4, 3, 5)]

/** Functions that between them use every kind of operation. */
const programs: Readonly<Record<string, [f: (x: Tensor) => Tensor, shape: number[]]>> = {
  elementwise: [(x) => np.multiply(np.sin(np.exp(x)), np.tanh(np.divide(x, np.add(np.square(x), 1)))), [20]],
  kinks: [(x) => np.maximum(np.abs(x), np.multiply(np.relu(x), 2)), [20]],
  network: [(x) => np.tanh(np.matmul(w, np.tanh(x))), [6, 5]],
  convolution: [(x) => np.square(np.conv(x, kernel)), [2, 3, 16]],
  softmax: [(x) => np.multiply(np.logSoftmax(x), np.softmax(x)), [4, 7]],
  sorting: [(x) => np.multiply(np.sort(x), np.cumsum(x)), [9]],
  reductions: [(x) => np.add(np.std(x, { axis: 0 }), np.max(x, { axis: 0 })), [6, 4]],
}

const inner = (a: Tensor, b: Tensor) => np.sum(np.multiply(a, b)).item()

export const paper: Paper = {
  id: 'D1',
  title: 'The simple essence of automatic differentiation',
  authors: 'Elliott',
  year: 2018,
  source: 'arXiv 1804.00746',
  claim:
    'Forward and reverse mode are one algorithm with two representations of linear maps: ' +
    'no tape, no mutation, and the derivative of each operation is stated once.',
  async run({ onStep }) {
    const kinds = Object.entries(programs)
    let gap = 0
    for (const [i, [name, [f, shape]]] of kinds.entries()) {
      await onStep(i / (kinds.length + 1), name)
      const [x, v] = [normal(...shape), normal(...shape)]
      const [y, moved] = jvp(f, [x], [v])
      const u = normal(...y.shape)
      const byForward = inner(u, moved)
      const byReverse = inner(vjp(f, x)[1](u)[0], v)
      const scale = Math.sqrt(inner(u, u) * inner(moved, moved)) || 1
      gap = Math.max(gap, Math.abs(byForward - byReverse) / scale)
    }
    await onStep(kinds.length / (kinds.length + 1), 'cost')
    const weights = { first: normal(64, 64), second: normal(64, 64) }
    const loss = (p: typeof weights, x: Tensor) =>
      np.sum(np.square(np.matmul(np.tanh(np.matmul(x, p.first)), p.second)))
    const [plain, gradient] = [loss, valueAndGrad(loss)].map((f) =>
      optimize(trace(f as (...args: unknown[]) => unknown, weights, normal(128, 64)).program),
    )
    const ratio = forecast(gradient!).flops / forecast(plain!).flops
    check(gradient!)
    const rules = primitives.filter((row) => row.derivative ?? row.differentiate).length
    // Only linear operations may state how they run backwards; all else follows from their derivative.
    const doubled = primitives.filter(
      ({ transpose, scalar }) =>
        transpose && scalar?.length === 1 && Math.abs(scalar(1.3) + scalar(0.4) - scalar(1.7)) > 1e-12,
    )
    const holds = gap <= 1e-12 && ratio <= 5 && rules === primitives.length && doubled.length === 0
    return {
      figures: [
        { name: 'operations in the table', paper: null, measured: primitives.length },
        { name: 'rules of derivative', paper: null, measured: rules, note: 'one for each operation' },
        {
          name: 'rules of transposition',
          paper: null,
          measured: primitives.filter((row) => row.transpose).length,
          note: 'operations that are linear in an input',
        },
        {
          name: 'operations of one number with both a derivative and a reverse rule',
          paper: 0,
          measured: doubled.length,
        },
        {
          name: 'largest |<u, J v> - <J^T u, v>|',
          paper: 'equal',
          measured: gap,
          note: `relative, ${kinds.length} programs`,
        },
        {
          name: 'operations of value and gradient over those of value',
          paper: null,
          measured: ratio,
          note: 'two-layer network; 5 is the bound of Griewank for reverse mode',
        },
        {
          name: 'equations of the gradient program',
          paper: null,
          measured: gradient!.equations.length,
          note: 'each variable assigned once',
        },
      ],
      holds,
      verdict: holds
        ? 'the same rules give both modes, which agree to rounding; the gradient is a program like any other, without tape or mutable state.'
        : 'forward and reverse mode differ, or reverse mode costs more than it may.',
    }
  },
}
