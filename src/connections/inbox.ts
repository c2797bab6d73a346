import { DROP, PASS, WAIT, type FrameHead, type Verdict } from './frame-reader.ts'
import type { Allowance } from './limits.ts'
import { RequestQueue } from './request-queue.ts'
import type { Session, SessionDeps } from './session.ts'

/** Opcodes of RFC 6455, 5.2. */
const TEXT = 0x1
const CLOSE = 0x8
const PONG = 0xa
/** Number of waiting requests at which the connection is no longer read. */
const MAX_WAITING = 64
/** Bytes that a waiting request takes besides its frame. */
const REQUEST_OVERHEAD = 200
/** Bytes up to which a text frame over the limits is refused. A larger one waits, because a refusal parses the frame for its `ref`. */
const MAX_REFUSED_SIZE = 8192
/** A connection is closed (4502) when control frames, fragments or unauthenticated frames had to wait in this many consecutive ticks. */
const MAX_FLOODS = 5

/** The incoming frames of one connection: it decides which are read, refused or dropped, and when [P53]. */
export class Inbox {
  readonly #session: Session
  /** The limits of this connection; null: nothing is limited. */
  readonly #allowance: Allowance | null
  readonly #deps: SessionDeps
  readonly #requests: RequestQueue
  /** Bytes of the budget that this inbox uses, for waiting requests and for admitted frames that are still arriving. */
  #bytes = 0
  #paused = false
  /** Bytes of the budget that the waiting frame needs, or 0 if no frame waits for room. */
  #awaitsRoom = 0
  /** True if a frame that is too large without authentication waits for the reply to the request before it. */
  #awaitsUser = false
  /** Number of consecutive ticks with a flood (see `MAX_FLOODS`), and whether a flood occurred since the last tick. */
  #floods = 0
  #hasFlooded = false

  constructor (session: Session, allowance: Allowance | null, deps: SessionDeps) {
    this.#session = session
    this.#allowance = allowance
    this.#deps = deps
    this.#requests = new RequestQueue(session, allowance, deps)
  }

  /** Data frames that may be judged before they are passed on. 0 without a user: each may be an `authenticate` that changes the limits. */
  get room (): number {
    return this.#paused || this.#session.user === null ? 0 : MAX_WAITING - this.#requests.length
  }

  /** True while the server has reasons of its own not to read the connection. It does not see the client's pongs then. */
  get isHeldUp (): boolean {
    return this.#requests.length >= MAX_WAITING || this.#isWaitingForRoom() || this.#allowance?.isWaiting === true
  }

  get isPaused (): boolean { return this.#paused }

  /** Number of requests that have not started. */
  get waiting (): number { return this.#requests.length }

  /** Judges a frame before anything else is done with it [P53]. Reading is paused before it returns `WAIT`. */
  admit (head: FrameHead): Verdict {
    // A close frame is the last frame of a connection, so it is never limited.
    if (head.opcode === CLOSE) return PASS
    const verdict = this.#judge(head)
    if (verdict === WAIT) this.#regulate()
    else if (verdict !== DROP && head.opcode < CLOSE) this.#hold(costOfFrame(head))
    return verdict
  }

  /** Counts bytes after the last frame, which nobody reads. Beyond the limits, it pauses reading. */
  admitRest (bytes: number): void {
    const allowance = this.#allowance
    if (allowance === null || allowance.takeReserved() || allowance.takeFrame(bytes) === 0) return
    allowance.reserveFrame(bytes)
    this.#regulate()
  }

  /** Takes a data frame. `refusedFor`: 0, or the milliseconds that `admit` returned. */
  receive (frame: Buffer, refusedFor: number): void {
    this.#requests.add(frame, refusedFor)
    this.#regulate()
  }

  /** Frees the budget of a frame whose request no longer waits. */
  release (frame: Buffer): void { this.#hold(-frame.length - REQUEST_OVERHEAD) }

  /** Starts the requests that may start, and pauses or resumes reading. */
  proceed (): void {
    this.#requests.start()
    this.#regulate()
  }

  tick (): void {
    if (this.#allowance !== null) this.#allowance.refusals = 0
    if (this.#hasFlooded) this.#floods++
    else if (!this.isHeldUp) this.#floods = 0
    this.#hasFlooded = false
    if (this.#floods >= MAX_FLOODS) this.#session.close('too_many_frames')
    else if (this.#paused) this.#regulate()
  }

  /** Takes no further requests. Started requests are still answered. */
  suspend (): void {
    this.#paused = this.#requests.isSuspended = true
    this.#session.transport.pause()
  }

  /** Drops the waiting requests of a closing connection. Reading goes on, because the client's close frame must still be read. */
  close (): void {
    this.#clear()
    this.#requests.isSuspended = false
    this.#regulate()
  }

  /** Frees everything that a connection holds once it has ended. */
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

  /** Pauses reading while too many requests wait, the client does not take its frames, or the limits or the budget do not allow more. */
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

  /** Without a user, only `authenticate` is not answered at once. So a queue that is not idle then has one under way. */
  #isWaitingForUser (): boolean {
    return this.#awaitsUser && this.#session.state.phase === 'open' && !this.#requests.isIdle
  }

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

/** Bytes of the budget that a frame takes. Those of all frames of a message add up to what `release` frees. */
function costOfFrame ({ isFinal, length }: FrameHead): number {
  return isFinal ? length + REQUEST_OVERHEAD : length
}
