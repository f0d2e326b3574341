import { Random } from '../../linalg/index.js'
import { Tensor } from '../../tensor/tensor.js'

/** The digits 0 to 9 as 5 x 7 dot-matrix glyphs, a row of bits for each line. */
const glyphs = [
  [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
  [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
  [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
  [0b11111, 0b00010, 0b00100, 0b00010, 0b00001, 0b10001, 0b01110],
  [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
  [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
  [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
  [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
  [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
  [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
] as const

/** Width and height of an image. */
export const side = 14

/** Whether a dot of the glyph covers the point (u, v) of its 5 x 7 cells, smoothly between cells. */
function inkAt(glyph: readonly number[], u: number, v: number): number {
  const dot = (x: number, y: number) =>
    x >= 0 && x < 5 && y >= 0 && y < 7 ? ((glyph[y] as number) >> (4 - x)) & 1 : 0
  const [x, y] = [Math.floor(u), Math.floor(v)]
  const [a, b] = [u - x, v - y]
  return (
    (1 - b) * ((1 - a) * dot(x, y) + a * dot(x + 1, y)) +
    b * ((1 - a) * dot(x, y + 1) + a * dot(x + 1, y + 1))
  )
}

/**
 * Rendered digits: each a glyph shifted, scaled, slanted and rotated at random, with noise.
 * @returns images float32 [count, side * side], about 0 to 1, and labels int32 [count].
 */
export function renderDigits(count: number, seed: number): { images: Tensor; labels: Tensor } {
  const random = new Random(seed)
  const images = new Float32Array(count * side * side)
  const labels = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const digit = i % 10
    labels[i] = digit
    const scale = 0.52 + 0.14 * random.uniform()
    const angle = 0.5 * (random.uniform() - 0.5)
    const slant = 0.5 * (random.uniform() - 0.5)
    const [dx, dy] = [3 * (random.uniform() - 0.5), 3 * (random.uniform() - 0.5)]
    const centre = (side - 1) / 2
    for (let row = 0; row < side; row++)
      for (let column = 0; column < side; column++) {
        const [x, y] = [column - centre - dx, row - centre - dy]
        const u = (Math.cos(angle) * x + Math.sin(angle) * y + slant * y) * scale + 2
        const v = (-Math.sin(angle) * x + Math.cos(angle) * y) * scale + 3
        images[(i * side + row) * side + column] =
          inkAt(glyphs[digit] as readonly number[], u, v) + 0.4 * random.normal()
      }
  }
  return { images: new Tensor(images, [count, side * side]), labels: new Tensor(labels) }
}
