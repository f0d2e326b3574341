import { landscape } from '../curvature/index.js'
import { documentText, htmlPage, landscapeDocument } from '../report/index.js'
import { type CommandSpec, parseArguments } from './arguments.js'
import type { Command } from './command.js'
import { blamingInput } from './errors.js'
import { openProblem } from './model.js'
import { choice, dataOptions, given, outputOptions, readData, readRun } from './options.js'
import { modelOf, publish, requireOutput, withSession } from './session.js'

const spec: CommandSpec = {
  name: 'landscape',
  summary:
    'Slice the loss of a model: along two directions and over their plane, beside the quadratic model.\n' +
    'Random directions are scaled filter by filter (Li et al. 2018): a filter is a slice along a tensor’s first axis.',
  operands: ['MODEL.onnx'],
  options: {
    ...dataOptions,
    along: { value: 'KIND', help: 'eigenvectors or random (default eigenvectors of the Hessian)' },
    points: { value: 'N', help: 'points of a slice (default 41)' },
    plane: { value: 'N', help: 'points along a side of the plane, 0 for none (default 15)' },
    range: { value: 'R', help: 'how far slices reach, in units of the direction (see the report)' },
    biases: { value: 'HOW', help: 'random directions ignore or scale biases (default ignore)' },
    ...outputOptions,
  },
}

async function run(words: readonly string[], signal: AbortSignal): Promise<void> {
  const args = parseArguments(spec, words)
  const [path] = args.operands as [string]
  const { loss, files } = await readData(args)
  const settings = {
    ...readRun(args),
    ...given({
      along: choice(args, 'along', ['eigenvectors', 'random']),
      points: args.number('points', { integer: true, min: 3 }),
      planePoints: args.number('plane', { integer: true, min: 0 }),
      range: args.number('range', { min: 0 }),
      biases: choice(args, 'biases', ['ignore', 'scale']),
    }),
  }
  requireOutput(args)
  const opened = await openProblem({ ...files, model: path }, loss)
  const found = await withSession(args, signal, (session) =>
    blamingInput(path, () => landscape(opened.problem, { ...settings, ...session })),
  )
  const model = modelOf(path, opened)
  const document = landscapeDocument(found, model.name, loss.name)
  publish(args, {
    html: () => htmlPage(document),
    text: () => documentText(document),
    json: () => ({ model, ...found }),
  })
}

export const landscapeCommand: Command = { spec, run }
