import { vi } from 'vitest'
import { runCommandLine } from '../../src/cli/run.js'

/** Runs the command line in this process. */
export async function evolute(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const lines = { out: [] as string[], err: [] as string[] }
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...text) => void lines.out.push(text.join(' '))),
    vi.spyOn(console, 'error').mockImplementation((...text) => void lines.err.push(text.join(' '))),
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true),
  ]
  try {
    const code = await runCommandLine(words)
    return { code, out: lines.out.join('\n'), err: lines.err.join('\n') }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
