import { basename, dirname } from 'node:path'
import type { Loss } from '../curvature/index.js'
import { classLabels, prepareInputs, takeSamples } from '../curvature/index.js'
import type { Problem } from '../curvature/problem.js'
import { externalDataIn } from '../io/externalData.js'
import { readArray, readBytes } from '../io/index.js'
import { readModel } from '../onnx/file/read.js'
import { importModel, type OnnxModel } from '../onnx/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { UsageError } from './arguments.js'
import { blamingInput } from './errors.js'

/** Reads an .onnx file with its external data; `precision` computes in another float type than the file's. */
export async function openModel(path: string, precision?: 'float32' | 'float64'): Promise<OnnxModel> {
  return blamingInput(path, () => importBytes(readBytes(path), path, precision))
}

function importBytes(bytes: Uint8Array, path: string, precision?: 'float32' | 'float64'): OnnxModel {
  const externalData = externalDataIn(dirname(path))
  return importModel(bytes, { name: basename(path), externalData, ...(precision && { precision }) })
}

/** The only float input of a model. @throws when it has none or several. */
export function dataInput(model: OnnxModel, path: string): OnnxModel['inputs'][number] {
  const [input, ...others] = model.inputs
  if (!input || others.length > 0)
    throw new UsageError(
      `${path}: has ${model.inputs.length} inputs (${model.inputs.map((x) => x.name).join(', ')}), expected a model of one`,
    )
  if (input.shape.length < 1)
    throw new UsageError(`${path}: input ${input.name} is a single number, expected a batch of samples`)
  return input
}

/** A model as a function of its parameters and a batch of inputs, to its first output. */
export function applyOne(model: OnnxModel, input: string): Problem['apply'] {
  return (parameters: Record<string, Tensor>, inputs: Tensor) =>
    model.applyBatch(parameters, { [input]: inputs })[model.outputs[0]!]!
}

export interface ProblemFiles {
  readonly model: string
  readonly inputs: string
  readonly labels: string
  readonly samples?: number
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
}

/** A problem read from files, and what its reader should know. */
export interface OpenedProblem {
  readonly problem: Problem
  readonly model: OnnxModel
  readonly input: OnnxModel['inputs'][number]
  readonly remarks: readonly string[]
}

export async function openProblem(files: ProblemFiles, loss: Loss): Promise<OpenedProblem> {
  const bytes = readBytes(files.model)
  const model = await blamingInput(files.model, () => importBytes(bytes, files.model))
  if (Object.keys(model.parameters).length === 0)
    throw new UsageError(
      `${files.model}: has no parameters (float initializers), so there is nothing to differentiate`,
    )
  const input = dataInput(model, files.model)
  const { samples, mean, std } = files
  const take = { ...(samples !== undefined && { samples }), ...(mean && { mean }), ...(std && { std }) }
  return blamingInput(files.model, () => {
    const inputs = prepareInputs(readArray(files.inputs), input.shape.slice(1), input.dtype, {
      name: files.inputs,
      ...take,
    })
    const labels = readArray(files.labels)
    const targets = takeSamples(loss.targets === 'classes' ? classLabels(labels, files.labels) : labels, {
      name: files.labels,
      ...take,
    })
    const inPrecision = (dtype: 'float32' | 'float64') => {
      const typed = importBytes(bytes, files.model, dtype)
      return { parameters: typed.parameters, apply: applyOne(typed, input.name) }
    }
    const names = { inputs: files.inputs, targets: files.labels }
    const apply = applyOne(model, input.name)
    return {
      model,
      input,
      remarks: remarksOn(bytes, files.model),
      problem: { parameters: model.parameters, apply, inPrecision, loss, inputs, targets, names },
    }
  })
}

/** What the import decides about layers that train and infer differently. */
function remarksOn(bytes: Uint8Array, path: string): string[] {
  const nodes = readModel(bytes, { name: basename(path) }).graph?.node ?? []
  const norms = nodes.filter(({ opType }) => opType === 'BatchNormalization')
  const trains = norms.some(({ attribute }) =>
    attribute.some(({ name, i }) => name === 'training_mode' && i === 1n),
  )
  const inference =
    'BatchNormalization uses the stored means and variances, as in inference: they are constants, and samples of a batch do not meet.'
  const training =
    'BatchNormalization is in training mode: the samples of a batch meet in its statistics, so that every figure depends on --batch.'
  return [
    ...(norms.length > 0 ? [trains ? training : inference] : []),
    ...(nodes.some(({ opType }) => opType === 'Dropout')
      ? ['Dropout is switched off, as in inference.']
      : []),
  ]
}
