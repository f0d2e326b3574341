/** Element types of a {@link Tensor}. `bool` is stored as bytes 0 and 1; ONNX int64 is held as int32. */
export type DType = 'float64' | 'float32' | 'int32' | 'bool'

export type TypedArray = Float64Array | Float32Array | Int32Array | Uint8Array

const constructors = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const

export const dtypes = Object.keys(constructors) as readonly DType[]

/** A zero-filled array of `size` elements of `dtype`. */
export function allocate(dtype: DType, size: number): TypedArray {
  return new constructors[dtype](size)
}

export function bytesPerElement(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'float64' || dtype === 'float32'
}

/** The dtype whose elements are stored in `data`. */
export function dtypeOf(data: TypedArray): DType {
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Int32Array) return 'int32'
  return 'bool'
}

const rank: Record<DType, number> = { bool: 0, int32: 1, float32: 2, float64: 3 }

/** The narrowest dtype that holds both: bool < int32 < float32 < float64. */
export function promote(a: DType, b: DType): DType {
  return rank[a] >= rank[b] ? a : b
}
