import { expect, test } from 'vitest'
import { progressBar, progressLine } from '../../src/report/progress.js'

function recorder(isTTY: boolean, columns = 60) {
  const written: string[] = []
  return { written, isTTY, columns, write: (text: string) => written.push(text) }
}

test('a line shows stage, bar, share, elapsed and remaining time', () => {
  expect(progressLine({ stage: 'Lanczos', fraction: 0.25, elapsedSeconds: 10 })).toBe(
    'Lanczos  ██████░░░░░░░░░░░░░░░░░░   25%  10 s, 30 s left',
  )
  expect(progressLine({ stage: 'reading', fraction: Number.NaN, elapsedSeconds: 2 })).toBe('reading  2 s')
})

test('a line keeps to the width and carries no control characters', () => {
  for (const columns of [20, 40, 80]) {
    const line = progressLine(
      { stage: `a\u001b[31m${'b'.repeat(90)}`, fraction: 0.5, elapsedSeconds: 1 },
      columns,
    )
    expect(line.length).toBeLessThanOrEqual(columns)
    expect(line).not.toContain('\u001b')
  }
})

test('on a terminal one line is redrawn, at most ten times a second, and cleared at the end', () => {
  const writer = recorder(true)
  const bar = progressBar(writer)
  for (let i = 0; i <= 100; i++) bar.update({ stage: 'a', fraction: i / 200, elapsedSeconds: i / 100 })
  bar.end()
  expect(writer.written.length).toBeLessThanOrEqual(12)
  expect(writer.written.every((text) => text.startsWith('\r') && !text.includes('\n'))).toBe(true)
  expect(writer.written.at(-1)).toBe('\r\u001b[K')
})

test('elsewhere a line is written for each stage and each further tenth', () => {
  const writer = recorder(false)
  const bar = progressBar(writer)
  for (let i = 0; i <= 1000; i++)
    bar.update({ stage: i < 500 ? 'a' : 'b', fraction: i / 1000, elapsedSeconds: i })
  bar.end()
  expect(writer.written.length).toBe(11)
  expect(writer.written.every((text) => text.endsWith('\n') && !text.includes('\r'))).toBe(true)
})
