import { optimize } from '../../ops/optimize.js'
import type { Likes } from '../../transforms/derivatives.js'
import type { Arguments, TensorFunction } from '../../transforms/stage.js'
import { specialize } from '../specialize.js'
import { compileProgramJs } from './compile.js'

/**
 * `f` compiled to JavaScript: traced once for each combination of argument shapes and dtypes, simplified,
 * and turned into fused loops. Synchronous and quick to start; for small work.
 */
export function compileJs<A extends Arguments, R>(f: (...args: A) => R): (...args: Likes<A>) => R {
  return specialize(
    f as TensorFunction,
    (program) => compileProgramJs(optimize(program)),
    (run, inputs, rebuildResult) => rebuildResult(run(inputs)),
  ) as (...args: Likes<A>) => R
}
