import type { CommandSpec } from './arguments.js'

/** One command of the command line. */
export interface Command {
  readonly spec: CommandSpec
  readonly run: (words: readonly string[], signal: AbortSignal) => Promise<void>
}
