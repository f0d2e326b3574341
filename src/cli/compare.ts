import { compare } from '../curvature/index.js'
import { comparisonDocument, documentText, htmlPage } from '../report/index.js'
import { type CommandSpec, parseArguments } from './arguments.js'
import type { Command } from './command.js'
import { blamingInput } from './errors.js'
import { openProblem } from './model.js'
import { analysisOptions, dataOptions, outputOptions, readAnalysis, readData } from './options.js'
import { modelOf, publish, requireOutput, withSession } from './session.js'

const spec: CommandSpec = {
  name: 'compare',
  summary:
    'Compare two models on the same data: loss, accuracy, eigenvalues, traces, densities, layers, and the loss between them.\n' +
    'Every difference comes with its error, and whether it exceeds it.',
  operands: ['A.onnx', 'B.onnx'],
  options: {
    ...dataOptions,
    ...analysisOptions,
    line: { value: 'N', help: 'points on the straight line between the models (default 21)' },
    ...outputOptions,
  },
}

async function run(words: readonly string[], signal: AbortSignal): Promise<void> {
  const args = parseArguments(spec, words)
  const paths = args.operands as [string, string]
  const { loss, files } = await readData(args)
  const linePoints = args.number('line', { integer: true, min: 2 })
  const settings = { ...readAnalysis(args), ...(linePoints !== undefined && { linePoints }) }
  requireOutput(args)
  const first = await openProblem({ ...files, model: paths[0] }, loss)
  const second = await openProblem({ ...files, model: paths[1] }, loss)
  const comparison = await withSession(args, signal, (session) =>
    blamingInput(paths.join(' and '), () =>
      compare(first.problem, second.problem, { ...settings, ...session }),
    ),
  )
  const models = [modelOf(paths[0], first), modelOf(paths[1], second)] as const
  const document = comparisonDocument(comparison, models)
  publish(args, {
    html: () => htmlPage(document),
    text: () => documentText(document),
    json: () => ({ models, ...comparison }),
  })
}

export const compareCommand: Command = { spec, run }
