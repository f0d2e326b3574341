/** What golden section keeps of a bracket. */
const golden = (3 - Math.sqrt(5)) / 2

/**
 * The minimum of a function of one number between two, by parabolas through three points, and by golden section where
 * these do not help (Brent 1973, chapter 5), to `accuracy`.
 */
export async function brent(
  f: (x: number) => number | Promise<number>,
  lower: number,
  upper: number,
  accuracy: number,
): Promise<number> {
  let [low, high] = [lower, upper]
  const start = low + golden * (high - low)
  let best = { x: start, value: await f(start) }
  let [second, third] = [best, best]
  let [move, before] = [0, 0]
  while (Math.max(high - best.x, best.x - low) > 2 * accuracy) {
    const parabola = parabolicMove(best, second, third)
    const inside = best.x + parabola > low + accuracy && best.x + parabola < high - accuracy
    if (inside && Math.abs(parabola) < Math.abs(before) / 2) {
      before = move
      move = parabola
    } else {
      before = best.x < (low + high) / 2 ? high - best.x : low - best.x
      move = golden * before
    }
    const x = best.x + (Math.abs(move) >= accuracy ? move : Math.sign(move) * accuracy)
    const next = { x, value: await f(x) }
    if (next.value <= best.value) {
      if (x < best.x) high = best.x
      else low = best.x
      ;[best, second, third] = [next, best, second]
    } else {
      if (x < best.x) low = x
      else high = x
      if (next.value <= second.value || second === best) [second, third] = [next, second]
      else if (next.value <= third.value) third = next
    }
  }
  return best.x
}

interface Place {
  readonly x: number
  readonly value: number
}

/** From `a` to the minimum of the parabola through three places; NaN where there is none. */
function parabolicMove(a: Place, b: Place, c: Place): number {
  const r = (a.x - b.x) * (a.value - c.value)
  const q = (a.x - c.x) * (a.value - b.value)
  return -((a.x - c.x) * q - (a.x - b.x) * r) / (2 * (q - r))
}
