import { add, mul, select, sub } from '../../../ops/arithmetic.js'
import { reshape, transpose } from '../../../ops/broadcast.js'
import { less } from '../../../ops/compare.js'
import { dot } from '../../../ops/dot.js'
import { maximum, minimum } from '../../../ops/kinks.js'
import { concatenate, slice, sliceAxis } from '../../../ops/slice.js'
import { showType, type Value } from '../../../program/value.js'
import { range } from '../../../tensor/shape.js'
import { fullTensor, Tensor } from '../../../tensor/tensor.js'
import type { Attributes } from '../attributes.js'
import { expectRank, type Operations, operation } from '../operation.js'
import { activations } from './elementwise.js'

type Activation = (x: Value) => Value

/** One direction of a layer: the weights of one step, and its activation functions. */
interface Layer {
  /** x W^T + bias of every step at once: [T, B, gates * hidden]. */
  readonly projected: Value
  /** R [gates * hidden, hidden] and its bias. */
  readonly recurrent: Value
  readonly recurrentBias: Value | undefined
  readonly hidden: number
  readonly activations: readonly Activation[]
  readonly peepholes: Value | undefined
  readonly linearBeforeReset: boolean
}

type State = readonly Value[]
/** The next state from the input's projection [B, gates * hidden]. The first part of a state is the output. */
type Step = (x: Value, state: State, layer: Layer) => State

/** Gate number i of values [..., gates * hidden]. */
const gate = (x: Value, i: number, hidden: number) =>
  sliceAxis(x, x.shape.length - 1, i * hidden, (i + 1) * hidden)

/** h R^T (+ bias). */
function recur(h: Value, { recurrent, recurrentBias }: Layer): Value {
  const product = dot(h, recurrent, [[1], [1]])
  return recurrentBias ? add(product, recurrentBias) : product
}

const plainStep: Step = (x, [h], layer) => {
  const [f] = layer.activations as [Activation]
  return [f(add(x, recur(h as Value, layer)))]
}

/** Gates in the order update, reset, hidden. */
const gruStep: Step = (x, [state], layer) => {
  const [f, g] = layer.activations as [Activation, Activation]
  const [h, n] = [state as Value, layer.hidden]
  const { recurrent, recurrentBias } = layer
  const part = (from: number, to: number): Layer => ({
    ...layer,
    recurrent: sliceAxis(recurrent, 0, from * n, to * n),
    recurrentBias: recurrentBias && sliceAxis(recurrentBias, 0, from * n, to * n),
  })
  const gates = f(add(sliceAxis(x, 1, 0, 2 * n), recur(h, part(0, 2))))
  const [update, reset] = [gate(gates, 0, n), gate(gates, 1, n)]
  const inner = layer.linearBeforeReset ? mul(reset, recur(h, part(2, 3))) : recur(mul(reset, h), part(2, 3))
  const candidate = g(add(gate(x, 2, n), inner))
  return [add(mul(sub(1, update), candidate), mul(update, h))]
}

/** Gates in the order input, output, forget, cell; peepholes in the order input, output, forget. */
const lstmStep: Step = (x, [h, c], layer) => {
  const [f, g, k] = layer.activations as [Activation, Activation, Activation]
  const gates = add(x, recur(h as Value, layer))
  const part = (i: number) => gate(gates, i, layer.hidden)
  const peep = (value: Value, i: number, cell: Value) =>
    layer.peepholes ? add(value, mul(gate(layer.peepholes, i, layer.hidden), cell)) : value
  const input = f(peep(part(0), 0, c as Value))
  const forget = f(peep(part(2), 2, c as Value))
  const cell = add(mul(forget, c as Value), mul(input, g(part(3))))
  const output = f(peep(part(1), 1, cell))
  return [mul(output, k(cell)), cell]
}

interface Kind {
  readonly gates: number
  readonly states: number
  readonly activations: readonly string[]
  readonly step: Step
}

const rnn: Kind = { gates: 1, states: 1, activations: ['Tanh'], step: plainStep }
const gru: Kind = { gates: 3, states: 1, activations: ['Sigmoid', 'Tanh'], step: gruStep }
const lstm: Kind = { gates: 4, states: 2, activations: ['Sigmoid', 'Tanh', 'Tanh'], step: lstmStep }

/** Activation functions by direction, with the parameters that the attributes give them in turn, and clipping. */
function activationsOf(attributes: Attributes, kind: Kind, directions: number): Activation[][] {
  const names = attributes.strings(
    'activations',
    range(directions).flatMap(() => kind.activations),
  )
  const alphas = [...attributes.floats('activation_alpha', [])]
  const betas = [...attributes.floats('activation_beta', [])]
  const clip = attributes.float('clip', 0)
  const byName = new Map(Object.entries(activations).map(([name, f]) => [name.toLowerCase(), f]))
  const takesAlpha = ['affine', 'elu', 'hardsigmoid', 'leakyrelu', 'scaledtanh', 'thresholdedrelu']
  const takesBeta = ['affine', 'hardsigmoid', 'scaledtanh']
  const all = names.map((name, i): Activation => {
    const f = byName.get(name.toLowerCase())
    if (!f) throw new Error(`unknown activation "${name}"; known are ${Object.keys(activations).join(', ')}`)
    const alpha = takesAlpha.includes(name.toLowerCase()) ? alphas.shift() : undefined
    const beta = takesBeta.includes(name.toLowerCase()) ? betas.shift() : undefined
    // Like ONNX Runtime, not before the third one, which takes an LSTM's cell to its output.
    const clipped = clip > 0 && i % kind.activations.length < 2
    return (x) => f(clipped ? maximum(minimum(x, clip), -clip) : x, alpha, beta)
  })
  const each = kind.activations.length
  if (all.length !== each * directions)
    throw new Error(`${all.length} activations, expected ${each} for each of ${directions} direction(s)`)
  return range(directions).map((d) => all.slice(d * each, (d + 1) * each))
}

/** Runs one direction over the steps of known number; sequences that have ended keep their state and put out zeros. */
function scan(layer: Layer, initial: State, lengths: Value | undefined, backwards: boolean, step: Step) {
  const steps = layer.projected.shape[0] as number
  const outputs = new Array<Value>(steps)
  let state = initial
  for (const t of backwards ? range(steps).reverse() : range(steps)) {
    const x = sliceAxis(layer.projected, 0, t, t + 1)
    const next = step(reshape(x, x.shape.slice(1)), state, layer)
    const running = lengths && less(t, reshape(lengths, [lengths.size, 1]))
    state = running ? next.map((s, i) => select(running, s, state[i] as Value)) : next
    outputs[t] = running ? select(running, next[0] as Value, 0) : (next[0] as Value)
  }
  return { outputs, state }
}

const recurrent = (kind: Kind) =>
  operation<[Value, Value, Value, Value?, Value?, Value?, Value?, Value?]>(
    3,
    8,
    ([input, w, r, b, sequenceLengths, initialH, initialC, peepholes], attributes, context) => {
      for (const [name, v] of Object.entries({ X: input, W: w, R: r })) expectRank(`input ${name}`, v, 3, 3)
      const batchFirst = attributes.flag('layout')
      const x = batchFirst ? transpose(input, [1, 0, 2]) : input
      const [steps, batch] = x.shape as [number, number, number]
      const direction = attributes.string('direction', 'forward')
      const directions = direction === 'bidirectional' ? 2 : 1
      const hidden = attributes.int('hidden_size', r.shape[2] as number)
      const rows = kind.gates * hidden
      if (
        w.shape[0] !== directions ||
        w.shape[1] !== rows ||
        r.shape.join() !== [directions, rows, hidden].join()
      )
        throw new Error(
          `W is ${showType(w)} and R ${showType(r)}, expected ${directions} direction(s) of ${rows} rows for hidden size ${hidden}`,
        )
      context.reserve([steps, directions, batch, rows])
      const functions = activationsOf(attributes, kind, directions)
      const given = sequenceLengths instanceof Tensor && sequenceLengths.data.every((n) => n === steps)
      const lengths = given ? undefined : sequenceLengths
      const pick = (v: Value | undefined, d: number) =>
        v &&
        reshape(
          slice(v, [d, ...v.shape.slice(1).map(() => 0)], [d + 1, ...v.shape.slice(1)]),
          v.shape.slice(1),
        )
      const start = (v: Value | undefined, d: number) =>
        (v && pick(batchFirst ? transpose(v, [1, 0, 2]) : v, d)) ?? fullTensor([batch, hidden], 0, x.dtype)
      const runs = range(directions).map((d) => {
        const bias = pick(b, d)
        const own = dot(x, pick(w, d) as Value, [[2], [1]])
        const layer: Layer = {
          projected: bias ? add(own, sliceAxis(bias, 0, 0, rows)) : own,
          recurrent: pick(r, d) as Value,
          recurrentBias: bias && sliceAxis(bias, 0, rows, 2 * rows),
          hidden,
          activations: functions[d] as Activation[],
          peepholes: pick(peepholes, d),
          linearBeforeReset: attributes.flag('linear_before_reset'),
        }
        const initial = [initialH, initialC].slice(0, kind.states).map((v) => start(v, d))
        return scan(layer, initial, lengths, direction === 'reverse' || d === 1, kind.step)
      })
      /** Values [B, H] of each direction: [D, B, H], or [B, D, H]. */
      const stack = (values: readonly Value[], lead: readonly number[] = []) =>
        concatenate(
          values.map((v) => reshape(v, [...lead, 1, batch, hidden])),
          lead.length,
        )
      const all = concatenate(
        range(steps).map((t) =>
          stack(
            runs.map((run) => run.outputs[t] as Value),
            [1],
          ),
        ),
        0,
      )
      const last = range(kind.states).map((i) => stack(runs.map((run) => run.state[i] as Value)))
      if (!batchFirst) return [all, ...last]
      return [transpose(all, [2, 0, 1, 3]), ...last.map((v) => transpose(v, [1, 0, 2]))]
    },
  )

export const recurrentOperations: Operations = {
  GRU: recurrent(gru),
  LSTM: recurrent(lstm),
  RNN: recurrent(rnn),
}
