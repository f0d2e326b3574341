import { axisX, axisY, dot, rect, text } from '@observablehq/plot'
import type { Plane } from '../curvature/index.js'
import type { Figure } from './document.js'
import { formatNumber } from './number.js'
import { colors, plotSvg } from './plot.js'

/** A plane of losses as cells, the stronger the colour, the higher. */
export function planeFigure(plane: Plane, names: readonly [string, string], caption: string): Figure | null {
  const values = plane.loss.flat()
  if (values.some((value) => !Number.isFinite(value))) return null
  const shade = shadeOf(values)
  return {
    kind: 'figure',
    svg: () => svgOf(plane, names, shade),
    text: (width) => textOf(plane, shade, width),
    caption,
  }
}

/** From 0 at the lowest loss to 1 at the highest, as the square root, in which a parabola is a cone. */
function shadeOf(values: readonly number[]): (loss: number) => number {
  const low = Math.min(...values)
  const width = Math.max(...values) - low || 1
  return (loss) => Math.sqrt((loss - low) / width)
}

function svgOf(
  { x, y, loss }: Plane,
  names: readonly [string, string],
  shade: (loss: number) => number,
): string {
  const half = (axis: readonly number[]) => (axis[1]! - axis[0]!) / 2
  const [dx, dy] = [half(x), half(y)]
  const cells = y.flatMap((b, i) =>
    x.map((a, j) => ({ x1: a - dx, x2: a + dx, y1: b - dy, y2: b + dy, shade: shade(loss[i]![j]!) })),
  )
  const flat = y.flatMap((b, i) => x.map((a, j) => ({ x: a, y: b, loss: loss[i]![j]! })))
  const lowest = flat.reduce((best, cell) => (cell.loss < best.loss ? cell : best))
  const format = (value: number) => formatNumber(value, 3)
  return plotSvg({
    width: 720,
    height: 560,
    marginLeft: 64,
    marginBottom: 50,
    marginTop: 30,
    style: { fontSize: '13px' },
    ariaLabel: `Loss over the plane of ${names.join(' and ')}`,
    x: { domain: [x[0]! - dx, x.at(-1)! + dx] },
    y: { domain: [y[0]! - dy, y.at(-1)! + dy] },
    marks: [
      rect(cells, {
        x1: 'x1',
        x2: 'x2',
        y1: 'y1',
        y2: 'y2',
        className: 'series',
        shapeRendering: 'crispEdges',
        fill: colors.series,
        fillOpacity: ({ shade }: { shade: number }) => 0.03 + 0.92 * shade,
      }),
      axisX({
        label: names[0],
        labelArrow: 'none',
        labelAnchor: 'center',
        ticks: 6,
        tickSize: 4,
        tickFormat: format,
      }),
      axisY({ label: names[1], labelArrow: 'none', ticks: 6, tickSize: 4, tickFormat: format }),
      dot([{ x: 0, y: 0 }], { x: 'x', y: 'y', className: 'accent', fill: colors.accent, r: 4.5 }),
      text(lowest.x === 0 && lowest.y === 0 ? [] : [lowest], {
        x: 'x',
        y: 'y',
        text: () => '×',
        className: 'accent',
        fill: colors.accent,
        fontSize: 20,
      }),
    ],
  })
}

const shades = ' ░▒▓█'

function textOf({ x, y, loss }: Plane, shade: (loss: number) => number, width: number): string {
  const each = Math.max(1, Math.min(2, Math.floor(width / x.length)))
  return [...y.keys()]
    .reverse()
    .map((i) =>
      loss[i]!.slice(0, width)
        .map((value) => shades[Math.min(4, Math.floor(5 * shade(value)))]!.repeat(each))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}
