import { Random } from 'evolute/linalg'
import { add, divide, gelu, layerNorm, matmul, reshape, softmax, split, take, transpose } from 'evolute/numpy'
import type { Tensor } from 'evolute/tensor'
import { classNumbers, initialize, type Problem } from './problem.js'

const [batch, length, width, heads, vocabulary, blocks] = [8, 32, 64, 4, 64, 2]
const random = new Random('bench/transformer')

const block = (i: number): [string, number[]][] => [
  [`scale${i}a`, [width]],
  [`offset${i}a`, [width]],
  [`qkv${i}`, [width, 3 * width]],
  [`out${i}`, [width, width]],
  [`scale${i}b`, [width]],
  [`offset${i}b`, [width]],
  [`up${i}`, [width, 4 * width]],
  [`upBias${i}`, [4 * width]],
  [`down${i}`, [4 * width, width]],
  [`downBias${i}`, [width]],
]

/** [batch, length, width] to [batch, heads, length, width / heads]. */
const byHead = (x: Tensor) => transpose(reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3])

function attention(x: Tensor, qkv: Tensor, out: Tensor): Tensor {
  const [q, k, v] = split(matmul(x, qkv), 3, { axis: -1 }).map(byHead) as [Tensor, Tensor, Tensor]
  const scores = divide(matmul(q, transpose(k, [0, 1, 3, 2])), Math.sqrt(width / heads))
  const mixed = transpose(matmul(softmax(scores), v), [0, 2, 1, 3])
  return matmul(reshape(mixed, [batch, length, width]), out)
}

/** Two pre-norm blocks of attention and a gelu network, with a linear read-out. */
export const transformer: Problem = {
  name: 'transformer',
  title: 'two-block transformer, width 64, 4 heads, length 32, batch 8',
  weights: initialize(
    random,
    Object.fromEntries<readonly number[]>([
      ['embedding', [vocabulary, width]],
      ['position', [length, width]],
      ...Array.from({ length: blocks }, (_, i) => block(i)).flat(),
      ['scale', [width]],
      ['offset', [width]],
      ['head', [width, vocabulary]],
    ]),
    ([n]) => n!,
  ),
  inputs: classNumbers(random, [batch, length], vocabulary),
  labels: classNumbers(random, [batch, length], vocabulary),
  model: (w, tokens) => {
    const norm = (x: Tensor, suffix: string) =>
      layerNorm(x, { scale: w[`scale${suffix}`]!, offset: w[`offset${suffix}`]! })
    let x = add(take(w.embedding!, tokens, { axis: 0 }), w.position!)
    for (let i = 0; i < blocks; i++) {
      x = add(x, attention(norm(x, `${i}a`), w[`qkv${i}`]!, w[`out${i}`]!))
      const hidden = gelu(add(matmul(norm(x, `${i}b`), w[`up${i}`]!), w[`upBias${i}`]!))
      x = add(x, add(matmul(hidden, w[`down${i}`]!), w[`downBias${i}`]!))
    }
    return matmul(norm(x, ''), w.head!)
  },
}
