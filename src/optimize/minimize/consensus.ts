import { Random } from '../../linalg/random.js'
import { type Box, clamp } from '../box.js'
import type { Awaitable, IterationState, Solver } from '../solver.js'

export interface ConsensusOptions {
  /** Default 20 for each parameter, 100 at least. */
  readonly particles?: number
  /** How strongly particles go to the consensus. Default 1. */
  readonly drift?: number
  /** How strongly they are shaken, in proportion to their distance from it. Default 7. */
  readonly noise?: number
  /** How much better particles count more in the consensus, relative to the spread of values. Default 1000. */
  readonly weight?: number
  /** Default 0.01: particles then come closer by a fifth in a step, in the geometric mean. */
  readonly timeStep?: number
  /** The standard deviation of the first particles around the start; within bounds they are spread evenly. Default 1. */
  readonly spread?: number
  readonly seed?: number | string
}

/** A swarm of points. */
export interface SwarmState extends IterationState {
  readonly particles: readonly Float64Array[]
  readonly values: readonly number[]
  /** The largest standard deviation of a parameter among particles. */
  readonly spread: number
  readonly accepted: boolean
}

interface Problem {
  readonly value: (x: Float64Array) => Awaitable<number>
  readonly start: Float64Array
  readonly box: Box
  readonly tolerance: number
}

/**
 * Consensus-based optimisation with noise in each direction by itself (Pinnau, Totzeck, Tse and Martin 2017; Carrillo,
 * Jin, Li and Zhu 2021): x += -drift dt (x - c) + noise sqrt(dt) (x - c) * normal, where c is the mean of all particles
 * weighted by exp(-weight f), f measured in the present spread of values. For global minima without derivatives.
 */
export function consensus(
  { value, start, box, tolerance }: Problem,
  options: ConsensusOptions = {},
): Solver<SwarmState> {
  const n = start.length
  const { particles: count = Math.max(100, 20 * n), drift = 1, noise = 7, weight = 1000 } = options
  const { timeStep = 0.01, spread = 1, seed = 0 } = options
  const random = new Random(seed).split('consensus')

  const judged = async (
    particles: readonly Float64Array[],
    best: { readonly point: Float64Array; readonly value: number },
    iteration: number,
  ): Promise<SwarmState> => {
    const values: number[] = []
    for (const x of particles) {
      const y = await value(x)
      values.push(Number.isNaN(y) ? Infinity : y)
    }
    const least = values.indexOf(Math.min(...values))
    const accepted = values[least]! < best.value
    const top = accepted ? { point: particles[least]!, value: values[least]! } : best
    return { iteration, particles, values, spread: spreadOf(particles), accepted, ...top }
  }

  return {
    async init() {
      const first = await value(start)
      if (!Number.isFinite(first))
        throw new Error(
          `start: the function is ${first} there, expected a finite number; start at a point of its domain`,
        )
      const draw = random.split('start')
      const between = (i: number) => {
        const [low, high] = [box.lower[i]!, box.upper[i]!]
        return high - low < Infinity
          ? low + (high - low) * draw.uniform()
          : start[i]! + spread * draw.normal()
      }
      const particles = Array.from({ length: count }, () =>
        clamp(
          start.map((_, i) => between(i)),
          box,
        ),
      )
      return judged(particles, { point: start, value: first }, 0)
    },
    step({ particles, values, iteration, point, value: best }) {
      const c = consensusPoint(particles, values, weight)
      const normals = random.split(iteration).normals(count * n)
      const moved = particles.map((x, k) =>
        clamp(
          x.map((xi, i) => {
            const away = xi - c[i]!
            return xi - drift * timeStep * away + noise * Math.sqrt(timeStep) * away * normals[k * n + i]!
          }),
          box,
        ),
      )
      return judged(moved, { point, value: best }, iteration + 1)
    },
    terminate({ reason, value, spread, point }) {
      if (reason) return reason
      if (value === -Infinity) return 'unbounded'
      return spread <= tolerance * Math.max(1, ...point.map(Math.abs)) ? 'collapsed' : undefined
    },
    record: ({ iteration, value, values, spread, accepted }) => ({
      iteration,
      value,
      size: spread,
      accepted,
      decrement: Math.max(...values) - value,
      optimality: Number.NaN,
    }),
  }
}

function consensusPoint(
  particles: readonly Float64Array[],
  values: readonly number[],
  weight: number,
): Float64Array {
  const least = Math.min(...values)
  const finite = values.filter(Number.isFinite)
  const mean = finite.reduce((sum, y) => sum + y - least, 0) / finite.length
  const weights = values.map((y) => (mean > 0 ? Math.exp((-weight * (y - least)) / mean) : 1))
  const total = weights.reduce((sum, w) => sum + w, 0)
  return particles[0]!.map((_, i) => particles.reduce((sum, x, k) => sum + (weights[k]! / total) * x[i]!, 0))
}

function spreadOf(particles: readonly Float64Array[]): number {
  const deviation = (i: number) => {
    const mean = particles.reduce((sum, x) => sum + x[i]!, 0) / particles.length
    return Math.sqrt(particles.reduce((sum, x) => sum + (x[i]! - mean) ** 2, 0) / particles.length)
  }
  return Math.max(...Array.from(particles[0]!, (_, i) => deviation(i)))
}
