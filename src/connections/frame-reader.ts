/** Opcodes of RFC 6455, 5.2. */
const CONTINUATION = 0x0
const CLOSE = 0x8
/** Bytes of the mask, between a frame's head and its payload. */
const MASK_SIZE = 4
/** The bytes of an incomplete frame are collected until there are this many, so that ws gets few pieces however finely a frame is cut. */
const MIN_PIECE = 4096

/** What happens to a frame. A number above 0: the frame is read and refused, and may pass after so many milliseconds. */
export type Verdict = number
export const PASS = 0
/** The frame is read later, and with it everything after it. */
export const WAIT = -1
/** The frame is never read. */
export const DROP = -2

export interface FrameHead {
  opcode: number
  isFinal: boolean
  /** Bytes of this frame's payload. */
  length: number
  /** Bytes of the frame's message so far, this frame's included. */
  messageLength: number
}

export interface FrameSink {
  /** How many data frames may pass before they have to be handed over. */
  readonly room: number
  admit (head: FrameHead): Verdict
  /** Counts bytes that came after the end of the conversation and that nobody reads. */
  admitRest (bytes: number): void
  /** Takes bytes of the frames that passed, in order. `refusedFor`: the verdict, if it was above 0. */
  pass (bytes: Buffer, refusedFor: number): void
  /** Takes bytes that have to come again, before any others, once reading goes on. */
  putBack (bytes: Buffer): void
}

/** The head of the frame that is being judged: one object for all readers, because each is done with it before the next begins. */
const head: FrameHead = { opcode: 0, isFinal: true, length: 0, messageLength: 0 }

/**
 * Finds the frames in a client's bytes and has each judged by its head, before anything else is done with it [P53]: a segment of 64 KiB
 * holds 10,900 empty pongs, and ws takes 4 µs for each. Whether a frame is well-formed is left to ws.
 */
export class FrameReader {
  readonly #sink: FrameSink
  /** Bytes that have not been passed: the beginning of a head, or a few of an incomplete frame's body. */
  #kept: Buffer | null = null
  /** Mask and payload bytes of the current frame that are still to come. */
  #bodyLeft = 0
  /** About the current frame. */
  #verdict: Verdict = PASS
  #isClose = false
  /** Bytes of the fragmented message under way. */
  #messageLength = 0
  #isOver = false

  constructor (sink: FrameSink) {
    this.#sink = sink
  }

  /** No frame is read any more: a close frame was the last one, or ws has given up. */
  end (): void {
    this.#isOver = true
    this.#kept = null
  }

  read (chunk: Buffer): void {
    if (this.#isOver) return this.#sink.admitRest(chunk.length)
    const sink = this.#sink
    /** What lies between `from` and `at` has been judged and not been passed. */
    let from = 0
    let at = 0
    if (this.#kept !== null) {
      if (this.#bodyLeft > 0) at = this.#kept.length
      chunk = Buffer.concat([this.#kept, chunk])
      this.#kept = null
    }
    /** Where the head of the last frame begins; undefined where that frame began before this chunk. */
    let frameAt: number | undefined
    /** Data frames between `from` and `at`. */
    let ahead = 0
    for (;;) {
      const end = Math.min(at + this.#bodyLeft, chunk.length)
      this.#bodyLeft -= end - at
      at = end
      if (this.#bodyLeft === 0) {
        if (this.#isClose) {
          sink.pass(chunk.subarray(from, at), PASS)
          return this.end()
        }
        if (this.#verdict !== PASS) {
          // A refused frame is passed by itself, a dropped one is not passed.
          if (this.#verdict > PASS) sink.pass(chunk.subarray(from, at), this.#verdict)
          from = at
          this.#verdict = PASS
        }
      }
      if (at === chunk.length) break
      const size = this.#readHead(chunk, at)
      if (size === 0) break
      const { opcode, isFinal, length, messageLength } = head
      const isData = opcode < CLOSE
      if (isData && ahead >= sink.room) {
        if (at > from) sink.pass(chunk.subarray(from, at), PASS)
        from = at
        ahead = 0
      }
      const verdict = sink.admit(head)
      if (verdict !== PASS) {
        if (at > from) sink.pass(chunk.subarray(from, at), PASS)
        if (verdict === WAIT) return sink.putBack(chunk.subarray(at))
        from = at
        ahead = 0
        this.#verdict = verdict
      }
      if (isData) {
        ahead++
        this.#messageLength = isFinal ? 0 : messageLength
      }
      this.#isClose = opcode === CLOSE
      this.#bodyLeft = (chunk[at + 1]! & 0x80 ? MASK_SIZE : 0) + length
      frameAt = at
      at += size
    }
    this.#passRest(chunk, from, at, frameAt)
  }

  /** Passes or keeps what is left at the end of a chunk. */
  #passRest (chunk: Buffer, from: number, at: number, frameAt: number | undefined): void {
    const isCut = this.#bodyLeft > 0
    if (at > from && this.#verdict !== DROP) {
      const cutAt = isCut ? Math.max(from, frameAt ?? from) : at
      if (cutAt > from) this.#sink.pass(chunk.subarray(from, cutAt), PASS)
      const piece = chunk.subarray(cutAt, at)
      const refusedFor = Math.max(this.#verdict, PASS)
      // A head goes on at once, because it may be wrong. A small piece is copied, because a view of it would keep the whole chunk.
      if (piece.length >= MIN_PIECE) this.#sink.pass(piece, refusedFor)
      else if (isCut && frameAt !== undefined) this.#sink.pass(Buffer.from(piece), refusedFor)
      else if (isCut) this.#kept = Buffer.from(piece)
    }
    if (at < chunk.length) this.#kept = Buffer.from(chunk.subarray(at))
  }

  /** Reads the head that begins at `at`; returns its size without the mask, or 0 where it is not all there. */
  #readHead (chunk: Buffer, at: number): number {
    const available = chunk.length - at
    if (available < 2) return 0
    const short = chunk[at + 1]! & 0x7f
    const size = short < 126 ? 2 : short === 126 ? 4 : 10
    if (available < size) return 0
    head.opcode = chunk[at]! & 0x0f
    head.isFinal = (chunk[at]! & 0x80) !== 0
    head.length = short < 126 ? short : short === 126 ? chunk.readUInt16BE(at + 2) : Number(chunk.readBigUInt64BE(at + 2))
    head.messageLength = head.opcode === CONTINUATION ? this.#messageLength + head.length : head.length
    return size
  }
}
