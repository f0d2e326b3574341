/** `auto`: float64 where the work is cheap, under 500 million operations, else float32. */
export type Precision = 'float32' | 'float64' | 'auto'

const cheap = 5e8

/** What `prepare` makes in the precision asked for; with `auto` the float64 one decides by its operations. */
export function inPrecision<T>(
  precision: Precision,
  prepare: (dtype: 'float32' | 'float64') => T,
  flopsOf: (prepared: T) => number,
): T {
  if (precision === 'float32') return prepare('float32')
  const wide = prepare('float64')
  return precision === 'float64' || flopsOf(wide) < cheap ? wide : prepare('float32')
}
