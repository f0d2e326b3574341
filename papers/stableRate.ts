/**
 * The largest learning rate that is stable, to within a factor of 2^(1/8): doubled or halved from `guess` until the answer
 * changes, then bisected in its logarithm.
 */
export async function largestStableRate(
  guess: number,
  isStable: (rate: number) => Promise<boolean>,
): Promise<number> {
  const first = await isStable(guess)
  let [stable, unstable] = [guess, guess]
  if (first)
    do {
      stable = unstable
      unstable *= 2
    } while (await isStable(unstable))
  else
    do {
      unstable = stable
      stable /= 2
    } while (!(await isStable(stable)))
  for (let i = 0; i < 3; i++) {
    const middle = Math.sqrt(stable * unstable)
    if (await isStable(middle)) stable = middle
    else unstable = middle
  }
  return stable
}
