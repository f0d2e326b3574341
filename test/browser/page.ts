/** Runs in the browser: a gradient and a Hessian product of a small network on both engines. */
import { compile, compileJs, configureOnnx, grad, hvp, np, type Tensor } from 'evolute'

type Network = { w: Tensor; v: Tensor }

const loss = (p: Network, x: Tensor) => np.mean(np.square(np.matmul(np.tanh(np.matmul(x, p.w)), p.v)))

const wave = (rows: number, columns: number, shift: number) =>
  np.reshape(
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(shift + i)),
    [rows, columns],
  )

/** The gradient and the Hessian product, as nested arrays, by each engine. */
async function run(): Promise<Record<string, unknown>> {
  configureOnnx({ wasmPaths: '/ort/' })
  const parameters = { w: wave(5, 4, 0.1), v: wave(4, 1, 0.7) }
  const direction = { w: wave(5, 4, 1.3), v: wave(4, 1, 2.1) }
  const x = wave(3, 5, 0.4)
  const gradient = grad(loss)
  const product = hvp(loss)
  const show = ({ w, v }: Network) => [w.toArray(), v.toArray()]
  const webgpu = await compile(gradient, { engine: 'onnx', device: 'webgpu' })(parameters, x).then(
    (result) => show(result),
    (error: Error) => error.message,
  )
  return {
    js: [show(compileJs(gradient)(parameters, x)), show(compileJs(product)(parameters, direction, x))],
    onnx: [
      show(await compile(gradient, { engine: 'onnx' })(parameters, x)),
      show(await compile(product, { engine: 'onnx' })(parameters, direction, x)),
    ],
    interpreter: [show(gradient(parameters, x)), show(product(parameters, direction, x))],
    webgpu,
  }
}

;(globalThis as unknown as { result: Promise<unknown> }).result = run()
