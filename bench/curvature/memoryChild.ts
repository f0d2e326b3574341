/**
 * Prints how far the resident memory of this process rises while an operator is made and multiplied, in bytes, beside
 * the forecast of its plan. Arguments: hessian or gaussNewton, the most samples in a batch, the memory budget in bytes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { lossGaussNewton, lossHessian } from 'evolute/curvature'
import { Tensor } from 'evolute/tensor'
import { million } from './networks.js'

const [kind, batch, memoryBytes] = process.argv.slice(2)
const samples = 8192
const make = kind === 'hessian' ? lossHessian : lossGaussNewton
// The code itself, ours and ONNX Runtime's, is loaded before anything is measured; by a network so small that what it
// leaves free does not hide what comes after.
const small = await make(million(64, [2]), { precision: 'float32', block: 1 })
await small.apply(new Tensor(new Float32Array(small.rows), [1, small.rows]))
await small.dispose()
const collect = (globalThis as { gc?: () => void }).gc
collect?.()
const problem = million(samples)
// From here on (Linux): the peak that a process reports otherwise holds that of the one that started it.
writeFileSync('/proc/self/clear_refs', '5')
const before = process.memoryUsage.rss()

const operator = await make(problem, {
  precision: 'float32',
  batch: Number(batch),
  memoryBytes: Number(memoryBytes),
  block: 1,
})
const v = new Tensor(new Float32Array(operator.rows).fill(1e-3), [1, operator.rows])
for (let i = 0; i < 2; i++) await operator.apply(v)
const peak = 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1])
console.log(
  JSON.stringify({ forecast: operator.plan.totalBytes, measured: peak - before, plan: operator.plan }),
)
