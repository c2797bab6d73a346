import { AppError, closeTable, type CloseName } from '../errors.ts'
import type { Person } from '../schemas/channel.ts'
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

/** `disconnects`: how often an admin had closed the user's connections before this connection authenticated. */
export interface SessionUser {
  id: string
  name: string
  /** Null for a guest [P65]. */
  handle: string | null
  email: string | null
  role: Role
  guest: boolean
  disconnects: number
}

/** Times are milliseconds of the connections' clock, but `expiresAt` is Unix time by the wall clock [P14]. */
export type SessionState =
  | { phase: 'open', deadline: number }
  | { phase: 'authenticated', user: SessionUser, sid: string | null, expiresAt: number }
  /** `reason` is undefined if the server did not close the connection. */
  | { phase: 'closing', user: SessionUser | null, cutAt: number, reason: CloseName | undefined }

/** Dependencies that all sessions share. */
export interface SessionDeps extends OutboxDeps {
  traffic: Traffic
  limits: SessionLimits
  /** Counts and limits the bytes that all inboxes hold together. */
  inboxes: InboxBudget
  largeFrames: Turns
  requests: SessionRequests
  /** Has the session flushed at the end of this turn of the event loop. */
  scheduleFlush (session: Session): void
  onFault (error: unknown, where: FaultPlace): void
}

/** Reads and answers the requests of sessions. */
export interface SessionRequests {
  /** Parses a frame without checking its fields. `since`: when it began to wait for that, 0 if it did not. @throws AppError */
  read (frame: Buffer, since: number): Envelope
  /** The limit that the request counts towards, besides those of all frames [P35]. */
  costOf (request: Envelope): RequestCost | undefined
  /** Answers a request once, now or later. An error that it throws or rejects with becomes an error reply. */
  handle (session: Session, request: Envelope): Promise<Reply> | Reply
  /** Queues a `send_message`. `done` receives the finished reply, possibly before this call returns. */
  handleSend (session: Session, request: Envelope, done: (reply: Buffer) => void): void
}

/** The connection, and perhaps the kind of request, in which a fault occurred, for the log. */
export interface FaultPlace { connection: string, type?: Received }

/** Limits of a session, in milliseconds and bytes. */
export interface SessionLimits {
  authenticationTimeout: number
  connectionTimeout: number
  heartbeatInterval: number
  pongTimeout: number
  maxBuffered: number
  /** The largest message of an authenticated client, and of a client that is not authenticated. */
  maxPayload: number
  unauthenticatedFrame: number
}

/** Milliseconds that a client has to send a fresh token after its token has expired [P14]. */
export const TOKEN_GRACE_MS = 30_000
/** Milliseconds until a closing connection is cut: for a slow consumer or a client that answers no ping, and for any other. */
const CUT_DEAF_MS = 1000
const CUT_MS = 5000
/** A connection is closed (4501) after this many unreadable frames within this many milliseconds. */
const MAX_VIOLATIONS = 10
const VIOLATION_WINDOW_MS = 60_000

/** One connection with its state and its deadlines. Its inbox handles incoming frames, its outbox outgoing ones. */
export class Session {
  readonly id: string
  state: SessionState
  /** Channels this connection is subscribed to, by name. */
  readonly subscriptions = new Map<string, LocalChannel>()
  /** When the connection was opened: `performance.now()`, in whole milliseconds. */
  readonly openedAt = Math.round(performance.now())
  framesReceived = 0
  framesSent = 0
  readonly transport: Transport
  /** The address or network whose limits bind the connection. */
  readonly subject: string
  readonly inbox: Inbox
  /** The limits of this connection; null: nothing is limited. */
  readonly #allowance: Allowance | null
  readonly #deps: SessionDeps
  readonly #outbox: Outbox
  #lastFrameAt: number
  #nextPingAt: number
  #violations: number[] | null = null

  constructor (id: string, transport: Transport, subject: string, allowance: Allowance | null, deps: SessionDeps) {
    this.id = id
    this.transport = transport
    this.subject = subject
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
  /** The authenticated user as presence names them. */
  get person (): Person { return { user_id: this.user!.id, username: this.user!.name } }
  /** The user and login that requests of this connection act for. @throws AppError `not_authenticated`. */
  get actor (): Actor {
    if (this.state.phase !== 'authenticated') throw new AppError('not_authenticated')
    return { userId: this.state.user.id, sid: this.state.sid }
  }

  get closing (): boolean { return this.state.phase === 'closing' }

  /**
   * Binds the connection to its user. `expiresAt`: when the access token expires, in Unix milliseconds; Infinity for a guest.
   * @throws AppError `rate_limited` if the user has too many connections.
   */
  authenticated (user: SessionUser, sid: string | null, expiresAt: number): void {
    this.#allowance?.identify(user.id)
    this.state = { phase: 'authenticated', user, sid, expiresAt }
  }

  /** Takes a data frame. If `refusedFor` is not 0, its answer is `rate_limited`: it may be sent again after so many milliseconds [P35]. */
  receive (frame: Buffer, refusedFor = 0): void {
    if (this.closing) return
    this.#lastFrameAt = this.#deps.now()
    this.framesReceived++
    this.inbox.receive(frame, refusedFor)
  }

  /** Counts an incoming pong. Returns whether it answers a ping of the server, so that it counts towards no limit [P53]. */
  takePong (): boolean { return this.#outbox.takePong() }

  /** Handles a pong. `number`: the number of the ping that it answers; undefined if the pong carries none. */
  pong (number?: number): void { this.#outbox.pong(number) }

  /** Sends the first frame of the connection, before any other is queued. */
  sendNow (frame: Buffer): void {
    this.framesSent++
    this.transport.write(frame)
  }

  /** Queues `count` finished frames. All queued frames leave together at the end of this turn of the event loop. */
  send (frames: Buffer, count: number): void {
    if (this.closing) return
    this.framesSent += count
    if (this.#outbox.push(frames)) this.#deps.scheduleFlush(this)
  }

  /** Sends frames that are neither replies nor part of a channel's sequence. */
  notify (frames: Buffer, count: number): void {
    if (!this.closing) this.#deps.traffic.sent.notice += count
    this.send(frames, count)
  }

  /** Sends a signal, or drops it if the client does not keep up [P42]. */
  signal (frame: Buffer): void {
    if (this.#outbox.takesSignals) this.notify(frame, 1)
  }

  flush (): void {
    this.#outbox.flush()
    // Resume reading if it waited for these bytes to leave, or pause it if the socket did not take them.
    if (this.inbox.isPaused || this.transport.buffered > 0) this.inbox.proceed()
  }

  /** Called when the socket has taken all or some of the bytes that waited. */
  drained (): void { this.inbox.proceed() }

  /** Bytes that are kept for the socket, and when it last took any; null while it keeps up. */
  get backlog (): Outbox['backlog'] { return this.#outbox.backlog }

  get isDrained (): boolean { return this.#outbox.waiting === 0 }

  /** Returns how much waits on this connection, for admins [P79]. Times are milliseconds of the connections' clock that have passed. */
  get load () {
    const { waiting, backlog } = this.#outbox
    const now = this.#deps.now()
    return {
      queuedBytes: waiting,
      behind: backlog === null ? null : { sinceMs: now - backlog.since, idleMs: now - backlog.progressAt },
      waitingRequests: this.inbox.waiting,
      isHeldBack: this.inbox.isHeldUp || (this.#allowance?.refusals ?? 0) > 0
    }
  }

  /** True if more than half of `maxBuffered` waits to be sent. No request is read or started then. */
  get isBackedUp (): boolean { return this.#outbox.waiting > this.#deps.limits.maxBuffered / 2 }

  close (name: CloseName, detail = ''): void {
    if (this.closing) return
    // A slow consumer does not need its queued frames: after it reconnects, it resumes by `seq`.
    if (name === 'slow_consumer') this.#outbox.clear()
    else this.#outbox.finish()
    const { code, reason } = closeTable[name]
    const isDeaf = name === 'slow_consumer' || name === 'no_pong'
    const cutAt = this.#deps.now() + (isDeaf ? CUT_DEAF_MS : CUT_MS)
    this.state = { phase: 'closing', user: this.user, cutAt, reason: name }
    this.transport.close(code, reason + detail)
    this.inbox.close()
  }

  /** Takes no further requests. Started requests are still answered. */
  suspend (): void { this.inbox.suspend() }

  /** Cuts the connection without waiting for the client's close frame. */
  cut (): void { this.transport.terminate() }

  /** Frees everything that the session holds after its connection has ended. */
  ended (): void {
    this.state = { phase: 'closing', user: this.user, cutAt: 0, reason: undefined }
    this.inbox.end()
    this.#outbox.clear()
  }

  /** Enforces the deadlines of the connection. It runs at every tick of the clock. */
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
      // By the wall clock: the connections' clock stands still while the machine is suspended, but the token still expires.
      this.close('token_expired')
    } else if (now - this.#lastFrameAt >= limits.connectionTimeout) {
      this.close('connection_timeout')
    } else if (this.#outbox.isSlow()) {
      this.close('slow_consumer')
    } else if (this.#outbox.awaitsPong) {
      // While the server does not read the connection, it cannot see the pong.
      if (wasHeldUp || this.inbox.isHeldUp) this.#outbox.readOn()
      else if (this.#outbox.isSilent()) this.close('no_pong')
    } else if (now >= this.#nextPingAt) {
      this.#nextPingAt = now + limits.heartbeatInterval
      this.#outbox.ping()
    }
  }

  /** Counts a reply that said that a frame was unreadable. */
  countViolation (): void {
    const now = this.#deps.now()
    this.#violations = [...(this.#violations ?? []).filter(at => now - at < VIOLATION_WINDOW_MS), now]
    if (this.#violations.length >= MAX_VIOLATIONS) this.close('protocol_violation')
  }
}
