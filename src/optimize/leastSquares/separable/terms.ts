import type { CompileOptions } from '../../../engines/index.js'
import * as np from '../../../numpy/index.js'
import { optimize } from '../../../ops/optimize.js'
import { forecast } from '../../../program/forecast.js'
import { type Shape, sizeOf } from '../../../tensor/shape.js'
import { Tensor } from '../../../tensor/tensor.js'
import { jacobian, trace } from '../../../transforms/index.js'
import { type Awaitable, after } from '../../solver.js'
import type { Whiten } from '../residuals/noise.js'
import { prepare, smallCall } from '../residuals/residuals.js'

/** What linear coefficients multiply, by the coefficients' names. */
export type Basis = Readonly<Record<string, np.ArrayLike>>

/** Terms with their derivatives by each parameter, all as columns one after another. */
export interface TermsNearby {
  readonly terms: Float64Array
  readonly derivatives: readonly Float64Array[]
}

/** The terms of a sum as functions of one vector. */
export interface Terms {
  readonly names: readonly string[]
  /** How many numbers each term has. */
  readonly rows: number
  /** Whether derivatives cost hardly anything beside the terms. */
  readonly together: boolean
  at(x: Float64Array): Awaitable<Float64Array>
  linearize(x: Float64Array): Awaitable<TermsNearby>
  dispose(): Promise<void>
}

/**
 * Terms of a traced function, each broadcast to `shape`, with exact derivatives.
 * @throws when there are none, or one does not broadcast.
 */
export async function tracedTerms(
  f: (vector: Tensor) => Basis,
  start: Float64Array,
  shape: Shape,
  options: CompileOptions = {},
): Promise<Terms> {
  const names = Object.keys(f(new Tensor(start)))
  if (names.length === 0) throw new Error('basis: got no terms, expected an object of tensors by name')
  const rows = sizeOf(shape)
  const columns = (vector: Tensor) =>
    np.stack(Object.entries(f(vector)).map(([name, term]) => column(name, term, shape)))
  const both = (x: Tensor) => [columns(x), np.transpose(jacobian(columns)(x), [2, 0, 1])]
  const at = new Tensor(start)
  const programs = [columns, both].map((traced) => optimize(trace(traced, at).program))
  const [values, nearby] = await Promise.all(programs.map((program) => prepare(program, options)))
  return {
    names,
    rows,
    together: forecast(programs[1]!).flops < smallCall,
    at: (x) => after(values!.run([new Tensor(x)]), ([terms]) => terms!.data as Float64Array),
    linearize: (x) =>
      after(nearby!.run([new Tensor(x)]), ([terms, moved]) => {
        const size = names.length * rows
        const all = moved!.data as Float64Array
        const derivatives = Array.from(x, (_, j) => all.subarray(j * size, (j + 1) * size))
        return { terms: terms!.data as Float64Array, derivatives }
      }),
    async dispose() {
      await values!.dispose()
      await nearby!.dispose()
    },
  }
}

function column(name: string, term: np.ArrayLike, shape: Shape): Tensor {
  const given = np.astype(term, 'float64')
  try {
    return np.ravel(np.broadcastTo(given, shape))
  } catch (error) {
    throw new Error(
      `basis: the term ${name} has shape [${given.shape}], expected one that broadcasts to that of y, [${shape}]`,
      { cause: error },
    )
  }
}

/** Terms in units of the errors of the data. */
export function whitenedTerms(terms: Terms, whiten: Whiten): Terms {
  const { names, rows } = terms
  const whitened = (columns: Float64Array) => {
    names.forEach((_, k) => {
      whiten(columns.subarray(k * rows, (k + 1) * rows))
    })
    return columns
  }
  return {
    ...terms,
    at: (x) => after(terms.at(x), whitened),
    linearize: (x) =>
      after(terms.linearize(x), ({ terms, derivatives }) => {
        return { terms: whitened(terms), derivatives: derivatives.map(whitened) }
      }),
  }
}
