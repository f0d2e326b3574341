/** Runs on a WebGPU device, float32, what the interpreter runs: every primitive and its gradients. Prints what differs. */
import { compileProgram } from '../../src/engines/index.js'
import * as np from '../../src/numpy/index.js'
import { evaluate } from '../../src/program/program.js'
import { isFloat } from '../../src/tensor/dtype.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { grad, trace } from '../../src/transforms/index.js'
import { type Case, cases } from '../helpers/cases.js'

function programOf({ sample, call, active }: Case) {
  const inputs = sample(1, 'float32')
  const differentiable = isFloat(call(...inputs).dtype) ? active : []
  const gradient = (xs: Tensor[], at: number) =>
    grad((x: Tensor) => {
      const y = call(...xs.map((input, i) => (i === at ? x : input)))
      return np.sum(np.multiply(y, y))
    })(xs[at]!)
  const { program } = trace(
    (...xs: Tensor[]) => [call(...xs), ...differentiable.map((at) => gradient(xs, at))],
    ...(inputs as [Tensor]),
  )
  return { program, inputs }
}

/** The elements that are further apart than rounding, as text. */
async function differences(one: Case): Promise<string> {
  const { program, inputs } = programOf(one)
  const compiled = await compileProgram(program, { engine: 'onnx', device: 'webgpu' })
  const outputs = await compiled.run(inputs)
  await compiled.dispose()
  const expected = evaluate(program, inputs) as Tensor[]
  return expected
    .flatMap(({ data }, i) => {
      const scale = Math.max(1, ...[...data].map(Math.abs))
      return [...data].flatMap((wanted, j) => {
        const got = outputs[i]!.data[j]!
        return Math.abs(got - wanted) <= 1e-3 * scale ? [] : [`output ${i}: ${got}, expected ${wanted}`]
      })
    })
    .join('; ')
}

const found: Record<string, string> = {}
for (const one of cases)
  if (one.primitive.lower) found[one.name] = await differences(one).catch(({ message }: Error) => message)
console.log(JSON.stringify(found))
process.exit()
