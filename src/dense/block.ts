/** A rectangle of numbers inside an array: element (i, j) is data[at + i rowStride + j columnStride]. */
export interface Block {
  readonly data: Float64Array
  readonly rows: number
  readonly columns: number
  readonly at: number
  readonly rowStride: number
  readonly columnStride: number
}

/** Rows of `stride` numbers that follow each other, of which `columns` belong to the block. */
export const blockOf = (
  data: Float64Array,
  rows: number,
  columns: number,
  { at = 0, stride = columns } = {},
): Block => ({ data, rows, columns, at, rowStride: stride, columnStride: 1 })

/** Rows fromRow..toRow - 1 of columns fromColumn..toColumn - 1. */
export const partOf = (
  x: Block,
  [fromRow, toRow]: readonly [number, number],
  [fromColumn, toColumn]: readonly [number, number],
): Block => ({
  ...x,
  rows: toRow - fromRow,
  columns: toColumn - fromColumn,
  at: x.at + fromRow * x.rowStride + fromColumn * x.columnStride,
})

export const transposedBlock = (x: Block): Block => ({
  ...x,
  rows: x.columns,
  columns: x.rows,
  rowStride: x.columnStride,
  columnStride: x.rowStride,
})

/** Row i of a block whose columns follow each other. */
export const rowOf = (x: Block, i: number) =>
  x.data.subarray(x.at + i * x.rowStride, x.at + i * x.rowStride + x.columns)

/** Rows i and j of z become c z_i + s z_j and c z_j - s z_i. */
export function rotateRows(z: Block, i: number, j: number, c: number, s: number): void {
  const { data } = z
  const [first, second] = [z.at + i * z.rowStride, z.at + j * z.rowStride]
  for (let k = 0; k < z.columns; k++) {
    const x = data[first + k] as number
    const y = data[second + k] as number
    data[first + k] = c * x + s * y
    data[second + k] = c * y - s * x
  }
}

/** x y. */
export function productOf(x: Block, y: Block): Block {
  const z = blockOf(new Float64Array(x.rows * y.columns), x.rows, y.columns)
  addProduct(z, x, y)
  return z
}

/** Rows whose lower triangle is changed together with the little that lies above it. */
const strip = 64

/** The lower triangle of z += factor x y; what is above it holds nothing afterwards. */
export function addToLower(z: Block, x: Block, y: Block, factor = 1): void {
  for (let from = 0; from < z.rows; from += strip) {
    const to = Math.min(from + strip, z.rows)
    const rows = [from, to] as const
    addProduct(
      partOf(z, rows, [0, to]),
      partOf(x, rows, [0, x.columns]),
      partOf(y, [0, y.rows], [0, to]),
      factor,
    )
  }
}

/** The sums of a tile are local variables: two rows of x and four columns of y fill the processor's registers. */
const tileRows = 2
const tileColumns = 4

/** Numbers of y that are used for all rows of x while they are in the cache. */
const panelSize = 1 << 15

/** z += factor x y. */
export function addProduct(z: Block, x: Block, y: Block, factor = 1): void {
  const depth = y.rows
  const columns = Math.max(
    tileColumns,
    Math.floor(panelSize / Math.max(depth, 1) / tileColumns) * tileColumns,
  )
  const panel = new Float64Array(depth * Math.min(columns, Math.ceil(z.columns / tileColumns) * tileColumns))
  const sums = new Float64Array(tileRows * tileColumns)
  for (let from = 0; from < z.columns; from += columns) {
    const to = Math.min(from + columns, z.columns)
    pack(panel, y, from, to)
    for (let i = 0; i < z.rows; i += tileRows) {
      const first = x.at + i * x.rowStride
      const second = i + 1 < z.rows ? first + x.rowStride : first
      for (let j = from; j < to; j += tileColumns) {
        multiplyTile(x, first, second, panel, (j - from) * depth, depth, sums)
        addTile(z, i, j, to, sums, factor)
      }
    }
  }
}

/** Columns from..to - 1 of y, four by four, each four row after row; what y lacks is never read. */
function pack(panel: Float64Array, y: Block, from: number, to: number): void {
  for (let j = from; j < to; j++) {
    const inside = (j - from) % tileColumns
    const start = (j - from - inside) * y.rows + inside
    const at = y.at + j * y.columnStride
    for (let k = 0; k < y.rows; k++) panel[start + k * tileColumns] = y.data[at + k * y.rowStride] as number
  }
}

function addTile(z: Block, i: number, j: number, to: number, sums: Float64Array, factor: number): void {
  const { data, rowStride, columnStride } = z
  const [height, width] = [Math.min(tileRows, z.rows - i), Math.min(tileColumns, to - j)]
  let from = 0
  let row = z.at + i * rowStride + j * columnStride
  for (let r = 0; r < height; r++, from += tileColumns, row += rowStride)
    for (let c = 0, at = row; c < width; c++, at += columnStride)
      data[at] = (data[at] as number) + factor * (sums[from + c] as number)
}

/** The products of the rows of x that begin at `first` and `second` with four columns of the panel. */
function multiplyTile(
  x: Block,
  first: number,
  second: number,
  panel: Float64Array,
  start: number,
  depth: number,
  sums: Float64Array,
): void {
  const { data, columnStride } = x
  let a0 = 0
  let a1 = 0
  let a2 = 0
  let a3 = 0
  let b0 = 0
  let b1 = 0
  let b2 = 0
  let b3 = 0
  const end = start + tileColumns * depth
  for (let k = start; k < end; k += tileColumns, first += columnStride, second += columnStride) {
    const a = data[first] as number
    const b = data[second] as number
    const y0 = panel[k] as number
    const y1 = panel[k + 1] as number
    const y2 = panel[k + 2] as number
    const y3 = panel[k + 3] as number
    a0 += a * y0
    a1 += a * y1
    a2 += a * y2
    a3 += a * y3
    b0 += b * y0
    b1 += b * y1
    b2 += b * y2
    b3 += b * y3
  }
  sums[0] = a0
  sums[1] = a1
  sums[2] = a2
  sums[3] = a3
  sums[4] = b0
  sums[5] = b1
  sums[6] = b2
  sums[7] = b3
}
