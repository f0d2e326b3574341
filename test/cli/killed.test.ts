import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { renderDigits } from '../../src/cli/demo/digits.js'
import { networkModel, train } from '../../src/cli/demo/network.js'
import { writeNpy } from '../../src/io/index.js'
import { evolute } from './commandLine.js'

const folder = mkdtempSync(join(tmpdir(), 'evolute-killed-'))
const file = (name: string) => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Runs the command in a process of its own and kills it with SIGKILL once `file` exists; the signal that ended it. */
function killedAt(file: string, ...words: string[]): Promise<NodeJS.Signals | null> {
  const command = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=source', 'src/cli/main.ts', ...words],
    { cwd: root, stdio: 'ignore' },
  )
  const watch = setInterval(() => existsSync(file) && command.kill('SIGKILL'), 10)
  return new Promise((resolve, reject) => {
    command.on('error', reject)
    command.on('exit', (_, signal) => {
      clearInterval(watch)
      resolve(signal)
    })
  })
}

test('an analysis killed without warning goes on from its checkpoint to the same digits', async () => {
  const { images, labels } = renderDigits(3000, 1)
  const signal = new AbortController().signal
  writeFileSync(file('x.npy'), writeNpy(images))
  writeFileSync(file('y.npy'), writeNpy(labels))
  writeFileSync(
    file('a.onnx'),
    networkModel(await train(images, labels, { steps: 10, seed: 0, signal, onStep: () => {} })),
  )
  const words = ['analyze', file('a.onnx'), '--inputs', file('x.npy'), '--labels', file('y.npy')]
  words.push('--top', '1', '--steps', '8', '--probes', '1500', '--stability', '--json')
  const kept = file('run.checkpoint')

  expect(await killedAt(kept, ...words, '--checkpoint', kept)).toBe('SIGKILL')
  const continued = JSON.parse((await evolute(...words, '--resume', kept)).out)
  const whole = JSON.parse((await evolute(...words)).out)
  expect({ ...continued, cost: null }).toEqual({ ...whole, cost: null })
  expect(continued.cost.products).toBe(whole.cost.products)
}, 180_000)
