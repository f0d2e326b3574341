import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { logRelativeError, type NistProblem, nistProblems } from '../optimize/nist.js'
import { evolute } from './commandLine.js'

const data = process.env.EVOLUTE_DATA

/** The formula as NIST's file writes it, with round brackets and without the error term. */
function formulaOf(name: string): string {
  const text = readFileSync(join(data!, 'nist_strd', `${name}.dat`), 'utf8')
  const [, formula] = /^ *(?:y|log\[y\]) +=([\s\S]*?)\+ +e *$/m.exec(text)!
  return formula!.replace(/\s+/g, ' ').replaceAll('[', '(').replaceAll(']', ')')
}

/** The data as comma-separated rows, y first; the response of Nelson is the logarithm of what the file holds. */
function tableOf({ name, x, y }: NistProblem): string {
  const rows = y.map((value, i) => [
    name === 'Nelson' ? Math.log(value) : value,
    ...x.map((column) => column[i]),
  ])
  return rows.map((row) => row.join(',')).join('\n')
}

describe.skipIf(!data)(
  'NIST’s problems from their own formulas, of text (skipped where EVOLUTE_DATA is not set)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'evolute-nist-'))
    afterAll(() => rmSync(folder, { recursive: true }))
    const problems = data ? nistProblems(join(data, 'nist_strd')) : []

    test('there are 27', () => {
      expect(problems.length).toBe(27)
    })

    test.each(problems)('$name from its second start', async (problem) => {
      const file = join(folder, `${problem.name}.csv`)
      writeFileSync(file, tableOf(problem))
      const start = problem.starts[1]!.map((value, i) => `b${i + 1}=${value}`).join()
      const xs = problem.x.map((_, i) => i + 2).join()
      const words = ['--y', '1', '--x', xs, '--start', start, '--json']
      const { out, err } = await evolute('fit', formulaOf(problem.name), file, ...words)
      expect(err).toBe('')
      const { parameters, converged } = JSON.parse(out)
      const values = parameters.map(({ value }: { value: number }) => value)
      expect(converged).toBe(true)
      expect(logRelativeError(values, problem.certified)).toBeGreaterThan(8)
    })
  },
)
