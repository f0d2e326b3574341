import { reduceSum, transpose } from '../ops/broadcast.js'
import { dot } from '../ops/dot.js'
import { showType, type Value } from '../program/value.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ArrayLike, sameDtype, toTensor, toValue } from './convert.js'
import { diagonal } from './matrix.js'

/** A value with a letter for each of its axes. */
interface Labelled {
  readonly value: Value
  readonly labels: readonly string[]
}

/**
 * Einstein's summation: `einsum('bij,bjk->bik', x, y)` is sum_j x[b,i,j] y[b,j,k]. Letters that are not in the
 * result are summed over; a letter twice in one operand takes its diagonal; `...` stands for leading axes.
 * Without `->` the result has the letters that occur once, in alphabetical order. Operands are contracted
 * from left to right, each pair by one product.
 * @throws when the text does not fit the operands: their number, axes, or the lengths of a letter.
 */
export function einsum(subscripts: string, ...operands: readonly ArrayLike[]): Tensor {
  const values = sameDtype(operands, 'int32')
  const { inputs, output } = parse(subscripts, values)
  checkLengths(subscripts, inputs, output, values)
  const terms = values.map((value, i) => takeDiagonals({ value, labels: inputs[i] as string[] }))
  const result = terms.slice(1).reduce((left, right, i) => {
    const later = new Set([...output, ...terms.slice(i + 2).flatMap((term) => term.labels)])
    return contract(left, right, later)
  }, terms[0] as Labelled)
  const { value, labels } = sumExcept(result, new Set(output))
  return toTensor(
    transpose(
      value,
      output.map((label) => labels.indexOf(label)),
    ),
  )
}

function fail(subscripts: string, detail: string): never {
  throw new Error(`einsum: '${subscripts}' ${detail}`)
}

/** Letters of every operand and of the result; the axes of an ellipsis are named by their place from the right. */
function parse(subscripts: string, values: readonly Value[]): { inputs: string[][]; output: string[] } {
  const [left, right, ...more] = subscripts.replace(/\s/g, '').split('->')
  const texts = (left as string).split(',')
  if (more.length > 0) fail(subscripts, 'has more than one ->')
  if (texts.length !== values.length) fail(subscripts, `has ${texts.length} operands, got ${values.length}`)
  let widest = 0
  const inputs = texts.map((text, i) => {
    const value = values[i] as Value
    const [labels, dots] = letters(subscripts, text)
    const hidden = value.shape.length - labels.length
    if (dots < 0 ? hidden !== 0 : hidden < 0)
      fail(subscripts, `names ${labels.length} axes of operand ${i}, which is ${showType(value)}`)
    if (dots < 0) return labels
    widest = Math.max(widest, hidden)
    labels.splice(dots, 0, ...ellipsis(hidden))
    return labels
  })
  if (right !== undefined) {
    const [labels, dots] = letters(subscripts, right)
    if (dots >= 0) labels.splice(dots, 0, ...ellipsis(widest))
    return { inputs, output: labels }
  }
  const all = inputs.flat()
  const once = [...new Set(all)].filter(
    (label) => label.length === 1 && all.indexOf(label) === all.lastIndexOf(label),
  )
  return { inputs, output: [...ellipsis(widest), ...once.sort()] }
}

function letters(subscripts: string, text: string): [labels: string[], dots: number] {
  if (!/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(text))
    fail(subscripts, `has '${text}', expected letters and at most one ...`)
  return [[...text.replace('...', '')], text.indexOf('...')]
}

const ellipsis = (n: number) => Array.from({ length: n }, (_, i) => `...${n - i}`)

function checkLengths(
  subscripts: string,
  inputs: string[][],
  output: string[],
  values: readonly Value[],
): void {
  const lengths = new Map<string, number>()
  inputs.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const n = (values[i] as Value).shape[axis] as number
      const known = lengths.get(label) ?? n
      if (n !== known)
        fail(subscripts, `gives ${label} the lengths ${known} and ${n} (${values.map(showType).join(', ')})`)
      lengths.set(label, n)
    })
  })
  const unknown = output.find((label, i) => !lengths.has(label) || output.indexOf(label) !== i)
  if (unknown) fail(subscripts, `has ${unknown} in the result, expected letters of the operands, each once`)
}

/** Every letter once. */
function takeDiagonals({ value, labels }: Labelled): Labelled {
  const axis1 = labels.findIndex((label, i) => labels.indexOf(label, i + 1) > 0)
  if (axis1 < 0) return { value, labels }
  const axis2 = labels.indexOf(labels[axis1] as string, axis1 + 1)
  const rest = labels.filter((_, axis) => axis !== axis1 && axis !== axis2)
  const value2 = toValue(diagonal(toTensor(value), { axis1, axis2 }))
  return takeDiagonals({ value: value2, labels: [...rest, labels[axis1] as string] })
}

function sumExcept({ value, labels }: Labelled, kept: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((label, axis) => (kept.has(label) ? [] : [axis]))
  return { value: reduceSum(value, axes), labels: labels.filter((label) => kept.has(label)) }
}

/** The product of two terms, summed over the letters that nothing later needs. */
function contract(left: Labelled, right: Labelled, later: ReadonlySet<string>): Labelled {
  const x = sumExcept(left, new Set([...later, ...right.labels]))
  const y = sumExcept(right, new Set([...later, ...x.labels]))
  const shared = x.labels.filter((label) => y.labels.includes(label))
  const batch = shared.filter((label) => later.has(label))
  const summed = shared.filter((label) => !later.has(label))
  const axes = (labels: readonly string[], of: Labelled) => labels.map((label) => of.labels.indexOf(label))
  return {
    value: dot(x.value, y.value, [axes(summed, x), axes(summed, y)], [axes(batch, x), axes(batch, y)]),
    labels: [...batch, ...[...x.labels, ...y.labels].filter((label) => !shared.includes(label))],
  }
}
