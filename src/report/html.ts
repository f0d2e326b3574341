import { type Block, type Document, printable, type Section } from './document.js'
import { style } from './style.js'

/**
 * One self-contained HTML page: styles inside, nothing to load, no scripts (and a policy that forbids both), light and
 * dark, for wide and narrow screens and for paper. All text is escaped; only a figure's SVG goes in as it is.
 */
export function htmlPage({ title, subtitle, sections, footer }: Document): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(title)}</h1>${subtitle === undefined ? '' : `\n<p>${escapeHtml(subtitle)}</p>`}
</header>
${sections.map(sectionHtml).join('\n')}
${footer === undefined ? '' : `<footer>${escapeHtml(footer)}</footer>\n`}</main>
</body>
</html>
`
}

/** Text for HTML content and quoted attributes. */
export function escapeHtml(text: string): string {
  return printable(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
}

function sectionHtml({ title, blocks }: Section): string {
  const heading = title === undefined ? '' : `<h2>${escapeHtml(title)}</h2>\n`
  return `<section>\n${heading}${blocks.map(blockHtml).join('\n')}\n</section>`
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'text':
      return `<p>${prose(block.text)}</p>`
    case 'list':
      return `<ul>\n${block.items.map((item) => `<li>${prose(item)}</li>`).join('\n')}\n</ul>`
    case 'highlights':
      return `<dl>\n${block.items.map(highlightHtml).join('\n')}\n</dl>`
    case 'table':
      return tableHtml(block)
    case 'figure':
      return `<figure>
<div class="scroll">${block.svg()}</div>
<figcaption>${escapeHtml(block.caption)}</figcaption>
</figure>`
  }
}

/** A sentence, its numbers kept on one line with their errors and powers of ten. */
function prose(text: string): string {
  return escapeHtml(text)
    .replace(/ ([±×]) /g, '&nbsp;$1&nbsp;')
    .replace(/\(± /g, '(±&nbsp;')
    .replace(/(\d) (?=[µm]?s\b)/g, '$1&nbsp;')
}

function highlightHtml({ label, value, detail }: { label: string; value: string; detail?: string }): string {
  const small = detail === undefined ? '' : ` <small>${escapeHtml(detail)}</small>`
  return `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}${small}</dd></div>`
}

function tableHtml({ columns, rows, caption }: Extract<Block, { kind: 'table' }>): string {
  const side = (i: number) => (columns[i]?.align === 'right' ? ' class="right"' : '')
  const head = columns.map(({ label }, i) => `<th scope="col"${side(i)}>${escapeHtml(label)}</th>`).join('')
  const titled = columns.some(({ label }) => label !== '')
  const body = rows.map((row) => {
    const cells = row.map((cell, i) => {
      // A table without headings pairs a name with a value: the name is the heading of its row.
      const tag = !titled && i === 0 ? 'th' : 'td'
      return `<${tag}${tag === 'th' ? ' scope="row"' : ''}${side(i)}>${escapeHtml(cell)}</${tag}>`
    })
    return `<tr>${cells.join('')}</tr>`
  })
  return `<div class="scroll"><table${titled ? '' : ' class="pairs"'}>${
    titled ? `\n<thead><tr>${head}</tr></thead>` : ''
  }
<tbody>
${body.join('\n')}
</tbody></table></div>${caption === undefined ? '' : `\n<p class="caption">${escapeHtml(caption)}</p>`}`
}
