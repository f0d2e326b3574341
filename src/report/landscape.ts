import type { Landscape, Slice } from '../curvature/index.js'
import type { Block, Document, Section } from './document.js'
import { lineFigure } from './lines.js'
import { formatCount, formatNumber } from './number.js'
import { planeFigure } from './plane.js'

/** The landscape alone as a report. */
export function landscapeDocument(landscape: Landscape, model: string, lossName: string): Document {
  return {
    title: `Loss landscape of ${model}`,
    subtitle: `The ${lossName} loss over ${formatCount(landscape.samples)} samples`,
    sections: [landscapeSection(landscape, false)],
    footer: 'Made by evolute.',
  }
}

/** The landscape as a section of a report. */
export function landscapeSection(landscape: Landscape, titled = true): Section {
  const { slices, plane, along, evaluations, samples } = landscape
  const blocks: (Block | null)[] = [
    { kind: 'text', text: introduction(landscape) },
    ...slices.flatMap((slice): (Block | null)[] => [
      sliceFigure(slice),
      { kind: 'text', text: reading(slice) },
    ]),
    plane && slices[1]
      ? planeFigure(
          plane,
          [slices[0]!.name, slices[1].name],
          `The loss over the plane of both directions: the stronger the colour, the higher. The dot is the model; the lowest point seen, ${formatNumber(Math.min(...plane.loss.flat()))}, is marked by a cross where it is another.`,
        )
      : null,
    {
      kind: 'text',
      text: `Each of the ${formatCount(evaluations)} points is a pass over all ${formatCount(samples)} samples: there is no sampling error. ${unit(along)}`,
    },
  ]
  return { ...(titled && { title: 'Loss landscape' }), blocks: blocks.filter((block) => block !== null) }
}

function introduction({ along, loss }: Landscape): string {
  const chosen = {
    eigenvectors: 'the eigenvectors of the largest eigenvalues, where it curves most',
    'filter-normalised random directions':
      'random directions, each filter (a slice along the first axis of a parameter tensor) scaled to the length of the model’s own',
    'given directions': 'the given directions',
  }[along]
  return `The loss along ${chosen}. It is ${formatNumber(loss)} at the model, where t is 0.`
}

function unit(along: Landscape['along']): string {
  return along === 'filter-normalised random directions'
    ? 'A step of t = 1 is as long as the weights themselves.'
    : 'Slices along unit vectors reach as far as the quadratic model needs to rise by 1, unless told otherwise.'
}

function sliceFigure({ name, t, loss, quadratic, curvature }: Slice) {
  return lineFigure({
    series: [
      { label: 'loss', points: t.map((x, i) => ({ x, y: loss[i]! })) },
      { label: 'quadratic model', points: t.map((x, i) => ({ x, y: quadratic[i]! })), dashed: true },
    ],
    x: { label: `t along ${name}` },
    y: { label: 'loss' },
    rules: [0],
    caption: `The loss along ${name}, beside the quadratic model that slope and curvature at 0 give (curvature ${formatNumber(curvature)}).`,
  })
}

/** How far the quadratic model holds, and where the slice is lowest. */
function reading({ name, t, loss, quadratic }: Slice): string {
  const centre = loss[(t.length - 1) / 2]!
  const rise = Math.max(...quadratic.map((value) => Math.abs(value - centre)))
  const off = t.filter((_, i) => Math.abs(loss[i]! - quadratic[i]!) > 0.1 * rise).map(Math.abs)
  const holds =
    off.length === 0
      ? `Along ${name} the quadratic model holds over the whole slice, to a tenth of its rise.`
      : `Along ${name} the quadratic model is off by a tenth of its rise from |t| = ${formatNumber(Math.min(...off), 3)} on.`
  const best = loss.indexOf(Math.min(...loss))
  const lower =
    t[best] === 0
      ? ' No point of the slice is lower than the model.'
      : ` The slice is lowest at t = ${formatNumber(t[best]!, 3)}, ${formatNumber(centre - loss[best]!, 3)} below the model.`
  return holds + lower
}
