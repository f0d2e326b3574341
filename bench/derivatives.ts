/**
 * Times ways to the same derivatives against each other in one run, checks that they agree, prints a table and writes
 * DERIVATIVES.md: collapsed Taylor mode against nested second derivatives, Taylor mode against nesting at order five,
 * sparse against dense Hessians; and factorisations against ml-matrix. Options: --rounds N (default 15), --dry writes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compileProgram, type Engine } from 'evolute/engines'
import { compileJs } from 'evolute/engines/js'
import { Random } from 'evolute/linalg'
import * as np from 'evolute/numpy'
import { forecast } from 'evolute/program'
import { Tensor } from 'evolute/tensor'
import { grad, hessian, jet, jvp, laplacian, sparseHessian, trace, vmap } from 'evolute/transforms'
import {
  CholeskyDecomposition,
  EigenvalueDecomposition,
  inverse,
  Matrix,
  QrDecomposition,
  SingularValueDecomposition,
} from 'ml-matrix'
import { optimize } from '../src/ops/optimize.js'
import { difference, race, ratio, timed } from './measure.js'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, dry: { type: 'boolean' } } })
const seconds = 0.1

type Compute = () => Promise<ArrayLike<number>> | ArrayLike<number>

/** Times computations of the same numbers. @throws when they differ. */
async function contest(
  name: string,
  contenders: Record<'ours' | 'other', Compute>,
  tolerance: number,
  rounds: number,
) {
  const off = difference(await contenders.ours(), await contenders.other())
  if (!(off < tolerance)) throw new Error(`${name}: the two differ by ${off}, expected below ${tolerance}`)
  const timings = await race(
    { ours: timed(contenders.ours), other: timed(contenders.other) },
    { rounds, seconds },
  )
  return { ...timings, ratio: ratio(timings.ours, timings.other) }
}

const show = (seconds: number) => `${(1000 * seconds).toPrecision(3)} ms`

async function row(
  name: string,
  contenders: Record<'ours' | 'other', Compute>,
  tolerance: number,
  note = '',
  rounds = Number(values.rounds ?? 15),
) {
  console.error(`${name} ...`)
  const { ours, other, ratio } = await contest(name, contenders, tolerance, rounds)
  const range = `${ratio.median.toPrecision(2)} (${ratio.least.toPrecision(2)} to ${ratio.most.toPrecision(2)})`
  return `| ${[name, show(ours.median), show(other.median), range, note].join(' | ')} |`
}

function randomTensor(random: Random, shape: number[], scale: number, wide = false): Tensor {
  const numbers = random.normals(shape.reduce((size, n) => size * n, 1)).map((x) => scale * x)
  return new Tensor(wide ? numbers : Float32Array.from(numbers), shape)
}

/** The Laplacian of a 50-256-256-1 tanh network at 16 points, float32: collapsed, and as a sum of nested derivatives. */
async function laplacianRow(engine: Engine): Promise<string> {
  const random = new Random(0)
  const [inputs, width, points] = [50, 256, 16]
  const [w1, w2, w3] = [
    randomTensor(random, [inputs, width], 1 / Math.sqrt(inputs)),
    randomTensor(random, [width, width], 1 / Math.sqrt(width)),
    randomTensor(random, [width], 1 / Math.sqrt(width)),
  ]
  const u = (x: Tensor) => np.matmul(np.tanh(np.matmul(np.tanh(np.matmul(x, w1)), w2)), w3)
  const axes = np.astype(np.eye(inputs), 'float32')
  const nested = (x: Tensor) =>
    np.sum(vmap((e: Tensor) => np.sum(np.multiply(jvp(grad(u), [x], [e])[1], e)))(axes))
  const at = randomTensor(random, [points, inputs], 1)
  const prepare = async (f: (x: Tensor) => Tensor) => {
    const { program } = trace(vmap(f), at)
    const executable = await compileProgram(program, { engine })
    return {
      run: async () => (await executable.run([at]))[0]!.data,
      peak: forecast(optimize(program)).peakBytes,
    }
  }
  const [collapsed, plain] = [await prepare(laplacian(u)), await prepare(nested)]
  const note = `memory by forecast ${(collapsed.peak / plain.peak).toFixed(2)}; the paper's 0.48 in time`
  const name = `Laplacian of a 50-256-256-1 network, ${points} points, engine ${engine}: collapsed against nested`
  return row(name, { ours: collapsed.run, other: plain.run }, 1e-4, note)
}

/** The fifth derivative along a direction of a 10-64-64-1 tanh network, float64. */
async function fifthOrderRow(): Promise<string> {
  const random = new Random(1)
  const [w1, w2, w3] = [
    randomTensor(random, [10, 64], 0.3, true),
    randomTensor(random, [64, 64], 0.125, true),
    randomTensor(random, [64], 0.125, true),
  ]
  const [x, v] = [randomTensor(random, [10], 1, true), randomTensor(random, [10], 1, true)]
  const u = (x: Tensor) => np.matmul(np.tanh(np.matmul(np.tanh(np.matmul(x, w1)), w2)), w3)
  const taylor = compileJs((x: Tensor, v: Tensor) => jet(u, x, [v, null, null, null, null])[1])
  let nested = u
  for (let order = 0; order < 5; order++) {
    const lower = nested
    nested = (x) => jvp(lower, [x], [v])[1]
  }
  const plain = compileJs(nested)
  return row(
    'fifth derivative along a direction, 10-64-64-1 network: Taylor mode against nested jvp',
    { ours: () => taylor(x, v).at(-1)!.data, other: () => plain(x).data },
    1e-10,
  )
}

/** The Hessian of a chain of n variables. */
function chainRow(n: number): Promise<string> {
  const f = (x: Tensor) => {
    const [a, b] = [np.slice(x, [0, n - 1]), np.slice(x, [1, n])]
    return np.sum(np.add(np.square(np.subtract(b, np.square(a))), np.multiply(np.sin(a), b)))
  }
  const x = Float64Array.from({ length: n }, (_, i) => Math.sin(i))
  const sparse = sparseHessian(f)
  const dense = hessian(f)
  const spread = () => {
    const { rowPointers, columns, values } = sparse(x)
    const full = new Float64Array(n * n)
    for (let i = 0; i < n; i++)
      for (let k = rowPointers[i]!; k < rowPointers[i + 1]!; k++) full[i * n + columns[k]!] = values.data[k]!
    return full
  }
  return row(
    `Hessian of a chain of ${n} variables: sparse (written out dense) against dense`,
    { ours: spread, other: () => dense(x).data },
    1e-10,
    `${sparse(x).products} products instead of ${n}`,
  )
}

/** Factorisations of a random symmetric positive definite matrix of order n, and its singular values, against ml-matrix. */
async function factorisationRows(n: number, isChosen = (_: string) => true): Promise<string[]> {
  const half = randomTensor(new Random(2), [n, n], 1, true)
  const a = np.add(np.matmul(half, np.transpose(half)), np.multiply(n, np.eye(n)))
  const matrix = new Matrix(Array.from({ length: n }, (_, i) => a.data.subarray(i * n, (i + 1) * n)))
  const eigenvalues = () =>
    new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues.sort((x, y) => x - y)
  const ways: [string, Compute, Compute][] = [
    ['product with itself: matmul', () => np.matmul(a, a).data, () => matrix.mmul(matrix).to1DArray()],
    [
      'cholesky',
      () => np.cholesky(a).data,
      () => new CholeskyDecomposition(matrix).lowerTriangularMatrix.to1DArray(),
    ],
    ['inverse: inv', () => np.inv(a).data, () => inverse(matrix).to1DArray()],
    [
      'R of qr',
      () => np.abs(np.qr(a).r).data,
      () => Matrix.abs(new QrDecomposition(matrix).upperTriangularMatrix).to1DArray(),
    ],
    ['eigenvalues and eigenvectors: eigh', () => np.eigh(a).eigenvalues.data, eigenvalues],
    [
      'singular values and vectors: svd',
      () => np.svd(a).s.data,
      () => new SingularValueDecomposition(matrix).diagonal,
    ],
  ]
  const rows: string[] = []
  for (const [name, ours, other] of ways.filter(([name]) => isChosen(name)))
    rows.push(await row(`order ${n}, ${name} against ml-matrix`, { ours, other }, 1e-9, '', 5))
  return rows
}

const table = [
  '| | ours | other way | ours / other | |',
  '|---|---|---|---|---|',
  await laplacianRow('onnx'),
  await laplacianRow('js'),
  await fifthOrderRow(),
  await chainRow(100),
  await chainRow(400),
  await chainRow(1000),
  ...(await factorisationRows(500)),
  ...(await factorisationRows(1000, (name) => name.includes('eigh'))),
].join('\n')
const cores = cpus()
const machine = `${cores.length} cores of ${cores[0]?.model.trim()}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`
const text = `${machine}\n\n${table}\n`
console.log(text)
if (!values.dry) {
  const path = fileURLToPath(new URL('DERIVATIVES.md', import.meta.url))
  const head = readFileSync(path, 'utf8').split('<!-- results -->')[0]
  writeFileSync(path, `${head}<!-- results -->\n${text}`)
}
