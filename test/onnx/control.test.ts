/** Control flow out to ONNX and back: the operators that are written, and what an imported model computes. */
import { expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { writeModel } from '../../src/onnx/file/write.js'
import { importModel } from '../../src/onnx/import/index.js'
import { programToModel } from '../../src/onnx/index.js'
import type { GraphProto } from '../../src/onnx/schema/onnx_pb.js'
import { optimize } from '../../src/ops/optimize.js'
import { type Tensor, tensor } from '../../src/tensor/tensor.js'
import { grad, jvp, trace, vmap } from '../../src/transforms/index.js'
import { expectClose } from '../helpers/derivatives.js'
import { programs, real, whilePrograms } from '../transforms/controlPrograms.js'

type Map = (x: Tensor) => Tensor

const point = tensor([0.9, 0.4, 1.3, -0.5])
const modelOf = (f: Map) => programToModel(optimize(trace(f, point).program))

/** Operators with those of the graphs inside, as paths. */
function paths(graph: GraphProto, prefix = ''): string[] {
  return graph.node.flatMap(({ opType, attribute }) => [
    `${prefix}${opType}`,
    ...attribute.flatMap(({ g }) => (g ? paths(g, `${prefix}${opType}/`) : [])),
  ])
}
const operators = (f: Map) => new Set(paths(modelOf(f).graph!))

test('loops and branches are Scan, Loop and If, with the programs they run inside', () => {
  expect(operators(programs['scan of a scan']!(real))).toContain('Scan/Scan/Sin')
  expect(operators(programs['scan of a conditional']!(real))).toContain('Scan/If/Exp')
  expect(operators(programs.switch!(real))).toContain('If/If/Sin')
  expect(operators(whilePrograms['while until a value is large']!(real))).toContain('Loop/Sin')
})

test.each(Object.keys({ ...programs, ...whilePrograms }))(
  '%s is the same after export and import',
  (name) => {
    const f = (programs[name] ?? whilePrograms[name])!(real)
    const model = importModel(writeModel(modelOf(f)))
    const g: Map = (x) => model.apply({}, { input_0: x }).output_0 as Tensor
    expectClose(g(point), [...f(point).data], 1e-13)
    const moved = (h: Map) => jvp(h, [point], [np.cos(point)])[1]
    expectClose(moved(g), [...moved(f).data], 1e-12)
    const points = np.stack([point, np.flip(point)])
    expectClose(vmap(g)(points) as Tensor, [...(vmap(f)(points) as Tensor).data], 1e-12)
    if (name in whilePrograms) return
    const slope = (h: Map) => grad((x: Tensor) => np.sum(np.sin(h(x))))(point)
    expectClose(slope(g), [...slope(f).data], 1e-12)
  },
)
