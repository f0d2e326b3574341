import type { LinearOperator } from '../operators/operator.js'
import type { Random } from '../random.js'
import type { Checkpoint } from '../resume.js'
import { beginProbes, type EstimatorOptions, type ProbeOptions } from './estimator.js'
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
  const { n, plan, run, products, random } = beginProbes(operator, options, where, 50, operator.rows)
  const { checkpoint, onCheckpoint } = options
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
