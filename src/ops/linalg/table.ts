import type { Primitive } from '../../program/primitive.js'
import { choleskyOps } from './cholesky.js'
import { luOps } from './lu.js'
import { solveOps } from './solve.js'
import { triangularSolveOps } from './triangularSolve.js'

/** The primitives of linear algebra. */
export const linalgOps: readonly Primitive[] = [...choleskyOps, ...triangularSolveOps, ...luOps, ...solveOps]
