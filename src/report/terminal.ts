import type { CurvatureReport } from '../curvature/index.js'
import { curvatureDocument } from './curvature.js'
import { type Block, type Document, printable, type Section } from './document.js'

/** The curvature report as plain text, no line wider than `width`. */
export function curvatureText(report: CurvatureReport, width = 80): string {
  return documentText(curvatureDocument(report), width)
}

/** A report as plain text: wrapped sentences, aligned columns, figures drawn with block characters. */
export function documentText({ title, subtitle, sections }: Document, width = 80): string {
  const heading = [...wrap(title, width), ...(subtitle === undefined ? [] : wrap(subtitle, width))]
  return `${[heading.join('\n'), ...sections.map((section) => sectionText(section, width))].join('\n\n')}\n`
}

function sectionText({ title, blocks }: Section, width: number): string {
  const parts = blocks.map((block) => blockText(block, width))
  return (title === undefined ? parts : [`${title}\n${'─'.repeat(title.length)}`, ...parts])
    .join('\n\n')
    .replace(/^(.+\n─+)\n\n/, '$1\n')
}

function blockText(block: Block, width: number): string {
  switch (block.kind) {
    case 'text':
      return wrap(block.text, width).join('\n')
    case 'list':
      return block.items.map((item) => `- ${wrap(item, width - 2).join('\n  ')}`).join('\n')
    case 'highlights':
      return columnsText(
        block.items.map(({ label, value, detail }) => [label, value, detail ?? '']),
        [false, true, false],
        width,
      ).join('\n')
    case 'table': {
      const head = block.columns.map(({ label }) => label)
      const rows = head.some((label) => label !== '') ? [head, ...block.rows] : block.rows
      const right = block.columns.map(({ align }) => align === 'right')
      const caption = block.caption === undefined ? [] : ['', ...wrap(block.caption, width)]
      return [...columnsText(rows, right, width), ...caption].join('\n')
    }
    case 'figure':
      return [block.text(width), '', ...wrap(block.caption, width)].join('\n')
  }
}

function columnsText(rows: string[][], right: boolean[], width: number): string[] {
  const cells = rows.map((row) => row.map((cell) => [...printable(cell)]))
  const widths = right.map((_, i) => cells.reduce((most, row) => Math.max(most, row[i]?.length ?? 0), 0))
  // The widest column gives way when the row would not fit.
  const total = widths.reduce((sum, w) => sum + w, 0) + 3 * (widths.length - 1)
  const widest = widths.indexOf(Math.max(...widths))
  widths[widest] = Math.max(8, (widths[widest] ?? 0) - Math.max(0, total - width))
  return cells.map((row) =>
    row
      .map((cell, i) => {
        const w = widths[i] ?? 0
        const text = cell.length > w ? `${cell.slice(0, w - 1).join('')}…` : cell.join('')
        const space = ' '.repeat(Math.max(0, w - cell.length))
        return right[i] ? space + text : text + space
      })
      .join('   ')
      .trimEnd(),
  )
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of printable(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length <= width) {
      line += ` ${word}`
      continue
    }
    if (line !== '') lines.push(line)
    line = word
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width))
  }
  return [...lines, line]
}
