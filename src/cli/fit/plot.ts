import { type BandOptions, band, type LeastSquaresResult } from '../../optimize/index.js'
import type { FitPlot } from '../../report/fitFigure.js'
import type { Tensor } from '../../tensor/tensor.js'
import type { FitColumns } from './columns.js'
import type { ExpressionModel } from './model.js'

export type NamedTensors = Readonly<Record<string, Tensor>>

/** A fitted model over its data. */
export interface Fitted {
  readonly model: ExpressionModel
  readonly columns: FitColumns
  readonly result: LeastSquaresResult<NamedTensors>
  /** Of the band. */
  readonly options: BandOptions & { readonly level: number }
}

const gridPoints = 301

/**
 * A model of one column drawn over it; a model of several over its own values, where the curve is the straight line of
 * observations equal to the model.
 */
export function plotOf(fitted: Fitted): FitPlot {
  const { model, columns, result, options } = fitted
  const { predictors, observed } = model
  const y = columns.y.values
  const values = model.at(result.point, observed, y.length).data
  const single = predictors.length > 1 ? undefined : (predictors[0] ?? columns.x[0]!)
  return {
    xLabel: single?.name ?? `model of ${predictors.map(({ name }) => name).join(', ')}`,
    yLabel: columns.y.name,
    observations: Array.from(y, (value, i) => ({
      x: single ? single.values[i]! : values[i]!,
      y: value,
      fitted: values[i]!,
      ...(columns.sigma && { sigma: columns.sigma.values[i]! }),
    })),
    curve: single
      ? curveOver(fitted, single.values)
      : bandAt(fitted, observed, y.length)
          .map((point) => ({ ...point, x: point.y }))
          .sort((a, b) => a.x - b.x),
    level: options.level,
  }
}

/** The model at evenly spaced places of its only column. */
function curveOver(fitted: Fitted, values: Float64Array): FitPlot['curve'] {
  const low = values.reduce((a, b) => Math.min(a, b))
  const high = values.reduce((a, b) => Math.max(a, b))
  const grid = Float64Array.from(
    { length: gridPoints },
    (_, i) => low + (i / (gridPoints - 1)) * (high - low),
  )
  const names = [...fitted.model.observed.keys()]
  const points = bandAt(fitted, new Map(names.map((name) => [name, grid])), gridPoints)
  return points.map((point, i) => ({ ...point, x: grid[i]! }))
}

function bandAt(
  { model, result, options }: Fitted,
  predictors: ReadonlyMap<string, Float64Array>,
  rows: number,
): { y: number; half: number }[] {
  const { value, upper } = band(result, (p: NamedTensors) => model.at(p, predictors, rows), options)
  return Array.from(value.data, (y, i) => ({ y, half: upper.data[i]! - y }))
}
