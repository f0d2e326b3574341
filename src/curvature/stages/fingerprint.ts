import { print } from '../../program/print.js'
import { Tensor } from '../../tensor/tensor.js'
import { flatten } from '../../tensor/tree.js'
import type { Problem } from '../problem.js'
import { sampleProgram } from '../sampleProgram.js'
import { type RunOptions, type Stages, type StagesOptions, stagesOf } from './stages.js'

/** The stages of a computation with a problem; where they are to be continued, only with the same problem. */
export async function stagesFor(
  of: string,
  problem: Problem,
  settings: RunOptions,
  options: StagesOptions,
): Promise<Stages> {
  const continues = options.checkpoint || options.onCheckpoint
  return stagesOf(of, { ...(continues && (await fingerprint(problem))), ...settings }, options)
}

/** What tells one problem from another: digests of model, parameters and data, the loss's name, the number of samples. */
export async function fingerprint(problem: Problem): Promise<Record<string, string | number>> {
  const { parameters, inputs, targets, loss } = problem
  const { leaves } = flatten<Tensor>(parameters, (node) => node instanceof Tensor)
  return {
    loss: loss.name,
    samples: inputs.shape[0]!,
    model: await digest(new TextEncoder().encode(print(sampleProgram(problem)))),
    parameters: await digest(...leaves.map(bytesOf)),
    inputs: await digest(bytesOf(inputs)),
    targets: await digest(bytesOf(targets)),
  }
}

function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** The first 16 digits of the SHA-256 of the parts' own. */
async function digest(...parts: readonly Uint8Array[]): Promise<string> {
  const each = await Promise.all(parts.map(sha256))
  const whole = each.length === 1 ? each[0]! : await sha256(Uint8Array.from(each.flatMap((d) => [...d])))
  return [...whole.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}
