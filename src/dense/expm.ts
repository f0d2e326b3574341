import { factorize, solveFactored } from './lu.js'
import { combine, product, rowNorm } from './square.js'

/** Coefficients of the numerator of the diagonal Pade approximant of degree 13. */
const b = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
] as const

/** Up to this norm the approximant errs by less than rounding. */
const largestNorm = 5.371920351148152

/** exp of a matrix by scaling and squaring (Higham 2005, algorithm 2.3). @throws when an element is not finite. */
export function expm(x: Float64Array, n: number): Float64Array {
  const norm = rowNorm(x, n)
  if (!Number.isFinite(norm)) throw new Error('expm: the matrix holds elements that are not finite numbers')
  const squarings = Math.max(0, Math.ceil(Math.log2(norm / largestNorm)))
  const x1 = x.map((e) => e / 2 ** squarings)
  const x2 = product(x1, x1, n)
  const x4 = product(x2, x2, n)
  const x6 = product(x4, x2, n)
  const powers = [x2, x4, x6]
  const odd = combine(
    n,
    b[1],
    [1, b[3], b[5], b[7]],
    [product(x6, combine(n, 0, [b[9], b[11], b[13]], powers), n), ...powers],
  )
  const even = combine(
    n,
    b[0],
    [1, b[2], b[4], b[6]],
    [product(x6, combine(n, 0, [b[8], b[10], b[12]], powers), n), ...powers],
  )
  const u = product(x1, odd, n)
  const { packed, order } = factorize(combine(n, 0, [1, -1], [even, u]), n)
  let result = solveFactored(packed, order, combine(n, 0, [1, 1], [even, u]), n)
  for (let k = 0; k < squarings; k++) result = product(result, result, n)
  return result
}
