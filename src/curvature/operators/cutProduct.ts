import { traceFlat } from '../../program/builder.js'
import { evaluate, type Program } from '../../program/program.js'
import { splitProgram } from '../../transforms/partial.js'

/**
 * The program (theta, ...data, v) -> M v of a product, cut by what its values depend on: the parameters alone, the data,
 * and the direction v, in which it is linear.
 */
export interface CutProduct {
  /** theta -> shared values. */
  readonly shared: Program
  /** (...shared values, ...data) -> residuals. */
  readonly known: Program
  /** (...shared values, ...residuals, v) -> M v. */
  readonly linear: Program
}

/** Cuts the program of a product; its first input is theta, its last the direction. */
export function cutProduct(product: Program): CutProduct {
  const data = product.inputs.slice(1, -1)
  const direction = product.inputs.at(-1)!
  const marks = product.inputs.map((input) => input === direction)
  const atDirection = splitProgram(product, marks, { later: [true] })
  const atData = splitProgram(atDirection.known, [false, ...data.map(() => true)])
  // The values that come before the direction, in the order in which the linear rest takes them.
  const before = atDirection.known.outputs
  const isShared = atData.knownOutputs
  const residuals = before.filter((_, i) => !isShared[i])
  const shared = atData.known.outputs
  const forLinear = before.length - residuals.length
  const known = traceFlat(
    (given) => evaluate(atData.unknown, given.slice(forLinear)),
    [...shared, ...data],
  ).program
  const linear = traceFlat(
    (given) => {
      const ofTheta = given.slice(0, forLinear).values()
      const ofData = given.slice(shared.length, -1).values()
      const values = isShared.map((fromTheta) => (fromTheta ? ofTheta : ofData).next().value!)
      return evaluate(atDirection.unknown, [...values, given.at(-1)!])
    },
    [...shared, ...residuals, direction],
  ).program
  return { shared: atData.known, known, linear }
}
