import { compileJs } from 'evolute/engines/js'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { grad, hessian, vmap } from 'evolute/transforms'
import { adam } from './adam.js'
import {
  differences,
  type Errors,
  errorsOf,
  mean,
  type Operator,
  polynomialFits,
  type Values,
} from './fieldOperators.js'
import {
  field,
  fieldGradient,
  fieldHessian,
  type HashField,
  initialField,
  type Located,
  locate,
} from './hashGrid.js'
import type { Paper } from './paper.js'

const [major, minor] = [0.27, 0.11]

/** The signed distance to a torus around (1/2, 1/2, 1/2). */
const torus = (points: Tensor): Tensor => {
  const [x, y, z] = np.split(np.subtract(points, 0.5), 3, { axis: -1 }) as [Tensor, Tensor, Tensor]
  const ring = np.subtract(np.hypot(x, y), major)
  return np.squeeze(np.subtract(np.hypot(ring, z), minor), { axis: -1 })
}

/** Points at normal distances of deviation `spread` in each coordinate from points of the torus. */
function nearSurface(random: Random, count: number, spread: number): Float64Array {
  const points = new Float64Array(3 * count)
  for (let i = 0; i < count; i++) {
    const [u, v] = [2 * Math.PI * random.uniform(), 2 * Math.PI * random.uniform()]
    const radius = major + minor * Math.cos(v)
    const onSurface = [radius * Math.cos(u), radius * Math.sin(u), minor * Math.sin(v)]
    onSurface.forEach((x, axis) => {
      points[3 * i + axis] = 0.5 + x + spread * random.normal()
    })
  }
  return points
}

type Loss = (f: HashField, at: Located, ...targets: Tensor[]) => Tensor
type Progress = (share: number) => Promise<void>

/** Adam in place, with batches from `draw` and a rate that falls from `rate` to a thirtieth. */
async function descend(
  f: HashField,
  loss: Loss,
  draw: () => [Located, ...Tensor[]],
  steps: number,
  rate: number,
  onStep: Progress,
): Promise<void> {
  const gradient = compileJs((f: HashField, ...batch: [Located, ...Tensor[]]) =>
    grad((f: HashField) => loss(f, ...batch))(f),
  )
  const update = adam([f.table, ...f.weights])
  for (let step = 0; step < steps; step++) {
    if (step % 20 === 0) await onStep(step / steps)
    const { table, weights } = gradient(f, ...draw()) as HashField
    update([table, ...weights], rate * 30 ** (-step / steps))
  }
}

const absoluteError: Loss = (f, at, target) => np.mean(np.abs(np.subtract(field(f, at), target!)))

/** Fits the field to the distance, half of each batch near the surface. */
function train(f: HashField, random: Random, steps: number, onStep: Progress): Promise<void> {
  const distance = compileJs(torus)
  const half = 512
  return descend(
    f,
    absoluteError,
    () => {
      const anywhere = Float64Array.from({ length: 3 * half }, () => random.uniform())
      const at = locate(Float64Array.of(...nearSurface(random, half, 0.02), ...anywhere))
      return [at, distance(at.points) as Tensor]
    },
    steps,
    0.01,
    onStep,
  )
}

/** Teaches the field's own gradient what an operator says of the field as it was, and keeps its values. */
function fineTune(
  f: HashField,
  operator: Operator,
  values: Values,
  random: Random,
  steps: number,
  onStep: Progress,
): Promise<void> {
  const [count, size] = [8192, 512]
  const points = nearSurface(random, count, 0.005)
  const { gradients } = operator(values, points)
  const before = values(points)
  const loss: Loss = (f, at, value, gradient) =>
    np.add(
      absoluteError(f, at, value!),
      np.multiply(0.1, np.mean(np.abs(np.subtract(fieldGradient(f, at), gradient!)))),
    )
  const pick = (data: ArrayLike<number>, width: number, chosen: readonly number[]) =>
    Float32Array.from(
      { length: width * size },
      (_, i) => data[chosen[Math.floor(i / width)]! * width + (i % width)]!,
    )
  return descend(
    f,
    loss,
    () => {
      const chosen = Array.from({ length: size }, () => Math.floor(random.uniform() * count))
      return [
        locate(pick(points, 3, chosen)),
        new Tensor(pick(before, 1, chosen)),
        new Tensor(pick(gradients, 3, chosen), [size, 3]),
      ]
    },
    steps,
    0.005,
    onStep,
  )
}

export const paper: Paper = {
  id: 'D14',
  title: 'Accurate differential operators for hybrid neural fields',
  authors: 'Chetan, Yang, Wang, Marschner, Hariharan',
  year: 2023,
  source: 'arXiv 2312.05984',
  claim:
    'Derivatives of polynomials fitted locally to a trained hash-grid field are more accurate than its own by automatic ' +
    'differentiation, and fine-tuning towards them makes its own accurate while the signal stays.',
  async run({ onStep, full }) {
    const random = new Random('D14')
    const f = initialField(random)
    await train(f, random, full ? 6000 : 1000, (share) => onStep(0.6 * share, 'training'))
    const count = 500
    const test = nearSurface(random, count, 0)
    const [points, at] = [new Tensor(test, [count, 3]), locate(test)]
    const truth = { gradients: vmap(grad(torus))(points).data, hessians: vmap(hessian(torus))(points).data }
    const value = compileJs(field)
    const values: Values = (points) => (value(f, locate(points)) as Tensor).data
    const distance = () => mean(Array.from(values(test), Math.abs))
    const byItself = () =>
      errorsOf({ gradients: fieldGradient(f, at).data, hessians: fieldHessian(f, at).data }, truth)
    const leastOf = (operators: readonly Operator[]): Errors => {
      const errors = operators.map((operator) => errorsOf(operator(values, test), truth))
      return {
        angle: Math.min(...errors.map(({ angle }) => angle)),
        curvature: Math.min(...errors.map(({ curvature }) => curvature)),
      }
    }
    await onStep(0.6, 'operators')
    const [autodiff, before] = [byItself(), distance()]
    const widths = [0.01, 0.02, 0.03]
    const fitted = leastOf(widths.map((width) => polynomialFits(random, width)))
    const differenced = leastOf(widths.map(differences))
    await fineTune(f, polynomialFits(random, 0.02), values, random, full ? 1000 : 300, (share) =>
      onStep(0.65 + 0.35 * share, 'fine-tuning'),
    )
    const [tuned, after] = [byItself(), distance()]
    const holds =
      fitted.angle < autodiff.angle / 3 &&
      fitted.curvature < autodiff.curvature / 3 &&
      tuned.angle < autodiff.angle / 2 &&
      after < 1.1 * before
    const best = `least of widths ${widths.join(', ')}; the finest grid has cells of 1/64`
    const angle = { paper: null, unit: 'degrees' }
    return {
      figures: [
        { ...angle, name: 'angle to the true gradient, autodiff', measured: autodiff.angle },
        { ...angle, name: 'the same, polynomial fits', measured: fitted.angle, note: best },
        { ...angle, name: 'the same, finite differences', measured: differenced.angle, note: best },
        { ...angle, name: 'the same, autodiff after fine-tuning', measured: tuned.angle },
        {
          name: 'relative error of the mean curvature, autodiff',
          paper: null,
          measured: autodiff.curvature,
          note: 'median; of a torus in the unit cube',
        },
        { name: 'the same, polynomial fits', paper: null, measured: fitted.curvature, note: best },
        { name: 'the same, finite differences', paper: null, measured: differenced.curvature, note: best },
        { name: 'the same, autodiff after fine-tuning', paper: null, measured: tuned.curvature },
        { name: 'distance where it is 0, before fine-tuning', paper: null, measured: before },
        { name: 'distance where it is 0, after fine-tuning', paper: null, measured: after },
      ],
      holds,
      verdict: holds
        ? `fits lower the error of the gradient ${(autodiff.angle / fitted.angle).toFixed(0)} times and of the curvature ${(autodiff.curvature / fitted.curvature).toFixed(0)} times; fine-tuning lowers that of the field's own gradient ${(autodiff.angle / tuned.angle).toFixed(1)} times and keeps the surface. Finite differences at their best width are ${(differenced.angle / fitted.angle).toFixed(1)} times worse than fits in the gradient and ${(differenced.curvature / fitted.curvature).toFixed(1)} times in the curvature. One small field on a known surface: the meshes of the paper are not compared.`
        : 'fits or fine-tuning do not lower the errors, or the surface moves.',
    }
  },
}
