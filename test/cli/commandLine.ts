import { vi } from 'vitest'
import { runCommandLine } from '../../src/cli/run.js'

type Ended = { code: number; out: string; err: string }

/** Runs the command line in this process. */
export function evolute(...words: string[]): Promise<Ended> {
  return watched(() => {}, ...words)
}

/** The same; `watch` sees what is written about progress. */
export async function watched(watch: (text: string) => void, ...words: string[]): Promise<Ended> {
  const lines = { out: [] as string[], err: [] as string[] }
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...text) => void lines.out.push(text.join(' '))),
    vi.spyOn(console, 'error').mockImplementation((...text) => void lines.err.push(text.join(' '))),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      watch(String(text))
      return true
    }),
  ]
  try {
    const code = await runCommandLine(words)
    return { code, out: lines.out.join('\n'), err: lines.err.join('\n') }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
