import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Tensor } from 'evolute/tensor'
import type { Problem } from '../problems/problem.js'
import type { Derivatives, Quantity } from '../quantities.js'

/** A library that computes the same quantities, in a process of its own. */
export interface Peer {
  readonly version: string
  /** Reads a problem that {@link writeProblem} wrote. */
  open(problem: Problem, folder: string): Promise<void>
  /** Computes a quantity `repeats` times; seconds of each, and the last result. */
  measure(quantity: Quantity, repeats: number): Promise<{ seconds: number[]; result: Float32Array }>
  close(): void
}

/**
 * Starts a peer: a program that says its version, then answers each line of JSON with one.
 * Undefined when it does not start.
 */
export async function startPeer(command: string, args: readonly string[]): Promise<Peer | undefined> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as unknown as ChildProcessWithoutNullStreams
  child.on('error', () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    return done ? undefined : JSON.parse(value)
  }
  const ask = async (request: unknown) => {
    child.stdin.write(`${JSON.stringify(request)}\n`)
    const reply = await answer()
    if (!reply) throw new Error(`${command} ended while it was asked for ${JSON.stringify(request)}`)
    return reply
  }
  const hello = await answer()
  if (!hello) return undefined
  return {
    version: hello.version,
    open: async ({ name }, folder) => ask({ problem: name, folder }),
    async measure(quantity, repeats) {
      const { seconds, result } = await ask({ quantity, repeats })
      return { seconds, result: new Float32Array(new Uint8Array(readFileSync(result)).buffer) }
    },
    close: () => child.stdin.end(),
  }
}

/** Writes the numbers of a problem for other programs to read. */
export function writeProblem(folder: string, problem: Problem, { point, direction }: Derivatives): void {
  mkdirSync(folder, { recursive: true })
  const { weights, inputs, labels } = problem
  const write = (file: string, { data }: Tensor) =>
    writeFileSync(join(folder, file), new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  write('point.f32', point)
  write('direction.f32', direction)
  write('inputs.bin', inputs)
  write('labels.bin', labels)
  const shapes = {
    weights: Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, shape])),
    inputs: inputs.shape,
    inputsAreClasses: inputs.dtype === 'int32',
  }
  writeFileSync(join(folder, 'shapes.json'), JSON.stringify(shapes))
}
