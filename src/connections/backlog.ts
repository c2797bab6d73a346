import { resolvesWithin } from '../deadline.ts'
import { endOfFrames } from './frames.ts'

/** Counts the outbound bytes that all connections together hold because their sockets have not taken them yet. */
export type OutboundMemory = ReturnType<typeof createOutboundMemory>

/**
 * Counts the bytes that connections hold for their sockets. A buffer that many connections share counts once, because it is in memory once.
 * `limit`: bytes beyond which nothing more is sent until there is room (`performance.max_buffered_total`).
 */
export function createOutboundMemory (limit: number) {
  const holders = new Map<Buffer, number>()
  let bytes = 0
  let waiting: Array<() => void> = []

  return {
    get bytes (): number { return bytes },
    get isFull (): boolean { return bytes > limit },

    hold (buffer: Buffer): void {
      const count = holders.get(buffer) ?? 0
      if (count === 0) bytes += buffer.length
      holders.set(buffer, count + 1)
    },

    release (buffer: Buffer): void {
      const count = holders.get(buffer)!
      if (count > 1) {
        holders.set(buffer, count - 1)
        return
      }
      holders.delete(buffer)
      bytes -= buffer.length
      if (bytes > limit || waiting.length === 0) return
      const woken = waiting
      waiting = []
      for (const wake of woken) wake()
    },

    /** Waits until there is room, but at most `within` milliseconds. */
    async untilRoom (within: number): Promise<void> {
      if (bytes > limit) await resolvesWithin(new Promise<void>(resolve => { waiting.push(resolve) }), within)
    }
  }
}

/** The frames that one connection holds, whole and in order, from when its socket falls behind until the socket has taken them all. */
export class Backlog {
  /** Bytes that have not been written to the socket yet. */
  bytes = 0
  /** Writes to the socket that have not finished. */
  writing = 0
  /** When the connection fell behind, and when its socket last finished a write, in milliseconds of the connections' clock. */
  readonly since: number
  progressAt: number
  readonly #memory: OutboundMemory
  #queue: Buffer[] = []
  /** Bytes of the first buffer that `take` has already returned. */
  #taken = 0

  constructor (memory: OutboundMemory, now: number) {
    this.#memory = memory
    this.since = this.progressAt = now
  }

  push (frames: Buffer): void {
    this.#memory.hold(frames)
    this.#queue.push(frames)
    this.bytes += frames.length
  }

  /** Removes and returns the next whole frames: at most `most` bytes, but at least one frame. Returns undefined if no frame waits. */
  take (most: number): Buffer | undefined {
    const first = this.#queue[0]
    if (first === undefined) return undefined
    const start = this.#taken
    if (first.length - start > most) {
      const end = endOfFrames(first, start, most)
      this.bytes -= end - start
      if (end === first.length) this.#drop(1)
      else this.#taken = end
      return first.subarray(start, end)
    }
    let count = 1
    let length = first.length - start
    while (count < this.#queue.length && length + this.#queue[count]!.length <= most) length += this.#queue[count++]!.length
    const head = first.subarray(start)
    const frames = count === 1 ? head : Buffer.concat([head, ...this.#queue.slice(1, count)], length)
    this.bytes -= length
    this.#drop(count)
    return frames
  }

  clear (): void {
    this.#drop(this.#queue.length)
    this.bytes = 0
  }

  #drop (count: number): void {
    for (const frames of this.#queue.splice(0, count)) this.#memory.release(frames)
    this.#taken = 0
  }
}
