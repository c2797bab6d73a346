import { jitter, waitOf } from './backoff.ts'
import { createCalls, textOf, type Calls } from './calls.ts'
import { createTimer, type Clock } from './clock.ts'
import { ParleyError, type ClientErrorCode } from './errors.ts'
import { PROTOCOL_VERSION, SUBPROTOCOL } from './generated/names.ts'
import { createHeartbeat } from './heartbeat.ts'
import type { LogEvent, SocketLike, WebSocketLike } from './options.ts'
import { createView, type Readable } from './readable.ts'
import type { Tokens } from './tokens.ts'
import type { ErrorCode, Me, Notices } from './wire.ts'

/** Milliseconds that an attempt to connect may take, from the question for a token to the authentication. */
const CONNECT_TIMEOUT = 20_000
/** Milliseconds after which the wait begins anew at its shortest, once a connection has lasted that long [C5]. */
const STABLE_AFTER = 10_000
/** Milliseconds until a token that could not be renewed is asked for again, and the least between two renewals. */
const RENEWAL_RETRY = 5000
const SHORTEST_RENEWAL = 1000
/** Milliseconds that `disconnect` waits for the other end. */
const CLOSE_TIMEOUT = 2000
/** What a socket says that ends without a close frame. */
const ABNORMAL = 1006

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
  url: string
  clock: Clock
  WebSocket: WebSocketLike
  tokens: Tokens
  log (event: LogEvent): void
  /** Receives every frame that is not a reply, in the turn in which it was read [C2]. */
  onFrame (frame: { type: string }): void
  /** `isGuest`: the user lasts as long as the connection. */
  onOnline (user: Me, isGuest: boolean): void
  onOffline (): void
  /** The server has ended the login. */
  onRevoked (): void
}

export interface Connection extends Readable<ConnectionState> {
  connect (): void
  /** Ends the connection and begins another: the login has changed. Without effect after `disconnect`. */
  restart (): void
  /** Tries at once instead of waiting, or asks the server for a sign of life. */
  wake (): void
  disconnect (): Promise<void>
  readonly calls: Calls
  readonly isOnline: boolean
  /** Sends a frame for which no reply is wanted. Without effect while there is no connection. */
  write (text: string): boolean
}

/** Keeps one connection to the server, from `connect` to `disconnect` or until the server ends it for good. */
export function createConnection (deps: ConnectionDeps): Connection {
  const { url, clock, WebSocket, tokens, log, onFrame, onOnline, onOffline, onRevoked } = deps
  const view = createView(() => state, error => log({ type: 'fault', error }))
  const calls = createCalls({ clock, write: text => state.state === 'online' && write(text) })
  const heartbeat = createHeartbeat({ clock, beat: () => write(textOf('heartbeat', {})), die: () => lose(ABNORMAL, 'no sign of life') })
  const deadline = createTimer(clock, () => lose(ABNORMAL, 'no answer'))
  const retry = createTimer(clock, attempt)
  const renewal = createTimer(clock, renew)
  let state: ConnectionState = { state: 'idle' }
  let socket: SocketLike | undefined
  let welcome: Notices['welcome'] | undefined
  /** Local time of the welcome. */
  let welcomedAt = 0
  let onlineSince = 0
  let failures = 0
  let isToldToWait = false
  /** Changes with every attempt and every end, so that answers for an earlier attempt have no effect. */
  let era = 0

  function enter (next: ConnectionState): void {
    state = next
    log({ type: 'connection', state })
    view.changed()
  }

  function write (text: string): boolean {
    try {
      socket?.send(text)
      return socket !== undefined
    } catch {
      // The socket is closing. What was not sent is sent over the next one.
      return false
    }
  }

  function attempt (): void {
    const own = ++era
    retry.stop()
    deadline.start(CONNECT_TIMEOUT)
    enter({ state: 'connecting' })
    if (own !== era) return
    tokens.get('connect').then(token => { if (own === era) open(token) }, (error: unknown) => { if (own === era) fail(error) })
  }

  function open (token: string | null): void {
    const own = era
    try {
      socket = new WebSocket(url, [SUBPROTOCOL])
    } catch (error) {
      return lose(ABNORMAL, String(error))
    }
    socket.onmessage = ({ data }: { data: unknown }) => { if (own === era) receive(data, token) }
    socket.onclose = ({ code, reason }: { code: number, reason: string }) => { if (own === era) lose(code, String(reason)) }
    // The end follows as `onclose`. Some classes throw errors that nobody listens to.
    socket.onerror = () => {}
  }

  function receive (data: unknown, token: string | null): void {
    heartbeat.heard()
    const frame = parse(data)
    if (!frame) return log({ type: 'ignored', frame: String(data).slice(0, 100) })
    if (frame.type === 'welcome') greet(frame as never, token)
    // Signals and heartbeats are sent without a `ref`: their replies say nothing.
    else if (frame.type === 'heartbeat_ack' || (frame.type === 'success' && frame.ref === undefined)) return
    else if (typeof frame.ref === 'number' && calls.answer(frame as never)) return
    else if (state.state === 'online' && (frame.type === 'degraded' || frame.type === 'restored')) {
      enter({ ...state, degraded: frame.type === 'degraded' })
    }
    onFrame(frame)
  }

  function greet (frame: Notices['welcome'], token: string | null): void {
    if (frame.protocol !== PROTOCOL_VERSION) {
      return end({ code: 'protocol', reason: `the server speaks protocol ${frame.protocol}, this client ${PROTOCOL_VERSION}` })
    }
    welcome = frame
    welcomedAt = clock.now()
    heartbeat.start(frame.heartbeat_interval * 1000)
    authenticate(token)
  }

  /** Authenticates the connection, or extends it. A token that is refused is replaced once [C7]. */
  function authenticate (token: string | null, isReplaced = false): void {
    const own = era
    calls.start(textOf('authenticate', token === null ? {} : { token }), (error, reply) => {
      if (own !== era) return
      if (!error) return authenticated(token, reply as never)
      const isOnline = state.state === 'online'
      if (error.code === 'authentication_failed' && !isReplaced) {
        tokens.get('refused').then(
          other => { if (own === era) authenticate(other, true) }, (fault: unknown) => { if (own === era) fail(fault) })
      } else if (isOnline && error.again) renewal.start(RENEWAL_RETRY)
      // The token is another user's: their connection is another one [P13].
      else if (isOnline && error.code === 'not_authorized') restart()
      else fail(error)
    }, write)
  }

  function authenticated (token: string | null, { expires_at: expiresAt, ...user }: Me & { expires_at: string | null }): void {
    if (token !== null && expiresAt !== null) {
      const serverTime = Date.parse(welcome!.server_time) + clock.now() - welcomedAt
      tokens.accepted(token, Date.parse(expiresAt) - serverTime)
      renewal.start(Math.max(SHORTEST_RENEWAL, tokens.untilRenewal()))
    }
    if (state.state === 'online') return
    deadline.stop()
    onlineSince = clock.now()
    const own = era
    enter({ state: 'online', user, degraded: false })
    if (own !== era) return
    onOnline(user, token === null)
    calls.flush(welcome!.max_payload)
  }

  function renew (): void {
    const own = era
    tokens.get('expiring').then(
      token => { if (own === era) authenticate(token) },
      () => { if (own === era) renewal.start(RENEWAL_RETRY) })
  }

  /** Nobody could be authenticated: waits where that may change by itself. */
  function fail (error: unknown): void {
    const known = error instanceof ParleyError ? error : new ParleyError('offline', String(error))
    const reason: Ended = { code: known.code, reason: known.message }
    if (known.again || known.code === 'internal') wait(reason, known.retryAfterMs)
    else end(reason)
  }

  function lose (code: number, reason: string): void {
    if (code === 4401) tokens.forget()
    if (code === 4504) onRevoked()
    if (code >= 4500 && code < 5000) end({ code, reason })
    else wait({ code, reason }, code === 1012 ? waitOf(reason) : undefined)
  }

  function wait (reason: Ended, told?: number): void {
    if (state.state === 'online' && clock.now() - onlineSince >= STABLE_AFTER) failures = 0
    drop()
    isToldToWait = told !== undefined
    const ms = told ?? jitter(failures++, clock.random())
    retry.start(ms)
    enter({ state: 'waiting', reason, retryAt: clock.now() + ms })
  }

  function end (reason: Ended): void {
    drop()
    enter({ state: 'ended', reason })
    calls.lost(true)
  }

  /** Lets go of the socket at once: on a dead network its own end would take minutes. */
  function drop (): SocketLike | undefined {
    era++
    for (const timer of [deadline, retry, renewal, heartbeat]) timer.stop()
    const last = socket
    socket = undefined
    if (last) {
      last.onmessage = last.onclose = null
      close(last)
    }
    // Channels first: what comes back from the lost calls must wait for the next connection.
    if (state.state === 'online') onOffline()
    calls.lost()
    return last
  }

  function restart (): void {
    drop()
    attempt()
  }

  return {
    getSnapshot: view.getSnapshot,
    subscribe: view.subscribe,
    calls,
    write: text => state.state === 'online' && write(text),
    get isOnline () { return state.state === 'online' && socket !== undefined },
    connect () {
      if (state.state === 'idle' || state.state === 'ended') attempt()
    },
    restart () {
      if (state.state !== 'idle') restart()
    },
    wake () {
      if (state.state === 'waiting' && !isToldToWait) attempt()
      else if (state.state === 'online') heartbeat.probe()
    },
    async disconnect () {
      const last = drop()
      failures = 0
      tokens.forget()
      enter({ state: 'idle' })
      calls.lost(true)
      if (last) await closed(last, clock)
    }
  }
}

function parse (data: unknown): { type: string, ref?: unknown } | undefined {
  try {
    const frame: unknown = JSON.parse(data as string)
    return typeof (frame as { type?: unknown } | null)?.type === 'string' ? frame as { type: string } : undefined
  } catch {
    return undefined
  }
}

function close (socket: SocketLike): void {
  try {
    socket.close(1000)
  } catch {
    // It is closed already.
  }
}

/** Resolves when the socket is closed, at the latest after two seconds. */
function closed (socket: SocketLike, clock: Clock): Promise<void> {
  return new Promise(resolve => {
    const timer = createTimer(clock, resolve)
    timer.start(CLOSE_TIMEOUT)
    socket.onclose = () => {
      timer.stop()
      resolve()
    }
  })
}
