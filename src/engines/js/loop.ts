import type { Var } from '../../program/value.js'
import { sizeOf } from '../../tensor/shape.js'
import { elementText, rounded } from './element.js'
import { layoutOf, type Reference, type Statement } from './layout.js'
import type { Names } from './names.js'
import { sum } from './position.js'
import type { Item, LoopStep } from './schedule.js'

const initial = { reduceSum: '0', reduceMax: '-Infinity', reduceMin: 'Infinity' } as const

type Reduction = Extract<Item, { kind: 'reduce' }>

const foldName = ({ equation }: Reduction) => equation.primitive.name as keyof typeof initial

/** The statement that takes one more value into a reduction. */
function folded(item: Reduction, into: string, value: string): string {
  if (foldName(item) === 'reduceSum') return `${into} += ${value}`
  return `${into} = Math.${foldName(item) === 'reduceMax' ? 'max' : 'min'}(${into}, ${value})`
}

/** Innermost loops of at most this many rounds are written out, when their body has few statements. */
const unrolledRounds = 4
const unrolledStatements = 6

/** The loop nest of a step, as lines of JavaScript. */
export function emitLoop(step: LoopStep, names: Names, stored: ReadonlySet<Var>): string[] {
  const { shape, statements, references } = layoutOf(step, names, stored)
  const rank = shape.length
  const before: string[] = []
  const after: string[] = []

  /** Elements read into a local: those that inner loops do not change, or that are read more than once. */
  const loads = new Map<Reference, string>()
  for (const reference of statements.flatMap(({ operands }) => operands))
    if (typeof reference !== 'string' && !loads.has(reference))
      if (reference.depth < rank || reference.uses > 1) loads.set(reference, names.local('e'))

  /** Arrays in which reductions over leading axes add up; others do so in a local inside the kept axes. */
  const sums = new Map<Item, string>()
  for (const { item, target } of statements) {
    if (item.kind === 'place' && item.clear) before.push(`${names.array(item.output)}.fill(0)`)
    if (item.kind !== 'reduce' || isLocalSum(target as Reference)) continue
    const array = names.array(item.output)
    const isDouble = item.output.dtype === 'float64'
    const total = isDouble ? array : names.temporary('float64', sizeOf(item.output.shape))
    sums.set(item, total)
    before.push(`${total}.fill(${initial[foldName(item)]})`)
    if (!isDouble) after.push(`${array}.set(${total})`)
  }

  /** Names of the parts of positions that the innermost loop around a reference does not change. */
  const bases = new Map<string, string>()
  const baseKey = ({ offset, strides, depth }: Reference) =>
    `${offset} ${strides.slice(0, depth - 1)} ${depth}`
  const at = (reference: Reference, index: readonly string[]): string => {
    const { array, offset, strides, depth } = reference
    if (depth === 0) return `${array}[${offset}]`
    const base = bases.get(baseKey(reference))
    const last = [index[depth - 1] as string, strides[depth - 1] as number] as const
    return `${array}[${base === undefined ? sum(offset, [last]) : sum(0, [[base, 1], last])}]`
  }
  const emitBases = (depth: number, index: readonly string[]): string[] => {
    const lines: string[] = []
    for (const reference of references) {
      const key = baseKey(reference)
      if (depth === 0 || reference.depth !== depth + 1 || bases.has(key)) continue
      const text = sum(
        reference.offset,
        index.map((name, axis) => [name, reference.strides[axis] as number]),
      )
      const isShort = /^\w+$/.test(text)
      bases.set(key, isShort ? text : names.local('p'))
      if (!isShort) lines.push(`const ${bases.get(key)} = ${text}`)
    }
    return lines
  }

  const emitStatement = (
    { item, operands, target, isLocal, isExact }: Statement,
    index: readonly string[],
  ) => {
    const values = operands.map((x) => (typeof x === 'string' ? x : (loads.get(x) ?? at(x, index))))
    const name = names.element(item.output)
    if (item.kind === 'reduce') {
      const total = sums.get(item)
      const into = total ? at({ ...(target as Reference), array: total }, index) : name
      return [folded(item, into, values[0] as string)]
    }
    const place = target && at(target, index)
    if (item.kind === 'place') return [`${place} = ${values[0]}`]
    const text = elementText(item.equation, values, (f, label) => names.capture(f, label))
    if (!isLocal) return [`${place} = ${text}`]
    const { dtype } = item.output
    const local = `const ${name} = ${dtype === 'float32' && !isExact ? text : rounded(dtype, text)}`
    return place ? [local, `${place} = ${name}`] : [local]
  }

  /** The code inside `depth` loops, whose variables are `index`. */
  const level = (depth: number, index: readonly string[]): string[] => {
    const lines = [...loads]
      .filter(([reference]) => reference.depth === depth)
      .map(([reference, name]) => `const ${name} = ${at(reference, index)}`)
    if (depth === rank)
      return [...lines, ...statements.flatMap((statement) => emitStatement(statement, index))]
    lines.push(...emitBases(depth, index))
    const finished = statements.filter(
      ({ item, target }) => item.kind === 'reduce' && !sums.has(item) && target?.depth === depth,
    )
    for (const { item } of finished)
      lines.push(`let ${names.element(item.output)} = ${initial[foldName(item as Reduction)]}`)
    const n = shape[depth] as number
    if (depth === rank - 1 && n <= unrolledRounds && statements.length <= unrolledStatements)
      for (let round = 0; round < n; round++) lines.push(...braced(level(rank, [...index, String(round)])))
    else {
      const variable = 'ijklmn'[depth] ?? `i${depth}`
      lines.push(`for (let ${variable} = 0; ${variable} < ${n}; ${variable}++) {`)
      lines.push(...indented(level(depth + 1, [...index, variable])), '}')
    }
    for (const { item, target } of finished)
      lines.push(...finish(item.output, at(target as Reference, index)))
    return lines
  }

  /** Writes a sum to its place, or rounds it when it stays a number. */
  const finish = (output: Var, place: string): string[] => {
    const name = names.element(output)
    if (names.hasArray(output)) return [`${place} = ${name}`]
    if (output.dtype === 'float64') return []
    return [output.dtype === 'bool' ? `${name} &= 255` : `${name} = ${rounded(output.dtype, name)}`]
  }

  const body = level(0, [])
  return [...before, ...body, ...after]
}

/** Whether the axes that a reduction keeps are the outermost. */
function isLocalSum({ strides, depth }: Reference): boolean {
  return strides.slice(0, depth).every((stride) => stride !== 0)
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}

function braced(lines: readonly string[]): string[] {
  return lines.length === 1 && !lines[0]?.startsWith('const') ? [...lines] : ['{', ...indented(lines), '}']
}
