import { compile } from 'evolute/engines'
import { startPeer, writeProblem } from './peers/peer.js'
import { cnn } from './problems/cnn.js'
import { mlp } from './problems/mlp.js'
import { transformer } from './problems/transformer.js'
import { derivativesOf, quantities } from './quantities.js'

const peer = (await startPeer('/usr/bin/python3', ['bench/peers/pytorch.py', '2']))!
const med = (x: number[]) => (1000 * x.sort((a, b) => a - b)[x.length >> 1]!).toFixed(2)
for (const p of [mlp, cnn, transformer]) {
  const d = derivativesOf(p)
  writeProblem(`/tmp/evb/${p.name}`, p, d)
  await peer.open(p, `/tmp/evb/${p.name}`)
  for (const q of quantities) {
    const { seconds, result } = await peer.measure(q, 60)
    const own: any = await compile(d.of[q].f)(...(d.of[q].args as any))
    let e = 0,
      s = 0
    for (let i = 0; i < result.length; i++) {
      e += (result[i]! - own.data[i]) ** 2
      s += result[i]! ** 2
    }
    console.log(p.name, q, med(seconds), 'rel diff', Math.sqrt(e / s))
  }
}
peer.close()
