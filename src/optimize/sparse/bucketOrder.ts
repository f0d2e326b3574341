/** Where each bucket begins in {@link bucketOrder}, and where the last ends. */
export function bucketPointers(buckets: ArrayLike<number>, count: number): Int32Array {
  const pointers = new Int32Array(count + 1)
  for (let i = 0; i < buckets.length; i++) pointers[buckets[i]! + 1]!++
  for (let b = 0; b < count; b++) pointers[b + 1] = pointers[b + 1]! + pointers[b]!
  return pointers
}

/** The indices of items by ascending bucket, those of one bucket in the order in which `items` (default all) names them. */
export function bucketOrder(
  buckets: ArrayLike<number>,
  count: number,
  items: ArrayLike<number> = Int32Array.from(buckets, (_, i) => i),
): Int32Array {
  const next = bucketPointers(buckets, count)
  const order = new Int32Array(items.length)
  for (let k = 0; k < items.length; k++) order[next[buckets[items[k]!]!]!++] = items[k]!
  return order
}
