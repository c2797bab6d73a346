import { AppError, closeTable, type CloseName } from '../errors.ts'
import type { Ref } from '../schemas/protocol.ts'
import type { Role } from '../schemas/common.ts'
import type { Actor } from '../store/users.ts'
import type { LocalChannel } from './channel.ts'
import { decode, encode, encodeError, toWireError, type Envelope } from './codec.ts'
import { kindOf, type Allowance } from './limits.ts'
import { Outbox, type OutboxDeps } from './outbox.ts'
import type { Reply } from './reply.ts'
import type { Received, Traffic } from './traffic.ts'
import type { Transport } from './transport.ts'

/** `disconnects`: how often an admin had closed the user's connections when this one was authenticated. */
export interface SessionUser { id: string, name: string, email: string | null, role: Role, guest: boolean, disconnects: number }

/** Times are the clock's, in milliseconds; `expiresAt` is Unix time, by the wall clock [P14]. */
export type SessionState =
  | { phase: 'open', deadline: number }
  | { phase: 'authenticated', user: SessionUser, sid: string | null, expiresAt: number }
  /** `reason` is undefined where the close was not ours. */
  | { phase: 'closing', user: SessionUser | null, cutAt: number, reason: CloseName | undefined }

/** What all sessions share. */
export interface SessionDeps extends OutboxDeps {
  traffic: Traffic
  limits: SessionLimits
  /** Answers one request, now or later, exactly once. A throw or rejection is answered as an error. */
  handle (session: Session, request: Envelope): Promise<Reply> | Reply
  /** Queues a `send_message`; `done` gets its finished reply, maybe at once. */
  handleSend (session: Session, request: Envelope, done: (reply: Buffer) => void): void
  /** Asks for `flush` at the end of this turn of the event loop. */
  scheduleFlush (session: Session): void
  onFault (error: unknown, where: FaultPlace): void
}

/** Whose fault it is, for the log. */
export interface FaultPlace { connection: string, type?: Received }

/** Milliseconds and bytes. */
export interface SessionLimits {
  authenticationTimeout: number
  connectionTimeout: number
  heartbeatInterval: number
  pongTimeout: number
  maxBuffered: number
}

/** After its token's expiry a connection has this long to bring a fresh one [P14]. */
const TOKEN_GRACE_MS = 30_000
/** A slow consumer, or a peer that answers no ping, is cut off after this; any other has longer to answer the close frame. */
const CUT_DEAF_MS = 1000
const CUT_MS = 5000
/** Requests that wait for their turn, and sends without an answer, at which a connection is not read any further. */
const MAX_WAITING = 64
const MAX_PIPELINED = 128
/** Frames over the limits that are answered between two ticks of the clock, before the connection is not read until the next one. */
const MAX_REFUSED = 128
/** This many unreadable frames within this time end a connection (4501). */
const MAX_VIOLATIONS = 10
const VIOLATION_WINDOW_MS = 60_000

/** One request's place in the order of replies. */
interface Slot { type: Received, reply: Buffer | null, after: (() => void) | undefined }

/** One connection: its state, its serial queue of requests [P7], its bounded outbound queue. */
export class Session {
  readonly id: string
  state: SessionState
  /** Channels this connection is subscribed to, by name. */
  readonly subscriptions = new Map<string, LocalChannel>()
  /** On the clock of `performance.now()`, in whole milliseconds. */
  readonly openedAt = Math.round(performance.now())
  framesReceived = 0
  framesSent = 0
  readonly transport: Transport
  /** What this connection may ask for; null: anything. */
  readonly #allowance: Allowance | null
  readonly #deps: SessionDeps
  /** Requests not started, and started ones in order of arrival. */
  #inbox: Array<Envelope | AppError> = []
  #slots: Slot[] = []
  #pumping = false
  /** Only sends run side by side: any other request runs alone. */
  #onlySends = true
  #paused = false
  #suspended = false
  readonly #outbox: Outbox
  #lastFrameAt: number
  #nextPingAt: number
  #violations: number[] | null = null
  /** Frames over the limits since the last tick. */
  #refused = 0

  constructor (id: string, transport: Transport, allowance: Allowance | null, deps: SessionDeps) {
    this.id = id
    this.transport = transport
    this.#allowance = allowance
    this.#deps = deps
    this.#outbox = new Outbox(transport, deps, this)
    const now = deps.now()
    this.state = { phase: 'open', deadline: now + deps.limits.authenticationTimeout }
    this.#lastFrameAt = now
    this.#nextPingAt = now + deps.limits.heartbeatInterval
  }

  get user (): SessionUser | null { return this.state.phase === 'open' ? null : this.state.user }
  get userId (): string | undefined { return this.user?.id }
  /** Who asks, by which login. @throws AppError `not_authenticated`. */
  get actor (): Actor {
    if (this.state.phase !== 'authenticated') throw new AppError('not_authenticated')
    return { userId: this.state.user.id, sid: this.state.sid }
  }

  get closing (): boolean { return this.state.phase === 'closing' }

  /**
   * `expiresAt`: when the access token expires, in Unix milliseconds; Infinity for a guest.
   * @throws AppError `rate_limited` where the user has as many connections as he may.
   */
  authenticated (user: SessionUser, sid: string | null, expiresAt: number): void {
    this.#allowance?.identify(user.id)
    this.state = { phase: 'authenticated', user, sid, expiresAt }
  }

  /** A data frame arrived. */
  receive (frame: Buffer): void {
    if (this.closing) return
    this.#lastFrameAt = this.#deps.now()
    const request = read(frame)
    this.framesReceived++
    this.#deps.traffic.received[request instanceof AppError ? 'invalid' : request.kind]++
    this.#inbox.push(request)
    this.#proceed()
  }

  /** `number`: of the ping that it answers; undefined where the pong does not say. */
  pong (number?: number): void { this.#outbox.pong(number) }

  /** Queues `count` finished frames; they leave at the end of this turn of the event loop, together. */
  send (frames: Buffer, count: number): void {
    if (this.closing) return
    this.framesSent += count
    if (this.#outbox.push(frames)) this.#deps.scheduleFlush(this)
  }

  /** Sends frames that answer nothing and are in no channel's sequence. */
  notify (frames: Buffer, count: number): void {
    if (!this.closing) this.#deps.traffic.sent.notice += count
    this.send(frames, count)
  }

  flush (): void {
    this.#outbox.flush()
    // What these bytes have held up goes on; or reading is held up by those that the socket did not take.
    if (this.#paused || this.transport.buffered > 0) this.#proceed()
  }

  /** The socket has taken what waited, or a part of it. */
  drained (): void { this.#proceed() }

  /** What is kept for the socket, and since when it has taken nothing; null while it keeps up. */
  get backlog (): Outbox['backlog'] { return this.#outbox.backlog }

  close (name: CloseName, detail = ''): void {
    if (this.closing) return
    // A slow consumer finds what it misses by seq when it is back.
    if (name === 'slow_consumer') this.#outbox.clear()
    else this.#outbox.finish()
    const { code, reason } = closeTable[name]
    const isDeaf = name === 'slow_consumer' || name === 'no_pong'
    const cutAt = this.#deps.now() + (isDeaf ? CUT_DEAF_MS : CUT_MS)
    this.state = { phase: 'closing', user: this.user, cutAt, reason: name }
    this.#inbox = []
    this.transport.close(code, reason + detail)
    // The peer's own close frame must still be read.
    if (this.#paused) this.transport.resume()
  }

  /** Takes no further request: what was started is still answered. */
  suspend (): void {
    this.#paused = this.#suspended = true
    this.transport.pause()
  }

  /** No further patience with a peer that answers no close frame. */
  cut (): void { this.transport.terminate() }

  /** The transport is gone. */
  ended (): void {
    this.state = { phase: 'closing', user: this.user, cutAt: 0, reason: undefined }
    this.#inbox = []
    this.#outbox.clear()
    this.#allowance?.release()
  }

  /** The clock's tick: every deadline a connection has. */
  tick (now: number): void {
    const { state } = this
    const { limits } = this.#deps
    const wasHeld = this.#refused >= MAX_REFUSED
    this.#refused = 0
    if (state.phase === 'closing') {
      if (now >= state.cutAt) this.transport.terminate()
    } else if (state.phase === 'open' && now >= state.deadline) {
      this.close('authentication_timeout')
    } else if (state.phase === 'authenticated' && Date.now() >= state.expiresAt + TOKEN_GRACE_MS) {
      // The clock of deadlines stands still with the process, as on a machine that was suspended; a token's time goes on.
      this.close('token_expired')
    } else if (now - this.#lastFrameAt >= limits.connectionTimeout) {
      this.close('connection_timeout')
    } else if (this.#outbox.isSlow()) {
      this.close('slow_consumer')
    } else if (this.#outbox.awaitsPong) {
      // While its requests wait for us, its pong is not read.
      if (wasHeld || this.#inbox.length >= MAX_WAITING) this.#outbox.readOn()
      else if (this.#outbox.isSilent()) this.close('no_pong')
    } else if (now >= this.#nextPingAt) {
      this.#nextPingAt = now + limits.heartbeatInterval
      this.#outbox.ping()
    }
    if (wasHeld) this.#proceed()
  }

  /** Starts what may start: sends side by side, anything else when all before it has its answer [P7]. */
  #pump (): void {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#inbox.length > 0 && !this.closing && !this.#suspended && !this.#isHeld()) {
      const next = this.#inbox[0]!
      const isSend = !(next instanceof AppError) && next.kind === 'send_message'
      if (this.#slots.length > 0 && !(isSend && this.#onlySends && this.#slots.length < MAX_PIPELINED)) break
      this.#inbox.shift()
      this.#onlySends = isSend
      this.#start(next, isSend)
    }
    this.#pumping = false
  }

  #start (request: Envelope | AppError, isSend: boolean): void {
    const slot: Slot = { type: request instanceof AppError ? 'invalid' : request.kind, reply: null, after: undefined }
    this.#slots.push(slot)
    if (request instanceof AppError) return this.#refuse(slot, undefined, request)
    const wait = this.#allowance?.take(kindOf(request), request.size) ?? 0
    if (wait > 0) {
      this.#refused++
      return this.#refuse(slot, request.ref, new AppError('rate_limited', { retryAfterMs: wait }))
    }
    const refuse = (error: unknown): void => this.#refuse(slot, request.ref, error)
    try {
      if (isSend) return this.#deps.handleSend(this, request, reply => this.#settle(slot, reply))
      const reply = this.#deps.handle(this, request)
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
    if (shown.code === 'invalid_json' || shown.code === 'invalid_frame') slot.after = () => this.#countViolation()
    this.#settle(slot, encodeError(shown, ref))
  }

  /** Replies leave in the order of their requests. */
  #settle (slot: Slot, reply: Buffer): void {
    slot.reply = reply
    while (this.#slots.length > 0 && this.#slots[0]!.reply) {
      const slot = this.#slots.shift()!
      this.send(slot.reply!, 1)
      try {
        slot.after?.()
      } catch (error) {
        // The reply is out; those that follow are owed theirs.
        this.#report(error, slot)
      }
    }
    this.#proceed()
  }

  #report (error: unknown, { type }: Slot): void {
    this.#deps.onFault(error, { connection: this.id, type })
  }

  #proceed (): void {
    this.#pump()
    this.#regulate()
  }

  #countViolation (): void {
    const now = this.#deps.now()
    this.#violations = [...(this.#violations ?? []).filter(at => now - at < VIOLATION_WINDOW_MS), now]
    if (this.#violations.length >= MAX_VIOLATIONS) this.close('protocol_violation')
  }

  /** Reads on only while this connection keeps up with what it asks and what it is sent. */
  #regulate (): void {
    const busy = this.#inbox.length >= MAX_WAITING || this.#isHeld()
    if (busy === this.#paused || this.closing || this.#suspended) return
    this.#paused = busy
    if (busy) this.transport.pause()
    else this.transport.resume()
  }

  /** Half of what may wait does: first that has to go. Or it asks and asks though it is refused: that has to wait for the clock. */
  #isHeld (): boolean {
    return this.#outbox.waiting > this.#deps.limits.maxBuffered / 2 || this.#refused >= MAX_REFUSED
  }
}

function read (frame: Buffer): Envelope | AppError {
  try {
    return decode(frame)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}
