import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { Random } from '../../src/linalg/index.js'
import { logRelativeError } from '../optimize/nist.js'
import { assertWellFormed } from '../report/wellFormed.js'
import { evolute } from './commandLine.js'

const folder = mkdtempSync(join(tmpdir(), 'evolute-fit-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string) => join(folder, name)
const write = (name: string, rows: (readonly (string | number)[])[]) => {
  writeFileSync(file(name), rows.map((row) => row.join(',')).join('\n'))
  return file(name)
}

/** NIST's Misra1a, of Misra (1978): pressure and volume. */
const misra = [
  [77.6, 10.07],
  [114.9, 14.73],
  [141.1, 17.94],
  [190.8, 23.93],
  [239.9, 29.61],
  [289, 35.18],
  [332.8, 40.02],
  [378.4, 44.82],
  [434.8, 50.76],
  [477.3, 55.05],
  [536.8, 61.01],
  [593.1, 66.4],
  [689.1, 75.47],
  [760, 81.78],
]
const saturation = 'b1*(1-exp(-b2*x))'
const start = ['--start', 'b1=250,b2=5e-4']
const data = write('misra.csv', [['pressure', 'volume'], ...misra])

interface Printed {
  readonly parameters: { name: string; value: number; standardError: number; interval: [number, number] }[]
  readonly residualSumOfSquares: number
  readonly degreesOfFreedom: number
  readonly reason: string
  readonly converged: boolean
  readonly undetermined: string[]
  readonly evaluations: { residual: number; jacobian: number }
}

async function fitJson(...words: string[]): Promise<Printed> {
  const { code, out, err } = await evolute('fit', ...words, '--json')
  expect(err).toBe('')
  expect(code).toBe(0)
  return JSON.parse(out)
}
const values = ({ parameters }: Printed) => parameters.map(({ value }) => value)

describe('NIST Misra1a', () => {
  test('has the certified values and standard errors, and intervals of Student’s t', async () => {
    const fitted = await fitJson(saturation, data, ...start)
    expect(fitted.parameters.map(({ name }) => name)).toEqual(['b1', 'b2'])
    expect(logRelativeError(values(fitted), [2.3894212918e2, 5.5015643181e-4])).toBeGreaterThan(9)
    const errors = fitted.parameters.map(({ standardError }) => standardError)
    expect(logRelativeError(errors, [2.7070075241, 7.2668688436e-6])).toBeGreaterThan(8)
    expect(logRelativeError([fitted.residualSumOfSquares], [1.2455138894e-1])).toBeGreaterThan(9)
    expect(fitted).toMatchObject({ degreesOfFreedom: 12, converged: true, undetermined: [] })
    expect(fitted.evaluations.residual).toBeGreaterThan(2)
    for (const { value, standardError, interval } of fitted.parameters) {
      // The 97.5% point of Student's t with 12 degrees of freedom, from tables.
      expect((interval[1] - value) / standardError).toBeCloseTo(2.1788128, 6)
      expect((value - interval[0]) / standardError).toBeCloseTo(2.1788128, 6)
    }
  })

  test('is the same with columns named, numbered, in another order, without header, and in a gzipped file', async () => {
    const expected = values(await fitJson(saturation, data, ...start))
    const swapped = write('swapped.csv', [['v', 'p'], ...misra.map(([x, y]) => [y!, x!])])
    const bare = write('bare.csv', misra)
    writeFileSync(file('misra.csv.gz'), gzipSync(readFileSync(data)))
    const same: [string, string, ...string[]][] = [
      ['b1*(1-exp(-b2*pressure))', data],
      [saturation, swapped, '--x', 'p', '--y', 'v'],
      [saturation, swapped, '--y', '1'],
      [saturation, swapped, '--x', '2'],
      [saturation, bare],
      [saturation, file('misra.csv.gz')],
    ]
    for (const words of same) expect(values(await fitJson(...words, ...start))).toEqual(expected)
  })

  test('is printed as a table with its sentences', async () => {
    const { out } = await evolute('fit', saturation, data, ...start)
    expect(out).toMatch(/b1 +238\.94 +2\.71 +233\.04 to 244\.84/)
    expect(out).toMatch(/Converged: /)
    expect(out).toMatch(/b1 and b2 are correlated by −0\.9988/)
    expect(out).toMatch(/degrees of freedom +12/)
    for (const line of out.split('\n')) expect([...line].length).toBeLessThanOrEqual(80)
  })

  test('is drawn as SVG and as a page', async () => {
    for (const name of ['fit.svg', 'fit.html']) {
      const { code, err } = await evolute('fit', saturation, data, ...start, '--plot', file(name))
      expect(code).toBe(0)
      expect(err).toContain(name)
    }
    const svg = readFileSync(file('fit.svg'), 'utf8')
    assertWellFormed(svg)
    expect(svg.match(/<circle /g)).toHaveLength(2 * misra.length)
    const page = readFileSync(file('fit.html'), 'utf8')
    expect(page).toMatch(/^<!doctype html>/)
    expect(page.match(/<circle /g)).toHaveLength(2 * misra.length)
    expect(page).not.toContain('<script')
  })
})

describe('options', () => {
  const random = new Random(3)
  const x = Array.from({ length: 40 }, (_, i) => i / 8)
  const noise = x.map(() => random.normal())
  const line = x.map((at, i) => [at, 2 + 3 * at + 0.1 * noise[i]!, 0.1 + 0.01 * i])
  const lines = write('line.csv', [['t', 'y', 'err'], ...line])

  test('sigma weighs a straight line as the normal equations do, absolute or scaled by the residuals', async () => {
    let [sw, sx, sxx, sy, sxy] = [0, 0, 0, 0, 0]
    for (const [at, y, sigma] of line as [number, number, number][]) {
      const w = sigma ** -2
      sw += w
      sx += w * at
      sxx += w * at * at
      sy += w * y
      sxy += w * at * y
    }
    const det = sw * sxx - sx * sx
    const exact = [(sxx * sy - sx * sxy) / det, (sw * sxy - sx * sy) / det]
    const words = ['a+b*x', lines, '--start', 'a=0,b=0', '--sigma', 'err']
    const scaled = await fitJson(...words)
    const absolute = await fitJson(...words, '--absolute')
    const factor = Math.sqrt(scaled.residualSumOfSquares / 38)
    values(scaled).forEach((value, i) => {
      expect(value).toBeCloseTo(exact[i]!, 10)
    })
    const errors = [Math.sqrt(sxx / det), Math.sqrt(sw / det)]
    errors.forEach((error, i) => {
      expect(absolute.parameters[i]!.standardError / error).toBeCloseTo(1, 9)
      expect(scaled.parameters[i]!.standardError / error).toBeCloseTo(factor, 9)
    })
  })

  test('bounds hold a parameter at their end, and the text says so', async () => {
    const words = ['a+b*x', lines, '--start', 'a=0,b=0', '--bounds', 'b=-1:2.5,a=:10']
    const [, b] = values(await fitJson(...words)) as [number, number]
    expect(b).toBeCloseTo(2.5, 8)
    expect((await evolute('fit', ...words)).out).toMatch(/At the end of the bounds: b\./)
    const { out } = await evolute('fit', saturation, data, '--start', 'b1=200,b2=5e-4', '--bounds', 'b1=:230')
    expect(out).toMatch(/b1 +230 /)
    expect(out).toMatch(/At the end of the bounds: b1\./)
  })

  test('a robust loss keeps to the line that outliers pull the others from', async () => {
    const spoiled = write('spoiled.csv', [
      ['t', 'y'],
      ...line.map(([at, y], i) => [at!, i % 8 === 7 ? 60 : y!]),
    ])
    const words = ['a+b*x', spoiled, '--start', 'a=1,b=1']
    const [a, b] = values(await fitJson(...words, '--loss', 'tukey', '--loss-scale', '5')) as [number, number]
    expect(Math.abs(a - 2)).toBeLessThan(0.2)
    expect(Math.abs(b - 3)).toBeLessThan(0.1)
    const [plain] = values(await fitJson(...words)) as [number]
    expect(Math.abs(plain - 2)).toBeGreaterThan(2)
  })

  test('several columns fit by their names or as x1 and x2, and are drawn over the model', async () => {
    const [u, v] = [0, 1].map(() => Array.from({ length: 30 }, () => random.normal())) as [number[], number[]]
    const plane = write('plane.csv', [
      ['u', 'z', 'v'],
      ...u.map((ui, i) => [ui, 1 + 2 * ui - 3 * Math.exp(0.5 * v[i]!), v[i]!]),
    ])
    const words = [plane, '--start', 'a=0,b=0,c=-1,d=0.1', '--y', 'z', '--plot', file('plane.svg')]
    for (const expression of ['a+b*u+c*exp(d*v)', 'a+b*x1+c*exp(d*x2)']) {
      const { out } = await evolute('fit', expression, ...words, '--x', 'u,v', '--json')
      const found = values(JSON.parse(out))
      ;[1, 2, -3, 0.5].forEach((exact, i) => {
        expect(found[i]).toBeCloseTo(exact, 9)
      })
    }
    expect(readFileSync(file('plane.svg'), 'utf8')).toContain('model of u, v')
  })

  test('parameters that the data do not determine are named, with errors that JSON cannot hold as null', async () => {
    const fitted = await fitJson('a*b*x+c', lines, '--start', 'a=1,b=2,c=0')
    expect(fitted.undetermined).toEqual(['a', 'b'])
    expect(fitted.parameters.map(({ standardError }) => standardError === null)).toEqual([true, true, false])
    const { out } = await evolute('fit', 'a*b*x+c', lines, '--start', 'a=1,b=2,c=0')
    expect(out).toMatch(/do not depend on a, b alone or on a combination/)
  })
})

describe('bad input ends with exit code 2 and what to type instead', () => {
  const hole = write('hole.csv', [
    [1, 2],
    [2, 'nan'],
    [3, 4],
  ])
  test.each<[string, string[], RegExp]>([
    ['no start', ['b1*x+b2', data], /--start is missing, expected --start b1=NUMBER,b2=NUMBER$/],
    ['no data', ['b1*x'], /expected EXPRESSION DATA\.csv/],
    ['a start that is none', ['b1*x', data, '--start', 'b1=one'], /--start: b1 is "one", expected a number/],
    ['a start twice', ['b1*x', data, '--start', 'b1=1,b1=2'], /--start: b1 is given twice/],
    ['a start without name', ['b1*x', data, '--start', '3'], /--start: got "3", expected NAME=NUMBER/],
    [
      'a start of nothing',
      ['b1*x', data, '--start', 'b1=1,b3=2'],
      /--start: b3 is not in the expression, expected only its parameters, b1/,
    ],
    [
      'a mistyped column in the formula',
      ['b1*presure', data, '--start', 'b1=1'],
      /unknown name presure; did you mean pressure\?.*\n {2}b1\*presure\n {5}\^$/,
    ],
    ['y in its own formula', ['b1*volume', data, '--start', 'b1=1'], /unknown name volume/],
    ['a function without brackets', ['b1*exp', data, '--start', 'b1=1'], /exp is a function, expected exp\(/],
    ['a mistyped column', ['b1*x', data, '--start', 'b1=1', '--y', 'volum'], /did you mean volume\?/],
    ['one column for both', ['b1*x', data, '--start', 'b1=1', '--x', '2', '--y', '2'], /which is x too/],
    [
      'no column left',
      ['b1*x', data, '--start', 'b1=1', '--x', '1', '--sigma', '2'],
      /--y: .*misra\.csv has no column left for it/,
    ],
    ['a cell that is no number', ['b1*x', hole, '--start', 'b1=1'], /hole\.csv: row 2 of column 2 is NaN/],
    ['a missing file', ['b1*x', file('absent.csv'), '--start', 'b1=1'], /absent\.csv: no such file/],
    ['a mistyped loss', ['b1*x', data, '--start', 'b1=1', '--loss', 'hubber'], /did you mean huber\?/],
    ['bounds of nothing', ['b1*x', data, '--start', 'b1=1', '--bounds', 'c=0:1'], /unknown parameter c/],
    [
      'bounds that are none',
      ['b1*x', data, '--start', 'b1=1', '--bounds', 'b1=3'],
      /--bounds: b1 is "3", expected LOW:HIGH/,
    ],
    [
      'a start outside its bounds',
      ['b1*x', data, '--start', 'b1=1', '--bounds', 'b1=2:3'],
      /--start: b1 is 1, expected it within --bounds b1=2:3/,
    ],
    [
      'a start outside the domain',
      ['b1*log(x-500)', data, '--start', 'b1=1'],
      /the function is NaN there, expected a finite number/,
    ],
    [
      'errors that are not there',
      ['b1*x', data, '--start', 'b1=1', '--absolute'],
      /--absolute: got no --sigma/,
    ],
    [
      'columns of one name',
      ['b1*x', write('twins.csv', [['a', 'a'], ...misra]), '--start', 'b1=1'],
      /twins\.csv: two columns are named "a"/,
    ],
    [
      'a plot of another kind',
      ['b1*x', data, '--start', 'b1=1', '--plot', 'a.png'],
      /an \.svg or \.html file/,
    ],
    [
      'more parameters than rows',
      ['a+b*x+c*x^2', write('two.csv', misra.slice(0, 2)), '--start', 'a=1,b=1,c=1'],
      /got 2 residuals for 3 parameters/,
    ],
  ])('%s', async (_, words, message) => {
    const before = readdirSync(folder)
    const { code, out, err } = await evolute('fit', ...words)
    expect(err).toMatch(message)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(readdirSync(folder)).toEqual(before)
  })
})
