import { explain as explainProgram } from '../program/explain.js'
import type { Program } from '../program/program.js'
import type { TracedFunction } from './trace.js'

/**
 * The listing of a program, or of a function recorded by `trace`, for people: every operation with the shape
 * and dtype of its result, its floating-point operations and the bytes that it moves; then the sums, and the
 * peak memory.
 */
export function explain(of: TracedFunction | Program): string {
  return explainProgram('program' in of ? of.program : of)
}
