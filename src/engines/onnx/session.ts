import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web'
import { cpuProvider, loadRuntime } from '#onnxruntime'
import { programToModel } from '../../onnx/export/model.js'
import { writeModel } from '../../onnx/file/write.js'
import type { ModelProto } from '../../onnx/schema/onnx_pb.js'
import type { Program } from '../../program/program.js'
import { sameType, showType, type Value, Var } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { fullTensor, Tensor } from '../../tensor/tensor.js'
import type { Executable } from '../executable.js'
import { explain } from './explain.js'
import type { Device, Runtime, RuntimeOptions } from './runtime.js'

export interface OnnxOptions {
  readonly device?: Device
  /** Threads for one operation; by default ONNX Runtime's choice, one for each core. In browsers see {@link configureOnnx}. */
  readonly threads?: number
  /** Whether ONNX Runtime rewrites the graph (fuses, removes) before running it; by default yes. */
  readonly optimize?: boolean
  /** Whether memory that a run has freed is kept for the next one; by default yes. Not for programs that run once. */
  readonly arena?: boolean
}

let runtimeOptions: RuntimeOptions = {}

/**
 * Settings of ONNX Runtime itself, for all programs compiled from now on. In browsers they must come before the first
 * program is compiled, because the WebAssembly module is started then and only once.
 */
export function configureOnnx(options: RuntimeOptions): void {
  runtimeOptions = { ...runtimeOptions, ...options }
}

/**
 * Compiles a program for ONNX Runtime. Constants of the program are weights of the model, which ONNX Runtime lays out
 * once for fast matrix products. A run cannot be interrupted: in Node it holds the thread until it is done, so there is
 * no `AbortSignal`.
 * @throws Error when an operation has no ONNX Runtime kernel for its dtype, when the constants exceed 2 GiB, or when
 * the device is missing; the message says what to do instead.
 */
export async function compileProgramOnnx(program: Program, options: OnnxOptions = {}): Promise<Executable> {
  const core = computedPart(program)
  if (core.outputs.length === 0)
    return executable(
      program,
      core,
      async () => [],
      async () => {},
    )
  const model = programToModel(core)
  const bytes = modelBytes(model)
  const { device = 'cpu', threads = runtimeOptions.threads } = options
  const runtime = await loadRuntime(device, runtimeOptions).catch((error) => {
    throw explain(error, 'ONNX Runtime could not be loaded', device)
  })
  const session = await runtime.InferenceSession.create(
    bytes,
    sessionOptions(core, model, { ...options, device, ...(threads !== undefined && { threads }) }),
  ).catch((error) => {
    throw explain(
      error,
      `ONNX Runtime could not prepare a program of ${program.equations.length} operations`,
      device,
    )
  })
  const run = async (inputs: readonly Tensor[]): Promise<Tensor[]> => {
    const feeds: Record<string, OrtTensor> = {}
    inputs.forEach((x, i) => {
      feeds[`input_${i}`] = toOrt(runtime, x)
    })
    const results = await session.run(feeds).catch((error) => {
      throw explain(error, 'ONNX Runtime failed while running', device)
    })
    return core.outputs.map((_, i) => fromOrt(results[`output_${i}`] as OrtTensor))
  }
  return executable(program, core, run, () => session.release())
}

/** The program without the inputs that it does not use, and without the outputs that take no computation. */
function computedPart(program: Program): Program & { readonly outputs: readonly Var[] } {
  const used = new Set<Value>(program.equations.flatMap((equation) => equation.inputs))
  const isGiven = new Set<Value>(program.inputs)
  const isComputed = (y: Value): y is Var => y instanceof Var && !isGiven.has(y) && sizeOf(y.shape) > 0
  return {
    inputs: program.inputs.filter((x) => used.has(x) && sizeOf(x.shape) > 0),
    equations: program.equations,
    outputs: [...new Set(program.outputs.filter(isComputed))],
  }
}

/** Puts what was computed together with the outputs that are inputs, constants or empty. */
function executable(
  program: Program,
  core: ReturnType<typeof computedPart>,
  compute: (inputs: readonly Tensor[]) => Promise<Tensor[]>,
  release: () => Promise<void>,
): Executable {
  let released = false
  const inputPlaces = core.inputs.map((x) => program.inputs.indexOf(x))
  return {
    async run(inputs) {
      if (released) throw new Error('run: the program was disposed of; compile it again')
      checkInputs(program, inputs)
      const computed = await compute(inputPlaces.map((i) => inputs[i] as Tensor))
      const found = new Map<Value, Tensor>(program.inputs.map((x, i) => [x, inputs[i] as Tensor]))
      core.outputs.forEach((y, i) => {
        found.set(y, computed[i] as Tensor)
      })
      return program.outputs.map((y) =>
        y instanceof Var ? (found.get(y) ?? fullTensor(y.shape, 0, y.dtype)) : y,
      )
    },
    async dispose() {
      if (!released) {
        released = true
        await release()
      }
    },
  }
}

function checkInputs(program: Program, inputs: readonly Tensor[]): void {
  if (inputs.length !== program.inputs.length)
    throw new Error(`run: got ${inputs.length} inputs, the program takes ${program.inputs.length}`)
  program.inputs.forEach((expected, i) => {
    const x = inputs[i] as Tensor
    if (!sameType(x, expected))
      throw new Error(
        `run: input ${i} is ${showType(x)}, the program was compiled for ${showType(expected)}; ` +
          'convert it, or compile again for its type',
      )
  })
}

const mebibyte = 2 ** 20

/** The model as a file in memory. */
function modelBytes(model: ModelProto): Uint8Array {
  const weights = model.graph?.initializer.reduce((sum, { rawData }) => sum + rawData.length, 0) ?? 0
  if (weights > 2 ** 31 - mebibyte)
    throw new Error(
      `compileProgramOnnx: the constants take ${Math.round(weights / mebibyte)} MiB, ONNX Runtime's format holds 2048; ` +
        'pass large tensors as inputs instead of capturing them, or use the JavaScript engine',
    )
  return writeModel(model)
}

function sessionOptions(
  program: Program,
  model: ModelProto,
  { device, threads, optimize = true, arena = true }: OnnxOptions,
): InferenceSession.SessionOptions {
  return {
    executionProviders: device === 'webgpu' ? ['webgpu'] : [cpuProvider],
    graphOptimizationLevel: optimize ? 'all' : 'disabled',
    enableCpuMemArena: arena,
    // Its plan takes a second block of memory beside what the first run left, and is no faster.
    enableMemPattern: false,
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    // Only what is fatal: errors are thrown.
    logSeverityLevel: 4,
    extra: {
      // Idle threads wait by spinning, which is fast, but only during a run: they would take the time of the code between.
      session: { force_spinning_stop: '1' },
      optimization: { disable_specified_optimizers: harmfulOptimizers(program, model).join(';') },
    },
  }
}

/** Rewritings of ONNX Runtime that do harm to a program. */
function harmfulOptimizers(program: Program, model: ModelProto): string[] {
  const hasExpand = model.graph?.node.some((node) => node.opType === 'Expand')
  const hasFloat64 = program.equations.some(({ outputs }) => outputs.some((y) => y.dtype === 'float64'))
  return [
    // Writes an expanded constant out in full.
    ...(hasExpand ? ['ConstantFolding'] : []),
    // Rounds the factor of a scaled matrix product to float32, also between float64 matrices.
    ...(hasFloat64 ? ['MatMulScaleFusion'] : []),
  ]
}

/** The same numbers, not copied, except from shared memory, which ONNX Runtime does not read. */
function toOrt(runtime: Runtime, { dtype, shape, data }: Tensor): OrtTensor {
  const isShared = typeof SharedArrayBuffer !== 'undefined' && data.buffer instanceof SharedArrayBuffer
  return new runtime.Tensor(dtype, isShared ? data.slice() : data, shape)
}

function fromOrt({ data, dims }: OrtTensor): Tensor {
  return new Tensor(data as Tensor['data'], dims)
}
