import { compileProgram, type Executable } from '../../engines/index.js'
import { broadcastTo } from '../../ops/broadcast.js'
import { bindInputs } from '../../program/bindInputs.js'
import { traceFlat } from '../../program/builder.js'
import { totalBytes } from '../../program/forecast.js'
import { evaluate, type Program } from '../../program/program.js'
import { allocate } from '../../tensor/dtype.js'
import { sizeOf } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'
import { batchProgram } from '../../transforms/batch.js'
import type { Halves, Plan } from './plan.js'

/** What the halves take before a batch's own inputs: shared values that move with the parameters, or none. */
export interface BatchData {
  readonly shared: readonly Tensor[]
  readonly batch: (index: number) => readonly Tensor[]
}

/** Products of blocks of directions with the linear map of one batch. */
export interface BatchProducts {
  /** [k, ...direction] to [k, ...result]. */
  run(batch: number, directions: Tensor): Promise<Tensor>
  /** The same with other shared values. */
  moveTo(shared: readonly Tensor[]): Promise<void>
  dispose(): Promise<void>
}

/** Residuals of a single batch up to this size become constants, which ONNX Runtime lays out once for its kernels. */
const constantBytes = 2 ** 26

/** Prepares the products of a plan. `step` is awaited after each batch whose residuals were computed. */
export async function batchProducts(
  halves: Halves,
  data: BatchData,
  plan: Plan,
  step: (done: number) => void,
): Promise<BatchProducts> {
  return plan.keepsResiduals ? keeping(halves, data, plan, step) : recomputing(halves, data, plan)
}

/** Runs the known half once for each batch and keeps what it gives. */
async function keeping(
  { known, linear }: Halves,
  data: BatchData,
  { batches, block }: Plan,
  step: (done: number) => void,
): Promise<BatchProducts> {
  const prepare = await compileProgram(known, { arena: false })
  let shared = data.shared
  const kept: Tensor[][] = []
  const fill = async () => {
    for (let b = 0; b < batches; b++) {
      kept[b] = await prepare.run([...shared, ...data.batch(b)])
      step(b + 1)
    }
  }
  await fill().catch(async (error) => {
    await prepare.dispose()
    throw error
  })
  const moves = shared.length > 0
  const asConstants = !moves && batches === 1 && totalBytes(kept[0]!) <= constantBytes
  if (!moves) await prepare.dispose()
  const bound = asConstants ? bindInputs(linear, [...kept[0]!, null]) : linear
  const products = inBlocks((size) => batched(bound, size), block)
  return {
    run: (b, directions) => products.run(asConstants ? [] : [...shared, ...kept[b]!], directions),
    async moveTo(values) {
      shared = values
      await fill()
    },
    async dispose() {
      await products.dispose()
      if (moves) await prepare.dispose()
    },
  }
}

/** Computes both halves at every product. */
function recomputing({ known, linear }: Halves, data: BatchData, { block }: Plan): BatchProducts {
  let shared = data.shared
  const count = shared.length
  const products = inBlocks((size) => {
    const many = batched(linear, size)
    return traceFlat(
      (inputs) => {
        const residuals = evaluate(known, inputs.slice(0, -1))
        return evaluate(many, [...inputs.slice(0, count), ...residuals, inputs.at(-1)!])
      },
      [...known.inputs, many.inputs.at(-1)!],
    ).program
  }, block)
  return {
    run: (b, directions) => products.run([...shared, ...data.batch(b)], directions),
    async moveTo(values) {
      shared = values
    },
    dispose: () => products.dispose(),
  }
}

/** The program with `size` directions along a new first axis of its last input and of its output. */
function batched(program: Program, size: number): Program {
  const direction = program.inputs.at(-1)!
  const marks = program.inputs.map((input) => input === direction)
  const many = { dtype: direction.dtype, shape: [size, ...direction.shape] }
  return traceFlat(
    (inputs) => {
      const { outputs, batched } = batchProgram(program, inputs, marks, size)
      const [output] = outputs
      return [batched[0] ? output! : broadcastTo(output!, [size, ...output!.shape])]
    },
    [...program.inputs.slice(0, -1), many],
  ).program
}

/**
 * Runs blocks of any number of directions by programs for 1, 2, 4, ... of them, so that few are compiled; the largest
 * is for `block`.
 */
function inBlocks(programFor: (size: number) => Program, block: number) {
  const compiled = new Map<number, Promise<Executable>>()
  const executable = (size: number): Promise<Executable> => {
    const ready = compiled.get(size) ?? compileProgram(programFor(size))
    compiled.set(size, ready)
    return ready
  }
  const largest = 2 ** Math.floor(Math.log2(block))
  return {
    async run(inputs: readonly Tensor[], directions: Tensor): Promise<Tensor> {
      const [k, ...shape] = directions.shape as [number, ...number[]]
      const each = sizeOf(shape)
      const parts: Tensor[] = []
      for (let done = 0; done < k; ) {
        let size = largest
        while (size > k - done) size /= 2
        const part = new Tensor(directions.data.subarray(done * each, (done + size) * each), [size, ...shape])
        const program = await executable(size)
        parts.push((await program.run([...inputs, part]))[0]!)
        done += size
      }
      return stack(parts, k)
    },
    async dispose(): Promise<void> {
      for (const ready of compiled.values()) await (await ready).dispose()
    },
  }
}

/** Blocks [k_i, ...] as one of [k, ...]. */
function stack(parts: readonly Tensor[], k: number): Tensor {
  const [first] = parts as [Tensor]
  if (parts.length === 1) return first
  const data = allocate(first.dtype, (first.size / first.shape[0]!) * k)
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.size
  }
  return new Tensor(data, [k, ...first.shape.slice(1)])
}
