import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readArray } from '../../src/io/index.js'
import { evolute } from './commandLine.js'

describe('evolute demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evolute-demo-'))
  const file = (name: string) => join(folder, name)
  const data = ['--inputs', file('images.npy'), '--labels', file('labels.npy')]
  let first: { code: number; out: string; err: string }

  beforeAll(async () => {
    first = await evolute('demo', '--out', folder)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('trains, analyzes, and leaves model, data and report', () => {
    expect(first.code).toBe(0)
    expect(readdirSync(folder).sort()).toEqual(['digits.onnx', 'images.npy', 'labels.npy', 'report.html'])
    expect(readFileSync(file('report.html'), 'utf8')).toMatch(/<svg[\s\S]*<\/svg>/)
    expect(first.out).toContain(file('report.html'))
  })

  test('wrote a model that ONNX Runtime runs, with the accuracy that the report states', async () => {
    const session = await InferenceSession.create(file('digits.onnx'))
    const images = readArray(file('images.npy'))
    const labels = readArray(file('labels.npy'))
    let right = 0
    for (let i = 0; i < labels.size; i++) {
      const image = new OrtTensor(
        'float32',
        images.data.slice(i * 196, (i + 1) * 196) as Float32Array,
        [1, 196],
      )
      const logits = (await session.run({ image })).logits!.data as Float32Array
      if (logits.indexOf(Math.max(...logits)) === labels.data[i]) right++
    }
    const { code, out } = await evolute(
      'analyze',
      file('digits.onnx'),
      ...data,
      '--top',
      '1',
      '--probes',
      '2',
      '--steps',
      '3',
      '--json',
    )
    expect(code).toBe(0)
    expect(JSON.parse(out).accuracy).toBeCloseTo(right / labels.size, 10)
  })

  test('prints one JSON object of the documented keys, the same digits for the same seed', async () => {
    const run = () =>
      evolute(
        'analyze',
        file('digits.onnx'),
        ...data,
        '--samples',
        '200',
        '--top',
        '3',
        '--probes',
        '4',
        '--steps',
        '12',
        '--seed',
        '7',
        '--json',
      )
    const [a, b] = [JSON.parse((await run()).out), JSON.parse((await run()).out)]
    expect(Object.keys(a)).toEqual([
      'parameters',
      'loss',
      'accuracy',
      'eigenvalues',
      'trace',
      'density',
      'cost',
      'seed',
      'data',
      'lossName',
      'curvature',
      'gradientNorm',
      'smallest',
      'layers',
      'plan',
      'converged',
      'notes',
      'model',
    ])
    expect(a.parameters).toBe(196 * 16 + 16 + 16 * 10 + 10)
    expect(a.eigenvalues).toHaveLength(3)
    expect(Object.keys(a.eigenvalues[0])).toEqual(['value', 'residual'])
    expect(Object.keys(a.cost)).toEqual(['gradientSeconds', 'productSeconds', 'products', 'stages'])
    expect(a.density.grid).toHaveLength(a.density.values.length)
    expect(a.seed).toBe(7)
    expect({ ...a, cost: null }).toEqual({ ...b, cost: null })
  })

  describe('and evolute export', () => {
    const images = () => readArray(file('images.npy')).data.slice(0, 5 * 196) as Float32Array
    const labels = () => readArray(file('labels.npy')).data.slice(0, 5) as Int32Array

    async function exported(what: string, ...more: string[]): Promise<InferenceSession> {
      const out = file(`${what}.onnx`)
      const { code, err } = await evolute(
        'export',
        file('digits.onnx'),
        '--what',
        what,
        '--batch',
        '5',
        '-o',
        out,
        ...more,
      )
      expect({ code, err }).toEqual({ code: 0, err: '' })
      const session = await InferenceSession.create(out)
      rmSync(out)
      return session
    }

    const feed = () => ({
      image: new OrtTensor('float32', images(), [5, 196]),
      targets: new OrtTensor('int32', labels(), [5]),
    })

    test('writes the gradient as a model whose values are slopes of its own loss', async () => {
      const session = await exported('gradient', '--parameters', file('theta.npy'))
      const parameters = readArray(file('theta.npy')).data as Float32Array
      rmSync(file('theta.npy'))
      const baked = await (await exported('gradient')).run(feed())
      const at = await session.run({
        ...feed(),
        parameters: new OrtTensor('float32', parameters, [parameters.length]),
      })
      const gradient = at.gradient!.data as Float32Array
      expect(baked.gradient!.data).toEqual(gradient)
      const size = Math.hypot(...gradient)
      const along = async (step: number) => {
        const moved = parameters.map((p, i) => p + (step * gradient[i]!) / size)
        const feeds = { ...feed(), parameters: new OrtTensor('float32', moved, [moved.length]) }
        return ((await session.run(feeds)).loss!.data as Float32Array)[0]!
      }
      const slope = ((await along(0.01)) - (await along(-0.01))) / 0.02
      expect(slope).toBeCloseTo(size, 2)
    })

    test('writes Hessian and Gauss-Newton products that are symmetric and linear', async () => {
      for (const what of ['hvp', 'ggn']) {
        const session = await exported(what)
        const n = 196 * 16 + 16 + 16 * 10 + 10
        const u = Float32Array.from({ length: n }, (_, i) => Math.sin(i))
        const v = Float32Array.from({ length: n }, (_, i) => Math.cos(3 * i))
        const apply = async (x: Float32Array) =>
          (await session.run({ ...feed(), vector: new OrtTensor('float32', x, [n]) })).product!
            .data as Float32Array
        const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
        const [hu, hv] = [await apply(u), await apply(v)]
        const scale = Math.hypot(...hu) * Math.hypot(...v)
        expect(scale).toBeGreaterThan(0)
        expect(Math.abs(dot(u, hv) - dot(v, hu))).toBeLessThan(1e-5 * scale)
        if (what === 'ggn') expect(dot(u, hu)).toBeGreaterThan(0)
      }
    })
  })
})
