import type { DType } from '../tensor/dtype.js'
import { type Shape, sameShape, showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Builder } from './builder.js'

/** What is known of a value before it is computed. */
export interface Type {
  readonly dtype: DType
  readonly shape: Shape
}

/** A named value of a {@link Program}: while tracing, a stand-in for a tensor. */
export class Var implements Type {
  readonly dtype: DType
  readonly shape: Shape
  readonly builder: Builder

  constructor(type: Type, builder: Builder) {
    this.dtype = type.dtype
    this.shape = type.shape
    this.builder = builder
  }

  toString(): string {
    return `traced ${showType(this)}`
  }

  get size(): number {
    return sizeOf(this.shape)
  }

  /** A traced value has no numbers yet, so reading them while a function is traced is a mistake. */
  get data(): never {
    throw this.noNumber('data')
  }

  item(): never {
    throw this.noNumber('item()')
  }

  toArray(): never {
    throw this.noNumber('toArray()')
  }

  [Symbol.toPrimitive](): never {
    throw this.noNumber('a JavaScript operator or if')
  }

  [Symbol.iterator](): never {
    throw new Error(
      `${showType(this)} is traced and cannot be destructured or spread; take it apart with unstack or slice of evolute/numpy, ` +
        'or give the function an object of numbers, such as { a: 1, b: 2 }, instead of an array',
    )
  }

  private noNumber(use: string): Error {
    return new Error(
      `${showType(this)} is traced and has no numbers yet, but ${use} asks for them; ` +
        'use functions of evolute/numpy (add, multiply, where, ...) inside functions that are differentiated or compiled',
    )
  }
}

/** A tensor, or a stand-in for one. */
export type Value = Tensor | Var

export function typeOf(value: Type): Type {
  return { dtype: value.dtype, shape: value.shape }
}

export function sameType(a: Type, b: Type): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape)
}

export function showType(type: Type): string {
  return `${type.dtype}${showShape(type.shape)}`
}
