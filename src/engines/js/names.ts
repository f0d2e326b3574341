import type { Program } from '../../program/program.js'
import { type Value, Var } from '../../program/value.js'
import type { DType } from '../../tensor/dtype.js'
import { sizeOf } from '../../tensor/shape.js'
import { Tensor } from '../../tensor/tensor.js'
import type { Storage } from './buffers.js'
import { literal } from './element.js'

type Scalar = (...x: number[]) => number

/** Names of what the generated code refers to, and the constants and functions that it captures. */
export class Names {
  readonly constants: Tensor[] = []
  readonly functions: { f: Scalar; name: string }[] = []
  readonly scratch: { name: string; dtype: DType; size: number }[] = []
  private locals = 0
  private readonly numbers = new Map<Var, number>()
  private readonly arrays: Map<Value, string>

  constructor(program: Program, storage: Storage) {
    this.arrays = new Map(storage.arrays)
    program.inputs.forEach((variable, i) => {
      this.arrays.set(variable, `x${i}`)
    })
  }

  /** The number that is an element of a value, or the value itself when it has one element. */
  element(variable: Var): string {
    const number = this.numbers.get(variable) ?? this.numbers.size
    this.numbers.set(variable, number)
    return `v${number}`
  }

  /** The typed array of a value. */
  array(value: Value): string {
    const known = this.arrays.get(value)
    if (known) return known
    const name =
      value instanceof Tensor ? `c${this.constants.push(value) - 1}` : `${this.element(value)}_data`
    this.arrays.set(value, name)
    return name
  }

  /** Whether a value is in an array, rather than only a number in the code. */
  hasArray(value: Value): boolean {
    return this.arrays.has(value)
  }

  /** The text of a value all of whose elements are one number. */
  number(value: Value): string | undefined {
    if (value instanceof Var) return sizeOf(value.shape) === 1 ? this.element(value) : undefined
    const first = value.data[0]
    return first !== undefined && value.data.every((x) => Object.is(x, first)) ? literal(first) : undefined
  }

  /** A function that the code calls. */
  capture(f: Scalar, label: string): string {
    const known = this.functions.find((entry) => entry.f === f)
    if (known) return known.name
    const name = `f${this.functions.length}_${label.replace(/\W/g, '_')}`
    this.functions.push({ f, name })
    return name
  }

  /** A local that no other part of the code has. */
  local(prefix: string): string {
    return `${prefix}${this.locals++}`
  }

  /** An array for a step's own use. */
  temporary(dtype: DType, size: number): string {
    const name = `a${this.scratch.length}`
    this.scratch.push({ name, dtype, size })
    return name
  }
}
