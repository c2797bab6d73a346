import { AppError } from '../errors.ts'
import type { Ref } from '../schemas/protocol.ts'
import type { Envelope } from '../requests/envelope.ts'
import { encode } from './frames.ts'
import type { Allowance } from './limits.ts'
import { encodeError, toWireError, type Reply } from './reply.ts'
import type { Session, SessionDeps } from './session.ts'
import type { Received } from './traffic.ts'

/** Number of unanswered `send_message` requests at which no further request is started. */
const MAX_PIPELINED = 128
/** Bytes beyond which a frame is parsed only when `Turns` gives this connection its turn. */
const LARGE_FRAME = 4096

/**
 * A frame whose request has not started. `refusedFor`: 0, or milliseconds after which the frame may pass [P35]. `since`: when it began to
 * wait, in whole milliseconds of `performance.now()`, because a fraction would take memory for each frame; 0 if it starts at once.
 */
interface Waiting { frame: Buffer, refusedFor: number, since: number }

/** The place of a started request in the order of replies. */
interface Slot { type: Received, reply: Buffer | null, after: (() => void) | undefined }

/**
 * The serial queue of one connection's requests [P7]. A waiting request is kept as bytes and parsed when it can start, because it takes up
 * to 27 times as much memory when parsed [P53].
 */
export class RequestQueue {
  readonly #session: Session
  readonly #allowance: Allowance | null
  readonly #deps: SessionDeps
  /** Requests that have not started. */
  #waiting: Waiting[] = []
  /** True if the first waiting request must run alone and others still run. It is parsed again later, so that only its bytes are kept. */
  #nextRunsAlone = false
  /** Whether the first waiting request, which is large, waits for a turn to be parsed, and whether it has that turn. */
  #awaitsTurn = false
  #hasTurn = false
  /** Started requests whose replies have not been sent, in order of arrival. */
  #slots: Slot[] = []
  #isStarting = false
  /** True if all running requests may run side by side. Any other request runs alone. */
  #onlyParallel = true
  isSuspended = false

  constructor (session: Session, allowance: Allowance | null, deps: SessionDeps) {
    this.#session = session
    this.#allowance = allowance
    this.#deps = deps
  }

  /** Number of requests that have not started. */
  get length (): number { return this.#waiting.length }

  /** True if every request has its reply. */
  get isIdle (): boolean { return this.#waiting.length + this.#slots.length === 0 }

  /** `refusedFor`: 0, or milliseconds after which the frame may pass [P35]. */
  add (frame: Buffer, refusedFor: number): void {
    const waiting = { frame, refusedFor, since: 0 }
    this.#waiting.push(waiting)
    this.start()
    if (this.#waiting.at(-1) !== waiting) return
    waiting.since = Math.floor(performance.now())
    // The frame is a view of the segment in which it arrived and would keep the whole segment in memory.
    if (frame.length < frame.buffer.byteLength) waiting.frame = Buffer.from(frame)
  }

  clear (): void { this.#waiting = [] }

  /** Lets the first waiting request be parsed now, however large it is. */
  takeTurn (): void {
    this.#awaitsTurn = false
    this.#hasTurn = true
    this.#session.inbox.proceed()
    this.#hasTurn = false
  }

  /** Starts waiting requests. Sends and refusals run side by side; any other request starts when all before it have their replies [P7]. */
  start (): void {
    if (this.#isStarting) return
    this.#isStarting = true
    while (this.#waiting.length > 0 && !this.#session.closing && !this.isSuspended && !this.#session.isBackedUp) {
      const runsOthers = this.#slots.length > 0
      if (runsOthers && (this.#nextRunsAlone || !this.#onlyParallel || this.#slots.length >= MAX_PIPELINED)) break
      const { frame, refusedFor, since } = this.#waiting[0]!
      if (frame.length > LARGE_FRAME && !this.#hasTurn) {
        this.#askForTurn()
        break
      }
      this.#hasTurn = false
      const request = this.#read(frame, since)
      const isParallel = refusedFor > 0 || isSend(request)
      this.#nextRunsAlone = runsOthers && !isParallel
      if (this.#nextRunsAlone) break
      this.#waiting.shift()
      this.#session.inbox.release(frame)
      this.#onlyParallel = isParallel
      this.#run(request, refusedFor)
    }
    this.#isStarting = false
  }

  #read (frame: Buffer, since: number): Envelope | AppError {
    try {
      return this.#deps.requests.read(frame, since)
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
  }

  #askForTurn (): void {
    if (this.#awaitsTurn) return
    this.#awaitsTurn = true
    this.#deps.largeFrames.await(this)
  }

  #run (request: Envelope | AppError, refusedFor: number): void {
    const type = request instanceof AppError ? 'invalid' : request.kind
    this.#deps.traffic.received[type]++
    const slot: Slot = { type, reply: null, after: undefined }
    this.#slots.push(slot)
    if (request instanceof AppError) return this.#refuse(slot, undefined, request)
    const wait = refusedFor > 0 ? refusedFor : this.#allowance?.takeRequest(this.#deps.requests.costOf(request)) ?? 0
    if (wait > 0) return this.#refuse(slot, request.ref, new AppError('rate_limited', { retryAfterMs: wait }))
    const refuse = (error: unknown): void => this.#refuse(slot, request.ref, error)
    try {
      if (isSend(request)) return this.#deps.requests.handleSend(this.#session, request, reply => this.#settle(slot, reply))
      const reply = this.#deps.requests.handle(this.#session, request)
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
    // Count the violation when the reply leaves, because the close must not overtake the replies before it.
    if (shown.code === 'invalid_json' || shown.code === 'invalid_frame') slot.after = () => this.#session.countViolation()
    this.#settle(slot, encodeError(shown, ref))
  }

  /** Sends finished replies in the order of their requests. */
  #settle (slot: Slot, reply: Buffer): void {
    slot.reply = reply
    while (this.#slots.length > 0 && this.#slots[0]!.reply) {
      const slot = this.#slots.shift()!
      this.#session.send(slot.reply!, 1)
      try {
        slot.after?.()
      } catch (error) {
        // The reply was sent, and the replies behind it must still be sent.
        this.#report(error, slot)
      }
    }
    this.#session.inbox.proceed()
  }

  #report (error: unknown, { type }: Slot): void {
    this.#deps.onFault(error, { connection: this.#session.id, type })
  }
}

function isSend (request: Envelope | AppError): boolean {
  return !(request instanceof AppError) && request.kind === 'send_message'
}
