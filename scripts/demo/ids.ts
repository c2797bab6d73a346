import type { Random } from './random.ts'

/** Makes the id of something that came into being at this time, Unix milliseconds. */
export type NewId = (at: number) => string

/** Returns a function that makes UUIDv7 of the given time. @param shift turns the time into the one that the id shows. */
export function createIds (random: Random, shift = (at: number): number => at): NewId {
  const bits = (count: number): bigint => BigInt(Math.floor(random.next() * 2 ** count))
  return at => {
    const value = (BigInt(shift(at)) << 80n) | (7n << 76n) | (bits(12) << 64n) | (2n << 62n) | (bits(31) << 31n) | bits(31)
    return value.toString(16).padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
}
