import { compileJs } from 'evolute/engines/js'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { grad, hvp, jvp, scan, trace } from 'evolute/transforms'
import { type Program, subprograms } from '../src/program/program.js'
import { type Paper, worst } from './paper.js'

const [inputs, state] = [3, 6]

interface Cell {
  readonly w: Tensor
  readonly u: Tensor
}

const random = new Random('D9')
const normal = (scale: number, ...shape: number[]) =>
  new Tensor(
    random.normals(shape.reduce((n, m) => n * m, 1)).map((x) => scale * x),
    shape,
  )
const cell: Cell = { w: normal(0.5, state, inputs), u: normal(0.4, state, state) }
const step = ({ w, u }: Cell, h: Tensor, x: Tensor) => np.tanh(np.add(np.matmul(w, x), np.matmul(u, h)))

/** The mean of squares of all outputs of a stateful network: the n-th depends on the first n inputs only. */
const fed = (cell: Cell, xs: Tensor): Tensor => {
  const [, hs] = scan((h: Tensor, x: Tensor) => [step(cell, h, x), step(cell, h, x)], np.zeros(state), xs)
  return np.mean(np.square(hs as Tensor))
}

const unrolled = (cell: Cell, xs: Tensor): Tensor => {
  let h = np.zeros(state)
  const outputs = np.unstack(xs).map((x) => {
    h = step(cell, h, x)
    return h
  })
  return np.mean(np.square(np.stack(outputs)))
}

/** Equations of a program and of those inside it. */
const equations = (program: Program): number =>
  program.equations.reduce(
    (sum, { params }) =>
      sum + 1 + subprograms(params).reduce((inside, [, part]) => inside + equations(part), 0),
    0,
  )

const flat = (c: Cell) => [...c.w.data, ...c.u.data]

export const paper: Paper = {
  id: 'D9',
  title: 'Differentiable causal computations via delayed trace',
  authors: 'Sprunger, Katsumata',
  year: 2019,
  source: 'arXiv 1903.01093',
  claim:
    'Stateful computations on sequences have a differential operator, an abstract backpropagation through time, with chain ' +
    'rule and symmetric second derivatives; it needs no unrolling.',
  async run({ onStep, full }) {
    await onStep(0, 'against unrolled code')
    const xs = normal(1, 40, inputs)
    const gap = worst(flat(grad(fed)(cell, xs)), flat(grad(unrolled)(cell, xs)))
    await onStep(0.15, 'second derivatives')
    const direction = { w: normal(1, state, inputs), u: normal(1, state, state) }
    const other = { w: normal(1, state, inputs), u: normal(1, state, state) }
    const second = (a: Cell, b: Cell) =>
      jvp((c: Cell) => jvp((d: Cell) => fed(d, xs), [c], [a])[1], [cell], [b])[1].item()
    const schwartz = Math.abs(second(direction, other) - second(other, direction))
    const product = hvp((c: Cell) => fed(c, xs))(cell, direction) as Cell
    const inner = flat(product).reduce((sum, value, i) => sum + value * flat(other)[i]!, 0)
    const reverse = Math.abs(inner - second(direction, other)) / Math.max(1, Math.abs(inner))
    await onStep(0.3, 'causality')
    const outputs = (xs: Tensor) =>
      scan((h: Tensor, x: Tensor) => [step(cell, h, x), step(cell, h, x)], np.zeros(state), xs)[1] as Tensor
    const late = new Tensor(
      Float64Array.from(xs.data, (_, i) => (i >= 20 * inputs ? 1 : 0)),
      xs.shape,
    )
    const early = jvp(outputs, [xs], [late])[1].data.subarray(0, 20 * state)
    const leak = worst(early, new Float64Array(early.length))
    const [short, long] = [10, full ? 1000 : 200]
    const count = (f: typeof fed, length: number) =>
      equations(trace(grad(f), cell, normal(1, length, inputs)).program)
    await onStep(0.4, 'size of programs')
    const byScan = count(fed, long) - count(fed, short)
    const [least, most] = [count(unrolled, short), count(unrolled, long)]
    await onStep(0.6, 'time')
    const compiled = compileJs(grad(fed))
    const sequence = normal(1, 2000, inputs)
    compiled(cell, sequence)
    const start = performance.now()
    compiled(cell, sequence)
    const milliseconds = performance.now() - start
    const holds = Math.max(gap, schwartz, reverse) <= 1e-12 && leak === 0 && byScan === 0
    return {
      figures: [
        {
          name: 'gradient by scan against unrolled',
          paper: 'equal',
          measured: gap,
          note: 'relative, 40 steps',
        },
        {
          name: 'asymmetry of second derivatives',
          paper: 0,
          measured: schwartz,
          note: 'forward over forward',
        },
        { name: 'reverse against forward second derivatives', paper: 'equal', measured: reverse },
        { name: 'derivative of early outputs by late inputs', paper: 0, measured: leak },
        {
          name: `more equations of the gradient for ${long} steps than for ${short}`,
          paper: 0,
          measured: byScan,
          note: `unrolled: ${most - least} more`,
        },
        { name: 'gradient through 2000 steps', paper: null, measured: milliseconds, unit: 'ms' },
      ],
      holds,
      verdict: holds
        ? 'the gradient of a scan is a scan, equal to that of unrolled code, with symmetric second derivatives.'
        : 'the scan and the unrolled code differ, or the program grows with the length.',
    }
  },
}
