import { describe, expect, test } from 'vitest'
import type { Tensor } from '../../src/tensor/tensor.js'
import { type OnnxCase, onnxCases } from '../helpers/onnxCases.js'
import { scopeDocument } from './document.js'
import { exclusionOf, isCorrected } from './outOfScope.js'
import { compare, prepare, type Run, runStock, runTraced } from './runCase.js'

const skip = !process.env.EVOLUTE_DATA
const suites = ['node', 'simple', 'pytorch-converted', 'pytorch-operator'] as const

/** Counts in scope; a change of them is a change of what evolute imports. */
const inScope = { node: 1321, simple: 7, 'pytorch-converted': 80, 'pytorch-operator': 34 }

/** Runs `check` on every data set of every case in scope; all failures are reported together, by name. */
async function checkAll(
  suite: (typeof suites)[number],
  check: (run: Run, expected: Run['expected']) => Promise<void>,
) {
  const failures: string[] = []
  let count = 0
  for (const onnxCase of onnxCases(suite)) {
    if (exclusionOf(onnxCase)) continue
    count++
    try {
      for (const run of prepare(onnxCase)) await check(run, await judge(onnxCase, run))
    } catch (error) {
      failures.push(`${onnxCase.name}: ${(error as Error).message}`)
    }
  }
  expect(failures).toEqual([])
  expect(count).toBe(inScope[suite])
}

async function judge(
  { name, modelBytes }: OnnxCase,
  { model, inputs, expected }: Run,
): Promise<readonly Tensor[]> {
  return isCorrected(name) ? runStock(modelBytes, inputs, model.outputs) : expected
}

describe.skipIf(skip)("ONNX's own test cases", () => {
  test.each(suites)(
    'in scope of suite %s give the stated results when applied',
    (suite) =>
      checkAll(suite, async ({ model, inputs, tolerance }, expected) => {
        const results = Object.values(model.apply(model.parameters, inputs))
        expected.forEach((want, i) => {
          compare(results[i]!, want, tolerance)
        })
      }),
    300_000,
  )

  test.each(suites)(
    'in scope of suite %s give the stated results traced and run by ONNX Runtime',
    (suite) =>
      checkAll(suite, async (run, expected) => {
        const results = await runTraced(run)
        expected.forEach((want, i) => {
          compare(results[i]!, want, run.tolerance)
        })
      }),
    600_000,
  )

  test('that are out of scope are listed in docs/onnx.md, beside the operators that are supported', async () => {
    await expect(scopeDocument()).toMatchFileSnapshot('../../docs/onnx.md')
  })
})
