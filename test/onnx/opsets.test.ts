import { describe, expect, test } from 'vitest'
import { OnnxError } from '../../src/onnx/error.js'
import { writeModel } from '../../src/onnx/file/write.js'
import { importModel } from '../../src/onnx/import/index.js'
import { uniform } from '../helpers/random.js'
import { forms, fused } from './opsetForms.js'
import { modelOfForm } from './opsetModel.js'
import { compare, runStock, runTraced } from './runCase.js'

const seed = 11
const tolerance = 2e-5

const cases = [...forms, ...fused].flatMap((form, row) =>
  form.opsets.map((opset) => [`${form.op}, form ${row}, operator set ${opset}`, form, opset] as const),
)

describe(`as stock ONNX Runtime computes, at once and compiled (seed ${seed})`, () => {
  test.each(cases)('%s', async (_, form, opset) => {
    const { proto, inputs } = modelOfForm(form, opset, seed)
    const model = importModel(proto, { name: form.op })
    const expected = await runStock(writeModel(proto), inputs, model.outputs)
    const direct = Object.values(model.apply(model.parameters, inputs))
    const compiled = await runTraced({ model, inputs, expected, tolerance })
    expect([direct.length, compiled.length]).toEqual([expected.length, expected.length])
    expected.forEach((want, i) => {
      compare(direct[i]!, want, tolerance)
      compare(compiled[i]!, want, tolerance)
    })
  })
})

test(`files of these with a damaged byte are run, or refused with an OnnxError (seed ${seed})`, () => {
  const random = uniform(seed)
  let [run, refused] = [0, 0]
  for (const [, form, opset] of cases) {
    const { proto, inputs } = modelOfForm(form, opset, seed)
    const bytes = writeModel(proto)
    for (let trial = 0; trial < 20; trial++) {
      const damaged = Uint8Array.from(bytes)
      damaged[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
      try {
        const model = importModel(damaged, { maxBytes: 2 ** 26 })
        model.apply(model.parameters, inputs)
        run++
      } catch (error) {
        expect(error).toBeInstanceOf(OnnxError)
        refused++
      }
    }
  }
  expect(run).toBeGreaterThan(500)
  expect(refused).toBeGreaterThan(500)
})
