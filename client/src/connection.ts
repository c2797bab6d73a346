import { jitter, waitOf } from './backoff.ts'
import { createCalls, textOf, type Calls } from './calls.ts'
import { createTimer, type Clock } from './clock.ts'
import { ParleyError, type ClientErrorCode } from './errors.ts'
import { PROTOCOL_VERSION } from './generated/names.ts'
import { createHeartbeat } from './heartbeat.ts'
import type { LogEvent, SocketLike, TokenReason } from './options.ts'
import { createView, type Readable } from './readable.ts'
import type { Tokens } from './tokens.ts'
import type { ErrorCode, Me, Notices, Reply } from './wire.ts'

/** Milliseconds that an attempt to connect may take, from the question for a token to the authentication. */
const CONNECT_TIMEOUT = 20_000
/** Milliseconds after which the wait begins anew at its shortest, once a connection has lasted that long [C5]. */
const STABLE_AFTER = 10_000
/** Milliseconds until a token that could not be renewed is asked for again, and the least between two renewals. */
const RENEWAL_RETRY = 5000
const SHORTEST_RENEWAL = 1000
/** Milliseconds that the other side has to answer a close, where the class of the socket lets the client end it otherwise. */
const CLOSE_TIMEOUT = 1000
/** Close codes. `ABNORMAL` is what a socket says that ends without a close frame. */
const ABNORMAL = 1006
const TOKEN_EXPIRED = 4401
const SESSION_REVOKED = 4504

/** Why a connection ended: the code and reason of the close frame, or the error that prevented it. */
export interface Ended { code: number | ErrorCode | ClientErrorCode | 'protocol', reason: string }

/** `degraded`: messages between instances of the server may take up to 5 s. `retryAt` is in milliseconds since 1970. */
export type ConnectionState =
  | { state: 'idle' }
  | { state: 'connecting' }
  | { state: 'online', user: Me, degraded: boolean }
  | { state: 'waiting', reason: Ended, retryAt: number }
  | { state: 'ended', reason: Ended }

export interface ConnectionDeps {
  clock: Clock
  /** Opens a socket, which may be one that all tabs of the token's login share. */
  openSocket (token: string | null): SocketLike
  tokens: Tokens
  log (event: LogEvent): void
  /** Receives every frame that is not a reply, in the turn in which it was read [C2]. */
  onFrame (frame: { type: string }): void
  /** `isGuest`: the user lasts as long as the connection. */
  onOnline (user: Me, isGuest: boolean): void
  onOffline (): void
  /** Whether the connection is to tell of new messages in all channels of the user; undefined leaves that as it is [P44]. */
  takeActivity (): true | undefined
  /** The server has ended the login. */
  onRevoked (): void
}

export interface Connection extends Readable<ConnectionState> {
  connect (): void
  /** Ends the connection and begins another: the login has changed. Without effect after `disconnect`. */
  restart (): void
  /** Authenticates the connection again: it is to tell of activity from now on. */
  authenticateAnew (): void
  /** Tries at once instead of waiting, or asks the server for a sign of life. */
  wake (): void
  disconnect (): void
  readonly calls: Calls
  isOnline (): boolean
  /** Sends a frame for which no reply is wanted. Without effect if there is no connection. */
  write (text: string): void
}

/** Keeps one connection to the server, from `connect` to `disconnect` or until the server ends it for good. */
export function createConnection (deps: ConnectionDeps): Connection {
  const { clock, openSocket, tokens, log, onFrame, onOnline, onOffline, onRevoked, takeActivity } = deps
  const view = createView(() => state, error => log({ type: 'fault', error }))
  const calls = createCalls({ clock, write, isOnline })
  const heartbeat = createHeartbeat({ clock, beat: () => write(textOf('heartbeat', {})), die: () => lose(ABNORMAL, 'no sign of life') })
  const deadline = createTimer(clock, () => {
    tokens.giveUp()
    lose(ABNORMAL, 'no answer')
  })
  const retry = createTimer(clock, attempt)
  const renewal = createTimer(clock, () => authenticateAs('expiring'))
  let state: ConnectionState = { state: 'idle' }
  let socket: SocketLike | undefined
  let welcome: Notices['welcome']
  /** Milliseconds by which the server's clock is ahead of this one. */
  let skew = 0
  let onlineSince = 0
  let failures = 0
  let isToldToWait = false
  /** Changes with every attempt and every end, so that answers for an earlier attempt have no effect. */
  let era = 0

  function isOnline (): boolean {
    return state.state === 'online' && !!socket
  }

  function enter (next: ConnectionState): void {
    state = next
    log({ type: 'connection', state })
    view.changed()
  }

  function write (text: string): boolean {
    socket?.send(text)
    return !!socket
  }

  /** Gets a token and passes it on, unless the attempt is over by then. */
  function withToken (why: TokenReason, use: (token: string | null) => void, onFault = fail): void {
    const own = era
    tokens.get(why).then(token => { if (own === era) use(token) }).catch((error: unknown) => { if (own === era) onFault(error) })
  }

  function attempt (): void {
    const own = ++era
    retry.stop()
    deadline.start(CONNECT_TIMEOUT)
    enter({ state: 'connecting' })
    // A listener may have ended the attempt.
    if (own === era) withToken('connect', open)
  }

  function open (token: string | null): void {
    socket = openSocket(token)
    socket.onmessage = ({ data }: { data: unknown }) => receive(data, token)
    socket.onclose = ({ code, reason }: { code: number, reason: string }) => lose(code, reason)
    // The end follows as `onclose`. Some classes throw errors that nobody listens to.
    socket.onerror = () => {}
  }

  function receive (data: unknown, token: string | null): void {
    heartbeat.heard()
    const frame = parse(data)
    const { type, ref } = frame
    // Signals and heartbeats are sent without a `ref`: their replies say nothing.
    if (type === 'heartbeat_ack' || (type === 'success' && ref === undefined)) return
    if (ref !== undefined && calls.answer(frame as never)) return
    if (type === 'welcome') greet(frame as never, token)
    else if (state.state === 'online' && (type === 'degraded' || type === 'restored')) enter({ ...state, degraded: type === 'degraded' })
    onFrame(frame)
  }

  function greet (frame: Notices['welcome'], token: string | null): void {
    const { protocol, server_time: serverTime, heartbeat_interval: seconds } = welcome = frame
    if (protocol !== PROTOCOL_VERSION) {
      return stop({ code: 'protocol', reason: `the server speaks protocol ${protocol}, this client ${PROTOCOL_VERSION}` }, true)
    }
    skew = Date.parse(serverTime) - clock.now()
    heartbeat.start(seconds * 1000)
    authenticate(token)
  }

  function authenticateAs (why: TokenReason): void {
    withToken(why, token => authenticate(token, why === 'refused'), why === 'refused' ? fail : () => renewal.start(RENEWAL_RETRY))
  }

  /** Authenticates the connection, or extends it. A token that is refused is replaced once [C7]. */
  function authenticate (token: string | null, isReplaced = false): void {
    const own = era
    calls.start(textOf('authenticate', { token: token ?? undefined, activity: takeActivity() }), (error, reply) => {
      if (own !== era) return
      if (!error) authenticated(token, reply as Reply<'authenticate'>)
      else if (error.code === 'authentication_failed' && !isReplaced) authenticateAs('refused')
      else if (isOnline() && error.again) renewal.start(RENEWAL_RETRY)
      // The token is another user's: their connection is another one [P13].
      else if (isOnline() && error.code === 'not_authorized') restart()
      else fail(error)
    })
  }

  function authenticated (token: string | null, { expires_at: expiresAt, ...user }: Reply<'authenticate'>): void {
    if (token !== null && expiresAt !== null) {
      tokens.keep(token, Date.parse(expiresAt) - skew - clock.now())
      renewal.start(Math.max(SHORTEST_RENEWAL, tokens.untilRenewal()))
    }
    if (isOnline()) return
    deadline.stop()
    onlineSince = clock.now()
    enter({ state: 'online', user, degraded: false })
    if (!isOnline()) return
    onOnline(user, token === null)
    calls.flush(welcome.max_payload)
  }

  /** The attempt to authenticate has failed: waits for the next one, or ends for good if another attempt would fail, too. */
  function fail (error: unknown): void {
    const { code, message: reason, again, retryAfterMs } = error instanceof ParleyError ? error : new ParleyError('offline', String(error))
    stop({ code, reason }, !again && code !== 'internal', retryAfterMs)
  }

  function lose (code: number, reason: string): void {
    if (code === TOKEN_EXPIRED) tokens.forget()
    if (code === SESSION_REVOKED) onRevoked()
    stop({ code, reason }, code >= 4500 && code < 5000, waitOf(reason))
  }

  /** Ends the connection, for good or until the wait is over. `told`: the milliseconds that the server has named. */
  function stop (reason: Ended, isFinal: boolean, told?: number): void {
    if (isOnline() && clock.now() - onlineSince >= STABLE_AFTER) failures = 0
    drop()
    if (isFinal) {
      enter({ state: 'ended', reason })
      return calls.lost(true)
    }
    isToldToWait = told !== undefined
    const ms = told ?? jitter(failures++, clock.random())
    retry.start(ms)
    enter({ state: 'waiting', reason, retryAt: clock.now() + ms })
  }

  /** Closes a socket. `ws` would wait 30 s for the answer of a dead network, and keep Node running for so long [C10]. */
  function release (last: SocketLike): void {
    const closing = createTimer(clock, () => last.terminate?.())
    last.onmessage = null
    last.onclose = closing.stop
    last.close(1000)
    if (last.terminate) closing.start(CLOSE_TIMEOUT)
  }

  /** Lets go of the socket at once: on a dead network its own end would take minutes. */
  function drop (): void {
    era++
    for (const timer of [deadline, retry, renewal, heartbeat]) timer.stop()
    const last = socket
    socket = undefined
    if (last) release(last)
    // Channels first: what comes back from the lost calls must wait for the next connection.
    if (state.state === 'online') onOffline()
    calls.lost()
  }

  function restart (): void {
    drop()
    attempt()
  }

  return {
    getSnapshot: view.getSnapshot,
    subscribe: view.subscribe,
    calls,
    isOnline,
    write: text => { if (isOnline()) write(text) },
    connect () {
      if (['idle', 'ended', 'waiting'].includes(state.state)) attempt()
    },
    restart () {
      if (state.state !== 'idle') restart()
    },
    authenticateAnew: () => authenticateAs('connect'),
    wake () {
      if (state.state === 'waiting' && !isToldToWait) attempt()
      else if (isOnline()) heartbeat.probe()
    },
    disconnect () {
      drop()
      failures = 0
      tokens.stop()
      enter({ state: 'idle' })
      calls.lost(true)
    }
  }
}

/** Reads a frame. Data that is no frame becomes a frame of an unknown type. */
function parse (data: unknown): { type: string, ref?: unknown } {
  try {
    const frame = JSON.parse(data as string)
    if (typeof frame?.type === 'string') return frame
  } catch {
    // Not even JSON.
  }
  return { type: '' }
}
