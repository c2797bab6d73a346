import { AppError } from '../errors.ts'
import type { Ref } from '../schemas/protocol.ts'
import { decode, encode, encodeError, toWireError, type Envelope } from './codec.ts'
import { DROP, PASS, WAIT, type FrameHead, type Verdict } from './frame-reader.ts'
import { costOf, type Allowance } from './limits.ts'
import type { Reply } from './reply.ts'
import type { Session, SessionDeps } from './session.ts'
import type { Received } from './traffic.ts'

/** Opcodes of RFC 6455, 5.2. */
const TEXT = 0x1
const CLOSE = 0x8
const PONG = 0xa
/** Requests that wait for their turn, and sends without an answer, at which a connection is not read any further. */
const MAX_WAITING = 64
const MAX_PIPELINED = 128
/** Bytes that a waiting request takes besides those of its frame. */
const REQUEST_OVERHEAD = 200
/** A text frame over the limits is refused up to this size, in bytes: its `ref` has to be parsed for it. A larger one waits. */
const MAX_REFUSED_SIZE = 8192
/** A connection is closed (4502) when what may not be refused had to wait in so many ticks of the clock in a row. */
const MAX_FLOODS = 5

/** A frame that waits for its turn. `refusedFor`: 0, or milliseconds after which it may pass [P35]. */
interface Waiting { frame: Buffer, refusedFor: number }

/** One request's place in the order of replies. */
interface Slot { type: Received, reply: Buffer | null, after: (() => void) | undefined }

/**
 * The incoming frames of one connection: which of them are read and when [P53], and the serial queue of requests [P7]. A frame that waits
 * is kept as bytes and parsed when it is its turn, because a parsed one takes up to 27 times as much.
 */
export class Inbox {
  readonly #session: Session
  /** What this connection may ask for; null: anything. */
  readonly #allowance: Allowance | null
  readonly #deps: SessionDeps
  /** Requests not started. */
  #queue: Waiting[] = []
  /** What this inbox holds of the budget: for the queue, and for frames that have been admitted and are still coming in. */
  #bytes = 0
  /** The first of the queue has been parsed and waits until nothing else runs. It is parsed again then, so that only bytes are kept. */
  #nextRunsAlone = false
  /** Requests that were started, in order of arrival. */
  #slots: Slot[] = []
  #pumping = false
  /** Whether all requests under way may run side by side: any other request runs alone. */
  #onlyParallel = true
  #paused = false
  #suspended = false
  /** Bytes of the frame that waits for room in the budget, or 0. */
  #awaitsRoom = 0
  /** A frame that is too large without authentication waits for the reply to the one before it. */
  #awaitsUser = false
  /** Pings of ours whose pongs count against no limit. */
  #pingsSent = 0
  /** Ticks in a row with a flood, and whether there was one since the last tick. */
  #floods = 0
  #hasFlooded = false

  constructor (session: Session, allowance: Allowance | null, deps: SessionDeps) {
    this.#session = session
    this.#allowance = allowance
    this.#deps = deps
  }

  /** Data frames that may come before `admit` has to know of them. Without a user, each may be the one that brings the user. */
  get room (): number {
    return this.#paused || this.#session.user === null ? 0 : MAX_WAITING - this.#queue.length
  }

  /** Whether it is for reasons of ours that the connection is not read, and with it no pong. */
  get isHeldUp (): boolean {
    return this.#queue.length >= MAX_WAITING || this.#isWaitingForRoom() || this.#allowance?.isWaiting === true
  }

  get isPaused (): boolean { return this.#paused }

  /** A ping of ours goes out. */
  pinged (): void { this.#pingsSent++ }

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
    const waiting = { frame, refusedFor }
    this.#queue.push(waiting)
    this.proceed()
    // The frame is a view of the segment that it came in, and would keep all of that.
    if (this.#queue.at(-1) === waiting && frame.length < frame.buffer.byteLength) waiting.frame = Buffer.from(frame)
  }

  /** Starts what may start, and reads on if it may. */
  proceed (): void {
    this.#pump()
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
    this.#paused = this.#suspended = true
    this.#session.transport.pause()
  }

  /** The connection is closing: what waits is dropped, and reading goes on, because the peer's own close frame must still be read. */
  close (): void {
    this.#clear()
    this.#suspended = false
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
    if (isData && !session.closing) {
      this.#awaitsRoom = costOfFrame(head)
      if (this.#isWaitingForRoom()) return WAIT
    }
    const verdict = session.closing ? DROP : PASS
    if (opcode === PONG && this.#pingsSent > 0) {
      this.#pingsSent--
      return verdict
    }
    if (allowance === null || allowance.takeReserved()) return verdict
    const wait = allowance.takeFrame(length)
    if (wait === 0) return verdict
    const isText = opcode === TEXT && isFinal
    if (isText && length <= MAX_REFUSED_SIZE && verdict === PASS && allowance.takeRefusal()) return wait
    allowance.reserveFrame(length)
    if (!isText || session.user === null) this.#hasFlooded = true
    return WAIT
  }

  /** Starts what may start: sends and refusals side by side, anything else when all before it has its answer [P7]. */
  #pump (): void {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#queue.length > 0 && !this.#session.closing && !this.#suspended && !this.#session.isBackedUp) {
      const isIdle = this.#slots.length === 0
      if (!isIdle && (this.#nextRunsAlone || !this.#onlyParallel || this.#slots.length >= MAX_PIPELINED)) break
      const { frame, refusedFor } = this.#queue[0]!
      const request = read(frame)
      const isParallel = refusedFor > 0 || isSend(request)
      this.#nextRunsAlone = !isIdle && !isParallel
      if (this.#nextRunsAlone) break
      this.#queue.shift()
      this.#hold(-frame.length - REQUEST_OVERHEAD)
      this.#onlyParallel = isParallel
      this.#start(request, refusedFor)
    }
    this.#pumping = false
  }

  #start (request: Envelope | AppError, refusedFor: number): void {
    const type = request instanceof AppError ? 'invalid' : request.kind
    this.#deps.traffic.received[type]++
    const slot: Slot = { type, reply: null, after: undefined }
    this.#slots.push(slot)
    if (request instanceof AppError) return this.#refuse(slot, undefined, request)
    const wait = refusedFor > 0 ? refusedFor : this.#allowance?.takeRequest(costOf(request)) ?? 0
    if (wait > 0) return this.#refuse(slot, request.ref, new AppError('rate_limited', { retryAfterMs: wait }))
    const refuse = (error: unknown): void => this.#refuse(slot, request.ref, error)
    try {
      if (isSend(request)) return this.#deps.handleSend(this.#session, request, reply => this.#settle(slot, reply))
      const reply = this.#deps.handle(this.#session, request)
      const answer = (value: Reply): void => this.#answer(slot, request.ref, value)
      if (reply instanceof Promise) reply.then(answer, refuse).catch(error => this.#report(error, slot))
      else answer(reply)
    } catch (error) {
      refuse(error)
    }
  }

  #answer (slot: Slot, ref: Ref | undefined, { frame, after }: Reply): void {
    slot.after = after
    this.#deps.traffic.sent[frame.type]++
    this.#settle(slot, encode(ref === undefined ? frame : { ...frame, ref }))
  }

  #refuse (slot: Slot, ref: Ref | undefined, error: unknown): void {
    if (!(error instanceof AppError)) this.#report(error, slot)
    const shown = toWireError(error)
    this.#deps.traffic.errors[shown.code]++
    // Counted as the reply leaves: the close must not overtake the replies before it.
    if (shown.code === 'invalid_json' || shown.code === 'invalid_frame') slot.after = () => this.#session.countViolation()
    this.#settle(slot, encodeError(shown, ref))
  }

  /** Replies leave in the order of their requests. */
  #settle (slot: Slot, reply: Buffer): void {
    slot.reply = reply
    while (this.#slots.length > 0 && this.#slots[0]!.reply) {
      const slot = this.#slots.shift()!
      this.#session.send(slot.reply!, 1)
      try {
        slot.after?.()
      } catch (error) {
        // The reply is out; those that follow are owed theirs.
        this.#report(error, slot)
      }
    }
    this.proceed()
  }

  #report (error: unknown, { type }: Slot): void {
    this.#deps.onFault(error, { connection: this.#session.id, type })
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
    return this.#suspended || this.#queue.length >= MAX_WAITING || this.#session.isBackedUp
  }

  #isWaitingForRoom (): boolean { return this.#awaitsRoom > 0 && !this.#deps.inboxes.hasRoom(this.#bytes, this.#awaitsRoom) }

  /** Any request of a connection without a user is answered at once, but for `authenticate`. */
  #isWaitingForUser (): boolean {
    return this.#awaitsUser && this.#session.state.phase === 'open' && this.#slots.length + this.#queue.length > 0
  }

  /** Holds so many bytes more, or fewer. */
  #hold (bytes: number): void {
    this.#bytes += bytes
    this.#deps.inboxes.add(bytes)
  }

  #clear (): void {
    this.#queue = []
    this.#awaitsRoom = 0
    this.#awaitsUser = false
    this.#hold(-this.#bytes)
  }
}

/** A message's frames cost what it is released for at its turn. */
function costOfFrame ({ isFinal, length }: FrameHead): number {
  return isFinal ? length + REQUEST_OVERHEAD : length
}

function isSend (request: Envelope | AppError): boolean {
  return !(request instanceof AppError) && request.kind === 'send_message'
}

function read (frame: Buffer): Envelope | AppError {
  try {
    return decode(frame)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}
