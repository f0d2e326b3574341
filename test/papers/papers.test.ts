import { describe, expect, test } from 'vitest'
import { runPapers } from '../../papers/command.js'
import { distanceToHull } from '../../papers/hull.js'
import { loadPaper, paperIds } from '../../papers/library.js'
import { timeInTurns, worst } from '../../papers/paper.js'
import { markdownTable, outcomeText, replaceTable, showNumber } from '../../papers/table.js'

/** Those that take a second or less. */
const quick = ['D1', 'D2', 'D9', 'D11', 'D13']
const silent = { write: () => true }

function record(signal = new AbortController().signal) {
  const lines: string[] = []
  return { lines, streams: { signal, print: (text: string) => void lines.push(text), progress: silent } }
}

describe('the form of papers', () => {
  test.each(paperIds())('%s states what it is and what it claims', async (id) => {
    const paper = await loadPaper(id)
    expect(paper.id).toBe(id)
    for (const text of [paper.title, paper.authors, paper.claim]) expect(text.length).toBeGreaterThan(4)
    expect(paper.source).toMatch(/^(arXiv \d{4}\.\d{4,5}|doi:10\.\d+\/\S+|in .+ \d{4})$/)
    expect(paper.year).toBeGreaterThan(1980)
    expect(paper.claim.endsWith('.')).toBe(true)
  })

  test('ids are in the order of their numbers', () => {
    const ids = paperIds()
    expect(ids.indexOf('D2')).toBeLessThan(ids.indexOf('D10'))
    expect(ids).toContain('D11')
  })
})

describe('claims', () => {
  test.each(quick)('%s holds', async (id) => {
    const { lines, streams } = record()
    expect(await runPapers([id], streams)).toBe(0)
    expect(lines.at(-1)).toContain('Holds: ')
  })
})

describe('the command', () => {
  test('an unknown id ends with code 2 and the nearest known one', async () => {
    const { lines, streams } = record()
    expect(await runPapers(['D19'], streams)).toBe(2)
    expect(lines.join()).toMatch(/unknown paper D19; did you mean D\d+\?/)
  })

  test('no id, an unknown option, and --all with an id end with code 2', async () => {
    for (const words of [[], ['--ful', 'D1'], ['--all', 'D1']]) {
      const { lines, streams } = record()
      expect(await runPapers(words, streams)).toBe(2)
      expect(lines.join()).toContain('usage: npm run paper -- ID')
    }
  })

  test('an interrupted run ends with code 130', async () => {
    const { lines, streams } = record(AbortSignal.abort())
    expect(await runPapers(['D11'], streams)).toBe(130)
    expect(lines).toEqual(['interrupted'])
  })
})

describe('tables', () => {
  const paper = {
    id: 'X1',
    title: 'A | B',
    authors: 'Nobody',
    year: 2000,
    source: 'arXiv 0001.0001',
    claim: 'It is.',
  }
  const outcome = {
    figures: [{ name: 'ratio', paper: 2, measured: 1.2345, unit: 's', note: 'why' }],
    holds: false,
    verdict: 'it is not.',
  }
  const row = { paper: { ...paper, run: async () => outcome }, outcome, seconds: 1.25 }

  test('a claim that does not hold is said to', () => {
    const text = outcomeText(row.paper, outcome, 1)
    expect(text).toContain('Does not hold: it is not.')
    expect(text).toMatch(/ratio\s+2 s\s+1\.23 s {2}why/)
    expect(markdownTable([row], 'here')).toContain(
      '| X1 | A \\| B (Nobody 2000, arXiv 0001.0001) | ratio: 1.23 s (paper: 2 s) |',
    )
  })

  test('what is between the markers is replaced, and pages without them are refused', () => {
    const page = 'a\n<!-- papers: written by npm run papers -->\nold\n<!-- papers: end -->\nb\n'
    const once = replaceTable(page, 'new')
    expect(once).toContain('\n\nnew\n\n')
    expect(once).not.toContain('old')
    expect(replaceTable(once, 'new')).toBe(once)
    expect(() => replaceTable('a', 'new')).toThrow('docs/papers.md')
  })

  test('numbers have three digits', () => {
    expect([0, 12, 0.123456, 1e-16, 123456.7, Number.NaN].map(showNumber)).toEqual([
      '0',
      '12',
      '0.123',
      '1.0e-16',
      '123000',
      'NaN',
    ])
  })
})

describe('tools', () => {
  test('the distance to a hull is that of geometry', () => {
    const square = [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ]
    expect(distanceToHull([0.5, 0.25], square)).toBeLessThan(1e-12)
    expect(distanceToHull([2, 0.5], square)).toBeCloseTo(1, 10)
    expect(distanceToHull([2, 2], square)).toBeCloseTo(Math.SQRT2, 10)
    expect(distanceToHull([3, 4], [[0, 0]])).toBe(5)
  })

  test('a difference with NaN or of other lengths is infinite', () => {
    expect(worst([1], [Number.NaN])).toBe(Number.POSITIVE_INFINITY)
    expect(worst([1], [1, 2])).toBe(Number.POSITIVE_INFINITY)
    expect(worst([10], [11])).toBeCloseTo(1 / 11, 12)
  })

  test('contenders run in turns', async () => {
    const order: string[] = []
    await timeInTurns({ a: () => order.push('a'), b: () => order.push('b') }, 2, async () => undefined)
    expect(order.join('')).toBe('aabbaabbaabb')
  })
})
