import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compileProgram } from '../../src/engines/compile.js'
import { type ImportOptions, importModel, type OnnxModel } from '../../src/onnx/import/index.js'
import { traceFlat } from '../../src/program/builder.js'
import { sizeOf } from '../../src/tensor/shape.js'
import { Tensor } from '../../src/tensor/tensor.js'
import { runStock, stockBytes } from './runCase.js'

const data = process.env.EVOLUTE_DATA
const folder = join(data ?? '', 'onnx/models')
const seed = 20260418

/** Not imported as it stands, and why. */
const notImported: Record<string, string> = {
  'squeezenet_tensor_input.onnx': 'no operation "ArrayFeatureExtractor" of domain "ai.onnx.ml"',
}

/** The last float tensor of a model whose end is not made of them; what comes before an overlap of boxes that is mostly zero. */
const floatPart: Record<string, ImportOptions> = {
  'squeezenet_tensor_input.onnx': { outputs: ['loss1'] },
  'vnn23_patch-1.onnx': { outputs: ['461', '463', '523'] },
}

/** Lengths of symbolic axes after the first, and of a first one that another input fixes. */
const sequence = 5

const files = data ? readdirSync(folder).filter((file) => file.endsWith('.onnx')) : []
const read = (file: string) => readFileSync(join(folder, file))

/** Uniform numbers in [0, 1), by a linear congruential generator. */
function uniform(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Seeded inputs: uniform floats, words of a small vocabulary, one of two segments, nothing masked. */
function inputsOf(model: OnnxModel, batch = 1): Record<string, Tensor> {
  const random = uniform(seed)
  return Object.fromEntries(
    model.inputs.map(({ name, dtype, shape }) => {
      const lengths = shape.map((n, axis) => (typeof n === 'number' ? n : axis === 0 ? batch : sequence))
      const size = sizeOf(lengths)
      if (dtype === 'float32') return [name, new Tensor(Float32Array.from({ length: size }, random), lengths)]
      const classes = name.includes('type') ? 2 : 10
      const draw = () => (name.includes('mask') ? 1 : Math.floor(random() * classes))
      return [name, new Tensor(Int32Array.from({ length: size }, draw), lengths)]
    }),
  )
}

/** Equal up to `tolerance` of the largest element. */
function expectClose(got: Tensor, expected: Tensor, tolerance: number): void {
  expect(`${got}`).toBe(`${expected}`)
  let [worst, largest] = [0, 0]
  expected.data.forEach((want, i) => {
    worst = Math.max(worst, Math.abs((got.data[i] as number) - want))
    largest = Math.max(largest, Math.abs(want))
  })
  expect(worst).toBeLessThanOrEqual(tolerance * largest)
}

/** The model with its parameters as constants, traced and run by ONNX Runtime. */
async function runCompiled(model: OnnxModel, inputs: Record<string, Tensor>): Promise<Tensor[]> {
  const names = Object.keys(inputs)
  const { program } = traceFlat((values) => {
    const given = Object.fromEntries(names.map((name, i) => [name, values[i] as unknown as Tensor]))
    return Object.values(model.apply(model.parameters, given))
  }, Object.values(inputs))
  const executable = await compileProgram(program, { engine: 'onnx', threads: 1 })
  const outputs = await executable.run(Object.values(inputs))
  await executable.dispose()
  return outputs
}

describe.skipIf(!data)(`models of EVOLUTE_DATA, on inputs of seed ${seed}`, () => {
  test('are 23, one of which cannot be imported whole', () => {
    const refused = files.flatMap((file) => {
      try {
        importModel(read(file), { name: file })
        return []
      } catch (error) {
        return [[file, (error as Error).message]]
      }
    })
    expect(Object.keys(Object.fromEntries(refused))).toEqual(Object.keys(notImported))
    for (const [file, message] of refused) expect(message).toContain(notImported[file as string])
    expect(files.length).toBe(23)
  })

  const imported = files.filter((file) => !(file in notImported) || file in floatPart)

  test.each(imported)(
    '%s gives what stock ONNX Runtime gives, computed at once and compiled',
    async (file) => {
      const bytes = read(file)
      const model = importModel(bytes, { name: file, ...floatPart[file] })
      const inputs = inputsOf(model)
      const expected = await runStock(stockBytes(bytes, model), inputs, model.outputs)
      const isSlow = file.startsWith('super_resolution')
      const compiled = await runCompiled(model, inputs)
      const direct = isSlow ? compiled : Object.values(model.apply(model.parameters, inputs))
      expected.forEach((want, i) => {
        expectClose(direct[i] as Tensor, want, 1e-4)
        expectClose(compiled[i] as Tensor, want, 1e-4)
      })
    },
    120_000,
  )

  const batched = imported.filter((file) => !/super_resolution|ultraface|squeezenet|TFBert/.test(file))

  test.each(batched)('%s gives for a batch of 3 what it gives for each sample', (file) => {
    const model = importModel(read(file), { name: file })
    const single = inputsOf(model)
    const shapes = new Map(model.inputs.map(({ name, shape }) => [name, shape]))
    const hasAxis = (name: string) => typeof shapes.get(name)?.[0] === 'string' || shapes.get(name)?.[0] === 1
    const random = uniform(seed + 1)
    const samples = [0, 1, 2].map(() =>
      Object.fromEntries(
        Object.entries(single).map(([name, x]) => [
          name,
          x.dtype === 'float32' ? new Tensor(Float32Array.from(x.data, random), x.shape) : x,
        ]),
      ),
    )
    const stacked = Object.fromEntries(
      Object.entries(single).map(([name, x]) => {
        const parts = samples.flatMap((sample) => Array.from((sample[name] as Tensor).data))
        const shape = [3, ...(hasAxis(name) ? x.shape.slice(1) : x.shape)]
        return [
          name,
          new Tensor(x.dtype === 'float32' ? Float32Array.from(parts) : Int32Array.from(parts), shape),
        ]
      }),
    )
    const results = model.applyBatch(model.parameters, stacked)
    for (const name of model.outputs) {
      const each = samples.map((sample) => model.apply(model.parameters, sample)[name] as Tensor)
      const expected = Float32Array.from(each.flatMap((y) => Array.from(y.data)))
      const result = results[name] as Tensor
      expect(result.shape[0]).toBe(3)
      expectClose(new Tensor(result.data, [result.size]), new Tensor(expected), 1e-5)
    }
  })
})
