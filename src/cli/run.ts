import { analyzeCommand } from './analyze.js'
import { helpText, UsageError, unknown } from './arguments.js'
import type { Command } from './command.js'
import { compareCommand } from './compare.js'
import { demoCommand } from './demo.js'
import { Interrupted, isBadInput } from './errors.js'
import { exportCommand } from './export.js'
import { fitCommand } from './fit.js'
import { landscapeCommand } from './landscape.js'
import { version } from './version.js'

const commands: readonly Command[] = [
  analyzeCommand,
  landscapeCommand,
  compareCommand,
  exportCommand,
  fitCommand,
  demoCommand,
]

const interrupts = ['SIGINT', 'SIGTERM'] as const

function overview(): string {
  const rows = commands.map(({ spec }) => `  evolute ${[spec.name, ...spec.operands].join(' ')}`)
  const width = Math.max(...rows.map((row) => row.length)) + 2
  return [
    'evolute: derivatives and curvature of ONNX models',
    '',
    ...rows.map((row, i) => `${row.padEnd(width)}${commands[i]!.spec.summary.split('\n')[0]}`),
    '',
    'evolute COMMAND --help explains a command; evolute --version prints the version.',
  ].join('\n')
}

/** Runs the command line; returns the exit code: 0, 2 for bad input, 130 when interrupted, 1 for anything else. */
export async function runCommandLine([name, ...words]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(overview())
    return 0
  }
  if (name === '--version' || name === '-v') {
    console.log(version)
    return 0
  }
  const stop = new AbortController()
  const interrupt = () => stop.abort(new Error('interrupted'))
  for (const name of interrupts) process.once(name, interrupt)
  try {
    const command = commands.find(({ spec }) => spec.name === name)
    if (!command)
      throw new UsageError(
        unknown(
          `command ${name}`,
          name,
          commands.map(({ spec }) => spec.name),
        ),
      )
    if (words.includes('--help') || words.includes('-h')) {
      console.log(helpText(command.spec))
      return 0
    }
    await command.run(words, stop.signal)
    return 0
  } catch (error) {
    if (stop.signal.aborted) {
      const left = error instanceof Interrupted ? error.message : 'interrupted; nothing was written'
      console.error(`evolute: ${left}`)
      return 130
    }
    if (isBadInput(error)) {
      console.error(`evolute: ${error.message}`)
      return 2
    }
    console.error('evolute: this is a mistake of evolute, not yours; please report it with what follows')
    console.error(error)
    return 1
  } finally {
    for (const name of interrupts) process.off(name, interrupt)
  }
}
