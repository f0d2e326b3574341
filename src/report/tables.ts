import type { Block } from './document.js'

/** A table of names and values. */
export function pairs(rows: [string, string][]): Block {
  return { kind: 'table', columns: [{ label: '' }, { label: '', align: 'right' }], rows }
}
