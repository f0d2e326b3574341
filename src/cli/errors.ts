import { DataError } from '../io/error.js'
import { OnnxError } from '../onnx/error.js'
import { UsageError } from './arguments.js'

/** The user stopped a command; the message says what is left of it. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** Whether what went wrong is what was typed or what a file holds, rather than this program. */
export function isBadInput(error: unknown): error is Error {
  return error instanceof UsageError || error instanceof DataError || error instanceof OnnxError
}

/**
 * Runs a step in which only the user's files and options can be at fault: what it throws is reported as such.
 * `about` begins the message when it does not name the file itself.
 */
export async function blamingInput<T>(about: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (isBadInput(error) || !(error instanceof Error) || error.name === 'AbortError') throw error
    throw new UsageError(error.message.startsWith(about) ? error.message : `${about}: ${error.message}`, {
      cause: error,
    })
  }
}
