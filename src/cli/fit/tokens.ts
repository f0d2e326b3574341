import { UsageError } from '../arguments.js'

/** A word of an expression and where it begins. */
export interface Token {
  readonly kind: 'number' | 'name' | 'symbol' | 'end'
  readonly text: string
  readonly at: number
}

const patterns = {
  number: /(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/iy,
  name: /[\p{L}_][\p{L}\p{N}_]*/uy,
  symbol: /\*\*|[-+*/^(),]/y,
} as const

/** The words of an expression, and last one of kind `end`. @throws UsageError pointing at what is none. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    while (/\s/.test(text.charAt(at))) at++
    if (at === text.length) return [...tokens, { kind: 'end', text: '', at }]
    const token = tokenAt(text, at)
    tokens.push(token)
    at += token.text.length
  }
}

function tokenAt(text: string, at: number): Token {
  for (const [kind, pattern] of Object.entries(patterns) as [keyof typeof patterns, RegExp][]) {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) return { kind, text: found[0], at }
  }
  throw expressionError(
    text,
    at,
    `got ${show(text, at)}, expected a number, a name, an operator or brackets ( )`,
  )
}

const show = (text: string, at: number) => JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))

/** What is wrong with an expression, with a caret under the place. */
export function expressionError(text: string, at: number, message: string): UsageError {
  const line = text.replace(/\s/g, ' ')
  return new UsageError(`expression: ${message}\n  ${line}\n  ${' '.repeat([...text.slice(0, at)].length)}^`)
}
