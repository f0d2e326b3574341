/** Items by degree; finds one of least degree in constant time, but for a walk up. */
export class DegreeBuckets {
  readonly #degree: Int32Array
  readonly #first: Int32Array
  readonly #next: Int32Array
  readonly #previous: Int32Array
  #least = 0

  constructor(degrees: ArrayLike<number>) {
    const n = degrees.length
    this.#degree = new Int32Array(n)
    this.#first = new Int32Array(n + 1).fill(-1)
    this.#next = new Int32Array(n)
    this.#previous = new Int32Array(n)
    for (let i = n - 1; i >= 0; i--) this.add(i, degrees[i]!)
  }

  degree(i: number): number {
    return this.#degree[i]!
  }

  add(i: number, degree: number): void {
    const head = this.#first[degree]!
    this.#degree[i] = degree
    this.#next[i] = head
    this.#previous[i] = -1
    if (head !== -1) this.#previous[head] = i
    this.#first[degree] = i
    this.#least = Math.min(this.#least, degree)
  }

  remove(i: number): void {
    const [next, previous] = [this.#next[i]!, this.#previous[i]!]
    if (next !== -1) this.#previous[next] = previous
    if (previous !== -1) this.#next[previous] = next
    else this.#first[this.#degree[i]!] = next
  }

  /** Takes out an item of least degree; there must be one. */
  removeLeast(): number {
    while (this.#first[this.#least] === -1) this.#least++
    const i = this.#first[this.#least]!
    this.remove(i)
    return i
  }
}
