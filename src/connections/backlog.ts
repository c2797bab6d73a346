import { resolvesWithin } from '../deadline.ts'
import { endOfFrames } from './frames.ts'

/** What all connections together hold because their sockets have not taken it yet. */
export type OutboundMemory = ReturnType<typeof createOutboundMemory>

/**
 * Counts the bytes that connections hold for their sockets. A buffer that many connections hold counts once, as it is in memory once.
 * `limit`: bytes at which nothing more is put out until there is room (`performance.max_buffered_total`).
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

    /** Waits until there is room, for at most so many milliseconds. */
    async untilRoom (within: number): Promise<void> {
      if (bytes > limit) await resolvesWithin(new Promise<void>(resolve => { waiting.push(resolve) }), within)
    }
  }
}

/** What one connection holds: whole frames, in order, from the moment its socket falls behind until the socket has taken them all. */
export class Backlog {
  /** Bytes that the socket has not been given yet. */
  bytes = 0
  /** Writes that the socket has been given and has not finished. */
  writing = 0
  /** When the connection fell behind, and when its socket last finished a write, in milliseconds of the connections' clock. */
  readonly since: number
  progressAt: number
  readonly #memory: OutboundMemory
  #queue: Buffer[] = []
  /** Bytes of the first buffer that are gone. */
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

  /** The next whole frames of at most `most` bytes together, but at least one frame; undefined where nothing waits. */
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
