import { add } from '../../ops/arithmetic.js'
import { broadcastTo } from '../../ops/broadcast.js'
import { moveAxis } from '../../ops/gather.js'
import { bind } from '../../program/builder.js'
import { forecast, totalBytes } from '../../program/forecast.js'
import { eliminateDeadCode } from '../../program/passes/deadCode.js'
import { type MaybeZero, type Primitive, Unknown } from '../../program/primitive.js'
import { evaluate, type Program } from '../../program/program.js'
import { prepareProgram } from '../../program/run.js'
import { sameType, showType, type Type, type Value } from '../../program/value.js'
import { allocate } from '../../tensor/dtype.js'
import { sizeOf } from '../../tensor/shape.js'
import { fullTensor, Tensor } from '../../tensor/tensor.js'
import { batchProgram } from '../batch.js'
import { instantiate } from '../jvp.js'
import { splitProgram } from '../partial.js'
import { transposeProgram } from '../transpose.js'
import { chosen, cutLike, grow, readsOf, spread, traceGroups } from './groups.js'
import { type Along, forwardRules, type Push, repeated, rows } from './push.js'
import { splitScan } from './splitScan.js'

/** How a scan runs. */
export interface ScanOptions extends Record<string, unknown> {
  readonly length: number
  /** Whether it takes the elements, and puts its results, from the last to the first. */
  readonly reverse: boolean
  /** Whether reverse mode computes a step again instead of keeping its intermediate values. */
  readonly checkpoint: boolean
}

export interface ScanParams extends ScanOptions {
  /** One step: constants, carry and one element of each sequence, to the carry and results to be stacked. */
  readonly body: Program
  /** How many of the inputs are constants, and how many the carry; the rest are sequences. */
  readonly constants: number
  readonly carry: number
}

type Groups<T> = [constants: T[], carry: T[], sequences: T[]]

/** The inputs of a scan, or what belongs to them, in their groups. */
export function groupsOf<T>(inputs: readonly T[], { constants, carry }: ScanParams): Groups<T> {
  return [
    inputs.slice(0, constants),
    inputs.slice(constants, constants + carry),
    inputs.slice(constants + carry),
  ]
}

export function elementOf({ dtype, shape }: Type): Type {
  return { dtype, shape: shape.slice(1) }
}

/**
 * A scan of values. What the body computes from constants alone is computed once, before it: the body that
 * is recorded has nothing in it that is the same in all steps.
 */
export function bindScan(
  body: Program,
  [constants, carry, sequences]: Groups<Value>,
  { length, reverse, checkpoint }: ScanOptions,
): Value[] {
  const varies = body.inputs.map((_, i) => i >= constants.length)
  const later = body.outputs.map(() => true)
  const { known, unknown } = splitProgram(body, varies, { later, whole: true })
  const fixed = evaluate(known, constants)
  const params = { body: unknown, constants: fixed.length, carry: carry.length, length, reverse, checkpoint }
  return bind(scanOp, [...fixed, ...carry, ...sequences], params)
}

const stacked = ({ dtype, shape }: Type, length: number): Type => ({ dtype, shape: [length, ...shape] })

function infer(inputs: readonly Type[], params: ScanParams): Type[] {
  const { body, carry: count, length } = params
  const [constants, carry, sequences] = groupsOf(inputs, params)
  const fits = (given: Type, expected: Type | undefined, what: string) => {
    if (!expected || !sameType(given, expected))
      throw new Error(
        `scan: ${what} is ${showType(given)}, the body has ${expected ? showType(expected) : 'none'}`,
      )
  }
  for (const [i, x] of sequences.entries())
    if (x.shape[0] !== length)
      throw new Error(`scan: sequence ${i} is ${showType(x)}, expected ${length} elements along axis 0`)
  ;[...constants, ...carry, ...sequences.map(elementOf)].forEach((type, i) => {
    fits(type, body.inputs[i], `input ${i}`)
  })
  carry.forEach((type, i) => {
    fits(type, body.outputs[i], `carry ${i}`)
  })
  return body.outputs.map((type, i) => (i < count ? type : stacked(type, length)))
}

const scanOp: Primitive<ScanParams> = {
  name: 'scan',
  infer,

  evaluate(inputs, params, outputs, prepare = prepareProgram) {
    const { body, carry: count, length, reverse } = params
    const [constants, initial, sequences] = groupsOf(inputs, params)
    const run = prepare(body)
    const elements = groupsOf<Type>(body.inputs, params)[2]
    const results = outputs.slice(count).map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)))
    const sizes = body.outputs.slice(count).map(({ shape }) => sizeOf(shape))
    let carry = initial
    for (let step = 0; step < length; step++) {
      const at = reverse ? length - 1 - step : step
      const taken = sequences.map(({ data }, i) => {
        const { shape } = elements[i] as Type
        const size = sizeOf(shape)
        return new Tensor(data.subarray(at * size, (at + 1) * size), shape)
      })
      const made = run([...constants, ...carry, ...taken])
      carry = made.slice(0, count)
      results.forEach((data, i) => {
        data.set((made[count + i] as Tensor).data, at * (sizes[i] as number))
      })
    }
    // A carry that is a piece of a sequence would keep all of it alive.
    const whole = ({ data, shape }: Tensor) =>
      new Tensor(data.byteLength === data.buffer.byteLength ? data : data.slice(), shape)
    return [
      ...carry.map(whole),
      ...results.map((data, i) => new Tensor(data, (outputs[count + i] as Type).shape)),
    ]
  },

  ...forwardRules(pushScan),
  split: splitScan,
  transpose,
  batch,

  prune(equation, used, params) {
    const { body, carry: count } = params
    const inputs = groupsOf(body.inputs, params)[1]
    const { flags: kept, result } = grow(used.slice(0, count), (flags) => {
      const wanted = (_: unknown, i: number) => Boolean(i < count ? flags[i] : used[i])
      const smaller = eliminateDeadCode({ ...body, outputs: body.outputs.filter(wanted) })
      const reads = readsOf(smaller)
      return { flags: inputs.map((x) => reads.has(x)), result: { smaller, reads } }
    })
    const reads = body.inputs.map((x, i) =>
      Boolean(
        i >= params.constants && i < params.constants + count
          ? kept[i - params.constants]
          : result.reads.has(x),
      ),
    )
    const outputs = equation.outputs.filter((_, i) => (i < count ? kept[i] : used[i]))
    const unchanged = !reads.includes(false) && outputs.length === equation.outputs.length
    if (unchanged && result.smaller.equations === body.equations) return equation
    const [constants, carry] = groupsOf(reads, params)
    return {
      ...equation,
      inputs: chosen(equation.inputs, reads),
      outputs,
      params: {
        ...params,
        body: { ...result.smaller, inputs: chosen(body.inputs, reads) },
        constants: chosen(constants, constants).length,
        carry: chosen(carry, carry).length,
      },
    }
  },

  /** ONNX's Scan, which needs a sequence to know its length by. */
  lower(onnx, inputs, { inputs: types, outputs, params }) {
    const { body, carry: count, length, reverse } = params
    const [constants, carry, sequences] = groupsOf(inputs, params)
    if (length === 0)
      return outputs.map((type, i) =>
        i < count ? (carry[i] as string) : onnx.constant(fullTensor(type.shape, 0, type.dtype)),
      )
    const counts = sequences.length === 0
    const clock = counts ? [onnx.constant(fullTensor([length], 0, 'bool'))] : []
    const elements = groupsOf(types, params)[2].map(elementOf)
    const step = counts
      ? traceGroups([body.inputs, elements, [{ dtype: 'bool', shape: [] }]], (given, x) =>
          evaluate(body, [...given, ...x]),
        )
      : body
    const backwards = (list: readonly unknown[]) => list.map(() => Number(reverse))
    const taken = [...sequences, ...clock]
    return onnx.nodes('Scan', [...carry, ...taken], outputs.length, {
      body: onnx.subgraph(step, constants),
      num_scan_inputs: taken.length,
      ...(reverse && {
        scan_input_directions: backwards(taken),
        scan_output_directions: backwards(outputs.slice(count)),
      }),
    })
  },

  forecast({ params: { body, length } }) {
    const { flops, bytes, peakBytes } = forecast(body)
    const outside = totalBytes(body.inputs)
    return { flops: length * flops, bytes: length * bytes, peakBytes: peakBytes - outside }
  },
}

/** One scan of the values and what goes along; a carry moves if what it starts from or becomes does. */
function pushScan(push: Push, inputs: readonly Value[], along: Along, params: ScanParams) {
  const { body, carry: count } = params
  const types = groupsOf<Type>(body.inputs, params)
  const values = groupsOf(inputs, params)
  const ts = groupsOf(along, params).map((group) => group.flat()) as Groups<MaybeZero>
  const moves = ts.map((group) => group.map((t) => t !== null)) as Groups<boolean>
  const carryTypes = repeated(types[1], push)
  const { flags, result } = grow(moves[1], (flags) => {
    const moving: Groups<boolean> = [moves[0], [...flags], moves[2]]
    const groups = types.flatMap((group, i) => [group, chosen(repeated(group, push), moving[i] as boolean[])])
    let out: boolean[] = []
    const joint = traceGroups(groups, (c, ct, h, ht, x, xt) => {
      const directions = [spread(moving[0], ct!), spread(moving[1], ht!), spread(moving[2], xt!)].flat()
      const at = push.run(body, [...c!, ...h!, ...x!], rows(directions, push.order))
      const moved = at.along.flat()
      out = moved.map((t) => t !== null)
      const carried = carryTypes.map((type, i) => instantiate(moved[i], type))
      return [
        ...at.outputs.slice(0, count),
        ...chosen(carried, flags),
        ...at.outputs.slice(count),
        ...moved.slice(carryTypes.length).filter((t) => t !== null),
      ]
    })
    const split = carryTypes.length
    return { flags: out.slice(0, split), result: { joint, stacked: out.slice(split) } }
  })
  const nonzero = (list: readonly MaybeZero[]) => list.filter((t) => t !== null)
  const starts = chosen(
    carryTypes.map((type, i) => instantiate(ts[1][i], type)),
    flags,
  )
  const results = bindScan(
    result.joint,
    [
      [...values[0], ...nonzero(ts[0])],
      [...values[1], ...starts],
      [...values[2], ...nonzero(ts[2])],
    ],
    params,
  )
  const ys = body.outputs.slice(count)
  const [h, ht, y, yt] = cutLike([types[1], starts, ys, results], results) as [
    Value[],
    Value[],
    Value[],
    Value[],
  ]
  const moved = [...spread(flags, ht), ...spread(result.stacked, yt)]
  return { outputs: [...h, ...y], along: rows(moved, push.order) }
}

/**
 * A scan in the opposite direction: the cotangents of the carry are its carry, beside the sums of those of
 * the linear constants; the cotangents of the results are its sequences.
 */
function transpose({
  cotangents,
  inputs,
  params,
}: Parameters<NonNullable<Primitive<ScanParams>['transpose']>>[0]): MaybeZero[] {
  const { body, carry: count, reverse } = params
  const linear = inputs.map((x) => x instanceof Unknown)
  const [c, , x] = groupsOf(inputs, params)
  const [cLinear, , xLinear] = groupsOf(linear, params)
  const types = groupsOf<Type>(body.inputs, params)
  const known = (list: readonly (Value | Unknown)[]) =>
    list.filter((v): v is Value => !(v instanceof Unknown))
  const sums = chosen(types[0], cLinear)
  const arriving = cotangents.slice(count)
  const elements = chosen(types[2], xLinear)

  const carried = cotangents.slice(0, count).map((ct) => ct !== null)
  const { flags, result } = grow([...carried, ...sums.map(() => false)], (flags) => {
    const [moves, adds] = [flags.slice(0, count), flags.slice(count)]
    const groups = [
      chosen(types[0], cLinear, false),
      chosen(types[1], moves),
      chosen(sums, adds),
      chosen(types[2], xLinear, false),
      arriving.filter((ct) => ct !== null).map(elementOf),
    ]
    let out: boolean[] = []
    let made: boolean[] = []
    const program = traceGroups(groups, (cs, hts, totals, xs, yts) => {
      const given = [
        spread(
          cLinear.map((l) => !l),
          cs!,
        ),
        types[1].map(() => null),
        spread(
          xLinear.map((l) => !l),
          xs!,
        ),
      ]
      const cts = [
        ...spread(moves, hts!),
        ...spread(
          arriving.map((ct) => ct !== null),
          yts!,
        ),
      ]
      const back = cutLike([sums, types[1], elements], transposeProgram(body, given.flat(), cts))
      const [cBack, hBack, xBack] = back as Groups<MaybeZero>
      out = [...hBack, ...cBack].map((ct) => ct !== null)
      made = xBack.map((ct) => ct !== null)
      const total = spread(adds, totals!)
      const summed = cBack.map((ct, i) => (ct && total[i] ? add(total[i], ct) : (ct ?? total[i])))
      return [
        ...chosen(
          hBack.map((ct, i) => instantiate(ct, types[1][i]!)),
          moves,
        ),
        ...chosen(
          summed.map((ct, i) => instantiate(ct, sums[i]!)),
          adds,
        ),
        ...xBack.filter((ct) => ct !== null),
      ]
    })
    return { flags: out, result: { program, made } }
  })
  const starts = [...cotangents.slice(0, count), ...sums.map(() => null)]
  const startTypes = [...types[1], ...sums]
  const carry = chosen(
    starts.map((ct, i) => instantiate(ct, startTypes[i]!)),
    flags,
  )
  const sequences = [...known(x), ...arriving.filter((ct) => ct !== null)]
  const back = bindScan(result.program, [known(c), carry, sequences], { ...params, reverse: !reverse })
  const [ends, ys] = cutLike([carry, back], back) as [Value[], Value[]]
  const atCarry = spread(flags, ends)
  const [hBack, cBack] = [atCarry.slice(0, count), atCarry.slice(count)]
  return [...spread(cLinear, cBack), ...hBack, ...spread(xLinear, spread(result.made, ys))]
}

function batch({ inputs, batched, size, params }: Parameters<Primitive<ScanParams>['batch']>[0]): Value[] {
  const { body, carry: count } = params
  const types = groupsOf<Type>(body.inputs, params)
  const marks = groupsOf(batched, params)
  const [constants, initial, sequences] = groupsOf(inputs, params)
  const wide = (type: Type, isWide: boolean | undefined) => (isWide ? stacked(type, size) : type)
  const spreadOut = (x: Value) => broadcastTo(x, [size, ...x.shape])
  const { flags, result } = grow(marks[1], (flags) => {
    const all = [marks[0], flags, marks[2]]
    let out: boolean[] = []
    const groups = types.map((group, i) => group.map((type, k) => wide(type, all[i]![k])))
    const program = traceGroups(groups, (...given) => {
      const at = batchProgram(body, given.flat(), all.flat(), size)
      out = at.batched
      return at.outputs.map((y, i) => (i < count && flags[i] && !out[i] ? spreadOut(y) : y))
    })
    return { flags: out.slice(0, count), result: { program, stacked: out.slice(count) } }
  })
  const carry = initial.map((x, i) => (flags[i] && !marks[1][i] ? spreadOut(x) : x))
  const taken = sequences.map((x, i) => (marks[2][i] ? moveAxis(x, 0, 1) : x))
  const results = bindScan(result.program, [constants, carry, taken], params)
  const isWide = [...flags, ...result.stacked]
  return results.map((y, i) => {
    if (!isWide[i]) return spreadOut(y)
    return i < count ? y : moveAxis(y, 1, 0)
  })
}
