import type { Box } from '../box.js'
import { checkedMethod, type Descent } from '../descent.js'
import { type DescentState, descentSolver, nearby, satisfactory } from '../descentSolver.js'
import { reasons } from '../reason.js'
import { backtracking, damping, type Search, trustRegion } from '../search.js'
import type { IterationState, Solver } from '../solver.js'
import { conjugateDirections } from './conjugateGradient.js'
import { type ConsensusOptions, consensus } from './consensus.js'
import { boundedLimitedMemory } from './lbfgsb.js'
import { limitedMemory } from './limitedMemory.js'
import type { FunctionModel } from './model.js'
import { nelderMead } from './nelderMead.js'
import { cubicNewton, newton, trustRegionNewton } from './newton.js'
import type { FunctionObjective } from './objective.js'
import { projectedNewton } from './projectedNewton.js'
import { viewFor } from './quadratic.js'
import {
  dampedNewton,
  gradientNormalizedNewton,
  gradientRegularizedNewton,
  gradientTest,
  schedules,
} from './regularized.js'
import { strongWolfe } from './wolfe.js'

/** What a method starts from. */
export interface MinimizeProblem {
  readonly objective: FunctionObjective
  readonly start: Float64Array
  readonly box: Box & { readonly bounded: boolean }
  readonly tolerance: number
}

/** A descent with a search; both combine freely. */
export interface DescentMethod {
  // biome-ignore lint/suspicious/noExplicitAny: each descent remembers what it likes
  readonly descent: Descent<FunctionModel, any>
  readonly search: Search
}

/** Makes the solver of a problem. */
export type SolverMethod = (problem: MinimizeProblem) => Solver<IterationState>

interface NamedMethod {
  /** Whether it keeps to bounds. */
  readonly bounds?: boolean
  readonly make: (problem: MinimizeProblem) => DescentMethod | Solver<never>
}

const dense = { view: 'dense' } as const
const krylov = { view: 'krylov' } as const
const suited = ({ start }: MinimizeProblem) => ({ view: viewFor(start.length) })

const methods = {
  lbfgs: { make: () => ({ descent: limitedMemory(), search: strongWolfe() }) },
  lbfgsb: {
    bounds: true,
    make: ({ box }) => ({ descent: boundedLimitedMemory(box), search: strongWolfe() }),
  },
  conjugateGradient: { make: () => ({ descent: conjugateDirections, search: strongWolfe({ slope: 0.1 }) }) },
  newton: { make: () => ({ descent: newton(dense), search: backtracking() }) },
  newtonCG: { make: () => ({ descent: newton(krylov), search: backtracking() }) },
  projectedNewton: {
    bounds: true,
    make: ({ box }) => ({ descent: projectedNewton(box), search: backtracking() }),
  },
  trustRegionNewton: { make: () => ({ descent: trustRegionNewton(dense), search: trustRegion() }) },
  trustRegionKrylov: { make: () => ({ descent: trustRegionNewton(krylov), search: trustRegion() }) },
  cubicNewton: { make: (problem) => ({ descent: cubicNewton(suited(problem)), search: damping() }) },
  gradientRegularizedNewton: {
    make: (problem) => ({
      descent: gradientRegularizedNewton(suited(problem)),
      search: gradientTest({ by: 'slope', factor: 4 }),
    }),
  },
  gradientNormalizedNewton: {
    make: (problem) => ({ descent: gradientNormalizedNewton(suited(problem)), search: gradientTest() }),
  },
  dampedNewton: {
    make: (problem) => ({
      descent: dampedNewton(suited(problem), schedules.universal()),
      search: gradientTest({ by: 'slope', part: 1 / 2 }),
    }),
  },
  nelderMead: {
    bounds: true,
    make: ({ objective, ...problem }) =>
      nelderMead({ value: objective.valueAlone, ...problem }) as Solver<never>,
  },
  consensus: { bounds: true, make: (problem) => consensusBased()(problem) as Solver<never> },
} satisfies Record<string, NamedMethod>

export type MinimizeMethodName = keyof typeof methods

/** Consensus-based optimisation with other options than its own. */
export const consensusBased =
  (options: ConsensusOptions = {}): SolverMethod =>
  ({ objective, ...problem }) =>
    consensus({ value: objective.valueAlone, ...problem }, options) as Solver<never>

/**
 * The default: with exact derivatives and up to 200 parameters `trustRegionNewton`, within bounds `projectedNewton`; else
 * `lbfgs` and `lbfgsb`.
 */
function defaultMethod({ start, box }: MinimizeProblem, exact: boolean): MinimizeMethodName {
  const small = exact && viewFor(start.length) === 'dense'
  if (box.bounded) return small ? 'projectedNewton' : 'lbfgsb'
  return small ? 'trustRegionNewton' : 'lbfgs'
}

export interface ChosenMethod {
  readonly name: string
  readonly solver: Solver<IterationState>
}

/** @throws when the name is unknown, or the method knows nothing of bounds that there are. */
export function chooseMethod(
  chosen: MinimizeMethodName | DescentMethod | SolverMethod | undefined,
  problem: MinimizeProblem,
  exact: boolean,
): ChosenMethod {
  if (typeof chosen === 'function') return { name: chosen.name, solver: chosen(problem) }
  if (typeof chosen === 'object') return descending(checkedMethod(chosen), problem)
  const name = chosen ?? defaultMethod(problem, exact)
  if (!Object.hasOwn(methods, name))
    throw new Error(`method: got ${JSON.stringify(name)}, expected one of ${Object.keys(methods).join(', ')}`)
  const method: NamedMethod = methods[name]
  if (problem.box.bounded && !method.bounds) {
    const fit = Object.entries(methods).flatMap(([key, { bounds }]: [string, NamedMethod]) =>
      bounds ? key : [],
    )
    throw new Error(`method: ${name} does not keep to bounds, expected one of ${fit.join(', ')}`)
  }
  const made = method.make(problem)
  return 'descent' in made ? { ...descending(made, problem), name } : { name, solver: made }
}

function descending({ descent, search }: DescentMethod, problem: MinimizeProblem): ChosenMethod {
  const { objective, start, tolerance } = problem
  const solver = descentSolver(objective, descent, search, start)
  return {
    name: `${descent.name} with ${search.name}`,
    solver: relative(solver, tolerance, descent.estimated) as Solver<never>,
  }
}

/** A state that knows the value with which it began. */
type ReferredState = DescentState & { readonly first: number }

/**
 * Ends where the full step promises less than tolerance^2 of the value, or of what has been gained since the start. What is
 * called a minimum has a small gradient; or, where its curvature is known, a small decrement.
 */
function relative(solver: Solver<DescentState>, tolerance: number, estimated = false): Solver<ReferredState> {
  return {
    async init() {
      const state = await solver.init()
      return { ...state, first: state.value }
    },
    step: async (state) => ({ ...(await solver.step(state)), first: state.first }),
    terminate(state) {
      const { decrement, value, first, optimality } = state
      const size = Math.max(Math.abs(value), first - value)
      // The gradient was measured by the value, or by 1 where that is more.
      const isFlat = optimality * Math.max(Math.abs(value), 1) <= satisfactory * size
      const isShown = isFlat || (!estimated && decrement <= Math.max(tolerance ** 2, nearby) * size)
      if (isShown && decrement <= tolerance ** 2 * size) return state.reason ?? 'optimal'
      const reason = solver.terminate(state)
      return reason && reasons[reason].converged && !isShown ? 'stalled' : reason
    },
    record: solver.record,
  }
}
