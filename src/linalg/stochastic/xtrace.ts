import type { LinearOperator } from '../operators/operator.js'
import { dot } from '../vector.js'
import { type Estimate, meanAndError, takeProbes } from './estimator.js'
import type { SampledEstimate } from './sampling.js'
import { leaveOneOut, type Sketch, sharedVectors, sketchTrace } from './sketch.js'
import { growingSketch, type SketchOptions } from './sketching.js'

/**
 * tr A by XTrace: for each of k test vectors w_i, the trace on the range of the images of the others, and a sample of
 * the trace on its complement by w_i itself,
 *
 *     tr_i = tr(Q_i^T A Q_i) + (n - k + 1) w_i^T P_i A P_i w_i / |P_i w_i|^2,   P_i = I - Q_i Q_i^T,
 *
 * averaged over i; all from one QR factorisation (Epperly, Tropp, Webber, XTrace: making the most of every sample in
 * stochastic trace estimation, 2024; the factor is their normalisation). 50 test vectors by default, each two products
 * and two vectors of memory. Best where the spectrum decays; where it is flat, `hutchinsonTrace` is as good.
 *
 * `standardError` is sqrt(2) times theirs, sqrt(sum_i (tr_i - tr)^2 / (k (k - 1))), which takes the samples for
 * independent and covers the truth too seldom. Where the range of A is exhausted, to the rounding of its products, the
 * trace is exact, there is one sample, and the error is the length left over.
 *
 * @throws on bad options and on products that are not finite; the signal's reason when aborted.
 */
export async function xtrace(
  operator: LinearOperator,
  options: SketchOptions = {},
): Promise<SampledEstimate> {
  const growing = growingSketch(operator, options, 'xtrace', (random, n) => random.normals(n))
  let samples: Float64Array
  let latest: Estimate
  const sampler = {
    get done() {
      return growing.done
    },
    take: growing.take,
    estimate() {
      const { sketch } = growing
      samples = traceSamples(sketch, growing.test, operator.rows)
      const { estimate, standardError } = meanAndError(samples)
      latest = { estimate, standardError: sketch.remainder ?? sharedVectors * standardError }
      return latest
    },
  }
  const converged = await takeProbes(growing.plan, sampler, options.onStep)
  return { ...latest!, samples: samples!, products: growing.products.count, converged }
}

/** tr_i of each test vector. */
function traceSamples(sketch: Sketch, test: (i: number) => Float64Array, n: number): Float64Array {
  const { basis, images, columns, quadratics } = sketch
  const k = basis.length
  const whole = sketchTrace(sketch)
  if (sketch.remainder !== undefined) return Float64Array.of(whole)
  const compressed = basis.map((q) => Float64Array.from(images, (image) => dot(q, image)))
  const form = (x: Float64Array) => compressed.reduce((sum, row, a) => sum + x[a]! * dot(row, x), 0)
  return Float64Array.from(leaveOneOut(sketch), (s, i) => {
    const w = test(i)
    const inBasis = Float64Array.from(basis, (q) => dot(q, w))
    const inImages = Float64Array.from(images, (image) => dot(image, w))
    const along = dot(s, inBasis)
    // P_i w = w - Q c.
    const c = inBasis.map((x, a) => x - along * s[a]!)
    const rest = dot(w, w) - dot(c, c)
    const onRest = quadratics[i]! - dot(c, inImages) - dot(c.subarray(0, i + 1), columns[i]!) + form(c)
    return whole - form(s) + ((n - k + 1) / rest) * onRest
  })
}
