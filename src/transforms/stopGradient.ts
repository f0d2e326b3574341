import { stopGradient as stop } from '../ops/arithmetic.js'
import { rebuild } from './call.js'
import { flattenValues, type Like } from './stage.js'

/** The same tree, treated as constant by every derivative. */
export function stopGradient<T>(tree: Like<T>): T {
  const { values, structure } = flattenValues(tree)
  return rebuild(structure, values.map(stop))
}
