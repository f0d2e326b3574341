import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { writeNpy } from '../../src/io/index.js'
import { tensorToProto } from '../../src/onnx/file/tensors.js'
import { node, valueInfo, writeModel } from '../../src/onnx/file/write.js'
import type { NodeProto } from '../../src/onnx/schema/onnx_pb.js'
import { Tensor, tensor } from '../../src/tensor/index.js'
import { modelOf } from '../helpers/onnxModels.js'
import { uniform } from '../helpers/random.js'
import { evolute } from './commandLine.js'

const folder = mkdtempSync(join(tmpdir(), 'evolute-remarks-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string) => join(folder, name)

const random = uniform(3)
const floats = (shape: number[], low: number, high: number) =>
  new Tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => low + (high - low) * random()),
    shape,
  )
const labels = Int32Array.from({ length: 24 }, (_, i) => i % 3)
writeFileSync(file('x.npy'), writeNpy(floats([24, 4], -1, 1)))
writeFileSync(file('y.npy'), writeNpy(new Tensor(labels)))
writeFileSync(file('one.npy'), writeNpy(new Tensor(labels.map(() => 1))))

const [float, int64] = [1, 7]
const constants = {
  w1: floats([4, 5], -1, 1),
  scale: floats([5], 0.5, 1.5),
  shift: floats([5], -0.5, 0.5),
  mean: floats([5], -0.5, 0.5),
  variance: floats([5], 0.5, 1.5),
  w2: floats([5, 3], -1, 1),
  ratio: new Tensor(Float32Array.of(0.5), []),
  on: tensor(true),
}

/** Writes x W1, what stands between, W2 to a file. */
function modelWith(name: string, ...between: NodeProto[]): string {
  const bytes = writeModel(
    modelOf({
      node: [node('MatMul', ['x', 'w1'], ['h']), ...between, node('MatMul', ['z', 'w2'], ['y'])],
      input: [valueInfo('x', float, ['n', 4])],
      output: [valueInfo('y', float, ['n', 3])],
      initializer: Object.entries(constants).map(([name, value]) => tensorToProto(value, name)),
    }),
  )
  writeFileSync(file(name), bytes)
  return file(name)
}

const normalization = (attributes: Parameters<typeof node>[3] = {}, outputs = ['z']) =>
  node('BatchNormalization', ['h', 'scale', 'shift', 'mean', 'variance'], outputs, attributes)

async function analyze(model: string, y = 'y.npy', ...more: string[]) {
  const ended = await evolute(
    'analyze',
    model,
    ...['--inputs', file('x.npy'), '--labels', file(y), '--probes', '2', '--steps', '2', '--top', '1'],
    ...more,
    '--json',
  )
  return { ...ended, notes: ended.code === 0 ? (JSON.parse(ended.out).notes as string[]).join('\n') : '' }
}

describe('what a reader must know of a model is said in the report', () => {
  test('BatchNormalization uses its stored statistics', async () => {
    const { code, notes } = await analyze(modelWith('inference.onnx', normalization()))
    expect(code).toBe(0)
    expect(notes).toContain('BatchNormalization uses the stored means and variances, as in inference')
  })

  test('BatchNormalization in training mode makes every figure one of the batch size', async () => {
    const training = normalization({ training_mode: { int: 1 } }, ['z', 'm', 'v'])
    const model = modelWith('training.onnx', training)
    const { code, notes, out } = await analyze(model)
    expect(code).toBe(0)
    expect(notes).toContain('so that every figure depends on --batch')
    const smaller = await analyze(model, 'y.npy', '--batch', '8')
    expect(JSON.parse(smaller.out).loss).not.toBeCloseTo(JSON.parse(out).loss, 6)
  })

  test('Dropout is switched off', async () => {
    const { code, notes } = await analyze(modelWith('dropout.onnx', node('Dropout', ['h'], ['z'])))
    expect(code).toBe(0)
    expect(notes).toContain('Dropout is switched off, as in inference.')
  })

  test('steps and kinks have no curvature, or only that beside them', async () => {
    const { notes } = await analyze(
      modelWith('rough.onnx', node('Relu', ['h'], ['r']), node('Round', ['r'], ['z'])),
    )
    expect(notes).toMatch(/The model has kinks \(.*\)/)
    expect(notes).toMatch(/The model has steps \(round\)/)
  })

  test('labels of one class', async () => {
    const { notes } = await analyze(modelWith('plain.onnx', node('Tanh', ['h'], ['z'])), 'one.npy')
    expect(notes).toContain('Every sample has the label 1')
  })
})

describe('a language model', () => {
  const tokens = (seed: number) => {
    const next = uniform(seed)
    return new Tensor(
      Int32Array.from({ length: 20 }, () => Math.floor(4 * next())),
      [5, 4],
    )
  }
  writeFileSync(file('tokens.npy'), writeNpy(tokens(4)))
  writeFileSync(file('next.npy'), writeNpy(tokens(5)))
  const embedding = floats([4, 3], -1, 1)
  const readOut = floats([3, 4], -1, 1)
  writeFileSync(
    file('language.onnx'),
    writeModel(
      modelOf({
        node: [
          node('Gather', ['embedding', 'tokens'], ['e']),
          node('Tanh', ['e'], ['t']),
          node('MatMul', ['t', 'readOut'], ['y']),
        ],
        input: [valueInfo('tokens', int64, ['n', 't'])],
        output: [valueInfo('y', float, ['n', 't', 4])],
        initializer: [tensorToProto(embedding, 'embedding'), tensorToProto(readOut, 'readOut')],
      }),
    ),
  )
  const run = (labels: string) =>
    evolute(
      'analyze',
      file('language.onnx'),
      ...[
        '--inputs',
        file('tokens.npy'),
        '--labels',
        file(labels),
        '--probes',
        '2',
        '--steps',
        '2',
        '--json',
      ],
    )

  test('takes tokens, and a class at every position', async () => {
    const { code, out, err } = await run('next.npy')
    expect(err).toBe('')
    expect(code).toBe(0)
    const [x, y] = [tokens(4).data, tokens(5).data]
    let [loss, right] = [0, 0]
    x.forEach((token, i) => {
      const hidden = [0, 1, 2].map((j) => Math.tanh(embedding.data[token * 3 + j]!))
      const logits = [0, 1, 2, 3].map((c) =>
        hidden.reduce((sum, h, j) => sum + h * readOut.data[j * 4 + c]!, 0),
      )
      const top = Math.max(...logits)
      loss += (Math.log(logits.reduce((sum, z) => sum + Math.exp(z - top), 0)) + top - logits[y[i]!]!) / 20
      right += logits[y[i]!] === top ? 1 / 20 : 0
    })
    const report = JSON.parse(out)
    expect(report.loss).toBeCloseTo(loss, 6)
    expect(report.accuracy).toBeCloseTo(right, 9)
    expect(report.parameters).toBe(24)
  })

  test('says what targets it needs', async () => {
    const { code, err } = await run('one.npy')
    expect(code).toBe(2)
    expect(err).toMatch(/one\.npy.*holds 24 targets, but .* holds 5 samples/)
  })
})

describe('what cannot be measured ends with code 2 and a sentence', () => {
  test('random Dropout', async () => {
    const { code, err } = await analyze(
      modelWith('random.onnx', node('Dropout', ['h', 'ratio', 'on'], ['z'])),
    )
    expect(code).toBe(2)
    expect(err).toContain('Dropout in training mode draws random numbers')
  })

  test('a budget that holds not even one sample', async () => {
    const model = modelWith('small.onnx', node('Tanh', ['h'], ['z']))
    const { code, err } = await analyze(model, 'y.npy', '--memory', '1000')
    expect(code).toBe(2)
    expect(err).toMatch(/memory.*raise/s)
  })
})
