import { expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import type { Tensor } from '../../src/tensor/tensor.js'
import { grad, vmap } from '../../src/transforms/index.js'
import { uniform } from '../helpers/random.js'

const random = uniform(5)
const batch = np.reshape(
  Array.from({ length: 24 }, () => random() - 0.5),
  [3, 2, 4],
)
const kernel = np.reshape(
  Array.from({ length: 6 }, () => random()),
  [1, 2, 3],
)

const functions: Record<string, (x: Tensor) => Tensor> = {
  prod: (x) => np.prod(x, { axis: 1 }),
  cumprod: (x) => np.cumprod(x, { axis: 1 }),
  logsumexp: (x) => np.logsumexp(x, { axis: 0 }),
  std: (x) => np.std(x, { axis: -1 }),
  norm: (x) => np.norm(x),
  'pad by reflection': (x) =>
    np.pad(
      x,
      [
        [0, 0],
        [2, 1],
      ],
      { mode: 'reflect' },
    ),
  slice: (x) => np.slice(x, 1, [null, null, -2]),
  roll: (x) => np.roll(x, 3),
  tile: (x) => np.tile(x, [2, 1]),
  takeAlongAxis: (x) => np.takeAlongAxis(x, np.argsort(x, { axis: 1 }), 1),
  sort: (x) => np.sort(x, { axis: 0, descending: true }),
  gatherNd: (x) =>
    np.gatherNd(x, [
      [0, 1],
      [1, 3],
    ]),
  scatterAdd: (x) => np.scatterAdd([2, 5], [0, 4, 4, 2], x, 1),
  diagonal: (x) => np.diagonal(x, { offset: 1 }),
  diag: (x) => np.diag(np.ravel(x)),
  matmul: (x) => np.matmul(x, np.transpose(x)),
  einsum: (x) => np.einsum('ij,kj,i->ik', x, x, [1, 2]),
  conv: (x) => np.conv(np.expandDims(x, 0), kernel, { padding: 'same' }),
  maxPool: (x) => np.maxPool(np.expandDims(x, 0), 2),
  layerNorm: (x) => np.layerNorm(x),
  crossEntropy: (x) => np.crossEntropy(x, [3, 1]),
  sinc: (x) => np.sinc(x),
  hypot: (x) => np.hypot(x, 0.3),
}

test.each(Object.entries(functions))('%s and its gradient over a batch are those of the elements', (_, f) => {
  const gradient = grad((x: Tensor) => np.sum(np.square(f(x))))
  for (const g of [f, gradient]) {
    const expected = np.stack(np.unstack(batch).map((x) => g(x)))
    const got = vmap(g)(batch)
    expect(got.shape).toEqual(expected.shape)
    expect(np.max(np.abs(np.subtract(got, expected))).item()).toBeLessThan(1e-14)
  }
})
