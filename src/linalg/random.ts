import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

/**
 * Seeded random numbers (xoroshiro128+): the same seed gives the same digits on every machine.
 *
 * `split` gives streams of their own, told apart by name or index and not by what was drawn before, so that
 * adding a probe or drawing in another order leaves the other streams as they are.
 */
export class Random {
  readonly #path: string
  readonly #generator: RandomGenerator
  #spare: number | undefined

  /** @throws when `seed` is neither a safe integer nor a string. */
  constructor(seed: number | string = 0) {
    if (typeof seed !== 'string' && !Number.isSafeInteger(seed))
      throw new Error(`Random: seed is ${seed}, expected an integer below 2^53 in size`)
    this.#path = String(seed)
    this.#generator = xoroshiro128plusFromState([1, 2, 3, 4].map((salt) => hash(this.#path, salt)))
  }

  /** An independent stream, always the same for this seed and `key`. */
  split(key: string | number): Random {
    return new Random(`${this.#path}/${key}`)
  }

  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number {
    return uniformFloat64(this.#generator)
  }

  /** Standard normal (Marsaglia's polar method). */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare
      this.#spare = undefined
      return spare
    }
    for (;;) {
      const x = 2 * this.uniform() - 1
      const y = 2 * this.uniform() - 1
      const s = x * x + y * y
      if (s >= 1 || s === 0) continue
      const scale = Math.sqrt((-2 * Math.log(s)) / s)
      this.#spare = y * scale
      return x * scale
    }
  }

  /** `n` independent standard normals. */
  normals(n: number): Float64Array {
    const x = new Float64Array(n)
    for (let i = 0; i < n; i++) x[i] = this.normal()
    return x
  }

  /** `n` independent signs, -1 or 1 with equal chance. */
  rademacher(n: number): Float64Array {
    const signs = new Float64Array(n)
    for (let i = 0; i < n; i++) signs[i] = this.#generator.next() < 0 ? -1 : 1
    return signs
  }

  /** The integers 0..n-1 in uniformly random order (Fisher-Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i)
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(this.uniform() * (i + 1))
      const swapped = order[i]!
      order[i] = order[j]!
      order[j] = swapped
    }
    return order
  }
}

/** 32 bits of `text`: FNV-1a steps from a salted basis, then MurmurHash3's finaliser. */
function hash(text: string, salt: number): number {
  let h = Math.imul(0x811c9dc5 ^ salt, 0x9e3779b1)
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
