import { writeFileSync } from 'node:fs'
import { compileProgram } from 'evolute/engines'
import { trace } from 'evolute/transforms'
import { programToModel } from '../src/onnx/export/model.js'
import { writeModel } from '../src/onnx/file/write.js'
import { optimize } from '../src/ops/optimize.js'
import { print } from '../src/program/print.js'
import { cnn } from './problems/cnn.js'
import { mlp } from './problems/mlp.js'
import { transformer } from './problems/transformer.js'
import { derivativesOf, quantities } from './quantities.js'

const all = { mlp, cnn, transformer } as any
const which = process.argv[2]!,
  what = process.argv[3],
  show = process.argv[4]
const d = derivativesOf(all[which])
const runs: any = {}
for (const q of quantities) {
  if (what && what !== 'all' && q !== what) continue
  const t0 = performance.now()
  const { f, args } = d.of[q]
  const { program } = trace(f as any, ...args)
  const t1 = performance.now()
  const p = optimize(program)
  const t2 = performance.now()
  const m = programToModel(p)
  if (show) {
    writeFileSync(`/tmp/${which}.${q.replace(' ', '_')}.onnx`, writeModel(m))
    if (show === 'print') console.log(print(p))
  }
  const count: Record<string, number> = {}
  for (const n of m.graph!.node) count[n.opType] = (count[n.opType] ?? 0) + 1
  const e = await compileProgram(program, { engine: 'onnx' })
  const t3 = performance.now()
  for (let i = 0; i < 30; i++) await e.run(args as any)
  console.log(
    q,
    'trace',
    (t1 - t0).toFixed(0),
    'opt',
    (t2 - t1).toFixed(0),
    'compile',
    (t3 - t2).toFixed(0),
    'eqs',
    program.equations.length,
    '->',
    p.equations.length,
    'nodes',
    m.graph!.node.length,
    JSON.stringify(Object.fromEntries(Object.entries(count).sort((a, b) => b[1] - a[1]))),
  )
  runs[q] = { e, args, t: [] }
}
for (let r = 0; r < 12; r++)
  for (const q in runs) {
    const { e, args, t } = runs[q]
    for (let i = 0; i < 10; i++) {
      const s = performance.now()
      await e.run(args)
      t.push(performance.now() - s)
    }
  }
for (const q in runs) {
  const t = runs[q].t.sort((a: number, b: number) => a - b)
  console.log(q.padEnd(16), 'median', t[t.length >> 1].toFixed(3), 'min', t[0].toFixed(3))
}
