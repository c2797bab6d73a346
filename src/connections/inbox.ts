import { DROP, PASS, WAIT, type FrameHead, type Verdict } from './frame-reader.ts'
import type { Allowance } from './limits.ts'
import { RequestQueue } from './request-queue.ts'
import type { Session, SessionDeps } from './session.ts'

/** Opcodes of RFC 6455, 5.2. */
const TEXT = 0x1
const CLOSE = 0x8
const PONG = 0xa
/** Requests that wait for their turn at which a connection is not read any further. */
const MAX_WAITING = 64
/** Bytes that a waiting request takes besides those of its frame. */
const REQUEST_OVERHEAD = 200
/** A text frame over the limits is refused up to this size, in bytes: its `ref` has to be parsed for it. A larger one waits. */
const MAX_REFUSED_SIZE = 8192
/** A connection is closed (4502) when what may not be refused had to wait in so many ticks of the clock in a row. */
const MAX_FLOODS = 5

/** The incoming frames of one connection: which of them are read, when, and what for [P53]. */
export class Inbox {
  readonly #session: Session
  /** What this connection may ask for; null: anything. */
  readonly #allowance: Allowance | null
  readonly #deps: SessionDeps
  readonly #requests: RequestQueue
  /** What this inbox holds of the budget: for requests that wait, and for frames that have been admitted and are still coming in. */
  #bytes = 0
  #paused = false
  /** Bytes of the frame that waits for room in the budget, or 0. */
  #awaitsRoom = 0
  /** A frame that is too large without authentication waits for the reply to the one before it. */
  #awaitsUser = false
  /** Ticks in a row with a flood, and whether there was one since the last tick. */
  #floods = 0
  #hasFlooded = false

  constructor (session: Session, allowance: Allowance | null, deps: SessionDeps) {
    this.#session = session
    this.#allowance = allowance
    this.#deps = deps
    this.#requests = new RequestQueue(session, allowance, deps)
  }

  /** Data frames that may come before `admit` has to know of them. Without a user, each may be the one that brings the user. */
  get room (): number {
    return this.#paused || this.#session.user === null ? 0 : MAX_WAITING - this.#requests.length
  }

  /** Whether it is for reasons of ours that the connection is not read, and with it no pong. */
  get isHeldUp (): boolean {
    return this.#requests.length >= MAX_WAITING || this.#isWaitingForRoom() || this.#allowance?.isWaiting === true
  }

  get isPaused (): boolean { return this.#paused }

  /** Judges a frame before anything else is done with it [P53]. `WAIT`: reading has been paused. */
  admit (head: FrameHead): Verdict {
    // The last frame of any connection.
    if (head.opcode === CLOSE) return PASS
    const verdict = this.#judge(head)
    if (verdict === WAIT) this.#regulate()
    else if (verdict !== DROP && head.opcode < CLOSE) this.#hold(costOfFrame(head))
    return verdict
  }

  /** Counts bytes that nobody reads any more; over the limits, reading is paused. */
  admitRest (bytes: number): void {
    const allowance = this.#allowance
    if (allowance === null || allowance.takeReserved() || allowance.takeFrame(bytes) === 0) return
    allowance.reserveFrame(bytes)
    this.#regulate()
  }

  /** A data frame arrived; `refusedFor` as `admit` said. */
  receive (frame: Buffer, refusedFor: number): void {
    this.#requests.add(frame, refusedFor)
    this.#regulate()
  }

  /** The request in this frame has its turn: it waits no more. */
  release (frame: Buffer): void { this.#hold(-frame.length - REQUEST_OVERHEAD) }

  /** Starts what may start, and reads on if it may. */
  proceed (): void {
    this.#requests.start()
    this.#regulate()
  }

  /** The clock's tick. */
  tick (): void {
    if (this.#allowance !== null) this.#allowance.refusals = 0
    if (this.#hasFlooded) this.#floods++
    else if (!this.isHeldUp) this.#floods = 0
    this.#hasFlooded = false
    if (this.#floods >= MAX_FLOODS) this.#session.close('too_many_frames')
    else if (this.#paused) this.#regulate()
  }

  /** Takes no further request: what was started is still answered. */
  suspend (): void {
    this.#paused = this.#requests.isSuspended = true
    this.#session.transport.pause()
  }

  /** The connection is closing: what waits is dropped, and reading goes on, because the peer's own close frame must still be read. */
  close (): void {
    this.#clear()
    this.#requests.isSuspended = false
    this.#regulate()
  }

  /** The connection is gone. */
  end (): void {
    this.#clear()
    this.#allowance?.release()
  }

  #judge (head: FrameHead): Verdict {
    const { opcode, isFinal, length, messageLength } = head
    const session = this.#session
    const allowance = this.#allowance
    const { maxPayload, unauthenticatedFrame } = this.#deps.limits
    this.#awaitsRoom = 0
    this.#awaitsUser = false
    if (this.#isBusy()) return WAIT
    const isData = opcode < CLOSE
    if (isData && !session.closing && messageLength > (session.user === null ? unauthenticatedFrame : maxPayload)) {
      this.#awaitsUser = true
      if (this.#isWaitingForUser()) return WAIT
      session.close('message_too_big')
    }
    if (isData && !session.closing && !this.#deps.inboxes.hasRoom(this.#bytes, costOfFrame(head))) {
      this.#awaitsRoom = costOfFrame(head)
      return WAIT
    }
    const verdict = session.closing ? DROP : PASS
    if (opcode === PONG && session.takePong()) return verdict
    if (allowance === null || allowance.takeReserved()) return verdict
    const wait = allowance.takeFrame(length)
    if (wait === 0) return verdict
    const isText = opcode === TEXT && isFinal
    if (isText && length <= MAX_REFUSED_SIZE && verdict === PASS && allowance.takeRefusal()) return wait
    allowance.reserveFrame(length)
    if (!isText || session.user === null) this.#hasFlooded = true
    return WAIT
  }

  /** Reads on only while this connection keeps up with what it asks and what it is sent, and is within its limits. */
  #regulate (): void {
    const isBusy = this.#isBusy() || this.#isWaitingForRoom() || this.#isWaitingForUser()
    if (isBusy === this.#paused) return
    this.#paused = isBusy
    if (isBusy) this.#session.transport.pause()
    else this.#session.transport.resume()
  }

  #isBusy (): boolean {
    if (this.#allowance?.isWaiting) return true
    if (this.#session.closing) return false
    return this.#requests.isSuspended || this.#requests.length >= MAX_WAITING || this.#session.isBackedUp
  }

  #isWaitingForRoom (): boolean { return this.#awaitsRoom > 0 && !this.#deps.inboxes.hasRoom(this.#bytes, this.#awaitsRoom) }

  /** Any request of a connection without a user is answered at once, but for `authenticate`. */
  #isWaitingForUser (): boolean {
    return this.#awaitsUser && this.#session.state.phase === 'open' && !this.#requests.isIdle
  }

  /** Holds so many bytes more, or fewer. */
  #hold (bytes: number): void {
    this.#bytes += bytes
    this.#deps.inboxes.add(bytes)
  }

  #clear (): void {
    this.#requests.clear()
    this.#awaitsRoom = 0
    this.#awaitsUser = false
    this.#hold(-this.#bytes)
  }
}

/** A message's frames cost what it is released for at its turn. */
function costOfFrame ({ isFinal, length }: FrameHead): number {
  return isFinal ? length + REQUEST_OVERHEAD : length
}
