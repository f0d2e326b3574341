import { add, cast, div, mul, select, sub } from '../../../ops/arithmetic.js'
import { broadcastTo, reshape, transpose } from '../../../ops/broadcast.js'
import { less, lessEqual } from '../../../ops/compare.js'
import { gather } from '../../../ops/gather.js'
import { concatenate, sliceAxis } from '../../../ops/slice.js'
import { tanh } from '../../../ops/smooth.js'
import { showType, type Value } from '../../../program/value.js'
import { range } from '../../../tensor/shape.js'
import { Tensor } from '../../../tensor/tensor.js'
import { expectRank, expectWithin, type Operations, operation } from '../operation.js'
import { padConstant } from './indexing.js'
import { matmul, scaled } from './matrix.js'
import { softmax } from './reduce.js'

/** [B, S, heads * size] as [B, heads, S, size]. */
export function splitHeads(x: Value, heads: number): Value {
  const [b, s, width] = x.shape as [number, number, number]
  if (!(heads >= 1) || width % heads) throw new Error(`${heads} heads do not divide ${showType(x)}`)
  return transpose(reshape(x, [b, s, heads, width / heads]), [0, 2, 1, 3])
}

export function joinHeads(x: Value): Value {
  const [b, heads, s, size] = x.shape as [number, number, number, number]
  return reshape(transpose(x, [0, 2, 1, 3]), [b, s, heads * size])
}

/** Keys or values [B, kvHeads, ...] repeated so that groups of query heads share one. */
function repeatHeads(x: Value, heads: number): Value {
  const [b, own, s, size] = x.shape as [number, number, number, number]
  if (own === heads) return x
  if (heads % own) throw new Error(`${heads} query heads are no multiple of ${own} key heads`)
  const spread = broadcastTo(reshape(x, [b, own, 1, s, size]), [b, own, heads / own, s, size])
  return reshape(spread, [b, heads, s, size])
}

const positions = (n: number, axis: number, rank: number) =>
  new Tensor(
    Int32Array.from(range(n)),
    range(rank).map((i) => (i === axis ? n : 1)),
  )

/** A bias to add to the scores: numbers as they are, -inf where a boolean mask does not hold. */
function maskBias(mask: Value, like: Value): Value {
  return mask.dtype === 'bool'
    ? select(
        mask,
        new Tensor(like.dtype === 'float64' ? new Float64Array(1) : new Float32Array(1), []),
        Number.NEGATIVE_INFINITY,
      )
    : mask
}

/**
 * softmax(cap(scale Q K^T) + bias) V, and the scores at the stage that qk_matmul_output_mode asks for: scaled, capped,
 * with bias and mask, softmax. The order of the stages, and the key head i / group of query head i, are those of
 * ONNX's corrections to operator sets 23 and 24 (its pull requests 7274, 7867 and 7913), as in ONNX Runtime 1.30.
 */
const attention = operation<[Value, Value, Value, Value?, Value?, Value?, Value?]>(
  3,
  7,
  ([query, key, value, mask, pastKey, pastValue, keyLengths], attributes, context) => {
    const flat = query.shape.length === 3
    const heads = flat ? attributes.int('q_num_heads') : (query.shape[1] as number)
    const kvHeads = flat ? attributes.int('kv_num_heads') : (key.shape[1] as number)
    for (const [name, x] of Object.entries({ Q: query, K: key, V: value }))
      expectRank(`input ${name}`, x, flat ? 3 : 4, flat ? 3 : 4)
    const q = flat ? splitHeads(query, heads) : query
    const join = (past: Value | undefined, x: Value) => {
      const own = flat ? splitHeads(x, kvHeads) : x
      return past ? concatenate([past, own], 2) : own
    }
    const [k, v] = [join(pastKey, key), join(pastValue, value)]
    const [rows, columns, size] = [q.shape[2], k.shape[2], q.shape[3]] as [number, number, number]
    const factor = attributes.float('scale', 1 / Math.sqrt(size))
    const allKeys = repeatHeads(k, heads)
    const scores = scaled(matmul(q, transpose(allKeys, [0, 1, 3, 2]), context), factor)
    const past = (pastKey?.shape[2] ?? 0) as number
    const softcap = attributes.float('softcap', 0)
    const capped = softcap ? mul(tanh(div(scores, softcap)), softcap) : scores
    const bias = mask && maskBias(fitMask(mask, columns), capped)
    if (bias) expectWithin('the mask', bias, capped)
    let biased = bias ? add(capped, bias) : capped
    const hide = (visible: Value) => {
      biased = select(visible, biased, Number.NEGATIVE_INFINITY)
    }
    const [i, j] = [positions(rows, 2, 4), positions(columns, 3, 4)]
    if (keyLengths) hide(less(j, reshape(cast(keyLengths, 'int32'), [keyLengths.size, 1, 1, 1])))
    if (attributes.flag('is_causal')) {
      // With lengths the new queries are the last of them; without, they come after the past.
      const first: Value | number = keyLengths
        ? sub(reshape(cast(keyLengths, 'int32'), [keyLengths.size, 1, 1, 1]), rows)
        : past
      hide(lessEqual(j, add(i, first)))
    }
    const weights = softmax(biased, 3)
    const result = matmul(weights, repeatHeads(v, heads), context)
    const stages = [scores, capped, biased, weights]
    const stage = stages[attributes.int('qk_matmul_output_mode', 0)]
    if (!stage) throw new Error('qk_matmul_output_mode is outside 0..3')
    return [flat ? joinHeads(result) : result, k, v, stage]
  },
)

/** A mask may be shorter than the keys; what it does not cover is hidden. */
function fitMask(mask: Value, columns: number): Value {
  const missing = columns - (mask.shape.at(-1) as number)
  if (missing <= 0 || mask.shape.at(-1) === 1) return mask
  const none = mask.shape.map(() => 0)
  const high = [...none.slice(1), missing]
  return padConstant(mask, none, high, mask.dtype === 'bool' ? 0 : Number.NEGATIVE_INFINITY)
}

/** Pairs of coordinates turned by angles whose cosine and sine are given per position. */
const rotaryEmbedding = operation<[Value, Value, Value, Value?]>(
  3,
  4,
  ([input, cosines, sines, ids], attributes) => {
    const flat = input.shape.length === 3
    const x = flat ? splitHeads(input, attributes.int('num_heads')) : input
    expectRank('input X', x, 4, 4)
    const size = x.shape[3] as number
    const turned = attributes.int('rotary_embedding_dim', 0) || size
    const half = turned / 2
    const table = (t: Value) => {
      const own = ids ? gather(t, cast(ids, 'int32'), 0) : t
      const used = sliceAxis(own, own.shape.length - 1, 0, half)
      return reshape(used, [used.shape[0] as number, 1, used.shape[1] as number, half])
    }
    const [cos, sin] = [table(cosines), table(sines)]
    const interleaved = attributes.flag('interleaved')
    const [b, heads, s] = x.shape as [number, number, number, number]
    const part = sliceAxis(x, 3, 0, turned)
    const pairs = interleaved
      ? transpose(reshape(part, [b, heads, s, half, 2]), [0, 1, 2, 4, 3])
      : reshape(part, [b, heads, s, 2, half])
    const [real, imaginary] = [0, 1].map((i) =>
      reshape(sliceAxis(pairs, 3, i, i + 1), [b, heads, s, half]),
    ) as [Value, Value]
    const rotated = [sub(mul(cos, real), mul(sin, imaginary)), add(mul(sin, real), mul(cos, imaginary))].map(
      (v) => reshape(v, [b, heads, s, 1, half]),
    )
    const stacked = concatenate(rotated, 3)
    const joined = reshape(interleaved ? transpose(stacked, [0, 1, 2, 4, 3]) : stacked, [b, heads, s, turned])
    const result = turned < size ? concatenate([joined, sliceAxis(x, 3, turned, size)], 3) : joined
    return flat ? joinHeads(result) : result
  },
)

export const attentionOperations: Operations = { Attention: attention, RotaryEmbedding: rotaryEmbedding }
