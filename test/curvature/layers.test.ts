import { describe, expect, test } from 'vitest'
import { losses, type Problem } from '../../src/curvature/index.js'
import { findLayers, modelProgram } from '../../src/curvature/layers/find.js'
import { tapped } from '../../src/curvature/layers/tapped.js'
import { flatProblem } from '../../src/curvature/parameters.js'
import { Random } from '../../src/linalg/index.js'
import * as np from '../../src/numpy/index.js'
import { Tensor } from '../../src/tensor/index.js'

const random = new Random(2)
const draw = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1)
  return new Tensor(random.normals(size), shape)
}
const classes = (samples: number) => new Tensor(Int32Array.from({ length: samples }, (_, i) => i % 3))

function problemOf(parameters: Problem['parameters'], apply: Problem['apply'], inputs: Tensor): Problem {
  return { parameters, apply, loss: losses['cross-entropy']!, inputs, targets: classes(inputs.shape[0]!) }
}

const flat = (problem: Problem) => flatProblem(problem, 'float64')

const convolutional = problemOf(
  { kernel: draw(4, 2, 3, 3), bias: draw(4), scale: draw(4, 1, 1), weight: draw(3, 16), offset: draw(3) },
  (p, x) => {
    const y = np.add(np.conv(x, p.kernel, { strides: 2 }), np.reshape(p.bias, [1, 4, 1, 1]))
    const h = np.multiply(np.tanh(y), p.scale)
    return np.add(np.matmul(np.reshape(h, [x.shape[0]!, -1]), np.transpose(p.weight)), p.offset)
  },
  draw(5, 2, 5, 5),
)

describe('layers', () => {
  test('are found in a network of matrix products, with their biases', () => {
    const problem = problemOf(
      [draw(6, 7), draw(7), draw(7, 3)],
      ([w, b, v], x) => np.matmul(np.tanh(np.add(np.matmul(x, w), b)), v),
      draw(5, 6),
    )
    const { layers, uncovered } = findLayers(flat(problem))
    expect(uncovered).toEqual([])
    expect(
      layers.map(({ name, inputs, outputs, positions, bias }) => [name, inputs, outputs, positions, bias]),
    ).toEqual([
      ['[0]', 6, 7, 1, true],
      ['[2]', 7, 3, 1, false],
    ])
    // Weights [inputs, outputs] come as rows of outputs, the bias last.
    expect([...layers[0]!.places.subarray(0, 7)]).toEqual([0, 7, 14, 21, 28, 35, 42])
  })

  test('are found behind convolutions and transposed weights; a scale is none, and it is said why', () => {
    const { layers, uncovered } = findLayers(flat(convolutional))
    expect(
      layers.map(({ name, inputs, outputs, positions, bias }) => [name, inputs, outputs, positions, bias]),
    ).toEqual([
      ['kernel', 18, 4, 4, true],
      ['weight', 16, 3, 1, true],
    ])
    expect(uncovered.map(({ block, reason }) => [block.name, reason])).toEqual([
      ['scale', 'it is used in mul, which is no matrix product'],
    ])
  })

  test('positions of a sequence are counted', () => {
    const problem = problemOf(
      { w: draw(4, 3), b: draw(3) },
      (p, x) => np.mean(np.add(np.matmul(x, p.w), p.b), { axis: 1 }),
      draw(5, 8, 4),
    )
    expect(findLayers(flat(problem)).layers).toMatchObject([
      { positions: 8, bias: true, inputs: 4, outputs: 3 },
    ])
  })

  test('a weight or bias in two places belongs to no layer', () => {
    const problem = problemOf(
      { w: draw(3, 3), b: draw(3), v: draw(3, 3) },
      (p, x) => {
        const h = np.tanh(np.add(np.matmul(np.tanh(np.matmul(x, p.w)), p.w), p.b))
        return np.add(np.matmul(h, p.v), p.b)
      },
      draw(5, 3),
    )
    const { layers, uncovered } = findLayers(flat(problem))
    expect(layers.map(({ name, bias }) => [name, bias])).toEqual([['v', false]])
    expect(uncovered.map(({ block }) => block.name)).toEqual(['w', 'b'])
    expect(uncovered[0]!.reason).toBe('it is used in more than one place')
  })

  test('W a + b with the parameters of a layer is what the model computes there', () => {
    for (const samples of [1, 5, 8]) {
      const problem = flat(convolutional)
      const { layers } = findLayers(problem)
      const program = modelProgram(problem, samples)
      const x = draw(samples, 2, 5, 5)
      const run = tapped(program, layers)
      const zeros = layers.map(({ equation }) => np.zeros(program.equations[equation]!.outputs[0]!.shape))
      const { activations, outputs } = run(problem.theta, x, zeros)
      expect([...outputs.data]).toEqual([...problem.apply(problem.theta, x).data])
      const [first] = layers
      const w = np.take(problem.theta, new Tensor(first!.places, [4, 19]))
      const ones = np.ones([samples, 4, 1])
      const y = np.matmul(np.concatenate([activations[0]!, ones], { axis: 2 }), np.transpose(w))
      const { kernel, bias } = convolutional.parameters as Record<string, Tensor>
      const expected = np.add(np.conv(x, kernel!, { strides: 2 }), np.reshape(bias!, [1, 4, 1, 1]))
      const byPosition = np.transpose(np.reshape(expected, [samples, 4, 4]), [0, 2, 1])
      expect([...y.data]).toEqual([...byPosition.data].map((value) => expect.closeTo(value, 12)))
    }
  })
})
