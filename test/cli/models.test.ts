import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { evolute } from './commandLine.js'

const data = process.env.EVOLUTE_DATA ?? ''
const model = (name: string) => join(data, 'onnx/models', name)
const mnist = [
  '--inputs',
  join(data, 'mnist/t10k-images-idx3-ubyte.gz'),
  '--labels',
  join(data, 'mnist/t10k-labels-idx1-ubyte.gz'),
]
const quick = ['--samples', '2000', '--top', '1', '--bottom', '0', '--probes', '2', '--steps', '1', '--json']

describe.skipIf(!data)('evolute analyze on published MNIST classifiers (EVOLUTE_DATA)', () => {
  // Accuracies on the first 2,000 test images as measured with ONNX Runtime when the data was collected.
  test.each([
    ['cnn_mnist_pytorch.onnx', ['--mean', '33.318421', '--std', '78.567514'], 0.985, 21840],
    ['mnist_pytorch_onnx2c.onnx', ['--std', '255'], 0.896, 54912],
  ])('%s has its known accuracy', async (name, scaling, accuracy, parameters) => {
    const { code, out, err } = await evolute('analyze', model(name), ...mnist, ...scaling, ...quick)
    expect(err).toBe('')
    expect(code).toBe(0)
    const report = JSON.parse(out)
    expect(report.accuracy).toBeCloseTo(accuracy, 2)
    expect(report.parameters).toBe(parameters)
    expect(report.eigenvalues[0].value).toBeGreaterThan(0)
  })
})
