import { allocate, type DType } from '../tensor/dtype.js'
import { type Shape, sizeOf, stridesOf } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import { decodeTensor, type ElementType, hostIsLittleEndian } from './elements.js'
import { DataError } from './error.js'

/** The first bytes of every .npy file. */
export const npyMagic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)

const maxRank = 64
// NumPy's own limit.
const maxHeaderLength = 10_000

/**
 * The array in a .npy file: format versions 1 to 3, either byte order, C or Fortran order.
 * Integers and unsigned integers become int32, f2 and f4 float32, f8 float64, b1 bool.
 * Source: NumPy's NEP 1, and numpy.lib.format.
 * @throws DataError on a malformed header, a length that does not fit the shape, an integer outside int32, and
 *   element types without a number each (Python objects are never unpickled).
 */
export function readNpy(bytes: Uint8Array): Tensor {
  if (!npyMagic.every((byte, i) => bytes[i] === byte))
    throw new DataError('not a .npy file: wrong first bytes')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = bytes[6]
  if (version !== 1 && version !== 2 && version !== 3)
    throw new DataError(`.npy format version ${version ?? '(missing)'} is unknown, expected 1, 2 or 3`)
  const start = version === 1 ? 10 : 12
  if (bytes.length < start) throw new DataError('truncated: the .npy header is incomplete')
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > maxHeaderLength)
    throw new DataError(`the .npy header claims ${length} bytes, at most ${maxHeaderLength} are accepted`)
  if (start + length > bytes.length)
    throw new DataError(
      `truncated: the .npy header claims ${length} bytes, ${bytes.length - start} are there`,
    )
  const header = parseHeader(String.fromCharCode(...bytes.subarray(start, start + length)))
  const data = bytes.subarray(start + length)
  const { type, littleEndian } = elementType(header.descr)
  const stored = decodeTensor(data, header.shape, type, littleEndian)
  return header.fortranOrder ? fromFortranOrder(stored) : stored
}

/** The bytes of a .npy file (version 1, C order) holding `x`: f8, f4, i4 or b1. */
export function writeNpy(x: Tensor): Uint8Array {
  const shape = x.shape.length === 1 ? `(${x.shape[0]},)` : `(${x.shape.join(', ')})`
  const dict = `{'descr': '${storedAs[x.dtype]}', 'fortran_order': False, 'shape': ${shape}, }`
  const start = Math.ceil((10 + dict.length + 1) / 64) * 64
  const bytes = new Uint8Array(start + x.data.byteLength)
  bytes.set(npyMagic)
  bytes[6] = 1
  new DataView(bytes.buffer).setUint16(8, start - 10, true)
  const header = `${dict.padEnd(start - 11)}\n`
  for (let i = 0; i < header.length; i++) bytes[10 + i] = header.charCodeAt(i)
  bytes.set(new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength), start)
  return bytes
}

const order = hostIsLittleEndian ? '<' : '>'
const storedAs: Record<DType, string> = {
  float64: `${order}f8`,
  float32: `${order}f4`,
  int32: `${order}i4`,
  bool: '|b1',
}

type Header = { descr: string; fortranOrder: boolean; shape: Shape }

/** Reads the Python dict literal of a header; only the literals that NumPy writes are understood. */
function parseHeader(text: string): Header {
  if (/'descr'\s*:\s*\[/.test(text))
    throw new DataError('the .npy file holds a structured dtype (named fields), expected plain numbers')
  const body = /^\{(.*)\}\s*$/s.exec(text)?.[1]
  if (body === undefined) throw new DataError('the .npy header is not a Python dict')
  const entry = /\s*(['"])(\w+)\1\s*:\s*('[^']*'|"[^"]*"|True|False|\([^()]*\))\s*(,\s*|$)/y
  const fields = new Map<string, string>()
  while (entry.lastIndex < body.length) {
    const [, , key, value] = entry.exec(body) ?? []
    if (key === undefined || value === undefined || fields.has(key))
      throw new DataError('the .npy header is malformed')
    fields.set(key, value)
  }
  const descr = fields.get('descr')
  const fortran = fields.get('fortran_order')
  const shape = fields.get('shape')
  if (fields.size !== 3 || !descr || !/^['"]/.test(descr) || !fortran || !/^[TF]/.test(fortran) || !shape)
    throw new DataError("the .npy header must hold 'descr', 'fortran_order' and 'shape', and nothing else")
  return { descr: descr.slice(1, -1), fortranOrder: fortran === 'True', shape: parseShape(shape) }
}

/** A tuple of integers: `()`, `(3,)`, `(3, 4)`; Python 2 wrote `3L`. */
function parseShape(text: string): Shape {
  const inside = text.slice(1, -1).trim()
  const parts = inside === '' ? [] : inside.replace(/,$/, '').split(',')
  if (parts.length > maxRank)
    throw new DataError(
      `the .npy header declares ${parts.length} dimensions, at most ${maxRank} are accepted`,
    )
  return parts.map((part) => {
    const n = /^\s*\d+L?\s*$/.test(part) ? Number.parseInt(part, 10) : NaN
    if (!Number.isSafeInteger(n))
      throw new DataError(`the .npy header declares a bad dimension: ${part.trim()}`)
    return n
  })
}

function elementType(descr: string): { type: ElementType; littleEndian: boolean } {
  if (/^[|<>=]?O/.test(descr))
    throw new DataError(
      'the .npy file holds Python objects (pickle), which are refused as unsafe; save it with a numeric dtype',
    )
  const [, endian, type] = /^([|<>=]?)([iu][1248]|f[248]|b1)$/.exec(descr) ?? []
  if (type === undefined)
    throw new DataError(
      `the .npy element type '${descr}' is not supported, expected f2..f8, i1..i8, u1..u8 or b1`,
    )
  const littleEndian = endian === '<' || (endian !== '>' && hostIsLittleEndian)
  return { type: type as ElementType, littleEndian }
}

/** Reorders elements stored with the first axis running fastest into row-major order. */
function fromFortranOrder(stored: Tensor): Tensor {
  const { shape, data } = stored
  if (shape.length < 2 || data.length === 0) return stored
  const sourceStrides = stridesOf([...shape].reverse()).reverse()
  const out = allocate(stored.dtype, sizeOf(shape))
  const index = new Array<number>(shape.length).fill(0)
  let source = 0
  for (let i = 0; i < out.length; i++) {
    out[i] = data[source] as number
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = sourceStrides[axis] as number
      const n = (index[axis] as number) + 1
      source += stride
      if (n < (shape[axis] as number)) {
        index[axis] = n
        break
      }
      index[axis] = 0
      source -= n * stride
    }
  }
  return new Tensor(out, shape)
}
