import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from './arguments.js'

/** Throws, before anything long is done, when a file could not be written there. */
export function requireWritable(path: string): void {
  const folder = dirname(path)
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    throw new UsageError(`${path}: cannot be written, the folder ${folder} is missing or read-only`)
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`${path}: is a folder, expected the name of a file`)
}
