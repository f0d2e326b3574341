import { type LinearOperator, operatorDType, requireSquare } from '../operators/operator.js'
import { countProducts, type Products, type Progress, requireCount } from '../products.js'
import { Random } from '../random.js'
import { axpy, divide, dot, norm, orthogonalize, randomDirection, type Vector } from '../vector.js'

export interface LanczosOptions {
  /** The first direction, of any length > 0. Default: random from `seed`. */
  readonly start?: Vector
  /** Steps, each one product; fewer are taken when the space is exhausted. */
  readonly steps: number
  readonly seed?: number
  /**
   * What to do when the basis spans an invariant subspace: 'stop' (default; all of A that `start` sees has been
   * seen), or 'continue' with a random direction orthogonal to it, which finds repeated eigenvalues.
   */
  readonly onInvariant?: 'stop' | 'continue'
  /** How basis vectors are kept; float32 halves the memory and keeps about 7 digits. Default float64. */
  readonly basisDtype?: 'float64' | 'float32'
  readonly signal?: AbortSignal
  readonly onStep?: (progress: Progress & { readonly alpha: number; readonly beta: number }) => void
}

export interface LanczosResult {
  /** The diagonal of T = V A V^T, [m]. */
  readonly alpha: Float64Array
  /** The off-diagonal of T, [m - 1]; 0 where the basis was continued past an invariant subspace. */
  readonly beta: Float64Array
  /** |A v_m - beta_{m-1} v_{m-1} - alpha_m v_m|: what couples the basis to the rest of the space; 0 when nothing does. */
  readonly residual: number
  /** The orthonormal rows v_1, ..., v_m of V. */
  readonly basis: readonly Vector[]
  readonly products: number
}

/**
 * The Lanczos process A V^T = V^T T + residual v_{m+1} e_m^T of a symmetric operator, each new vector
 * orthogonalised against all earlier ones, again where once is not enough, in float64 whatever the operator's dtype
 * (Golub and Van Loan, Matrix Computations, 10.3).
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function lanczos(operator: LinearOperator, options: LanczosOptions): Promise<LanczosResult> {
  const n = requireSquare(operator, 'lanczos')
  const { steps, seed = 0, onInvariant = 'stop', basisDtype = 'float64', signal, onStep } = options
  requireCount(steps, 'steps', 'lanczos')
  const random = new Random(seed).split('lanczos')
  const start = options.start ?? randomDirection(n, [], random)
  const length = norm(start)
  if (start.length !== n || !(length > 0 && Number.isFinite(length)))
    throw new Error(
      `lanczos: start has ${start.length} elements and length ${length}, expected ${n} elements, finite and not all 0`,
    )
  const products = countProducts(operator, 'lanczos', signal)
  const state = startLanczos(start, operator, basisDtype)
  while (state.alpha.length < steps && canExtend(state)) {
    await extendLanczos(products, state, { random: onInvariant === 'continue' ? random : undefined })
    const done = state.alpha.length
    onStep?.({ done, total: Math.min(steps, n), alpha: state.alpha[done - 1]!, beta: state.beta[done - 1]! })
  }
  const m = state.alpha.length
  return {
    alpha: Float64Array.from(state.alpha),
    beta: Float64Array.from(state.beta.slice(0, m - 1)),
    residual: state.beta[m - 1]!,
    basis: state.basis.slice(0, m),
    products: products.count,
  }
}

/** Bytes that the basis and the working vectors of `steps` Lanczos steps take for `n` unknowns. */
export function lanczosBytes(
  n: number,
  steps: number,
  basisDtype: 'float64' | 'float32' = 'float64',
): number {
  const vectors = Math.min(steps + 1, n)
  const working = 3
  return n * (vectors * (basisDtype === 'float64' ? 8 : 4) + working * 8)
}

/** A Lanczos process between two steps, as plain data. */
export interface LanczosState {
  readonly alpha: number[]
  /** As many as alpha: the last couples v_m to v_{m+1}, and is 0 when A maps the basis into itself. */
  readonly beta: number[]
  /** v_1, ..., v_m, and v_{m+1} unless the process has ended. */
  readonly basis: Vector[]
  readonly basisDtype: 'float64' | 'float32'
  /** A residual below this part of |T| is rounding of the operator's products; its direction means nothing. */
  readonly negligible: number
}

export function startLanczos(
  start: Vector,
  operator: LinearOperator,
  basisDtype: 'float64' | 'float32' = 'float64',
): LanczosState {
  const first = Float64Array.from(start)
  divide(first, norm(first))
  const negligible = operatorDType(operator) === 'float32' ? 1e-6 : 1e-13
  return { alpha: [], beta: [], basis: [store(first, basisDtype)], basisDtype, negligible }
}

export function canExtend(state: LanczosState): boolean {
  return state.basis.length > state.alpha.length
}

/** A copy that further steps leave as it is; they never write to a basis vector. */
export function snapshot(state: LanczosState): LanczosState {
  return { ...state, alpha: [...state.alpha], beta: [...state.beta], basis: [...state.basis] }
}

interface ExtendOptions {
  /** Orthonormal vectors whose complement the process stays in. */
  readonly locked?: readonly Vector[]
  /** Where the process goes on at an invariant subspace; it ends there where this is absent. */
  readonly random?: Random | undefined
}

/** One more step, a product. The process also ends when the whole space is spanned. */
export function extendLanczos(
  products: Products,
  state: LanczosState,
  options: ExtendOptions = {},
): Promise<void> {
  return extendTogether(products, [state], options)
}

/** One more step of each of several processes of their own, in one call of the operator. */
export async function extendTogether(
  products: Products,
  states: readonly LanczosState[],
  options: ExtendOptions = {},
): Promise<void> {
  const n = states[0]!.basis[0]!.length
  const images = await products.apply(states.map(({ alpha, basis }) => basis[alpha.length]!))
  states.forEach((state, i) => {
    advance(state, images.slice(i * n, (i + 1) * n), options)
  })
}

/** Takes in `w`, the image of the newest basis vector, which becomes the next one. */
function advance(state: LanczosState, w: Float64Array, { locked = [], random }: ExtendOptions): void {
  const { alpha, beta, basis } = state
  const m = alpha.length
  const v = basis[m]!
  const a = dot(v, w)
  alpha.push(a)
  // The three terms first: the pass over the whole basis then mostly finds rounding, and one is enough.
  axpy(-a, v, w)
  if (m > 0) axpy(-beta[m - 1]!, basis[m - 1]!, w)
  // All together: a second pass must clear what removing the basis brings back along `locked`.
  const spanned = [...locked, ...basis]
  const left = orthogonalize(w, spanned)
  const scale = Math.max(left, ...alpha.map(Math.abs), ...beta)
  const exhausted = spanned.length >= w.length
  if (!exhausted && left > state.negligible * scale) {
    beta.push(left)
    divide(w, left)
    basis.push(store(w, state.basisDtype))
    return
  }
  beta.push(0)
  if (exhausted || !random) return
  basis.push(store(randomDirection(w.length, spanned, random.split(m)), state.basisDtype))
}

function store(v: Float64Array, dtype: 'float64' | 'float32'): Vector {
  return dtype === 'float64' ? v : Float32Array.from(v)
}
