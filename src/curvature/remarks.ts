import { kinkOps } from '../ops/kinks.js'
import { type Program, subprograms } from '../program/program.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Loss } from './loss.js'
import type { Problem } from './problem.js'
import { sampleProgram } from './sampleProgram.js'

/** What a reader should know of how loss and classes fit a model's outputs [samples, ..., classes]. */
export function remarksOnClasses(loss: Loss, outputs: Tensor, targets: Tensor): string[] {
  return [remarkOnOutputs(loss, outputs), remarkOnLabels(targets)].filter((remark) => remark !== null)
}

/** Which loss suits the outputs better, where one does. */
export function remarkOnOutputs(loss: Loss, outputs: Tensor): string | null {
  const are = kindOf(outputs)
  if (loss.name === 'cross-entropy' && are === 'probabilities')
    return 'The model’s outputs look like probabilities already (each row sums to 1), but the loss cross-entropy applies a softmax to them; probability-cross-entropy takes them as they are.'
  if (loss.name === 'cross-entropy' && are === 'log-probabilities')
    return 'The model’s outputs look like log-probabilities; the loss cross-entropy leaves them as they are (the log-softmax of log-probabilities), and nll does the same at less cost.'
  if (loss.name === 'nll' && are !== 'log-probabilities')
    return `The loss nll expects log-probabilities, but the model’s outputs look like ${are}; ${lossFor[are]} takes them as they are.`
  if (loss.name === 'probability-cross-entropy' && are !== 'probabilities')
    return `The loss probability-cross-entropy expects probabilities, but the model’s outputs look like ${are}; ${lossFor[are]} takes them as they are.`
  return null
}

const lossFor = {
  logits: 'cross-entropy',
  probabilities: 'probability-cross-entropy',
  'log-probabilities': 'nll',
} as const

function kindOf(outputs: Tensor): keyof typeof lossFor {
  const classes = outputs.shape.at(-1)!
  const rows = outputs.size / classes
  const sums = (f: (x: number) => number) =>
    Array.from({ length: rows }, (_, i) => {
      let sum = 0
      for (let j = i * classes; j < (i + 1) * classes; j++) sum += f(outputs.data[j] as number)
      return sum
    })
  const allOne = (values: number[]) => values.every((sum) => Math.abs(sum - 1) < 1e-3)
  if (outputs.data.every((x: number) => x >= 0) && allOne(sums((x) => x))) return 'probabilities'
  return outputs.data.every((x: number) => x <= 1e-6) && allOne(sums(Math.exp))
    ? 'log-probabilities'
    : 'logits'
}

function remarkOnLabels({ data }: Tensor): string | null {
  return data.every((label: number) => label === data[0])
    ? `Every sample has the label ${data[0]}: the curvature says nothing about telling classes apart.`
    : null
}

const kinks = [...kinkOps.map(({ name }) => name), 'maxPool']
const steps = ['sign', 'floor', 'ceil', 'round']

/** Where a model is not smooth: operations whose derivative jumps, and those that jump themselves. */
export function remarksOnKinks(problem: Problem): string[] {
  const used = new Set(operationsOf(sampleProgram(problem)))
  const among = (names: readonly string[]) => names.filter((name) => used.has(name)).join(', ')
  const [bent, broken] = [among(kinks), among(steps)]
  return [
    ...(bent === ''
      ? []
      : [
          `The model has kinks (${bent}): its second derivatives are those on the side of the kink where each value lies; the jumps of the slope have none.`,
        ]),
    ...(broken === ''
      ? []
      : [
          `The model has steps (${broken}), whose derivative is 0 wherever it exists: what lies before them has no curvature.`,
        ]),
  ]
}

function operationsOf({ equations }: Program): string[] {
  return equations.flatMap(({ primitive, params }) => [
    primitive.name,
    ...subprograms(params).flatMap(([, program]) => operationsOf(program)),
  ])
}
