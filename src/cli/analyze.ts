import { analyze, toJson } from '../curvature/index.js'
import { curvatureReport, curvatureText } from '../report/index.js'
import { type CommandSpec, parseArguments } from './arguments.js'
import type { Command } from './command.js'
import { blamingInput } from './errors.js'
import { openProblem } from './model.js'
import { analysisOptions, dataOptions, outputOptions, readAnalysis, readData } from './options.js'
import { modelOf, publish, requireOutput, withSession } from './session.js'

const spec: CommandSpec = {
  name: 'analyze',
  summary:
    'Measure the curvature of a model’s loss: eigenvalues, trace and spectral density of the Hessian.\n' +
    'Arrays are .npy, .npz (file.npz:name), .idx, .csv, or any of these with .gz.',
  operands: ['MODEL.onnx'],
  options: { ...dataOptions, ...analysisOptions, ...outputOptions },
}

async function run(words: readonly string[], signal: AbortSignal): Promise<void> {
  const args = parseArguments(spec, words)
  const [path] = args.operands as [string]
  const { loss, files } = await readData(args)
  const settings = readAnalysis(args)
  requireOutput(args)
  const opened = await openProblem({ ...files, model: path }, loss)
  const measured = await withSession(args, signal, (session) =>
    blamingInput(path, () => analyze(opened.problem, { ...settings, ...session })),
  )
  const report = {
    ...measured,
    notes: [...measured.notes, ...opened.remarks],
    model: modelOf(path, opened),
  }
  publish(args, {
    html: () => curvatureReport(report),
    text: () => curvatureText(report),
    json: () => toJson(report),
  })
}

export const analyzeCommand: Command = { spec, run }
