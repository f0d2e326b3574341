/** A stride times an index, which is a name or digits. */
export type Term = readonly [text: string, stride: number]

/** The text of offset + sum of stride x text, never with a product that could be -0. */
export function sum(offset: number, terms: readonly Term[]): string {
  let constant = offset
  const added: string[] = []
  const taken: string[] = []
  for (const [text, stride] of terms) {
    if (stride === 0) continue
    if (/^\d+$/.test(text)) {
      constant += Number(text) * stride
      continue
    }
    const size = Math.abs(stride)
    ;(stride > 0 ? added : taken).push(size === 1 ? text : `${text} * ${size}`)
  }
  if (constant !== 0 || added.length === 0) added.unshift(String(constant))
  return [added.join(' + '), ...taken].join(' - ')
}
