import { type ParsedArguments, UsageError, unknown } from '../arguments.js'

/** The numbers of `--start b1=250,b2=5e-4`. @throws UsageError naming what is none. */
export function readStart(args: ParsedArguments): Map<string, number> {
  return new Map(
    assignments(args, 'start', 'NAME=NUMBER').map(([name, text]) => {
      const value = numberOf(text)
      if (Number.isFinite(value)) return [name, value]
      throw new UsageError(`--start: ${name} is ${JSON.stringify(text)}, expected a number`)
    }),
  )
}

/**
 * The intervals of `--bounds b1=0:500,b2=0:`, open where a side is empty.
 * @throws UsageError naming what is none, or does not hold its start.
 */
export function readBounds(
  args: ParsedArguments,
  start: ReadonlyMap<string, number>,
): Record<string, [lower: number, upper: number]> {
  return Object.fromEntries(
    assignments(args, 'bounds', 'NAME=LOW:HIGH').map(([name, text]) => {
      const from = start.get(name)
      if (from === undefined)
        throw new UsageError(`--bounds: ${unknown(`parameter ${name}`, name, [...start.keys()])}`)
      const [low, high, ...more] = text.split(':')
      const lower = low?.trim() === '' ? -Infinity : numberOf(low)
      const upper = high?.trim() === '' ? Infinity : numberOf(high)
      if (Number.isNaN(lower) || Number.isNaN(upper) || more.length > 0)
        throw new UsageError(
          `--bounds: ${name} is ${JSON.stringify(text)}, expected LOW:HIGH, either of which may be left out`,
        )
      if (!(lower < upper))
        throw new UsageError(
          `--bounds: ${name} is ${JSON.stringify(text)}, expected LOW below HIGH; to hold a parameter, write its number into the formula`,
        )
      if (from < lower || from > upper)
        throw new UsageError(`--start: ${name} is ${from}, expected it within --bounds ${name}=${text}`)
      return [name, [lower, upper]]
    }),
  )
}

function assignments(args: ParsedArguments, option: string, form: string): [name: string, text: string][] {
  const found = (args.text(option)?.split(',') ?? []).map((word): [string, string] => {
    const [, name, text] = /^\s*([\p{L}_][\p{L}\p{N}_]*)\s*=(.*)$/u.exec(word) ?? []
    if (name === undefined || text === undefined)
      throw new UsageError(`--${option}: got ${JSON.stringify(word)}, expected ${form}, with commas between`)
    return [name, text.trim()]
  })
  const twice = found.find(([name], i) => found.findIndex(([other]) => other === name) < i)
  if (twice) throw new UsageError(`--${option}: ${twice[0]} is given twice, expected it once`)
  return found
}

const numberOf = (text: string | undefined) => (text?.trim() ? Number(text) : Number.NaN)
