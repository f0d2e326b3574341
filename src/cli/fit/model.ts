import * as np from '../../numpy/index.js'
import { Tensor } from '../../tensor/tensor.js'
import { UsageError, unknown } from '../arguments.js'
import type { Column } from './columns.js'
import { evaluateExpression, namesIn, parseExpression } from './expression.js'
import { functions } from './functions.js'
import { expressionError } from './tokens.js'

/** A formula of parameters and columns. */
export interface ExpressionModel {
  /** The columns that it depends on. */
  readonly predictors: readonly Column[]
  /** Their values by the names that it gives them. */
  readonly observed: ReadonlyMap<string, Float64Array>
  /** Its values [rows] at parameters and at rows of predictors. */
  readonly at: (
    parameters: Readonly<Record<string, Tensor>>,
    predictors: ReadonlyMap<string, Float64Array>,
    rows: number,
  ) => Tensor
}

const constants: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['e', Math.E],
])

/**
 * A formula whose names are parameters, else columns, else pi and e.
 * @throws UsageError pointing at a name that is none of them, or naming a parameter that it does not hold.
 */
export function expressionModel(
  text: string,
  start: ReadonlyMap<string, number>,
  columns: ReadonlyMap<string, Column>,
): ExpressionModel {
  const expression = parseExpression(text)
  const names = namesIn(expression)
  checkNames(text, names, start, columns)
  const used = [...columns].filter(([name]) => names.has(name) && !start.has(name))
  return {
    predictors: [...new Set(used.map(([, column]) => column))],
    observed: new Map(used.map(([name, { values }]) => [name, values])),
    at(parameters, values, rows) {
      const all = new Map<string, np.ArrayLike>([
        ...constants,
        ...[...values].map(([name, numbers]) => [name, new Tensor(numbers)] as const),
        ...Object.entries(parameters),
      ])
      return np.broadcastTo(evaluateExpression(expression, all), [rows])
    },
  }
}

function checkNames(
  text: string,
  names: ReadonlyMap<string, number>,
  start: ReadonlyMap<string, number>,
  columns: ReadonlyMap<string, Column>,
): void {
  const known = [...start.keys(), ...columns.keys(), ...constants.keys()]
  const strange = [...names].filter(([name]) => !known.includes(name))
  if (start.size === 0) {
    const parameters = strange.map(([name]) => `${name}=NUMBER`).join(',')
    throw new UsageError(`--start is missing, expected --start ${parameters || 'NAME=NUMBER'}`)
  }
  for (const [name, at] of strange) {
    if (functions.has(name)) throw expressionError(text, at, `${name} is a function, expected ${name}(...)`)
    const hint = unknown(`name ${name}`, name, known)
    throw expressionError(text, at, `${hint} (a parameter needs a start: --start ${name}=NUMBER)`)
  }
  const idle = [...start.keys()].filter((name) => !names.has(name))
  if (idle.length > 0) {
    const parameters = [...start.keys()].filter((name) => names.has(name))
    throw new UsageError(
      `--start: ${idle.join(', ')} is not in the expression, expected only its parameters, ${parameters.join(', ') || 'of which it has none'}`,
    )
  }
}
