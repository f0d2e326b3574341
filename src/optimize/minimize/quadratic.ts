import { dot, norm } from '../../linalg/vector.js'
import type { Descent, Step, Steps } from '../descent.js'
import { measures } from './measures.js'
import type { FunctionModel } from './model.js'
import {
  combine,
  decrementOf,
  denseSpectrum,
  krylovSpectrum,
  modelReduction,
  type Spectrum,
  shifted,
} from './spectrum.js'

/** How the curvature is looked at: whole, or on the Krylov space of the gradient. */
export type View = 'dense' | 'krylov'

/** Above this many parameters whole curvature matrices cost more than they bring. */
const mostDense = 200

export const viewFor = (n: number): View => (n <= mostDense ? 'dense' : 'krylov')

/** A quadratic model of the function, in scaled parameters z = unit x and coordinates that make its curvature diagonal. */
export interface Quadratic {
  readonly spectrum: Spectrum
  /** |unit x| of the point itself. */
  readonly size: number
  /** The step of these parts along the spectrum; `size` is what it uses of the search's. */
  step(z: Float64Array, size: number, full: boolean, predicted?: number): Step
  /** Parts along the spectrum of a gradient elsewhere. */
  parts(gradient: Float64Array): Float64Array
}

export interface QuadraticOptions {
  readonly view: View
  /** Whether parameters are measured by the roots of the curvature's diagonal, so that their units do not matter. */
  readonly scaled?: boolean
}

/** What each parameter is multiplied by; nothing where all are taken as they are. */
export type Units = Float64Array | undefined

/** A descent that chooses parts along the curvature's spectrum for a size. */
export function quadraticDescent(
  name: string,
  { view, scaled = false }: QuadraticOptions,
  steps: (quadratic: Quadratic) => Pick<Steps, 'initialSize' | 'step'>,
): Descent<FunctionModel, Units> {
  return {
    name: view === 'krylov' ? `${name}, Krylov` : name,
    estimated: view === 'krylov',
    remember: async (model, _, before) =>
      scaled && view === 'dense'
        ? grownUnits(await model.matrix(), model.gradient.length, before)
        : undefined,
    async prepare(model, point, units) {
      const spectrum = await spectrumOf(model, view, units)
      const quadratic = quadraticOf(spectrum, point, units)
      const full = quadratic.step(shifted(spectrum, 0), 1, true).move
      return { ...measures(model, point, full, decrementOf(spectrum)), ...steps(quadratic) }
    },
  }
}

/** Units only ever grow, as the scales of More (1978), section 4. */
function grownUnits(matrix: Float64Array, n: number, before: Units): Float64Array {
  return Float64Array.from({ length: n }, (_, i) =>
    Math.max(Math.sqrt(Math.abs(matrix[i * n + i]!)), before?.[i] ?? 0),
  )
}

async function spectrumOf(model: FunctionModel, view: View, units: Units): Promise<Spectrum> {
  if (view === 'krylov') return krylovSpectrum(model)
  const { gradient } = model
  const n = gradient.length
  const matrix = await model.matrix()
  if (!units) return denseSpectrum(matrix, gradient)
  const u = units.map((unit) => unit || 1)
  return denseSpectrum(
    matrix.map((h, at) => h / u[at % n]! / u[Math.floor(at / n)]!),
    gradient.map((g, i) => g / u[i]!),
  )
}

function quadraticOf(spectrum: Spectrum, point: Float64Array, units: Units): Quadratic {
  const unit = (i: number) => units?.[i] || 1
  const size = norm(point.map((x, i) => x * unit(i)))
  return {
    spectrum,
    size,
    step: (z, used, full, predicted = modelReduction(spectrum, z)) => {
      const length = norm(z)
      return {
        move: combine(spectrum, z).map((x, i) => x / unit(i)),
        predicted,
        size: used,
        full,
        relative: length === 0 ? 0 : length / size,
      }
    },
    parts: (gradient) => {
      const scaled = gradient.map((g, i) => g / unit(i))
      return Float64Array.from(spectrum.vectors, (v) => dot(v, scaled))
    },
  }
}
