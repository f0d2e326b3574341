import { toValue } from '../numpy/convert.js'
import * as np from '../numpy/index.js'
import { type Value, Var } from '../program/value.js'
import { castTensor, Tensor } from '../tensor/tensor.js'
import { flatten, leafNames, type Structure, type Tree, unflatten } from '../tensor/tree.js'
import { ravel } from '../transforms/index.js'
import { isLeaf, type Like } from '../transforms/stage.js'

/** Lower and upper ends: for all parameters, one for each, or for some by their names. */
export type Bounds =
  | readonly [lower: number | ArrayLike<number>, upper: number | ArrayLike<number>]
  | { readonly [name: string]: readonly [lower: number, upper: number] }

export interface ParameterOptions {
  /** Names of parameters that keep their start: those of leaves (`decay`) or of elements (`weights[2]`). */
  readonly fixed?: readonly string[]
  /** Groups of names of parameters that are one: they start equal, and stay so. */
  readonly shared?: readonly (readonly string[])[]
  readonly bounds?: Bounds
}

/** A tree of parameters as one float64 vector of those that vary. */
export interface Parameters<P> {
  /** The name of each varying parameter; of shared ones, the first's. */
  readonly names: readonly string[]
  readonly start: Float64Array
  readonly lower: Float64Array
  readonly upper: Float64Array
  readonly bounded: boolean
  /** The tree for a vector of varying parameters, traced or not. */
  readonly tree: (vector: Tensor) => P
  /** The same with numbers and nested arrays of them for leaves. */
  readonly numbers: (vector: Float64Array) => unknown
  /** Rows of derivatives by all elements as columns of derivatives by varying parameters, one after another. */
  readonly columns: (where: string, rows: ArrayLike<ArrayLike<number>>) => Float64Array
}

/** @throws when a start is not finite or outside its bounds, or a name is unknown. */
export function parameters<P>(start: Like<P>, options: ParameterOptions = {}): Parameters<P> {
  const { leaves: given, structure } = flatten<unknown>(start as Tree<unknown>, isLeaf, 'start')
  const leaves = given.map((leaf) => toFloat64(toValue(leaf)))
  const names = elementNames(structure, leaves)
  const all = Float64Array.from(leaves.flatMap((leaf) => Array.from(leaf.data)))
  const owner = ownersOf(names, structure, all, options)
  const first = firstOwned(owner)
  const index = owner.map((k) => k)
  const constants: number[] = []
  owner.forEach((k, i) => {
    if (k < 0) index[i] = first.length + constants.push(all[i]!) - 1
  })
  const isPlain = constants.length === 0 && index.every((k, i) => k === i)
  const picked = new Tensor(Int32Array.from(index))
  const rest = new Tensor(Float64Array.from(constants))
  const [, unravel] = ravel<P>(unflatten(structure, leaves) as unknown as Like<P>)
  const traced = (vector: Tensor) =>
    unravel(isPlain ? vector : np.take(np.concatenate([vector, rest]), picked))
  const filled = (vector: ArrayLike<number>): Tensor[] => {
    let at = 0
    return leaves.map(({ shape, size }) => {
      const data = new Float64Array(size)
      for (let i = 0; i < size; i++, at++) {
        const k = index[at]!
        data[i] = k < first.length ? vector[k]! : constants[k - first.length]!
      }
      return new Tensor(data, shape)
    })
  }
  const varying = Array.from(first, (i) => names[i]!)
  const ends = boundsOf(options.bounds, names, first)
  const from = Float64Array.from(first, (i) => all[i]!)
  checkBounds(varying, ends)
  checkWithin('start:', { names: varying, ...ends }, from)
  return {
    names: varying,
    start: from,
    ...ends,
    bounded: ends.lower.some((x) => x > -Infinity) || ends.upper.some((x) => x < Infinity),
    tree: (vector) =>
      vector instanceof Tensor ? (unflatten(structure, filled(vector.data)) as P) : traced(vector),
    numbers: (vector) =>
      unflatten<unknown>(
        structure,
        filled(vector).map((leaf) => leaf.toArray()),
      ),
    columns(where, rows) {
      const sum = new Float64Array(rows.length * first.length)
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!
        if (row.length !== owner.length)
          throw new Error(
            `${where}: row ${i} has ${row.length} numbers, expected ${owner.length}, one for each parameter`,
          )
        owner.forEach((k, j) => {
          if (k >= 0) sum[k * rows.length + i] = sum[k * rows.length + i]! + row[j]!
        })
      }
      return sum
    },
  }
}

function toFloat64(value: Value): Tensor {
  if (value instanceof Var)
    throw new Error('start: got a traced value, expected numbers; to differentiate a solver see implicit')
  return value.dtype === 'float64' ? value : castTensor(value, 'float64')
}

/** `scale`, or `weights[0][2]`. */
function elementNames(structure: Structure, leaves: readonly Tensor[]): string[] {
  return leafNames(structure).flatMap((name, k) => {
    const { shape, size } = leaves[k]!
    return Array.from({ length: size }, (_, i) => {
      let rest = i
      let suffix = ''
      for (const n of [...shape].reverse()) {
        suffix = `[${rest % n}]${suffix}`
        rest = Math.floor(rest / n)
      }
      return name + suffix
    })
  })
}

/** Which element names a given name stands for: one, or all of a leaf. */
function elementsNamed(where: string, name: string, names: readonly string[]): number[] {
  const found = names.flatMap((x, i) =>
    x === name || x.startsWith(`${name}[`) || x.startsWith(`${name}.`) ? i : [],
  )
  if (found.length === 0)
    throw new Error(
      `${where}: there is no parameter ${name}, expected one of ${names.slice(0, 12).join(', ')}`,
    )
  return found
}

/** For each element the varying parameter that it is, or -1 for those that are fixed. */
function ownersOf(
  names: readonly string[],
  structure: Structure,
  all: Float64Array,
  { fixed = [], shared = [] }: ParameterOptions,
): number[] {
  checkNames('fixed', fixed, "names such as ['a', 'b[2]']")
  checkList('shared', shared, "groups of names such as [['a', 'b']]")
  for (const group of shared) checkNames('shared', group, "groups of names such as [['a', 'b']]")
  const leader = names.map((_, i) => i)
  for (const group of shared) {
    const members = group.map((name) => elementsNamed('shared', name, names))
    for (const member of members.slice(1)) {
      if (member.length !== members[0]!.length)
        throw new Error(
          `shared: ${group.join(', ')} have ${members.map((m) => m.length).join(' and ')} elements, expected the same number`,
        )
      member.forEach((i, k) => {
        const lead = leader[members[0]![k]!]!
        if (all[i] !== all[lead])
          throw new Error(
            `shared: ${names[lead]} starts at ${all[lead]} and ${names[i]} at ${all[i]}, expected the same start`,
          )
        leader[i] = lead
      })
    }
  }
  const held = new Set(fixed.flatMap((name) => elementsNamed('fixed', name, names)).map((i) => leader[i]!))
  const order = new Map<number, number>()
  for (const lead of leader) if (!held.has(lead) && !order.has(lead)) order.set(lead, order.size)
  if (order.size === 0)
    throw new Error(
      `start: no parameter varies, of ${leafNames(structure).length || 'none'}; leave some unfixed`,
    )
  return leader.map((lead) => order.get(lead) ?? -1)
}

function checkList(where: string, given: unknown, expected: string): void {
  if (!Array.isArray(given))
    throw new Error(`${where}: got ${JSON.stringify(given)}, expected a list of ${expected}`)
}

function checkNames(where: string, given: unknown, expected: string): void {
  checkList(where, given, expected)
  const wrong = (given as unknown[]).find((name) => typeof name !== 'string')
  if (wrong !== undefined)
    throw new Error(`${where}: got ${JSON.stringify(wrong)} in a list, expected a list of ${expected}`)
}

/** The first element that each varying parameter is. */
function firstOwned(owner: readonly number[]): number[] {
  const first: number[] = []
  owner.forEach((k, i) => {
    if (k === first.length) first.push(i)
  })
  return first
}

interface Ends {
  readonly lower: Float64Array
  readonly upper: Float64Array
}

function boundsOf(bounds: Bounds | undefined, names: readonly string[], first: readonly number[]): Ends {
  const lower = new Float64Array(names.length).fill(-Infinity)
  const upper = new Float64Array(names.length).fill(Infinity)
  if (isPair(bounds)) {
    fillEnds('lower bounds', lower, bounds[0])
    fillEnds('upper bounds', upper, bounds[1])
  } else {
    if (bounds !== undefined && !isNamed(bounds))
      throw new Error(
        `bounds: got ${JSON.stringify(bounds)}, expected [lower, upper] for all, or { name: [lower, upper] } for some`,
      )
    for (const [name, [low, high]] of Object.entries(bounds ?? {}))
      for (const i of elementsNamed('bounds', name, names)) {
        lower[i] = low
        upper[i] = high
      }
  }
  return {
    lower: Float64Array.from(first, (i) => lower[i]!),
    upper: Float64Array.from(first, (i) => upper[i]!),
  }
}

const isPair = (bounds: Bounds | undefined): bounds is Extract<Bounds, readonly unknown[]> =>
  Array.isArray(bounds) && bounds.length === 2

const isNamed = (bounds: unknown) =>
  typeof bounds === 'object' &&
  bounds !== null &&
  !Array.isArray(bounds) &&
  Object.values(bounds).every((ends) => Array.isArray(ends) && ends.length === 2)

function fillEnds(where: string, ends: Float64Array, given: number | ArrayLike<number>): void {
  if (typeof given === 'number') ends.fill(given)
  else if (given.length === ends.length) ends.set(given)
  else
    throw new Error(
      `${where}: got ${given.length}, expected one, or one for each of ${ends.length} parameters`,
    )
}

function checkBounds(names: readonly string[], { lower, upper }: Ends): void {
  names.forEach((name, i) => {
    const [low, high] = [lower[i]!, upper[i]!]
    if (!(low < high))
      throw new Error(
        `bounds: those of ${name} are ${low} and ${high}, expected the lower below the upper; to hold it, use fixed`,
      )
  })
}

/** The values of the parameters that vary at another start. @throws when they are not as many, not finite or outside their bounds. */
export function startFrom(values: ArrayLike<number>, given: Parameters<unknown>): Float64Array {
  const start = Float64Array.from(values)
  if (start.length !== given.names.length)
    throw new Error(
      `start: got ${start.length} numbers, expected ${given.names.length}, one for each parameter that varies`,
    )
  checkWithin('start:', given, start)
  return start
}

/** @throws naming `where` when a value is not finite or outside its bounds. */
export function checkWithin(
  where: string,
  { names, lower, upper }: Pick<Parameters<unknown>, 'names' | keyof Ends>,
  values: Float64Array,
): void {
  values.forEach((x, i) => {
    const [low, high] = [lower[i]!, upper[i]!]
    if (!Number.isFinite(x)) throw new Error(`${where} ${names[i]} is ${x}, expected a finite number`)
    if (x < low || x > high)
      throw new Error(`${where} ${names[i]} is ${x}, expected it within its bounds ${low} to ${high}`)
  })
}
