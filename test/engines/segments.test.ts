import { describe, expect, test } from 'vitest'
import { compile, compileProgram } from '../../src/engines/index.js'
import { segmentsOf } from '../../src/engines/onnx/segments.js'
import * as np from '../../src/numpy/index.js'
import { programToModel } from '../../src/onnx/export/model.js'
import { type Tensor, tensor } from '../../src/tensor/index.js'
import { grad, scan, trace } from '../../src/transforms/index.js'
import { expectClose, randomLike } from '../helpers/derivatives.js'

const n = 4
const x = randomLike(tensor(new Float64Array(n * n), { shape: [n, n] }), 17)
const b = randomLike(tensor(new Float64Array(n)), 18)

/** Products, a factorisation, elementwise functions and a solution, each in need of the one before. */
function f(x: Tensor, b: Tensor): Tensor {
  const a = np.add(np.matmul(x, np.transpose(x)), np.eye(n))
  const l = np.tanh(np.cholesky(a))
  const y = np.solve(np.add(np.matmul(l, l), np.eye(n)), np.sin(b))
  return np.sum(np.exp(np.matmul(x, y)))
}

const kinds = (g: (...xs: Tensor[]) => Tensor, ...args: Tensor[]) =>
  segmentsOf(trace(g, ...args).program).map(({ onnx }) => onnx)

describe('programs with operations that ONNX lacks', () => {
  test('run on the engine onnx, with their derivatives', async () => {
    expectClose(await compile(f, { engine: 'onnx' })(x, b), f(x, b).data, 1e-13)
    const gradient = grad(f)
    expectClose(await compile(gradient, { engine: 'onnx' })(x, b), gradient(x, b).data, 1e-11)
    expectClose(await compile(gradient, { engine: 'js' })(x, b), gradient(x, b).data, 1e-11)
  })

  test('are cut into few parts, whatever the order of independent equations', () => {
    expect(kinds(f, x, b)).toEqual([true, false, true, false, true])
    const twice = (x: Tensor) => {
      const parts = [1, 2, 3].map((k) => np.sum(np.sin(np.expm(np.multiply(x, k)))))
      return np.add(np.add(parts[0]!, parts[1]!), parts[2]!)
    }
    expect(kinds(twice, x)).toEqual([true, false, true])
    expect(kinds(np.expm, x)).toEqual([false])
    expect(kinds((x) => np.sin(x), x)).toEqual([true])
  })

  test('may return inputs, constants, the same value twice, and several outputs of one operation', async () => {
    const { program } = trace((x: Tensor) => {
      const { eigenvalues, eigenvectors } = np.eigh(x, { symmetrize: true })
      return [x, eigenvalues, eigenvectors, eigenvalues, np.sin(eigenvalues), tensor([7])]
    }, x)
    const compiled = await compileProgram(program, { engine: 'onnx' })
    const { eigenvalues, eigenvectors } = np.eigh(x, { symmetrize: true })
    const wanted = [x, eigenvalues, eigenvectors, eigenvalues, np.sin(eigenvalues), tensor([7])]
    const got = await compiled.run([x])
    wanted.forEach((y, i) => {
      expectClose(got[i] as Tensor, y.data, 1e-14)
    })
    await expect(compiled.run([b])).rejects.toThrow(/input 0 is float64\[4\], expected float64\[4,4\]/)
    await compiled.dispose()
    await expect(compiled.run([x])).rejects.toThrow(/disposed/)
  })

  test('may have these operations inside loops, which then run in JavaScript', async () => {
    const g = (x: Tensor, b: Tensor) => {
      const a = np.add(np.matmul(x, np.transpose(x)), np.multiply(2, np.eye(n)))
      const [last] = scan((y: Tensor) => [np.sin(np.solve(a, y)), null] as const, b, null, { length: 3 })
      return np.sum(np.exp(np.matmul(x, last as Tensor)))
    }
    expect(kinds(g, x, b)).toEqual([true, false, true])
    expectClose(await compile(grad(g), { engine: 'onnx' })(x, b), grad(g)(x, b).data, 1e-12)
  })

  test('pass on the errors of these operations', async () => {
    const compiled = compile((x: Tensor) => np.cholesky(np.negative(x)), { engine: 'onnx' })
    await expect(compiled(np.eye(2))).rejects.toThrow(/not positive definite/)
  })

  test('cannot be written as a model, which is said with the name of the operation', () => {
    expect(() => programToModel(trace(np.cholesky, x).program)).toThrow(
      /operation 'cholesky' has no counterpart in ONNX/,
    )
  })
})
