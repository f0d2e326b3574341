import type { Device, Runtime, RuntimeOptions } from './runtime.js'

/** ONNX Runtime's native build, loaded when it is first needed. */
export async function loadRuntime(_device: Device, _options: RuntimeOptions): Promise<Runtime> {
  return await import('onnxruntime-node')
}

/** The execution provider that stands for the processor. */
export const cpuProvider = 'cpu'
