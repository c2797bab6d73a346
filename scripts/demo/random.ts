/** A source of decisions that come out the same for the same seed. */
export interface Random {
  /** A number from 0 up to, but not including, 1. */
  next (): number
  /** A number from `low` up to `high`. */
  between (low: number, high: number): number
  chance (probability: number): boolean
  pick <T>(items: readonly T[]): T
  /** Picks an item with a probability that is proportional to its weight. At least one weight has to be positive. */
  weighted <T>(items: readonly T[], weightOf: (item: T) => number): T
  shuffle <T>(items: readonly T[]): T[]
  /** Returns a function that deals all items in random order before it deals any of them again. */
  deck <T>(items: readonly T[]): () => T
  /** A source of its own for one subject, so that more decisions about one subject change nothing in another. */
  fork (subject: string): Random
}

/** Creates a source of decisions: mulberry32, whose whole state is one 32-bit number. */
export function createRandom (seed: number): Random {
  let state = seed >>> 0

  function next (): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  function shuffle<T> (items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = Math.floor(next() * (last + 1))
      const item = shuffled[last]!
      shuffled[last] = shuffled[other]!
      shuffled[other] = item
    }
    return shuffled
  }

  return {
    next,
    between: (low, high) => low + next() * (high - low),
    chance: probability => next() < probability,
    pick: items => items[Math.floor(next() * items.length)]!,
    weighted (items, weightOf) {
      let left = next() * items.reduce((sum, item) => sum + weightOf(item), 0)
      for (const item of items) {
        left -= weightOf(item)
        if (left < 0) return item
      }
      return items.findLast(item => weightOf(item) > 0)!
    },
    shuffle,
    deck <T>(items: readonly T[]) {
      let pile: T[] = []
      return () => {
        if (pile.length === 0) pile = shuffle(items)
        return pile.pop()!
      }
    },
    fork: subject => createRandom(hash(`${seed}/${subject}`))
  }
}

/** FNV-1a, so that similar subjects get unrelated seeds. */
function hash (text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}
