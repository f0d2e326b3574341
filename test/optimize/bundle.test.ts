import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as np from 'evolute/numpy'
import { type BlockProblem, blockLeastSquares, leastSquares, robustLosses } from 'evolute/optimize'
import { Tensor, tensor } from 'evolute/tensor'
import { jacobian, ravel, vmap } from 'evolute/transforms'
import { Matrix, solve } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { blockDerivatives } from '../../src/optimize/schur/blockDerivatives.js'
import { observationsOf } from '../../src/optimize/schur/blockProblem.js'
import { type NormalEquations, normalEquations } from '../../src/optimize/schur/normalEquations.js'
import { reducedPattern } from '../../src/optimize/schur/reducedPattern.js'
import { solveByElimination } from '../../src/optimize/schur/schurComplement.js'
import { uniform } from '../helpers/random.js'
import { parseBundle, readText } from './bundleProblem.js'
import { bundleScene } from './bundleScene.js'

const scene = { cameras: 4, points: 12, visibility: 0.5, noise: 0.5, disturbance: 0.01, seed: 1 }

/** All residuals of a problem as a function of all its parameters, one observation after another. */
function wholeResidual({ residual, observations: { camera, point, data } }: BlockProblem) {
  const [ofCamera, ofPoint] = [Int32Array.from(camera), Int32Array.from(point)]
  return ({ cameras, points }: { cameras: Tensor; points: Tensor }) =>
    np.ravel(
      vmap(residual)(
        np.take(cameras, ofCamera, { axis: 0 }),
        np.take(points, ofPoint, { axis: 0 }),
        tensor(data as number[][]),
      ),
    )
}

/** The Jacobian of all residuals by all parameters, cameras first, and the residuals. */
function dense(problem: BlockProblem): { readonly j: Matrix; readonly r: Matrix } {
  const start = {
    cameras: tensor(problem.cameras as number[][]),
    points: tensor(problem.points as number[][]),
  }
  const [flat, unravel] = ravel(start)
  const whole = (x: Tensor) => wholeResidual(problem)(unravel(x))
  return {
    j: new Matrix(jacobian(whole)(flat).toArray() as number[][]),
    r: Matrix.columnVector(whole(flat).toArray() as number[]),
  }
}

function equationsOf(problem: BlockProblem): {
  readonly observations: ReturnType<typeof observationsOf>
  readonly equations: NormalEquations
} {
  const observations = observationsOf(problem)
  const { at } = blockDerivatives(problem.residual, observations)
  return { observations, equations: normalEquations(observations, at(observations.start)) }
}

describe('normal equations by blocks', () => {
  test('have the value and the gradient of the whole', () => {
    const problem = bundleScene(scene)
    const { j, r } = dense(problem)
    const { equations } = equationsOf(problem)
    expect(equations.value).toBeCloseTo(r.norm() ** 2 / 2, 6)
    const gradient = j.transpose().mmul(r)
    const error = Matrix.columnVector(Array.from(equations.gradient)).sub(gradient).norm()
    expect(error).toBeLessThan(1e-12 * gradient.norm())
  })

  test.each([
    ['that all see all', { visibility: 1 }],
    ['that see few', { visibility: 0 }],
    ['one of which is unused', { visibility: 0.3, unused: true }],
    ['of which some see a point twice', { visibility: 0.5, repeated: true }],
  ])(
    'solved by elimination take the step of a dense system, for cameras %s',
    (_, { visibility, ...special }) => {
      const made = bundleScene({ ...scene, visibility, seed: 2 })
      const problem = 'unused' in special ? withUnused(made) : 'repeated' in special ? repeated(made) : made
      const { j, r } = dense(problem)
      const { observations, equations } = equationsOf(problem)
      const random = uniform(3)
      const damping = Float64Array.from({ length: observations.start.length }, () => 1 + random())
      const move = solveByElimination(observations, equations, reducedPattern(observations), damping)!
      const system = j
        .transpose()
        .mmul(j)
        .add(Matrix.diag(Array.from(damping)))
      const expected = solve(system, j.transpose().mmul(r).neg())
      const error = Matrix.columnVector(Array.from(move)).sub(expected).norm()
      expect(error).toBeLessThan(1e-7 * expected.norm())
    },
  )
})

/** With one more camera and point that are in no observation. */
const withUnused = (problem: BlockProblem): BlockProblem => ({
  ...problem,
  cameras: [...(problem.cameras as number[][]), [0.1, 0, 0, 0, 0, -6, 500, 0, 0]],
  points: [...(problem.points as number[][]), [0, 0, 0]],
})

function repeated({ observations: { camera, point, data }, ...problem }: BlockProblem): BlockProblem {
  const again = [0, 3, 7]
  const twice = <T>(xs: ArrayLike<T>) => [...Array.from(xs), ...again.map((k) => xs[k]!)]
  const pixels = (data as number[][]).map(([x, y]) => [x! + 0.1, y!])
  return { ...problem, observations: { camera: twice(camera), point: twice(point), data: twice(pixels) } }
}

describe('blockLeastSquares', () => {
  test.each([1, 2, 3])('reaches the value of the dense solver on scene %i', async (seed) => {
    const problem = bundleScene({ ...scene, points: 15, visibility: 0.7, seed })
    const result = await blockLeastSquares(problem, { tolerance: 1e-13 })
    const start = { cameras: problem.cameras, points: problem.points }
    const expected = await leastSquares(wholeResidual(problem), start, { tolerance: 1e-6, maxSteps: 100 })
    expect(result.converged).toBe(true)
    expect(result.value).toBeLessThan(expected.value * (1 + 1e-6))
    expect(result.value).toBeGreaterThan(expected.value * (1 - 1e-6))
  })

  test('finds a scene without noise, up to the motion of all that pixels do not show', async () => {
    const problem = bundleScene({ ...scene, noise: 0, visibility: 1, points: 20 })
    const { value, history } = await blockLeastSquares(problem, { maxSteps: 60 })
    expect(history[0]!.value).toBeGreaterThan(10)
    expect(value).toBeLessThan(1e-10)
  })

  test('fits more observations than it computes at once', async () => {
    const problem = bundleScene({ ...scene, cameras: 6, points: 450, visibility: 0.4 })
    expect(problem.observations.camera.length).toBeGreaterThan(1024)
    const { value, converged } = await blockLeastSquares(problem)
    const count = problem.observations.camera.length
    const freedom = 2 * count - 6 * 9 - 450 * 3 + 7
    // Uniform noise within half a pixel has variance 1 / 12.
    expect((2 * value) / freedom).toBeGreaterThan(0.9 / 12)
    expect((2 * value) / freedom).toBeLessThan(1.1 / 12)
    expect(converged).toBe(true)
  })

  test('does not depend on the order of observations but for rounding', async () => {
    const problem = bundleScene(scene)
    const { camera, point, data } = problem.observations
    const reversed = <T>(xs: ArrayLike<T>) => Array.from(xs).reverse()
    const other = { camera: reversed(camera), point: reversed(point), data: reversed(data as number[][]) }
    const [a, b] = [
      await blockLeastSquares(problem),
      await blockLeastSquares({ ...problem, observations: other }),
    ]
    expect(b.value).toBeCloseTo(a.value, 8)
  })

  test('fits observations of more residuals than parameters, of blocks of other sizes', async () => {
    const random = uniform(7)
    const [t, rate, scale] = [
      [0, 0.5, 1, 2],
      [0.3, 0.6, 1.1],
      [1, 2, 3, 4, 5],
    ]
    const seen = rate.flatMap((_, c) => scale.map((_, p) => ({ c, p })))
    const curve = ({ c, p }: { c: number; p: number }) => t.map((x) => scale[p]! * Math.exp(-rate[c]! * x))
    const problem: BlockProblem = {
      residual: (camera, point, data) =>
        np.subtract(np.multiply(point, np.exp(np.multiply(np.negative(camera), t))), data),
      cameras: rate.map(() => [0.5]),
      points: scale.map(() => [2]),
      observations: {
        camera: seen.map(({ c }) => c),
        point: seen.map(({ p }) => p),
        data: seen.map((which) => curve(which).map((y) => y + 0.1 * random())),
      },
    }
    const result = await blockLeastSquares(problem, { tolerance: 1e-14 })
    const start = { cameras: problem.cameras, points: problem.points }
    const expected = await leastSquares(wholeResidual(problem), start)
    expect(result.value).toBeCloseTo(expected.value, 12)
    result.cameras.data.forEach((x, i) => {
      expect(x).toBeCloseTo(expected.point.cameras.data[i]!, 6)
    })
  })

  test('with a robust loss keeps outliers from moving the rest', async () => {
    const problem = bundleScene({ ...scene, points: 30, visibility: 1 })
    const data = (problem.observations.data as number[][]).map(([x, y], k) => [
      x! + (k % 17 === 0 ? 80 : 0),
      y!,
    ])
    const spoilt = { ...problem, observations: { ...problem.observations, data } }
    const inliers = (result: { cameras: Tensor; points: Tensor }) => {
      const all = wholeResidual(spoilt)(result).data as Float64Array
      return Math.sqrt(
        all.filter((_, i) => (i >> 1) % 17 !== 0).reduce((sum, x) => sum + x * x, 0) / all.length,
      )
    }
    const [plain, robust] = [
      await blockLeastSquares(spoilt),
      await blockLeastSquares(spoilt, { loss: 'cauchy', lossScale: 1 }),
    ]
    expect(inliers(plain)).toBeGreaterThan(2)
    expect(inliers(robust)).toBeLessThan(0.5)
    const lengths = wholeResidual(spoilt)(robust).toArray() as number[]
    let value = 0
    for (let k = 0; k < lengths.length; k += 2)
      value += robustLosses.cauchy.at(lengths[k]! ** 2 + lengths[k + 1]! ** 2)[0] / 2
    expect(robust.value).toBeCloseTo(value, 8)
  })

  test('continues from a state with the same digits', async () => {
    const problem = bundleScene(scene)
    const whole = await blockLeastSquares(problem, { maxSteps: 6 })
    const { state } = await blockLeastSquares(problem, { maxSteps: 3 })
    const rest = await blockLeastSquares(problem, { maxSteps: 3, state })
    expect(rest.state.point).toEqual(whole.state.point)
    expect(rest.iterations).toBe(whole.iterations)
  })

  test('says when its steps were too few, reports each, and stops when aborted', async () => {
    const problem = bundleScene(scene)
    const seen: number[] = []
    const result = await blockLeastSquares(problem, { maxSteps: 2, onStep: ({ value }) => seen.push(value) })
    expect(result).toMatchObject({ converged: false, reason: 'maxSteps', iterations: 2, evaluations: 3 })
    expect(seen).toEqual(result.history.slice(1).map(({ value }) => value))
    const controller = new AbortController()
    const running = blockLeastSquares(problem, {
      signal: controller.signal,
      onStep: () => controller.abort(),
    })
    await expect(running).rejects.toThrow('abort')
  })

  test('serves any blocks: lines through points of unknown position', async () => {
    const [slopes, positions] = [
      [0.5, -1, 2],
      [0, 1, 2, 3, 4],
    ]
    const pairs = slopes.flatMap((slope, c) => positions.map((x, p) => ({ c, p, y: slope * x + c })))
    const anchors = positions.map((x, p) => ({ c: 3, p, y: x }))
    const all = [...pairs, ...anchors]
    const result = await blockLeastSquares(
      {
        residual: (line, x, y) =>
          np.add(np.multiply(np.slice(line, [0, 1]), x), np.subtract(np.slice(line, [1, 2]), y)),
        cameras: [
          [1, 0],
          [1, 0],
          [1, 0],
          [1, 0],
        ],
        points: positions.map((x) => [x + 0.3]),
        observations: {
          camera: all.map(({ c }) => c),
          point: all.map(({ p }) => p),
          data: all.map(({ y }) => [y]),
        },
      },
      { tolerance: 1e-12 },
    )
    expect(result.value).toBeLessThan(1e-20)
  })

  test('refuses what does not fit together', async () => {
    const problem = bundleScene(scene)
    const { observations } = problem
    const refused = (changed: Partial<BlockProblem>, message: string) =>
      expect(blockLeastSquares({ ...problem, ...changed })).rejects.toThrow(message)
    await refused({ cameras: [1, 2] }, 'cameras: got shape [2], expected [blocks, parameters of each]')
    await refused({ points: [[0, 0, Number.NaN]] }, 'points: parameter 2 of block 0 is NaN')
    await refused(
      { points: [[0, 0, 0]] },
      'observations.point: index 3 is 1, expected from 0 to 0 for 1 blocks',
    )
    await refused(
      { observations: { ...observations, camera: [0] } },
      `observations.camera: got 1 indices, expected ${observations.point.length}`,
    )
    await refused(
      {
        cameras: new Tensor(new Float64Array(36), [4, 9]),
        points: new Tensor(new Float64Array(36), [12, 3]),
      },
      'expected a finite number',
    )
    const single = { camera: [0], point: [0], data: [[0, 0]] }
    await refused({ observations: single }, 'residual: got 2 residuals for 72 parameters')
    await expect(blockLeastSquares(problem, { lossScale: 0 })).rejects.toThrow('lossScale: got 0')
  })
})

const file = join(process.env.EVOLUTE_DATA ?? '', 'bal', 'problem-49-7776-pre.txt.gz')
describe.skipIf(!process.env.EVOLUTE_DATA)('problem-49-7776 (skipped where EVOLUTE_DATA is not set)', () => {
  test('comes down to what Ceres reaches in 50 iterations', async () => {
    expect(existsSync(file)).toBe(true)
    const { history, value } = await blockLeastSquares(parseBundle(readText(file)), { maxSteps: 50 })
    expect(history[0]!.value).toBeCloseTo(8.509125e5, 0)
    expect(value).toBeLessThan(1.3344295e4)
  }, 240_000)
})
