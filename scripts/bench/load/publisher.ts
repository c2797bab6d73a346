import type { Connection } from './connection.ts'
import { textFrame } from './frames.ts'
import { MARK, MAX_SLOTS, now, readTime, stampedText, writeTime } from './stamp.ts'

/** A connection that publishes. Each slot stands for a message in flight and has a prepared frame, in which only the time is rewritten. */
export class Publisher {
  readonly connection: Connection
  readonly #frames: Buffer[]
  readonly #stampsAt: number[]
  /** Slots whose message was answered. The next `flush` publishes on them again. */
  #free: number[] = []

  constructor (connection: Connection, { number, slots, acked }: { number: number, slots: number, acked: boolean }) {
    if (slots > MAX_SLOTS) throw new RangeError(`at most ${MAX_SLOTS} messages in flight`)
    const { dialect, channel } = connection.target
    this.connection = connection
    this.#frames = Array.from({ length: slots }, (_, slot) =>
      textFrame(dialect.publish({ channel, text: stampedText(number, slot), slot, acked })))
    this.#stampsAt = this.#frames.map(frame => frame.indexOf(MARK))
  }

  get slots (): number { return this.#frames.length }

  free (slot: number): void {
    this.#free.push(slot)
  }

  /** Publishes on all free slots in one write. @returns the number of messages. */
  flush (): number {
    const slots = this.#free
    if (slots.length === 0) return 0
    this.#free = []
    const time = now()
    for (const slot of slots) writeTime(this.#frames[slot]!, this.#stampsAt[slot]!, time)
    // The frames are copied, because the socket may keep the buffer while they are rewritten.
    this.connection.write(Buffer.concat(slots.map(slot => this.#frames[slot]!)))
    return slots.length
  }

  /** The time of the last message on this slot, in microseconds. */
  sentAt (slot: number): number {
    return readTime(this.#frames[slot]!, this.#stampsAt[slot]!)
  }
}
