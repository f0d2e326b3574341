import { type PlotOptions, plot } from '@observablehq/plot'
import { DOMParser } from 'linkedom'

/** Colours of the marks in the light theme; html.ts recolours the classes of the same names in the dark one. */
export const colors = { series: '#3d6b99', accent: '#b5532a', muted: '#8a8880' } as const

/**
 * An Observable Plot as a standalone SVG document: well-formed XML with its styles inside, no scripts, no fonts to load.
 * Drawn with linkedom, so that no browser is needed; an XML document makes the serialiser escape what XML must escape.
 */
export function plotSvg(options: PlotOptions): string {
  const document = new DOMParser().parseFromString(
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'image/svg+xml',
  )
  const svg = plot({ ...options, document: document as unknown as globalThis.Document })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  svg.setAttribute('role', 'img')
  return svg.outerHTML
}
