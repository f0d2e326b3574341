/** Bytes from ASCII text and numbers, for writing files by hand. */
export function bytesOf(...parts: (string | ArrayLike<number>)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'string' ? Array.from(part, (char) => char.charCodeAt(0)) : Array.from(part),
    ),
  )
}

export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}

/** A .npy file of format `version` with the header `dict` and the raw `data`. */
export function npyFile(dict: string, data: ArrayLike<number>, version = 1): Uint8Array {
  const length = [dict.length & 255, dict.length >> 8, ...(version === 1 ? [] : [0, 0])]
  return bytesOf([0x93], 'NUMPY', [version, 0], length, dict, data)
}

/** The header dict that NumPy writes. */
export function npyDict(descr: string, shape: string, fortran = 'False'): string {
  return `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`
}
