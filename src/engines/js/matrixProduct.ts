import { range } from '../../tensor/shape.js'
import type { Product } from './matrix.js'
import { sum } from './position.js'

/** Rows of the result that are computed together, so that each element of `b` is read once for all of them. */
const rowsTogether = 4

/**
 * A function (out, a, b) that multiplies matrices where they lie, accumulating in double precision: by
 * adding up scaled rows of `b` (order i-k-j) when those are contiguous, else by dot products.
 */
export function emitMatrixProduct(name: string, of: Product): string[] {
  // A matrix times a vector is a vector times the transposed matrix, which has more columns to block.
  const isSwapped = of.n === 1 && of.m > 1
  const product = isSwapped ? { ...of, m: of.n, n: of.m, left: of.right, right: of.left } : of
  const { batch, m, n, left, right } = product
  const byRows = right.free === 1 && n >= 4
  const block = (rows: number) => (byRows ? scaledRows(name, product, rows) : dotProducts(product, rows))
  const body = blocked('i', m, rowsTogether, block)
  const scratch = byRows ? range(m < rowsTogether ? 1 : rowsTogether) : []
  return [
    ...scratch.map((r) => `const ${name}_row${r} = new Float64Array(${n})`),
    `function ${name}(out, ${isSwapped ? 'b, a' : 'a, b'}) {`,
    ...indented(
      batch === 1
        ? [`const a0 = ${left.offset}, b0 = ${right.offset}, o = 0`, ...body]
        : [
            `for (let g = 0; g < ${batch}; g++) {`,
            `  const a0 = ${sum(left.offset, [['g', left.batch]])}`,
            `  const b0 = ${sum(right.offset, [['g', right.batch]])}`,
            `  const o = ${sum(0, [['g', m * n]])}`,
            ...indented(body),
            '}',
          ],
    ),
    '}',
  ]
}

/** Some rows of the result: sums of rows of `b`, four at a time, scaled by elements of `a`. */
function scaledRows(name: string, { k, n, left, right }: Product, rows: number): string[] {
  const row = (r: number) => `${name}_row${r}`
  const terms = blocked('k', k, 4, (count) => [
    ...each(rows, count, (r, c) => {
      const offset = r * left.free + c * left.contracted
      return `const x${r}${c} = a[${sum(offset, [
        ['a0', 1],
        ['i', left.free],
        ['k', left.contracted],
      ])}]`
    }),
    ...range(count).map(
      (c) =>
        `const r${c} = ${sum(c * right.contracted, [
          ['b0', 1],
          ['k', right.contracted],
        ])}`,
    ),
    `for (let j = 0; j < ${n}; j++) {`,
    ...range(count).map((c) => `  const y${c} = b[r${c} + j]`),
    ...range(rows).map(
      (r) =>
        `  ${row(r)}[j] += ${range(count)
          .map((c) => `x${r}${c} * y${c}`)
          .join(' + ')}`,
    ),
    '}',
  ])
  return [
    ...range(rows).map((r) => `${row(r)}.fill(0)`),
    ...terms,
    ...range(rows).map(
      (r) =>
        `out.set(${row(r)}, ${sum(r * n, [
          ['o', 1],
          ['i', n],
        ])})`,
    ),
  ]
}

/** Some rows of the result, two columns at a time: dot products of rows of `a` and columns of `b`. */
function dotProducts({ k, n, left, right }: Product, rows: number): string[] {
  return [
    ...range(rows).map(
      (r) =>
        `const p${r} = ${sum(r * left.free, [
          ['a0', 1],
          ['i', left.free],
        ])}`,
    ),
    ...blocked('j', n, rows === 1 ? 4 : 2, (count) => [
      ...range(count).map(
        (c) =>
          `const q${c} = ${sum(c * right.free, [
            ['b0', 1],
            ['j', right.free],
          ])}`,
      ),
      `let ${each(rows, count, (r, c) => `s${r}${c} = 0`).join(', ')}`,
      `for (let k = 0; k < ${k}; k++) {`,
      ...range(rows).map(
        (r) =>
          `  const x${r} = a[${sum(0, [
            [`p${r}`, 1],
            ['k', left.contracted],
          ])}]`,
      ),
      ...range(count).map(
        (c) =>
          `  const y${c} = b[${sum(0, [
            [`q${c}`, 1],
            ['k', right.contracted],
          ])}]`,
      ),
      ...each(rows, count, (r, c) => `  s${r}${c} += x${r} * y${c}`),
      '}',
      ...each(
        rows,
        count,
        (r, c) =>
          `out[${sum(r * n + c, [
            ['o', 1],
            ['i', n],
            ['j', 1],
          ])}] = s${r}${c}`,
      ),
    ]),
  ]
}

/** A loop over `n` in blocks of `size`, and over the rest one by one. */
function blocked(variable: string, n: number, size: number, body: (count: number) => string[]): string[] {
  const whole = n - (n % size)
  const loop = (from: number, to: number, step: number) => [
    `for (let ${variable} = ${from}; ${variable} < ${to}; ${variable} += ${step}) {`,
    ...indented(body(step)),
    '}',
  ]
  return [...(whole ? loop(0, whole, size) : []), ...(whole < n ? loop(whole, n, 1) : [])]
}

function each(rows: number, columns: number, text: (row: number, column: number) => string): string[] {
  return range(rows).flatMap((r) => range(columns).map((c) => text(r, c)))
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
