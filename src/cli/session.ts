import { basename } from 'node:path'
import type { CurvatureReport, StageProgress } from '../curvature/index.js'
import { writeFileAtomic } from '../io/index.js'
import { progressBar } from '../report/index.js'
import type { ParsedArguments } from './arguments.js'
import { type Kept, keeping } from './checkpoint.js'
import type { OpenedProblem } from './model.js'
import { requireWritable } from './output.js'

/** What a long computation is given by the command that runs it. */
export interface Session extends Kept {
  readonly signal: AbortSignal
  readonly onStep: (progress: StageProgress) => void
}

/** Runs a long computation with a progress bar, so that it can be interrupted and continued. */
export function withSession<T>(
  args: ParsedArguments,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const bar = progressBar(process.stderr)
  const started = performance.now()
  const onStep = ({ stage, fraction }: StageProgress) =>
    bar.update({ stage, fraction, elapsedSeconds: (performance.now() - started) / 1000 })
  return keeping(args, signal, (kept) => work({ ...kept, signal, onStep }).finally(() => bar.end()))
}

/** Refuses, before anything long is done, a report that could not be written. */
export function requireOutput(args: ParsedArguments): void {
  const out = args.text('out')
  if (out !== undefined) requireWritable(out)
}

/** Writes the page where one is asked for, and prints the JSON or the text. */
export function publish(
  args: ParsedArguments,
  result: { readonly html: () => string; readonly text: () => string; readonly json: () => unknown },
): void {
  const out = args.text('out')
  if (out !== undefined) writeFileAtomic(out, result.html())
  console.log(args.flag('json') ? JSON.stringify(result.json()) : result.text())
  if (out !== undefined) console.error(`report written to ${out}`)
}

/** A model as reports name it. */
export function modelOf(path: string, { model, input }: OpenedProblem): CurvatureReport['model'] {
  return {
    name: basename(path),
    inputs: `${input.name}: ${input.dtype}[${input.shape.join(', ')}]`,
    opset: model.opset,
  }
}
