import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderDigits } from '../../src/cli/demo/digits.js'
import { networkModel, train } from '../../src/cli/demo/network.js'
import { writeNpy } from '../../src/io/index.js'
import { evolute, watched } from './commandLine.js'

const folder = mkdtempSync(join(tmpdir(), 'evolute-measure-'))
const file = (name: string) => join(folder, name)
const data = ['--inputs', file('x.npy'), '--labels', file('y.npy')]
const quick = ['--top', '2', '--probes', '4', '--steps', '8', '--json']

beforeAll(async () => {
  const { images, labels } = renderDigits(60, 1)
  writeFileSync(file('x.npy'), writeNpy(images))
  writeFileSync(file('y.npy'), writeNpy(labels))
  const signal = new AbortController().signal
  for (const [name, steps] of [
    ['a.onnx', 10],
    ['b.onnx', 30],
  ] as const)
    writeFileSync(
      file(name),
      networkModel(await train(images, labels, { steps, seed: 0, signal, onStep: () => {} })),
    )
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a command and interrupts it, as Ctrl-C does, once a third of the trace is done. */
function interrupted(...words: string[]) {
  const stop = (text: string) => /^trace .* 3\d%/.test(text) && process.emit('SIGINT')
  return watched(stop, ...words)
}

const withoutCost = (json: string) => ({ ...JSON.parse(json), cost: null })

describe('evolute analyze', () => {
  test('has the sections that its options ask for, as JSON and as a page', async () => {
    const { code, out, err } = await evolute(
      'analyze',
      file('a.onnx'),
      ...data,
      ...quick,
      '--layers',
      '--activations',
      '--stability',
      '--landscape',
      '--log-determinant',
      '50',
      '--bottom',
      '2',
      '--curvature',
      'hessian',
      '--memory',
      '200MB',
      '-o',
      file('a.html'),
    )
    expect({ code, err }).toEqual({ code: 0, err: `report written to ${file('a.html')}` })
    const report = JSON.parse(out)
    expect(
      report.layers.map(({ name, top }: { name: string; top: object }) => [name, Object.keys(top)]),
    ).toEqual(['weight1', 'bias1', 'weight2', 'bias2'].map((name) => [name, ['value', 'residual']]))
    expect(report.smallest).toHaveLength(2)
    expect(report.activations).toHaveLength(2)
    expect(report.logDeterminant.shift).toBe(50)
    expect(report.learningRate.points.at(-1).batch).toBe(60)
    expect(report.landscape.plane.loss).toHaveLength(15)
    expect(report.plan).toMatch(/one batch of 60 samples/)
    expect(report.model.name).toBe('a.onnx')
    const html = readFileSync(file('a.html'), 'utf8')
    for (const title of ['Layers', 'Learning rate and batch size', 'Loss landscape', 'Log-determinant'])
      expect(html).toContain(`<h2>${title}</h2>`)
    expect(html.match(/<svg/g)).toHaveLength(7)
  })

  test('interrupted says how to go on, and does so to the same digits', async () => {
    const words = [
      'analyze',
      file('a.onnx'),
      ...data,
      '--top',
      '20',
      '--probes',
      '500',
      '--seed',
      '3',
      '--json',
    ]
    const whole = await evolute(...words)
    const kept = file('run.checkpoint')
    const stopped = await interrupted(...words, '--checkpoint', kept)
    expect(stopped).toEqual({
      code: 130,
      out: '',
      err: `evolute: interrupted; run the same command to go on from ${kept}`,
    })
    const again = await evolute(...words, '--resume', kept)
    expect(again.code).toBe(0)
    expect(withoutCost(again.out)).toEqual(withoutCost(whole.out))
    expect(JSON.parse(again.out).cost.products).toBe(JSON.parse(whole.out).cost.products)

    const other = await evolute('analyze', file('b.onnx'), ...words.slice(2), '--checkpoint', kept)
    expect(other.code).toBe(2)
    expect(other.err).toMatch(
      /the checkpoint is of a run with parameters .*continue with the data and options/,
    )
    const seed = await evolute(...words, '--seed', '4', '--resume', kept)
    expect(seed.err).toMatch(/with seed 3, this one has 4/)
  })

  test('interrupted without a checkpoint says what would have kept it', async () => {
    const words = ['analyze', file('a.onnx'), ...data, '--probes', '500']
    const { code, err } = await interrupted(...words, '-o', file('never.html'))
    expect({ code, err }).toEqual({
      code: 130,
      err: 'evolute: interrupted; nothing was written. With --checkpoint FILE it could be continued',
    })
    expect(existsSync(file('never.html'))).toBe(false)
  })

  test.each<[string, string[], RegExp]>([
    ['a checkpoint that is not there', ['--resume', file('none')], /none: no such file/],
    ['a file that is no checkpoint', ['--resume', file('x.npy')], /x\.npy: is not a checkpoint of evolute/],
    ['a damaged checkpoint', ['--resume', file('damaged')], /damaged: is damaged: its checksum is wrong/],
    [
      'a checkpoint of another version',
      ['--resume', file('older')],
      /older: is a checkpoint of another version/,
    ],
    [
      'an unknown curvature',
      ['--curvature', 'hessien'],
      /--curvature: got "hessien", expected one of hessian, ggn, fisher, empirical/,
    ],
    [
      'an unknown trace method',
      ['--trace', 'magic'],
      /--trace: got "magic", expected one of hutchinson, xtrace/,
    ],
    ['a tolerance of zero', ['--tolerance', '0'], /--tolerance: got 0, expected a number above 0/],
    ['a memory that is no size', ['--memory', 'much'], /--memory: got "much", expected a size such as 500MB/],
    ['too little memory', ['--memory', '20kB'], /raise memoryBytes/],
    [
      'a loss without Gauss-Newton matrix',
      ['--loss', 'nll', '--curvature', 'ggn'],
      /Gauss-Newton matrix is zero; fisher/,
    ],
  ])('refuses %s', async (_, words, message) => {
    writeFileSync(file('damaged'), 'evolute checkpoint 2\n....and no data')
    writeFileSync(file('older'), 'evolute checkpoint 1\n....')
    const { code, out, err } = await evolute('analyze', file('a.onnx'), ...data, ...quick, ...words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
  })
})

describe('evolute landscape', () => {
  test('slices along random directions, as JSON and as a page', async () => {
    const { code, out } = await evolute(
      'landscape',
      file('a.onnx'),
      ...data,
      '--along',
      'random',
      '--points',
      '5',
      '--plane',
      '3',
      '--seed',
      '2',
      '--json',
      '-o',
      file('l.html'),
    )
    expect(code).toBe(0)
    const found = JSON.parse(out)
    expect(found.along).toBe('filter-normalised random directions')
    expect(found.slices.map(({ t }: { t: number[] }) => t)).toEqual([
      [-1, -0.5, 0, 0.5, 1],
      [-1, -0.5, 0, 0.5, 1],
    ])
    expect(found.slices[0].loss[2]).toBeCloseTo(found.loss, 6)
    expect(readFileSync(file('l.html'), 'utf8').match(/<svg/g)).toHaveLength(3)
  })

  test('refuses what it does not know', async () => {
    const { code, err } = await evolute('landscape', file('a.onnx'), ...data, '--along', 'north')
    expect({ code, err }).toEqual({
      code: 2,
      err: 'evolute: --along: got "north", expected one of eigenvectors, random',
    })
  })
})

describe('evolute compare', () => {
  test('sets two models side by side', async () => {
    const { code, out } = await evolute(
      'compare',
      file('a.onnx'),
      file('b.onnx'),
      ...data,
      ...quick,
      '--line',
      '5',
      '-o',
      file('c.html'),
    )
    expect(code).toBe(0)
    const found = JSON.parse(out)
    expect(found.models.map(({ name }: { name: string }) => name)).toEqual(['a.onnx', 'b.onnx'])
    expect(found.loss.difference).toBeCloseTo(found.second.loss - found.first.loss, 5)
    expect(found.loss.difference).toBeLessThan(0)
    expect(found.layers).toHaveLength(4)
    expect(found.line.t).toEqual([0, 0.25, 0.5, 0.75, 1])
    const html = readFileSync(file('c.html'), 'utf8')
    expect(html).toContain('<h1>a.onnx and b.onnx</h1>')
    expect(html.match(/<svg/g)).toHaveLength(2)
  })

  test('takes two models', async () => {
    const { code, err } = await evolute('compare', file('a.onnx'), ...data)
    expect(code).toBe(2)
    expect(err).toMatch(/expected A\.onnx B\.onnx/)
  })
})
