import { type LinearOperator, requireSquare } from '../operators/operator.js'
import { countProducts } from '../products.js'
import { Random } from '../random.js'
import { type Checkpoint, requireSameRun } from '../resume.js'
import { type EstimatorOptions, type ProbeOptions, planProbes } from './estimator.js'
import { emptySketch, extendSketch, type Sketch } from './sketch.js'

export interface SketchCheckpoint extends Checkpoint {
  readonly sketch: Sketch
}

/** `probes` are test vectors, each two products; more than n are never taken. */
export interface SketchOptions extends ProbeOptions, EstimatorOptions<SketchCheckpoint> {}

/**
 * What the leave-one-out estimators share: a sketch that grows, by test vectors that `draw` makes and of which number
 * i is always the same.
 */
export function growingSketch(
  operator: LinearOperator,
  options: SketchOptions,
  where: string,
  draw: (random: Random, n: number) => Float64Array,
) {
  const n = requireSquare(operator, where)
  const { seed = 0, signal, checkpoint, onCheckpoint } = options
  const plan = planProbes(options, where, 50, n)
  const run = { method: where, rows: n, seed }
  requireSameRun(checkpoint, run, where)
  const products = countProducts(operator, where, signal, checkpoint?.products)
  const random = new Random(seed).split(where)
  const test = (i: number) => draw(random.split(i), n)
  let sketch = checkpoint?.sketch ?? emptySketch
  return {
    plan,
    products,
    test,
    get sketch() {
      return sketch
    },
    /** The test vectors taken; as many as will ever be where the range is exhausted. */
    get done() {
      return sketch.remainder === undefined ? sketch.basis.length : plan.most
    },
    async take(count: number) {
      const first = sketch.basis.length
      const tests = Array.from({ length: count }, (_, i) => test(first + i))
      sketch = await extendSketch(products, operator, sketch, tests)
      onCheckpoint?.({ run, products: products.count, sketch })
    },
  }
}
