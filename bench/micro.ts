import { create } from '@bufbuild/protobuf'
import ort from 'onnxruntime-node'
import { graphWriter } from '../src/onnx/export/graph.js'
import { model, valueInfo, writeModel } from '../src/onnx/file/write.js'
import { GraphProtoSchema } from '../src/onnx/schema/onnx_pb.js'
import { Tensor } from '../src/tensor/index.js'

const f = (s: number[], k = 1) =>
  new Tensor(
    Float32Array.from({ length: s.reduce((a, b) => a * b, 1) }, () => k * (Math.random() - 0.5)),
    s,
  )
async function time(
  name: string,
  shapes: number[][],
  build: (g: any, ins: string[]) => string,
  out: number[],
  bool: number[] = [],
) {
  const g = graphWriter([...shapes.map((_, i) => `i${i}`), 'o'])
  const y = build(
    g,
    shapes.map((_, i) => `i${i}`),
  )
  // reduce to light output
  g.rename(new Map([[y, 'o']]))
  const m = model(
    create(GraphProtoSchema, {
      name: 'm',
      node: [...g.written],
      initializer: g.initializers(),
      input: shapes.map((s, i) => valueInfo(`i${i}`, bool.includes(i) ? 9 : 1, s)),
      output: [valueInfo('o', 1, out)],
    }),
    { opsets: { '': 21 }, irVersion: 10 },
  )
  for (const threads of [1, 2]) {
    const s = await ort.InferenceSession.create(writeModel(m), {
      intraOpNumThreads: threads,
      logSeverityLevel: 4,
      graphOptimizationLevel: 'all',
      enableProfiling: true,
      profileFilePrefix: '/tmp/zzm',
    } as any)
    const feeds: any = {}
    shapes.forEach((sh, i) => {
      feeds[`i${i}`] = bool.includes(i)
        ? new ort.Tensor(
            'bool',
            Uint8Array.from({ length: sh.reduce((a, b) => a * b, 1) }, () => +(Math.random() > 0.5)),
            sh,
          )
        : new ort.Tensor('float32', f(sh).data as Float32Array, sh)
    })
    const t: number[] = []
    for (let i = 0; i < 60; i++) {
      const a = performance.now()
      await s.run(feeds)
      t.push(performance.now() - a)
    }
    t.sort((a, b) => a - b)
    ;(s as any).endProfiling()
    const fs = await import('node:fs')
    const file = fs
      .readdirSync('/tmp')
      .filter((x) => x.startsWith('zzm'))
      .sort()
      .at(-1)
    const by: any = {}
    for (const e of JSON.parse(fs.readFileSync('/tmp/' + file, 'utf8')))
      if (e.cat === 'Node' && e.name.endsWith('_kernel_time'))
        (by[e.name.replace('_kernel_time', '') + ':' + e.args.op_name] ??= []).push(e.dur)
    fs.unlinkSync('/tmp/' + file)
    console.log(
      name,
      threads,
      'threads: run',
      t[30]!.toFixed(3),
      Object.entries(by)
        .map(([k, v]: any) => `${k.split(':')[1]} ${v.sort((a: number, b: number) => a - b)[v.length >> 1]}`)
        .join(' '),
    )
  }
}
const big = [64, 8, 26, 26],
  small = [64, 8, 13, 13]

await time(
  'conv group',
  [big],
  (g, [x]) =>
    g.node('Conv', [x, g.constant(new Tensor(new Float32Array(32).fill(1), [8, 1, 2, 2]))], {
      strides: [2, 2],
      group: 8,
    }),
  small,
)
await time(
  'conv group1row',
  [[1, 512, 26, 26]],
  (g, [x]) =>
    g.node('Conv', [x, g.constant(new Tensor(new Float32Array(4 * 512).fill(1), [512, 1, 2, 2]))], {
      strides: [2, 2],
      group: 512,
    }),
  [1, 512, 13, 13],
)
await time(
  'avg noinc',
  [big],
  (g, [x]) => g.node('AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2] }),
  small,
)
await time(
  'matmul rows',
  [[13312, 26]],
  (g, [x]) =>
    g.node('MatMul', [
      x,
      g.constant(
        new Tensor(
          Float32Array.from({ length: 26 * 13 }, (_, i) => +(Math.floor(i / 13) >> 1 === i % 13)),
          [26, 13],
        ),
      ),
    ]),
  [13312, 13],
)
await time(
  'sum pairs of rows',
  [[6656, 2, 13]],
  (g, [x]) => g.node('ReduceSum', [x, g.int64([1])], { keepdims: 0 }),
  [6656, 13],
)
await time('where full', [big, big, big], (g, [x, y, z]) => g.node('Where', [x, y, z]), big, [0])
await time(
  'and where',
  [big, big, big],
  (g, [x, y, z]) => g.node('Where', [g.node('And', [x, y]), z, g.constant(0, 'float32')]),
  big,
  [0, 1],
)
await time(
  'pad',
  [[1024, 1, 10, 10]],
  (g, [x]) => g.node('Pad', [x, g.int64([0, 0, 0, 0, 0, 0, 1, 1])]),
  [1024, 1, 11, 11],
)
await time(
  'concat pad',
  [[1024, 10, 10]],
  (g, [x]) =>
    g.node(
      'Concat',
      [
        g.node('Reshape', [
          g.node('Concat', [x, g.constant(new Tensor(new Float32Array(10240), [1024, 10, 1]))], { axis: 2 }),
          g.int64([1024, 110]),
        ]),
        g.constant(new Tensor(new Float32Array(11264), [1024, 11])),
      ],
      { axis: 1 },
    ),
  [1024, 121],
)
await time(
  'slice',
  [[1024, 1, 11, 11]],
  (g, [x]) => g.node('Slice', [x, g.int64([0, 0]), g.int64([10, 10]), g.int64([2, 3])]),
  [1024, 1, 10, 10],
)
await time(
  'slice rows',
  [big],
  (g, [x]) => g.node('Slice', [x, g.int64([0]), g.int64([26]), g.int64([2]), g.int64([2])]),
  [64, 8, 13, 26],
)
await time(
  'convT',
  [
    [64, 16, 11, 11],
    [16, 8, 3, 3],
  ],
  (g, [x, w]) => g.node('ConvTranspose', [x, w], { kernel_shape: [3, 3] }),
  [64, 8, 13, 13],
)
await time(
  'conv as convT',
  [
    [64, 16, 11, 11],
    [8, 16, 3, 3],
  ],
  (g, [x, w]) => g.node('Conv', [x, w], { kernel_shape: [3, 3], pads: [2, 2, 2, 2] }),
  [64, 8, 13, 13],
)
await time(
  'flip kernel',
  [[16, 8, 3, 3]],
  (g, [w]) =>
    g.node(
      'Transpose',
      [g.node('Slice', [w, g.int64([-1, -1]), g.int64([-9, -9]), g.int64([2, 3]), g.int64([-1, -1])])],
      { perm: [1, 0, 2, 3] },
    ),
  [8, 16, 3, 3],
)
await time(
  'kernelgrad batch',
  [
    [64, 1, 16, 121],
    [64, 1, 121, 72],
  ],
  (g, [x, w]) => g.node('MatMul', [x, w]),
  [64, 1, 16, 72],
)
await time(
  'kernelgrad one',
  [
    [16, 64 * 121],
    [64 * 121, 72],
  ],
  (g, [x, w]) => g.node('MatMul', [x, w]),
  [16, 72],
)
await time(
  'kernelgrad1 batch',
  [
    [64, 1, 8, 676],
    [64, 1, 676, 9],
  ],
  (g, [x, w]) => g.node('MatMul', [x, w]),
  [64, 1, 8, 9],
)
await time(
  'kernelgrad1 T',
  [
    [64, 1, 9, 676],
    [64, 1, 676, 8],
  ],
  (g, [x, w]) => g.node('MatMul', [x, w]),
  [64, 1, 9, 8],
)
await time(
  'kernelgrad1 TB',
  [
    [64, 1, 8, 676],
    [64, 1, 9, 676],
  ],
  (g, [x, w]) => g.node('MatMul', [x, g.node('Transpose', [w], { perm: [0, 1, 3, 2] })]),
  [64, 1, 8, 9],
)
await time(
  'kernelgrad1 one',
  [
    [8, 676 * 64],
    [64 * 676, 9],
  ],
  (g, [x, w]) => g.node('MatMul', [x, w]),
  [8, 9],
)
await time(
  'kernelgrad1 convhuge',
  [
    [1, 64, 28, 28],
    [8, 64, 26, 26],
  ],
  (g, [x, w]) => g.node('Conv', [x, w], { kernel_shape: [26, 26] }),
  [1, 8, 3, 3],
)
await time('bias sum', [big], (g, [x]) => g.node('ReduceSum', [x, g.int64([0, 2, 3])], { keepdims: 0 }), [8])
