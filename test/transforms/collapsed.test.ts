import { describe, expect, test } from 'vitest'
import * as np from '../../src/numpy/index.js'
import { isFloat } from '../../src/tensor/dtype.js'
import { Tensor, tensor } from '../../src/tensor/tensor.js'
import {
  biharmonic,
  collapsedJet,
  grad,
  hessian,
  jacobian,
  jet,
  laplacian,
  secondOrderOperator,
  trace,
  vmap,
} from '../../src/transforms/index.js'
import { costOf } from '../../src/program/forecast.js'
import { eliminateDeadCode } from '../../src/program/passes/deadCode.js'
import { cases } from '../helpers/cases.js'
import { atPoint, expectClose, randomDirections, randomLike } from '../helpers/derivatives.js'

const seed = 20261121

const output = (c: (typeof cases)[number]) => c.call(...c.sample(seed))
const smooth = cases.filter(
  (c) => c.active.length > 0 && isFloat(output(c).dtype) && c.primitive.name !== 'stopGradient',
)
const stack = (rows: readonly Tensor[]) => np.stack(rows as Tensor[]) as Tensor

describe(`primitives, seed ${seed}`, () => {
  test.each(smooth.map((c): [string, typeof c] => [c.name, c]))(
    '%s: the collapsed jets of orders 1 to 4 are the weighted sums of jets along each curve',
    (_, c) => {
      const { f, at } = atPoint(c, seed)
      const g = (xs: Tensor[]) => f(...xs)
      const curves = [0, 1, 2].map((r) => [1, 2, 3, 4].map((k) => randomDirections(at, seed + 10 * r + k)))
      const weights = [0.5, -2, 1.25]
      for (const order of [1, 2, 3, 4]) {
        const each = curves.map((vs) => jet(g, at, vs.slice(0, order))[1])
        const tangents = Array.from({ length: order }, (_, k) =>
          at.map((_, i) => stack(curves.map((vs) => vs[k]![i] as Tensor))),
        )
        for (const w of [null, tensor(weights)]) {
          const { value, lower, sum } = collapsedJet(g, at, tangents, w)
          expectClose(value, f(...at).data, 0)
          const expected = Array.from(sum.data, (_, i) =>
            each.reduce((s, ds, r) => s + (w ? weights[r]! : 1) * ds[order - 1]!.data[i]!, 0),
          )
          expectClose(sum, expected, 1e-11, `order ${order}`)
          lower.forEach((d, k) => {
            expectClose(d, each.flatMap((ds) => [...ds[k]!.data]), 1e-12, `lower ${k + 1} of ${order}`)
          })
        }
      }
    },
  )
})
