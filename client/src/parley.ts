import { createAccount, type Account } from './account.ts'
import { createChannel, type Channel, type ChannelControl, type ChannelOptions } from './channel.ts'
import { systemClock } from './clock.ts'
import { createConnection, type ConnectionState } from './connection.ts'
import { ParleyError } from './errors.ts'
import { createHttp } from './http.ts'
import type { Link } from './link.ts'
import { createLock } from './lock.ts'
import { createLoginStorage } from './login-storage.ts'
import type { CallOptions, LogEvent, ParleyOptions, TokenReason, WebSocketLike } from './options.ts'
import type { Readable } from './readable.ts'
import { createRest, type RestClient } from './rest.ts'
import { createTokens, type Token } from './tokens.ts'
import { listenForWake } from './wake.ts'
import type { Fields, Me, Notices, Reply, Requests } from './wire.ts'

const MAX_MESSAGES = 1000
const MAX_BYTES = 2 ** 20

/** A client of a Parley server. Its own value is the state of the connection. */
export interface Parley extends Readable<ConnectionState>, AsyncDisposable {
  /** Connects, and stays connected until `disconnect`, whatever the network does. Call it again after the state `ended`. */
  connect (): void
  /** Ends the connection, with all timers and listeners. What channels show and what waits to be sent stays for the next `connect`. */
  disconnect (): Promise<void>
  readonly account: Account
  /** The channel of this name. The options are those of the first call. */
  channel (name: string, options?: ChannelOptions): Channel
  /** Makes a request of the protocol. It waits for the connection. @throws ParleyError */
  request<K extends keyof Requests> (type: K, fields: Fields<K>, options?: CallOptions): Promise<Reply<K>>
  readonly rest: RestClient
  /** Calls `listener` for each frame of this type that the server sends unasked. @returns what ends that. */
  on<K extends keyof Notices> (type: K, listener: (notice: Notices[K]) => void): () => void
}

/** Creates a client. It connects when `connect` is called. @throws TypeError if there is neither a `url` nor a page. */
export function createParley (options: ParleyOptions = {}): Parley {
  const { clock = systemClock, log = logFaults, outbox: { messages = MAX_MESSAGES, bytes = MAX_BYTES } = {} } = options
  const base = baseOf(options.url)
  const onFault = (error: unknown): void => log({ type: 'fault', error })
  const http = createHttp({ base, clock, fetch: options.fetch ?? ((...given) => fetch(...given)) })
  const tokens = createTokens({ clock, ask })
  const rest = createRest(http, tokens)
  const key = `parley:${base}`
  const { account, token, follow, revoked } = createAccount({
    http, rest, log,
    storage: createLoginStorage(options.storage, key),
    lock: createLock(key, clock),
    onSwitch () {
      if (options.token) return
      tokens.forget()
      become(account.getSnapshot() ?? undefined)
      connection.restart()
    }
  })
  const connection = createConnection({
    url: `${base.replace(/^http/, 'ws')}/websocket`,
    clock, tokens, log,
    WebSocket: options.WebSocket ?? (globalThis as { WebSocket?: unknown }).WebSocket as WebSocketLike,
    onFrame,
    onOnline (user, isGuest) {
      if (isGuest && wasGuest) for (const { disown } of channels.values()) disown()
      else become(user)
      wasGuest = isGuest
      me = user
      own.add(user.user_id)
      for (const { online } of channels.values()) online()
    },
    onOffline () { for (const { offline } of channels.values()) offline() },
    onRevoked () { if (!options.token) revoked().catch(onFault) }
  })
  const channels = new Map<string, ChannelControl>()
  const listeners = new Map<string, Set<(notice: never) => void>>()
  let me: Me | undefined
  /** Ids of the user, and of the guests that this client was before. */
  let own = new Set<string>()
  let wasGuest = false
  let stopListening: (() => void) | undefined
  const link: Link = {
    clock, rest, onFault,
    calls: connection.calls,
    room: { messages, bytes },
    isOnline: connection.isOnline,
    me: () => me,
    isMine: id => own.has(id),
    write: connection.write
  }

  async function ask (why: TokenReason, signal: AbortSignal): Promise<Token | null> {
    if (!options.token) return token(signal)
    const given = await options.token(why)
    return given === null ? null : { token: given }
  }

  /** Takes note of the user of the connection. Another user than before gets nothing of what the one before has seen and written. */
  function become (user: Me | undefined): void {
    if (me && me.user_id !== user?.user_id) {
      const error = new ParleyError('not_authenticated')
      for (const { forget } of channels.values()) forget(error)
      own = new Set()
    }
    me = user
  }

  function onFrame (frame: { type: string, channel?: unknown }): void {
    const isKnown = channels.get(frame.channel as string)?.receive(frame)
    const heard = listeners.get(frame.type)
    for (const listener of [...heard ?? []]) {
      try {
        listener(frame as never)
      } catch (error) {
        onFault(error)
      }
    }
    if (!isKnown && !heard?.size) log({ type: 'ignored', frame: frame.type })
  }

  async function disconnect (): Promise<void> {
    stopListening?.()
    stopListening = undefined
    connection.disconnect()
    for (const { stop } of channels.values()) stop()
  }

  return {
    getSnapshot: connection.getSnapshot,
    subscribe: connection.subscribe,
    account,
    rest,
    connect () {
      if (!options.WebSocket && !('WebSocket' in globalThis)) throw new TypeError('no WebSocket here: pass one as an option')
      stopListening ??= both(listenForWake(connection.wake), follow())
      connection.connect()
    },
    disconnect,
    channel (name, channelOptions = {}) {
      let control = channels.get(name)
      if (!control) channels.set(name, control = createChannel(link, name, channelOptions))
      return control.channel
    },
    request: connection.calls.request,
    on (type, listener) {
      const set = listeners.get(type) ?? new Set()
      listeners.set(type, set.add(listener))
      return () => { set.delete(listener) }
    },
    [Symbol.asyncDispose]: disconnect
  }
}

/** The server's address without a slash at its end. */
function baseOf (url: string | URL = (globalThis as { location?: Location }).location?.origin ?? ''): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname.replace(/\/+$/, '')
}

function both (first: () => void, second: () => void): () => void {
  return () => {
    first()
    second()
  }
}

function logFaults (event: LogEvent): void {
  if (event.type === 'fault') console.error('parley:', event.error)
}
