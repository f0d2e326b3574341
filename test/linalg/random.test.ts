import { describe, expect, test } from 'vitest'
import { Random } from '../../src/linalg/index.js'
import { meanAndError } from '../../src/linalg/stochastic/estimator.js'

describe('Random', () => {
  test('the same seed gives the same digits', () => {
    const draw = (random: Random) => [...random.normals(5), random.uniform(), ...random.permutation(5)]
    expect(draw(new Random(7))).toEqual(draw(new Random(7)))
    expect(draw(new Random(7))).not.toEqual(draw(new Random(8)))
  })

  test('the digits of seed 0 stay what they are', () => {
    const random = new Random(0)
    expect([random.uniform(), random.uniform(), random.normal()]).toMatchInlineSnapshot(`
      [
        0.1541079605514042,
        0.9445919174090277,
        -1.0271281485002657,
      ]
    `)
  })

  test('a split stream depends on seed and key, not on what was drawn before', () => {
    const random = new Random(3)
    const before = random.split('probe').split(2).rademacher(64)
    random.normals(10)
    expect(random.split('probe').split(2).rademacher(64)).toEqual(before)
    expect(random.split('probe').split(3).rademacher(64)).not.toEqual(before)
    expect(new Random(4).split('probe').split(2).rademacher(64)).not.toEqual(before)
  })

  test('moments are those of the distributions, and neighbouring streams are uncorrelated (seed 1)', () => {
    const n = 40_000
    const random = new Random(1)
    const within = (samples: ArrayLike<number>, mean: number) => {
      const { estimate, standardError } = meanAndError(samples)
      expect(Math.abs(estimate - mean)).toBeLessThan(4 * standardError)
    }
    within(
      Float64Array.from({ length: n }, () => random.uniform()),
      0.5,
    )
    const normals = random.normals(n)
    within(normals, 0)
    within(
      normals.map((x) => x ** 2),
      1,
    )
    within(
      normals.map((x) => x ** 4),
      3,
    )
    within(random.rademacher(n), 0)
    const [a, b] = [random.split(0).rademacher(n), random.split(1).rademacher(n)]
    within(
      a.map((x, i) => x * b[i]!),
      0,
    )
  })

  test('a permutation holds every index once, each as often in the first place', () => {
    const random = new Random(2)
    const firsts = new Array(5).fill(0)
    for (let i = 0; i < 5000; i++) {
      const order = random.permutation(5)
      firsts[order[0]!]++
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4])
    }
    for (const count of firsts) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(800))
  })

  test('a seed that is no integer is refused', () => {
    expect(() => new Random(1.5)).toThrow('Random: seed is 1.5')
    expect(() => new Random(Number.NaN)).toThrow('seed')
  })
})
