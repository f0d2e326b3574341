import { ekfac, lossGaussNewton, lossPass, type Problem } from 'evolute/curvature'
import { conjugateGradient, shiftOperator, toDense } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { Tensor } from 'evolute/tensor'
import { seconds } from './timing.js'

/** The damping of Grosse et al. 2023: a tenth of the mean eigenvalue. */
const dampingShare = 0.1

const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!
    aa += a[i]! ** 2
    bb += b[i]! ** 2
  }
  return ab / Math.sqrt(aa * bb)
}

/** Gradients of single samples that are multiplied by the inverse, as influence functions do. */
const gradients = 10

/**
 * EK-FAC's inverse products with samples' gradients against conjugate gradients on the Gauss-Newton matrix: the mean
 * cosine with the exact solutions, and the time for one gradient; CG takes as many steps as it needs to be as near.
 */
export async function inverseRows(problem: Problem): Promise<string[]> {
  const curvature = await lossGaussNewton(problem, { precision: 'float64' })
  const n = curvature.rows
  const structured = await ekfac(problem, { kind: 'exact', precision: 'float64' })
  const damping = (dampingShare * structured.trace()) / n
  const damped = shiftOperator(curvature, damping)
  const inverse = structured.inverse(damping)

  const pass = await lossPass(problem, { batch: 1 })
  const right: Float64Array[] = []
  for (let i = 0; i < gradients; i++) right.push(await pass.gradientOf(pass.problem.theta, i))
  await pass.dispose()
  const columns = np.transpose(np.stack(right.map((b) => new Tensor(b))))
  const matrix = await toDense(damped, { block: curvature.plan.block })
  const truth = np.unstack(np.solve(matrix, columns), { axis: 1 })

  const nearness = async (solve: (b: Float64Array) => Promise<ArrayLike<number>>) => {
    let sum = 0
    for (const [i, b] of right.entries()) sum += cosine(await solve(b), truth[i]!.data) / gradients
    return sum
  }
  const byStructure = async (b: Float64Array) => (await inverse.apply(new Tensor(b, [1, n]))).data
  const byGradients = (steps: number) => async (b: Float64Array) =>
    (await conjugateGradient(damped, b, { maxSteps: steps, tolerance: 1e-14 })).x
  const near = await nearness(byStructure)
  let steps = 1
  while ((await nearness(byGradients(steps))) < near) steps++
  const [fast, slow] = [
    await repeated(() => byStructure(right[0]!)),
    await repeated(() => byGradients(steps)(right[0]!)),
  ]
  const reached = await nearness(byGradients(steps))
  await curvature.dispose()
  return [
    `| EK-FAC | ${near.toFixed(4)} | ${show(fast)} | 1 |`,
    `| conjugate gradients, ${steps} steps | ${reached.toFixed(4)} | ${show(slow)} | ${(slow / fast).toFixed(1)} |`,
  ]
}

const show = (time: number) => `${(1000 * time).toPrecision(3)} ms`

async function repeated(compute: () => unknown): Promise<number> {
  await compute()
  const times: number[] = []
  for (let i = 0; i < 15; i++) times.push(await seconds(compute))
  return times.sort((a, b) => a - b)[7]!
}
