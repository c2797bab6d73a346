/** Opcodes of RFC 6455, 5.2. */
const CONTINUATION = 0x0
const CLOSE = 0x8
/** Bytes of the mask between a frame's head and its payload. */
const MASK_SIZE = 4
/** Bytes of an incomplete frame that are collected before ws gets them, so that ws gets few pieces of a frame that arrives in tiny ones. */
const MIN_PIECE = 4096

/** What happens to a frame. A number above 0 means that the frame is read and refused, and may pass after that many milliseconds. */
export type Verdict = number
export const PASS = 0
/** The frame and everything after it are read later. */
export const WAIT = -1
/** The frame is skipped and never read. */
export const DROP = -2

export interface FrameHead {
  opcode: number
  isFinal: boolean
  /** Payload bytes of this frame. */
  length: number
  /** Payload bytes of the message so far, those of this frame included. */
  messageLength: number
}

export interface FrameSink {
  /** Number of data frames that may be judged before they have to be passed on. */
  readonly room: number
  admit (head: FrameHead): Verdict
  /** Counts bytes that arrive after the last frame and that nobody reads. */
  admitRest (bytes: number): void
  /** Takes bytes of frames that are read, in order. `refusedFor`: the verdict, if it was above 0, or else 0. */
  pass (bytes: Buffer, refusedFor: number): void
  /** Takes bytes that must come again, before any others, when reading resumes. */
  putBack (bytes: Buffer): void
}

/** The head of the frame that is being judged. All readers share one object: each has finished with it before the next one starts. */
const head: FrameHead = { opcode: 0, isFinal: true, length: 0, messageLength: 0 }

/**
 * Finds the frames in a client's bytes and has each one judged by its head, before anything else is done with it [P53]: a segment of 64 KiB
 * holds 10,900 empty pongs, and ws takes 4 µs for each. ws alone checks whether frames are well-formed.
 */
export class FrameReader {
  readonly #sink: FrameSink
  /** Bytes that have not been passed on: the beginning of a head, or a small part of a frame's body. */
  #kept: Buffer | null = null
  /** Mask and payload bytes of the current frame that are still to come. */
  #bodyLeft = 0
  /** The verdict on the current frame, and whether that frame is a close frame. */
  #verdict: Verdict = PASS
  #isClose = false
  /** Payload bytes so far of the fragmented message that is arriving. */
  #messageLength = 0
  #isOver = false

  constructor (sink: FrameSink) {
    this.#sink = sink
  }

  /** Stops reading frames, because a close frame was the last one or ws has ended the connection after a violation. */
  end (): void {
    this.#isOver = true
    this.#kept = null
  }

  read (chunk: Buffer): void {
    if (this.#isOver) return this.#sink.admitRest(chunk.length)
    const sink = this.#sink
    /** Bytes between `from` and `at` have been judged and not yet passed on. */
    let from = 0
    let at = 0
    if (this.#kept !== null) {
      if (this.#bodyLeft > 0) at = this.#kept.length
      chunk = Buffer.concat([this.#kept, chunk])
      this.#kept = null
    }
    /** Where the head of the last frame begins; undefined if that frame began before this chunk. */
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
          // A refused frame is passed on by itself; a dropped frame is not passed on.
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

  /** Passes on or keeps what is left at the end of a chunk. */
  #passRest (chunk: Buffer, from: number, at: number, frameAt: number | undefined): void {
    const isCut = this.#bodyLeft > 0
    if (at > from && this.#verdict !== DROP) {
      const cutAt = isCut ? Math.max(from, frameAt ?? from) : at
      if (cutAt > from) this.#sink.pass(chunk.subarray(from, cutAt), PASS)
      const piece = chunk.subarray(cutAt, at)
      const refusedFor = Math.max(this.#verdict, PASS)
      // Pass on a head at once, so that ws can reject a malformed one. Copy a small piece: a view would keep the whole chunk in memory.
      if (piece.length >= MIN_PIECE) this.#sink.pass(piece, refusedFor)
      else if (isCut && frameAt !== undefined) this.#sink.pass(Buffer.from(piece), refusedFor)
      else if (isCut) this.#kept = Buffer.from(piece)
    }
    if (at < chunk.length) this.#kept = Buffer.from(chunk.subarray(at))
  }

  /** Reads the head that begins at `at`. Returns its size without the mask, or 0 if the head is incomplete. */
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
