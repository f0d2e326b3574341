import type { Env, InferenceSessionFactory, TensorConstructor } from 'onnxruntime-web'

export type Device = 'cpu' | 'webgpu'

/** The part of ONNX Runtime's JavaScript interface that is the same in Node and browsers. */
export interface Runtime {
  readonly InferenceSession: InferenceSessionFactory
  readonly Tensor: TensorConstructor
  readonly env: Env
}

export interface RuntimeOptions {
  /** In browsers: the folder, or the addresses, of ONNX Runtime's .wasm and .mjs files, where the bundler did not place them. */
  readonly wasmPaths?: string | { readonly wasm?: string; readonly mjs?: string }
  /** Threads of a session; in browsers more than one needs a page that is cross-origin isolated. */
  readonly threads?: number
}
