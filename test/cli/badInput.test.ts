import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderDigits } from '../../src/cli/demo/digits.js'
import { networkModel, train } from '../../src/cli/demo/network.js'
import { writeNpy } from '../../src/io/index.js'
import { Tensor } from '../../src/tensor/index.js'
import { evolute } from './commandLine.js'

const folder = mkdtempSync(join(tmpdir(), 'evolute-bad-'))
const file = (name: string) => join(folder, name)
const { images, labels } = renderDigits(20, 1)

beforeAll(async () => {
  const network = await train(images, labels, {
    steps: 0,
    seed: 0,
    signal: new AbortController().signal,
    onStep: () => {},
  })
  const model = networkModel(network)
  writeFileSync(file('model.onnx'), model)
  writeFileSync(file('truncated.onnx'), model.subarray(0, model.length >> 1))
  writeFileSync(file('text.onnx'), 'not a model at all')
  writeFileSync(file('x.npy'), writeNpy(images))
  writeFileSync(file('y.npy'), writeNpy(labels))
  writeFileSync(file('short.npy'), writeNpy(new Tensor(labels.data.slice(0, 7))))
  writeFileSync(file('eleven.npy'), writeNpy(new Tensor(Int32Array.from(labels.data, (y) => y + 3))))
  writeFileSync(file('half.npy'), writeNpy(new Tensor(Float64Array.from(labels.data, (y) => y + 0.5))))
  writeFileSync(file('narrow.npy'), writeNpy(new Tensor(new Float32Array(20 * 100), [20, 100])))
  const nan = images.data.slice()
  nan[3 * 196 + 5] = Number.NaN
  writeFileSync(file('nan.npy'), writeNpy(new Tensor(nan, images.shape)))
  writeFileSync(file('cut.npy'), readFileSync(file('x.npy')).subarray(0, 500))
})
afterAll(() => rmSync(folder, { recursive: true }))

const X = ['--inputs', file('x.npy')]
const Y = ['--labels', file('y.npy')]
const M = file('model.onnx')

describe('bad input ends with exit code 2, one sentence, and no report', () => {
  test.each<[string, string[], RegExp]>([
    ['an unknown command', ['analyse', M], /unknown command analyse; did you mean analyze\?/],
    [
      'a mistyped option',
      ['analyze', M, ...X, ...Y, '--prbes', '3'],
      /unknown option --prbes; did you mean --probes\?/,
    ],
    [
      'an option without its value',
      ['analyze', M, ...X, ...Y, '--top'],
      /--top: no value given, expected --top K/,
    ],
    [
      'a number that is none',
      ['analyze', M, ...X, ...Y, '--top', 'ten'],
      /--top: got "ten", expected a whole number of at least 1/,
    ],
    [
      'an unknown loss',
      ['analyze', M, ...X, ...Y, '--loss', 'hinge'],
      /^evolute: loss: got "hinge", expected one of cross-entropy/,
    ],
    ['no inputs', ['analyze', M, ...Y], /--inputs is missing/],
    ['no model', ['analyze', ...X, ...Y], /expected MODEL\.onnx/],
    [
      'a missing model',
      ['analyze', file('absent.onnx'), ...X, ...Y],
      /absent\.onnx.*(no such file|not found|does not exist)/i,
    ],
    ['a truncated model', ['analyze', file('truncated.onnx'), ...X, ...Y], /truncated\.onnx/],
    ['a file that is no model', ['analyze', file('text.onnx'), ...X, ...Y], /text\.onnx/],
    ['missing data', ['analyze', M, '--inputs', file('absent.npy'), ...Y], /absent\.npy/],
    ['truncated data', ['analyze', M, '--inputs', file('cut.npy'), ...Y], /cut\.npy/],
    [
      'samples of another size',
      ['analyze', M, '--inputs', file('narrow.npy'), ...Y],
      /narrow\.npy: a sample has shape \[100\].*the model takes \[196\]/,
    ],
    [
      'too few labels',
      ['analyze', M, ...X, '--labels', file('short.npy')],
      /short\.npy: holds 7 targets, but .*x\.npy holds 20 samples/,
    ],
    [
      'labels out of range',
      ['analyze', M, ...X, '--labels', file('eleven.npy')],
      /eleven\.npy: label 10 of sample 7 is not a class; the model has 10, numbered from 0 to 9/,
    ],
    [
      'labels that are not whole',
      ['analyze', M, ...X, '--labels', file('half.npy')],
      /half\.npy: label 0\.5 of sample 0 is not a whole number/,
    ],
    [
      'data that is not a number',
      ['analyze', M, '--inputs', file('nan.npy'), ...Y],
      /nan\.npy: sample 3 holds NaN, expected finite numbers/,
    ],
    [
      'more samples than there are',
      ['analyze', M, ...X, ...Y, '--samples', '21'],
      /x\.npy: holds 20 samples, fewer than the 21 asked for/,
    ],
    [
      'a standard deviation of zero',
      ['analyze', M, ...X, ...Y, '--std', '0'],
      /standard deviations are 0, expected positive/,
    ],
    ['means for no channels', ['analyze', M, ...X, ...Y, '--mean', '1,2,3'], /3 means.*no channel axis/],
    [
      'a folder that is not there',
      ['analyze', M, ...X, ...Y, '--out', file('no/report.html')],
      /cannot be written/,
    ],
    [
      'an unknown derivative',
      ['export', M, '--what', 'hessian', '-o', file('o.onnx')],
      /unknown --what hessian; expected one of gradient, hvp, ggn/,
    ],
    ['no file to write', ['export', M, '--what', 'hvp'], /--out is missing/],
  ])('%s', async (_, words, message) => {
    const before = readdirSync(folder)
    const report = words[0] === 'analyze' && !words.includes('--out') ? ['--out', file('report.html')] : []
    const { code, out, err } = await evolute(...words, ...report)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
    expect(err.split('\n')).toHaveLength(1)
    expect(readdirSync(folder)).toEqual(before)
  })
})

test('help names every command and option', async () => {
  expect((await evolute('--help')).out).toMatch(
    /analyze[\s\S]*landscape[\s\S]*compare[\s\S]*export[\s\S]*demo/,
  )
  const { code, out } = await evolute('analyze', '--help')
  expect(code).toBe(0)
  for (const option of [
    'inputs',
    'labels',
    'loss',
    'mean',
    'std',
    'samples',
    'batch',
    'top',
    'probes',
    'steps',
    'seed',
    'out',
    'json',
    'checkpoint',
    'resume',
    'memory',
    'curvature',
    'trace-tolerance',
    'layers',
    'stability',
    'landscape',
  ])
    expect(out).toContain(`--${option}`)
  expect((await evolute('--version')).out).toMatch(/^\d+\.\d+\.\d+$/)
})
