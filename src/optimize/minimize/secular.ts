import { norm } from '../../linalg/vector.js'
import { type Spectrum, shifted } from './spectrum.js'

const mostHalvings = 200
const accuracy = 1e-10

/**
 * The z, in parts along the spectrum, that minimises the quadratic model where |z| <= radius (More and Sorensen 1983):
 * (H + shift) z = -g with the least shift >= 0 that makes H + shift positive semidefinite and z short enough.
 */
export function withinSphere(
  spectrum: Spectrum,
  radius: number,
): { readonly z: Float64Array; readonly full: boolean } {
  const least = spectrum.values[0]!
  if (least > 0) {
    const z = shifted(spectrum, 0)
    if (norm(z) <= radius) return { z, full: true }
  }
  return { z: secular(spectrum, () => radius), full: false }
}

/**
 * The z that minimises the quadratic model + weight |z|^3 / 3 (Nesterov and Polyak 2006): (H + shift) z = -g with
 * shift = weight |z|.
 */
export function cubicMinimum(spectrum: Spectrum, weight: number): Float64Array {
  return secular(spectrum, (shift) => shift / weight)
}

/**
 * z = -(H + shift)^-1 g with |z| = radius(shift), which does not fall as the shift grows. Where even the least shift
 * gives a shorter z, the rest goes along the lowest eigenvector (the hard case).
 */
function secular(spectrum: Spectrum, radius: (shift: number) => number): Float64Array {
  const { values, gradient } = spectrum
  const floor = Math.max(0, -values[0]!)
  const tooLong = (shift: number) => norm(shifted(spectrum, shift)) > radius(shift)
  let low = Number.EPSILON * Math.max(floor, values.at(-1)!, norm(gradient), Number.MIN_VALUE)
  if (!tooLong(floor + low)) return lengthened(spectrum, shifted(spectrum, floor + low), radius(floor + low))
  let high = low
  while (tooLong(floor + high)) high *= 16
  for (let halving = 0; halving < mostHalvings && high > low * (1 + accuracy); halving++) {
    const middle = Math.sqrt(low) * Math.sqrt(high)
    if (tooLong(floor + middle)) low = middle
    else high = middle
  }
  return shifted(spectrum, floor + high)
}

/** z made `radius` long by going on along the lowest eigenvector. */
function lengthened({ values, gradient }: Spectrum, z: Float64Array, radius: number): Float64Array {
  const missing = radius ** 2 - norm(z) ** 2
  if (!(missing > 0) || values[0]! >= 0) return z
  const longer = z.slice()
  longer[0] = longer[0]! + (gradient[0]! > 0 ? -1 : 1) * Math.sqrt(missing)
  return longer
}
