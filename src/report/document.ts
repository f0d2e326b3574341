/** A report before it is drawn: sections of text, figures and tables, which html.ts and terminal.ts each render. */
export type Document = { title: string; subtitle?: string; sections: Section[]; footer?: string }

/** A section without a title opens the page. */
export type Section = { title?: string; blocks: Block[] }

export type Block =
  | { kind: 'text'; text: string }
  | { kind: 'list'; items: string[] }
  /** The few figures a reader wants first. */
  | { kind: 'highlights'; items: { label: string; value: string; detail?: string }[] }
  | { kind: 'table'; columns: Column[]; rows: string[][]; caption?: string }
  | Figure

/** Columns of numbers align right. */
export type Column = { label: string; align?: 'left' | 'right' }

/** Drawn only by the renderer that needs it; `svg` is trusted markup (see plot.ts), `text` fits `width` columns. */
export type Figure = { kind: 'figure'; svg: () => string; text: (width: number) => string; caption: string }

/**
 * Text safe to hand to XML and to a terminal: control characters, reversed writing and lone surrogates become U+FFFD,
 * runs of white space one space.
 */
export function printable(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu, '\ufffd')
}
