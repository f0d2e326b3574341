import {
  type DerivativeKind,
  derivativeKinds,
  derivativeModel,
  losses,
  lossNamed,
} from '../curvature/index.js'
import { writeFileAtomic, writeNpy } from '../io/index.js'
import { fullTensor } from '../tensor/tensor.js'
import { ravel } from '../transforms/index.js'
import { type CommandSpec, parseArguments, UsageError, unknown } from './arguments.js'
import type { Command } from './command.js'
import { blamingInput } from './errors.js'
import { applyOne, dataInput, openModel } from './model.js'
import { requireWritable } from './output.js'

const spec: CommandSpec = {
  name: 'export',
  summary:
    'Write a derivative of a model’s mean loss as an .onnx file that any ONNX runtime runs.\n' +
    'Its inputs: the data, targets and, for products, vector (all parameters in the order of the file).',
  operands: ['MODEL.onnx'],
  options: {
    what: {
      value: 'KIND',
      help: `${derivativeKinds.join(', ')} (required): loss and gradient, H v, or J^T L J v`,
    },
    out: { value: 'FILE', short: 'o', help: 'the file to write (required)' },
    loss: { value: 'NAME', help: `${Object.keys(losses).join(', ')} (default cross-entropy)` },
    parameters: {
      value: 'FILE',
      help: 'make the parameters an input too, one vector, and write their values to this .npy file',
    },
    batch: { value: 'N', help: 'samples in a batch, fixed in the file (default the model’s, or 1)' },
  },
}

async function run(words: readonly string[]): Promise<void> {
  const args = parseArguments(spec, words)
  const [path] = args.operands as [string]
  const what = args.text('what')
  const out = args.text('out')
  if (what === undefined)
    throw new UsageError(`--what is missing, expected --what ${derivativeKinds.join('|')}`)
  if (!derivativeKinds.includes(what as DerivativeKind))
    throw new UsageError(unknown(`--what ${what}`, what, derivativeKinds))
  if (out === undefined) throw new UsageError('--out is missing, expected -o FILE.onnx')
  const loss = await blamingInput('loss', () => lossNamed(args.text('loss') ?? 'cross-entropy'))
  const parametersFile = args.text('parameters')
  for (const path of [out, parametersFile]) if (path !== undefined) requireWritable(path)
  const model = await openModel(path)
  const input = dataInput(model, path)
  const [first, ...sample] = input.shape
  const batch = args.number('batch', { integer: true, min: 1 }) ?? (typeof first === 'number' ? first : 1)
  const symbolic = sample.find((n) => typeof n === 'string')
  if (symbolic !== undefined)
    throw new UsageError(
      `${path}: axis ${symbolic} of input ${input.name} has no fixed length, so shapes cannot be fixed`,
    )
  const bytes = await blamingInput(path, () => {
    const apply = applyOne(model, input.name)
    const inputs = fullTensor([batch, ...(sample as number[])], 0, input.dtype)
    const outputs = apply(model.parameters, inputs)
    const targets =
      loss.targets === 'classes'
        ? fullTensor([batch], 0, 'int32')
        : fullTensor(outputs.shape, 0, outputs.dtype)
    const problem = { parameters: model.parameters, apply, loss, inputs, targets }
    const parametersAsInput = parametersFile !== undefined
    return derivativeModel(problem, {
      what: what as DerivativeKind,
      inputName: input.name,
      name: path,
      parametersAsInput,
    })
  })
  const [theta] = ravel(model.parameters)
  writeFileAtomic(out, bytes)
  if (parametersFile !== undefined) writeFileAtomic(parametersFile, writeNpy(theta))
  console.log(`${out}: ${what} of ${path} in ${theta.size} parameters, batch ${batch}, ${bytes.length} bytes`)
}

export const exportCommand: Command = { spec, run }
