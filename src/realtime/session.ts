import { closeTable, type CloseName } from '../errors.ts'
import type { Role } from '../schemas/common.ts'
import type { LocalChannel } from './channel.ts'
import type { Envelope } from './codec.ts'
import type { InboxBudget } from './inbox-budget.ts'
import { Inbox } from './inbox.ts'
import type { Allowance } from './limits.ts'
import type { Reply } from './reply.ts'
import type { Received, Traffic } from './traffic.ts'
import type { Transport } from './transport.ts'
import type { Turns } from './turns.ts'

export interface SessionUser { id: string, name: string, email: string | null, role: Role, guest: boolean }

/** Times are the clock's, in milliseconds. */
export type SessionState =
  | { phase: 'open', deadline: number }
  | { phase: 'authenticated', user: SessionUser, sid: string | null, deadline: number }
  /** `reason` is undefined where the close was not ours. */
  | { phase: 'closing', user: SessionUser | null, cutAt: number, reason: CloseName | undefined }

/** What all sessions share. */
export interface SessionDeps {
  traffic: Traffic
  now (): number
  limits: SessionLimits
  /** What the inboxes of all of them may hold. */
  inboxes: InboxBudget
  largeFrames: Turns
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
  /** The largest message of a client, and of one that is not authenticated. */
  maxPayload: number
  unauthenticatedFrame: number
}

/** After its token's expiry a connection has this long to bring a fresh one [P14]. */
const TOKEN_GRACE_MS = 30_000
/** A slow consumer, or a peer that answers no ping, is cut off after this; any other has longer to answer the close frame. */
const CUT_DEAF_MS = 1000
const CUT_MS = 5000
/** This many unreadable frames within this time end a connection (4501). */
const MAX_VIOLATIONS = 10
const VIOLATION_WINDOW_MS = 60_000

/** One connection: its state, its inbox, its bounded outbound queue. */
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
  readonly inbox: Inbox
  /** What this connection may ask for; null: anything. */
  readonly #allowance: Allowance | null
  readonly #deps: SessionDeps
  /** What leaves with the next flush: mostly one buffer, a channel's. */
  #next: Buffer | null = null
  #more: Buffer[] | null = null
  #outBytes = 0
  #lastFrameAt: number
  #nextPingAt: number
  /** When the ping without an answer was sent, or 0. */
  #pingedAt = 0
  #violations: number[] | null = null

  constructor (id: string, transport: Transport, allowance: Allowance | null, deps: SessionDeps) {
    this.id = id
    this.transport = transport
    this.#allowance = allowance
    this.#deps = deps
    this.inbox = new Inbox(this, allowance, deps)
    const now = deps.now()
    this.state = { phase: 'open', deadline: now + deps.limits.authenticationTimeout }
    this.#lastFrameAt = now
    this.#nextPingAt = now + deps.limits.heartbeatInterval
  }

  get user (): SessionUser | null { return this.state.phase === 'open' ? null : this.state.user }
  get userId (): string | undefined { return this.user?.id }
  get closing (): boolean { return this.state.phase === 'closing' }

  /**
   * `expiresIn`: milliseconds until the access token expires; Infinity for a guest.
   * @throws AppError `rate_limited` where the user has as many connections as he may.
   */
  authenticated (user: SessionUser, sid: string | null, expiresIn: number): void {
    this.#allowance?.identify(user.id)
    this.state = { phase: 'authenticated', user, sid, deadline: this.#deps.now() + expiresIn + TOKEN_GRACE_MS }
  }

  /** A data frame arrived. `refusedFor`: 0, or milliseconds after which it may pass [P35]. */
  receive (frame: Buffer, refusedFor = 0): void {
    if (this.closing) return
    this.#lastFrameAt = this.#deps.now()
    this.framesReceived++
    this.inbox.receive(frame, refusedFor)
  }

  pong (): void { this.#pingedAt = 0 }

  /** Queues `count` finished frames; they leave at the end of this turn of the event loop, together. */
  send (frames: Buffer, count: number): void {
    if (this.closing) return
    this.framesSent += count
    if (this.#next === null) {
      this.#next = frames
      this.#deps.scheduleFlush(this)
    } else {
      (this.#more ??= []).push(frames)
    }
    this.#outBytes += frames.length
    // What waits in the socket is added by the flush: not to look at it here makes the walk over a channel's subscribers cheap.
    if (this.#outBytes > this.#deps.limits.maxBuffered) this.close('slow_consumer')
  }

  /** Sends frames that answer nothing and are in no channel's sequence. */
  notify (frames: Buffer, count: number): void {
    if (!this.closing) this.#deps.traffic.sent.notice += count
    this.send(frames, count)
  }

  flush (): void {
    if (this.#next === null) return
    if (this.#waitingBytes() > this.#deps.limits.maxBuffered) return this.close('slow_consumer')
    const frames = this.#more === null ? this.#next : Buffer.concat([this.#next, ...this.#more], this.#outBytes)
    this.#forgetOut()
    this.transport.write(frames)
    // What these bytes have held up goes on; or reading is held up by those that the socket did not take.
    if (this.inbox.isPaused || this.transport.buffered > 0) this.inbox.proceed()
  }

  /** The transport's buffer is empty again. */
  drained (): void { this.inbox.proceed() }

  close (name: CloseName, detail = ''): void {
    if (this.closing) return
    // A slow consumer finds what it misses by seq when it is back.
    if (name === 'slow_consumer') this.#forgetOut()
    else this.flush()
    // By the flush, as a slow consumer.
    if (this.closing) return
    const { code, reason } = closeTable[name]
    const isDeaf = name === 'slow_consumer' || name === 'no_pong'
    const cutAt = this.#deps.now() + (isDeaf ? CUT_DEAF_MS : CUT_MS)
    this.state = { phase: 'closing', user: this.user, cutAt, reason: name }
    this.transport.close(code, reason + detail)
    this.inbox.close()
  }

  /** Takes no further request: what was started is still answered. */
  suspend (): void { this.inbox.suspend() }

  /** No further patience with a peer that answers no close frame. */
  cut (): void { this.transport.terminate() }

  /** The transport is gone. */
  ended (): void {
    this.state = { phase: 'closing', user: this.user, cutAt: 0, reason: undefined }
    this.inbox.end()
    this.#forgetOut()
  }

  /** The clock's tick: every deadline a connection has. */
  tick (now: number): void {
    const { state } = this
    const { limits } = this.#deps
    const wasHeldUp = this.inbox.isHeldUp
    this.inbox.tick()
    if (state.phase === 'closing') {
      if (now >= state.cutAt) this.transport.terminate()
    } else if (now >= state.deadline) {
      this.close(state.phase === 'open' ? 'authentication_timeout' : 'token_expired')
    } else if (now - this.#lastFrameAt >= limits.connectionTimeout) {
      this.close('connection_timeout')
    } else if (this.#pingedAt !== 0) {
      // While its requests wait for us, its pong is not read.
      if (wasHeldUp || this.inbox.isHeldUp) this.#pingedAt = now
      else if (now - this.#pingedAt >= limits.pongTimeout) this.close('no_pong')
    } else if (now >= this.#nextPingAt) {
      this.#nextPingAt = now + limits.heartbeatInterval
      this.#pingedAt = now
      this.inbox.pinged()
      this.transport.ping()
    }
  }

  /** A reply said that a frame was unreadable. */
  countViolation (): void {
    const now = this.#deps.now()
    this.#violations = [...(this.#violations ?? []).filter(at => now - at < VIOLATION_WINDOW_MS), now]
    if (this.#violations.length >= MAX_VIOLATIONS) this.close('protocol_violation')
  }

  #forgetOut (): void {
    this.#next = null
    this.#more = null
    this.#outBytes = 0
  }

  /** Whether so much waits to be sent that no request is read or started: half of what may wait. */
  get isBackedUp (): boolean { return this.#waitingBytes() > this.#deps.limits.maxBuffered / 2 }

  #waitingBytes (): number { return this.#outBytes + this.transport.buffered }
}
