import * as np from '../numpy/index.js'
import { programToModel } from '../onnx/export/model.js'
import { writeModel } from '../onnx/file/write.js'
import { optimize } from '../ops/optimize.js'
import { bindInputs } from '../program/bindInputs.js'
import { fullTensor, type Tensor } from '../tensor/tensor.js'
import { ggn, hvp, ravel, trace, valueAndGrad } from '../transforms/index.js'
import type { Problem } from './problem.js'

/** Derivatives that {@link derivativeModel} writes as ONNX files. */
export const derivativeKinds = ['gradient', 'hvp', 'ggn'] as const
export type DerivativeKind = (typeof derivativeKinds)[number]

export interface DerivativeModelOptions {
  readonly what: DerivativeKind
  /** Names of the model's data input, of the targets and of the file in messages. */
  readonly inputName: string
  readonly name: string
  /** Whether the parameters are an input of the file, as one vector, instead of constants in it. Default false. */
  readonly parametersAsInput?: boolean
}

/**
 * An ONNX file that computes a derivative of the mean loss over a batch of the shapes of `problem.inputs` and
 * `problem.targets`, with any ONNX runtime. Inputs: the data, `targets` (int32 class numbers, or values), if wanted
 * `parameters` and, for products, `vector`, both one vector of all parameters in the order of the model's file.
 * Outputs: `loss` and `gradient`, or `product`.
 */
export function derivativeModel(problem: Problem, options: DerivativeModelOptions): Uint8Array {
  const { what, inputName, name, parametersAsInput = false } = options
  const { apply, loss, inputs, targets } = problem
  const [theta, unravel] = ravel<unknown>(problem.parameters as never)
  const outputsAt = (x: Tensor) => (vector: Tensor) => apply(unravel(vector), x)
  const lossOf = (y: Tensor) => (outputs: Tensor) => np.mean(loss.perSample(outputs, y))
  const total = (x: Tensor, y: Tensor) => (vector: Tensor) => lossOf(y)(outputsAt(x)(vector))
  const functions = {
    gradient: (x: Tensor, y: Tensor, p: Tensor) => valueAndGrad(total(x, y))(p),
    hvp: (x: Tensor, y: Tensor, p: Tensor, v: Tensor) => [hvp(total(x, y))(p, v)],
    ggn: (x: Tensor, y: Tensor, p: Tensor, v: Tensor) => [ggn(outputsAt(x), lossOf(y))(p, v)],
  }
  const direction = what === 'gradient' ? [] : [fullTensor(theta.shape, 0, theta.dtype)]
  const { program } = trace(functions[what], inputs, targets, theta, ...direction)
  const free = direction.map(() => null)
  const bound = parametersAsInput ? program : bindInputs(program, [null, null, theta, ...free])
  const model = programToModel(optimize(bound), {
    name: `${name} ${what}`,
    inputNames: [
      inputName,
      'targets',
      ...(parametersAsInput ? ['parameters'] : []),
      ...direction.map(() => 'vector'),
    ],
    outputNames: what === 'gradient' ? ['loss', 'gradient'] : ['product'],
  })
  return writeModel(model, { name })
}
