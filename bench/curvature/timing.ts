/** Seconds that a computation takes. */
export async function seconds(compute: () => unknown): Promise<number> {
  const start = performance.now()
  await compute()
  return (performance.now() - start) / 1000
}
