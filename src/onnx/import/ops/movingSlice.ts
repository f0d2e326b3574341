import { add } from '../../../ops/arithmetic.js'
import { reshape } from '../../../ops/broadcast.js'
import { gather } from '../../../ops/gather.js'
import { showType, type Value, Var } from '../../../program/value.js'
import { normalizeAxis, range } from '../../../tensor/shape.js'
import { Tensor } from '../../../tensor/tensor.js'
import { int32, knownNumber } from '../operation.js'

/** A number as another value plus a constant. */
interface Shifted {
  readonly base: Value | undefined
  readonly shift: number
}

/** Follows reshapes and additions of constants back to where a traced number of one element comes from. */
function unshift(x: Value): Shifted {
  if (!(x instanceof Var)) return { base: undefined, shift: knownNumber(x, 'a bound of a slice') }
  const source = x.builder.equations.find(({ outputs }) => outputs.includes(x))
  const [a, b] = source?.inputs ?? []
  if (source?.primitive.name === 'reshape') return unshift(a as Value)
  if (source?.primitive.name !== 'add') return { base: x, shift: 0 }
  const [moving, constant] = a instanceof Tensor ? [b, a] : [a, b]
  if (!(constant instanceof Tensor) || constant.size !== 1) return { base: x, shift: 0 }
  const { base, shift } = unshift(moving as Value)
  return { base, shift: shift + (constant.data[0] as number) }
}

/**
 * Elements start to start + n (exclusive) of one axis, where the start is only known when the program runs but
 * n is: the end is the start plus a constant. The start must be within the axis, counted from its beginning.
 */
export function movingSlice(x: Value, start: Value, end: Value, axis: number): Value {
  const [from, to] = [unshift(start), unshift(end)]
  const count = to.shift - from.shift
  if (start.size !== 1 || from.base !== to.base || !(count >= 0))
    throw new Error(
      `starts ${showType(start)} and ends ${showType(end)} are computed from traced values; that is supported for one axis ` +
        'if the end is the start plus a constant, otherwise they must be known',
    )
  const along = normalizeAxis(axis, x.shape.length, 'axes')
  return gather(x, add(reshape(start, [1]), int32(range(count))), along)
}
