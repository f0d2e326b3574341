import { printable } from './document.js'
import { formatPercent, formatSeconds } from './number.js'

/** How far a run has come: `fraction` of all its work in [0, 1] (NaN: not known), `elapsedSeconds` since it began. */
export type ProgressState = { stage: string; fraction: number; elapsedSeconds: number }

/** Where progress goes; `process.stderr` is one. */
export type ProgressWriter = { write(text: string): unknown; isTTY?: boolean; columns?: number }

/** One line for a state, no wider than `columns`: stage, bar, share done, time elapsed and time still expected. */
export function progressLine({ stage, fraction, elapsedSeconds }: ProgressState, columns = 80): string {
  const elapsed = formatSeconds(Math.round(elapsedSeconds))
  const name = printable(stage)
  if (!Number.isFinite(fraction)) return clip(`${name}  ${elapsed}`, columns)
  const done = Math.min(1, Math.max(0, fraction))
  const left =
    done > 0 && done < 1 ? `, ${formatSeconds(Math.round((elapsedSeconds * (1 - done)) / done))} left` : ''
  const figures = `${formatPercent(Math.floor(100 * done) / 100).padStart(4)}  ${elapsed}${left}`
  const cells = Math.min(24, columns - name.length - figures.length - 6)
  if (cells < 6) return clip(`${name}  ${figures}`, columns)
  const full = Math.floor(done * cells)
  return `${name}  ${'█'.repeat(full)}${'░'.repeat(cells - full)}  ${figures}`
}

/**
 * A progress bar on `writer`. On a terminal one line is drawn anew, at most ten times a second; elsewhere a line is
 * written for each new stage and for each further tenth. `end` clears the bar, so that what follows starts clean.
 */
export function progressBar(writer: ProgressWriter): { update(state: ProgressState): void; end(): void } {
  let last: ProgressState | null = null
  const onTerminal = writer.isTTY === true
  return {
    update(state) {
      if (last !== null && !worthDrawing(state, last, onTerminal)) return
      last = state
      const line = progressLine(state, onTerminal ? Math.max(20, (writer.columns ?? 80) - 1) : 80)
      writer.write(onTerminal ? `\r${line}\u001b[K` : `${line}\n`)
    },
    end() {
      if (onTerminal && last !== null) writer.write('\r\u001b[K')
      last = null
    },
  }
}

function worthDrawing(state: ProgressState, last: ProgressState, onTerminal: boolean): boolean {
  if (state.stage !== last.stage) return true
  if (onTerminal) return state.fraction >= 1 || state.elapsedSeconds - last.elapsedSeconds >= 0.1
  const tenths = (fraction: number) => Math.floor(10 * fraction + 1e-9)
  return tenths(state.fraction) > tenths(last.fraction)
}

function clip(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text
}
