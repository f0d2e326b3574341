import { parseArgs } from 'node:util'

/** What the user typed cannot be carried out; the message says what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** One option of a command. Without a `value` it is a switch. */
export interface Option {
  /** What stands for the value in the help text, for example `N`. */
  readonly value?: string
  readonly short?: string
  readonly help: string
}

export interface CommandSpec {
  readonly name: string
  readonly summary: string
  /** The words after the command, for example `MODEL.onnx`. */
  readonly operands: readonly string[]
  readonly options: Readonly<Record<string, Option>>
}

export interface ParsedArguments {
  readonly operands: readonly string[]
  readonly text: (name: string) => string | undefined
  readonly flag: (name: string) => boolean
  /** A number option. @throws UsageError naming it when it is not an allowed number. */
  readonly number: (name: string, allowed: NumberRange) => number | undefined
}

export interface NumberRange {
  readonly integer?: boolean
  readonly min?: number
}

/** Parses the words after a command's name. @throws UsageError naming the word that does not fit. */
export function parseArguments(spec: CommandSpec, words: readonly string[]): ParsedArguments {
  const options = Object.fromEntries(
    Object.entries(spec.options).map(([name, { value, short }]) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const), ...(short && { short }) },
    ]),
  )
  const { values, positionals, tokens } = parseArgs({
    args: [...words],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(spec.options, token.name) ? spec.options[token.name] : undefined
    if (!option)
      throw new UsageError(unknown(`option ${token.rawName}`, token.name, Object.keys(spec.options), '--'))
    const isNext = token.inlineValue === false && /^-[^\d.]/.test(token.value)
    if (option.value && (token.value === undefined || isNext))
      throw new UsageError(`${token.rawName}: no value given, expected ${token.rawName} ${option.value}`)
    if (!option.value && token.value !== undefined)
      throw new UsageError(`${token.rawName}: takes no value, got ${JSON.stringify(token.value)}`)
  }
  if (positionals.length !== spec.operands.length)
    throw new UsageError(
      `evolute ${spec.name}: got ${positionals.length} file(s)${positionals.length ? ` (${positionals.join(' ')})` : ''}, ` +
        `expected ${spec.operands.join(' ')}; see evolute ${spec.name} --help`,
    )
  const text = (name: string) => values[name] as string | undefined
  return {
    operands: positionals,
    text,
    flag: (name) => values[name] === true,
    number(name, { integer = false, min = Number.NEGATIVE_INFINITY }) {
      const given = text(name)
      if (given === undefined) return undefined
      const value = given.trim() === '' ? Number.NaN : Number(given)
      if (!Number.isFinite(value) || value < min || (integer && !Number.isInteger(value)))
        throw new UsageError(
          `--${name}: got ${JSON.stringify(given)}, expected ${integer ? 'a whole number' : 'a number'}` +
            (Number.isFinite(min) ? ` of at least ${min}` : ''),
        )
      return value
    },
  }
}

/** `unknown option --prbes; did you mean --probes?` */
export function unknown(what: string, word: string, known: readonly string[], prefix = ''): string {
  const [nearest] = known
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .sort((a, b) => a.distance - b.distance)
  const hint =
    nearest && nearest.distance <= 2
      ? `did you mean ${prefix}${nearest.name}?`
      : `expected one of ${known.map((k) => prefix + k).join(', ')}`
  return `unknown ${what}; ${hint}`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

/** The text of `evolute COMMAND --help`. */
export function helpText(spec: CommandSpec): string {
  const rows = Object.entries(spec.options).map(([name, { value, short, help }]) => {
    const left = `  ${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`
    return { left, help }
  })
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2
  return [
    `evolute ${[spec.name, ...spec.operands].join(' ')} [options]`,
    '',
    spec.summary,
    '',
    'Options',
    ...rows.map(({ left, help }) => `${left.padEnd(width)}${help}`),
  ].join('\n')
}
