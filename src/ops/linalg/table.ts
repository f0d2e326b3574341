import type { Primitive } from '../../program/primitive.js'
import { choleskyOps } from './cholesky.js'
import { eighOps } from './eigh.js'
import { fftOps } from './fft.js'
import { luOps } from './lu.js'
import { matrixFunctionOps } from './matrixFunction.js'
import { qrOps } from './qr.js'
import { solveOps } from './solve.js'
import { svdOps } from './svd.js'
import { triangularSolveOps } from './triangularSolve.js'

/** The primitives of linear algebra. */
export const linalgOps: readonly Primitive[] = [
  ...choleskyOps,
  ...triangularSolveOps,
  ...luOps,
  ...solveOps,
  ...qrOps,
  ...eighOps,
  ...svdOps,
  ...matrixFunctionOps,
  ...fftOps,
]
