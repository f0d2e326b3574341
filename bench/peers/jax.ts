/**
 * jax-js' side of the benchmark, for the fully connected network: the protocol is that of pytorch.py. Its
 * WebAssembly device uses as many threads as the shim of `navigator` says; Node 20 has none.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { numpy } from '@jax-js/jax'

Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: Number(process.argv[2]) } })
const {
  blockUntilReady,
  defaultDevice,
  grad,
  init,
  jit,
  jvp,
  nn,
  numpy: np,
  tree,
} = await import('@jax-js/jax')
await init('wasm')
defaultDevice('wasm')

type Weights = Record<string, numpy.Array>

const numbers = (path: string) => new Float32Array(new Uint8Array(readFileSync(path)).buffer)

function read(path: string, shapes: Record<string, number[]>): Weights {
  const data = numbers(path)
  let offset = 0
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1)
      offset += size
      return [name, np.array(data.slice(offset - size, offset), { shape })]
    }),
  )
}

function open(folder: string) {
  const shapes = JSON.parse(readFileSync(`${folder}/shapes.json`, 'utf8'))
  const x = np.array(numbers(`${folder}/inputs.bin`), { shape: shapes.inputs })
  const classes = new Int32Array(numbers(`${folder}/labels.bin`).buffer)
  const y = nn.oneHot(np.array(classes, { dtype: np.int32 }), 10)
  const loss = ({ w0, b0, w1, b1, w2, b2 }: Weights, x: numpy.Array, y: numpy.Array): numpy.Array => {
    const first = np.tanh(np.matmul(x, w0!).add(b0!))
    const second = np.tanh(np.matmul(first, w1!).add(b1!))
    const logs = nn.logSoftmax(np.matmul(second, w2!).add(b2!))
    return logs
      .mul(y)
      .sum()
      .mul(-1 / classes.length)
  }
  const gradient = grad(loss)
  const product = (w: Weights, v: Weights, x: numpy.Array, y: numpy.Array): Weights =>
    jvp((w: Weights) => gradient(w, x, y), [w], [v])[1] as Weights
  const [point, direction] = [
    read(`${folder}/point.f32`, shapes.weights),
    read(`${folder}/direction.f32`, shapes.weights),
  ]
  const [compiledGradient, compiledProduct] = [jit(gradient), jit(product)]
  return {
    gradient: () => compiledGradient(tree.ref(point), x.ref, y.ref),
    hvp: () => compiledProduct(tree.ref(point), tree.ref(direction), x.ref, y.ref),
  }
}

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const version = manifest.devDependencies['@jax-js/jax']
console.log(JSON.stringify({ version }))
let compute: ReturnType<typeof open> | undefined
let folder = ''
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  if (request.problem) {
    folder = request.folder
    compute = open(folder)
    console.log('{}')
    continue
  }
  const seconds: number[] = []
  let result: Weights = {}
  for (let i = 0; i < request.repeats; i++) {
    for (const old of Object.values(result)) old.dispose()
    const start = performance.now()
    result = compute![request.quantity as 'gradient' | 'hvp']() as Weights
    await blockUntilReady(tree.ref(result))
    seconds.push((performance.now() - start) / 1000)
  }
  const flat: number[] = []
  for (const part of Object.values(result)) for (const x of await part.data()) flat.push(x)
  writeFileSync(`${folder}/jax.f32`, Float32Array.from(flat))
  console.log(JSON.stringify({ seconds, result: `${folder}/jax.f32` }))
}
process.exit()
