import type { Equation } from '../../program/program.js'
import type { Value, Var } from '../../program/value.js'
import { type Affine, contiguous, reshapeAffine, viewAffine } from './affine.js'

/** Elements of `root`, a value with storage of its own, at an affine position. */
export interface Access {
  readonly root: Value
  readonly at: Affine
}

/** Knows which array each value's elements are read from, so that views need no arrays. */
export class Reader {
  private readonly views = new Map<Value, Access>()

  access(value: Value): Access {
    return this.views.get(value) ?? { root: value, at: contiguous(value.shape) }
  }

  /** Whether an equation only moves elements of its input, by an affine map. */
  isView(equation: Equation): boolean {
    if (equation.primitive.name === 'reshape') return true
    const input = equation.inputs[0] as Value
    return viewAffine(equation, contiguous(input.shape)) !== undefined
  }

  /** Reads a view's output through its input; false where that is not affine and the output needs a copy. */
  addView(equation: Equation): boolean {
    const input = equation.inputs[0] as Value
    const output = equation.outputs[0] as Var
    const { root, at } = this.access(input)
    const through =
      equation.primitive.name === 'reshape'
        ? reshapeAffine(at, input.shape, output.shape)
        : viewAffine(equation, at)
    if (through) this.views.set(output, { root, at: through })
    return through !== undefined
  }

  /** Gives a view's output an array of its own after all. */
  own(value: Value): void {
    this.views.delete(value)
  }
}
