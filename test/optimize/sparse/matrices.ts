import { type SymmetricMatrix, symmetricMatrix } from 'evolute/optimize'
import { uniform } from '../../helpers/random.js'

/** The Laplacian of a grid of width * height points, plus `shift` times the identity. */
export function gridLaplacian(width: number, height: number, shift: number): SymmetricMatrix {
  const rows: number[] = []
  const columns: number[] = []
  const entries: number[] = []
  const add = (i: number, j: number, value: number) => {
    rows.push(i)
    columns.push(j)
    entries.push(value)
  }
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      add(i, i, 4 + shift)
      if (x + 1 < width) add(i, i + 1, -1)
      if (y + 1 < height) add(i + width, i, -1)
    }
  return symmetricMatrix(width * height, rows, columns, entries)
}

/** A random sparse matrix with a diagonal that outweighs its rows, given by entries that repeat. */
export function randomPositive(size: number, entries: number, seed: number): SymmetricMatrix {
  const random = uniform(seed)
  const index = () => Math.floor(random() * size)
  const [rows, columns, values] = [[], [], []] as [number[], number[], number[]]
  for (let k = 0; k < entries; k++) {
    const [i, j, value] = [index(), index(), random() - 0.5]
    if (i === j) continue
    rows.push(i, i, j)
    columns.push(j, i, j)
    values.push(value, Math.abs(value), Math.abs(value))
  }
  for (let i = 0; i < size; i++) {
    rows.push(i)
    columns.push(i)
    values.push(0.1)
  }
  return symmetricMatrix(size, rows, columns, values)
}

/** All elements, row by row. */
export function toRows({ size, columnPointers, rows, values }: SymmetricMatrix): number[][] {
  const dense = Array.from({ length: size }, () => new Array<number>(size).fill(0))
  for (let j = 0; j < size; j++)
    for (let k = columnPointers[j]!; k < columnPointers[j + 1]!; k++)
      dense[rows[k]!]![j] = dense[j]![rows[k]!] = values[k]!
  return dense
}
