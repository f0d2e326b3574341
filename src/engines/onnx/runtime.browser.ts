import type { Device, Runtime, RuntimeOptions } from './runtime.js'

/**
 * ONNX Runtime's WebAssembly build, loaded when it is first needed. The build with WebGPU is twice as large, so it is
 * only loaded for that device.
 */
export async function loadRuntime(device: Device, { wasmPaths, threads }: RuntimeOptions): Promise<Runtime> {
  const runtime: Runtime =
    device === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm')
  if (wasmPaths !== undefined) runtime.env.wasm.wasmPaths = wasmPaths
  if (threads !== undefined) runtime.env.wasm.numThreads = threads
  return runtime
}

/** The execution provider that stands for the processor. */
export const cpuProvider = 'wasm'
