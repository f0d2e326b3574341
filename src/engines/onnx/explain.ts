import type { Device } from './runtime.js'

/** An error of ONNX Runtime as a sentence with what to do about it; the original is its cause. */
export function explain(error: unknown, what: string, device: Device): Error {
  const reason = error instanceof Error ? error.message : String(error)
  return new Error(`${what}: ${reason.trim()}${remedy(reason, device)}`, { cause: error })
}

function remedy(reason: string, device: Device): string {
  const missing =
    /implementation for (\w+)\(\d+\) node with name '(\w+?)_\d+'/.exec(reason) ??
    /of operator \((\w+)\) in node \((\w+?)_\d+\) is invalid/.exec(reason)
  if (missing)
    return `. The operation '${missing[2]}' has no ${missing[1]} kernel for its dtype; use the JavaScript engine, or float32`
  if (device === 'webgpu' && /adapter|backend|webgpu/i.test(reason))
    return ". This computer or browser offers no WebGPU device to ONNX Runtime; use device: 'cpu'"
  if (/Cannot find (module|package)/.test(reason))
    return '. Install onnxruntime-node (in Node) or onnxruntime-web (in browsers), or use the JavaScript engine'
  if (/allocat|memory/i.test(reason))
    return '. The program needs more memory than there is; use a smaller batch'
  return ''
}
