import { AppError, closeTable, type CloseName } from '../errors.ts'
import type { Role } from '../schemas/common.ts'
import type { Actor } from '../store/users.ts'
import type { LocalChannel } from './channel.ts'
import type { Envelope } from '../requests/envelope.ts'
import type { InboxBudget } from './inbox-budget.ts'
import { Inbox } from './inbox.ts'
import type { Allowance, RequestCost } from './limits.ts'
import { Outbox, type OutboxDeps } from './outbox.ts'
import type { Reply } from './reply.ts'
import type { Received, Traffic } from './traffic.ts'
import type { Transport } from './transport.ts'
import type { Turns } from './turns.ts'

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
  /** What the inboxes of all of them may hold. */
  inboxes: InboxBudget
  largeFrames: Turns
  requests: SessionRequests
  /** Asks for `flush` at the end of this turn of the event loop. */
  scheduleFlush (session: Session): void
  onFault (error: unknown, where: FaultPlace): void
}

/** How requests are read and answered. */
export interface SessionRequests {
  /** Parses a frame, but for its fields. @throws AppError */
  read (frame: Buffer): Envelope
  /** The limit that binds the request besides those of all frames [P35]. */
  costOf (request: Envelope): RequestCost | undefined
  /** Answers one request, now or later, exactly once. A throw or rejection is answered as an error. */
  handle (session: Session, request: Envelope): Promise<Reply> | Reply
  /** Queues a `send_message`; `done` gets its finished reply, maybe at once. */
  handleSend (session: Session, request: Envelope, done: (reply: Buffer) => void): void
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

/** One connection: its state and its deadlines. Its inbox has what comes in, its outbox what goes out. */
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
  readonly #outbox: Outbox
  #lastFrameAt: number
  #nextPingAt: number
  #violations: number[] | null = null

  constructor (id: string, transport: Transport, allowance: Allowance | null, deps: SessionDeps) {
    this.id = id
    this.transport = transport
    this.#allowance = allowance
    this.#deps = deps
    this.inbox = new Inbox(this, allowance, deps)
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

  /** A data frame arrived. `refusedFor`: 0, or milliseconds after which it may pass [P35]. */
  receive (frame: Buffer, refusedFor = 0): void {
    if (this.closing) return
    this.#lastFrameAt = this.#deps.now()
    this.framesReceived++
    this.inbox.receive(frame, refusedFor)
  }

  /** A pong is coming in: whether it is one of those that the peer owes us [P53]. */
  takePong (): boolean { return this.#outbox.takePong() }

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
    if (this.inbox.isPaused || this.transport.buffered > 0) this.inbox.proceed()
  }

  /** The socket has taken what waited, or a part of it. */
  drained (): void { this.inbox.proceed() }

  /** What is kept for the socket, and since when it has taken nothing; null while it keeps up. */
  get backlog (): Outbox['backlog'] { return this.#outbox.backlog }

  /** Whether so much waits to be sent that no request is read or started: half of `maxBuffered`. */
  get isBackedUp (): boolean { return this.#outbox.waiting > this.#deps.limits.maxBuffered / 2 }

  close (name: CloseName, detail = ''): void {
    if (this.closing) return
    // A slow consumer finds what it misses by seq when it is back.
    if (name === 'slow_consumer') this.#outbox.clear()
    else this.#outbox.finish()
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
    this.#outbox.clear()
  }

  /** The clock's tick: every deadline a connection has. */
  tick (now: number): void {
    const { state } = this
    const { limits } = this.#deps
    const wasHeldUp = this.inbox.isHeldUp
    this.inbox.tick()
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
      if (wasHeldUp || this.inbox.isHeldUp) this.#outbox.readOn()
      else if (this.#outbox.isSilent()) this.close('no_pong')
    } else if (now >= this.#nextPingAt) {
      this.#nextPingAt = now + limits.heartbeatInterval
      this.#outbox.ping()
    }
  }

  /** A reply said that a frame was unreadable. */
  countViolation (): void {
    const now = this.#deps.now()
    this.#violations = [...(this.#violations ?? []).filter(at => now - at < VIOLATION_WINDOW_MS), now]
    if (this.#violations.length >= MAX_VIOLATIONS) this.close('protocol_violation')
  }
}
