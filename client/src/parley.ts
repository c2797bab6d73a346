import { createAccount, type Account } from './account.ts'
import { createChannel, type Channel, type ChannelControl } from './channel.ts'
import type { ChannelOptions } from './channel-state.ts'
import { systemClock } from './clock.ts'
import { createConnection, type ConnectionState } from './connection.ts'
import { ParleyError } from './errors.ts'
import { SUBPROTOCOL } from './generated/names.ts'
import { createHttp } from './http.ts'
import { createInbox, type InboxView } from './inbox.ts'
import { createKeptMessages } from './kept-messages.ts'
import type { Link } from './link.ts'
import { createLock } from './lock.ts'
import { createLoginStorage } from './login-storage.ts'
import type { CallOptions, LogEvent, ParleyOptions, TokenReason, WebSocketLike } from './options.ts'
import type { Waiting } from './outbox.ts'
import { createOutboxStorage, type KeptMessage } from './outbox-storage.ts'
import { createView, type Readable } from './readable.ts'
import { createRest, type RestClient } from './rest.ts'
import { createTabs } from './tabs.ts'
import { createTokens, type Token } from './tokens.ts'
import { listenForWake } from './wake.ts'
import type { Fields, Me, Notices, Reply, Requests } from './wire.ts'

const MAX_MESSAGES = 1000
const MAX_BYTES = 2 ** 20

/** A client of a Parley server. Its own value is the state of the connection. */
export interface Parley extends Readable<ConnectionState>, AsyncDisposable {
  /**
   * Connects, and stays connected until `disconnect`, whatever the network does. Call it again after the state `ended`, and in the state
   * `waiting` when somebody asks to try at once.
   */
  connect (): void
  /** Ends the connection, with all timers and listeners. Channels keep what they show and what waits to be sent. */
  disconnect (): Promise<void>
  readonly account: Account
  /** The user's channels with their unread messages, direct channels and invitations, without joining any. */
  readonly inbox: InboxView
  /** The messages of this user that are not stored yet, of all channels, those of a channel in their order. */
  readonly outbox: Readable<readonly Waiting[]>
  /** The channel of this name. The options are those of the first call. */
  channel (name: string, options?: ChannelOptions): Channel
  /** Opens the direct channel with another user. @throws ParleyError, such as `user_not_found` or `blocked`. */
  direct (userId: string): Promise<Channel>
  /** Makes a request of the protocol. It waits for the connection. @throws ParleyError */
  request<K extends keyof Requests> (type: K, fields: Fields<K>, options?: CallOptions): Promise<Reply<K>>
  readonly rest: RestClient
  /** Calls `listener` for each frame of this type that the server sends unasked. @returns a function that ends this. */
  on<K extends keyof Notices> (type: K, listener: (notice: Notices[K]) => void): () => void
}

/** Creates a client. It connects when `connect` is called. @throws TypeError if there is neither a `url` nor a page. */
export function createParley (options: ParleyOptions = {}): Parley {
  const { clock = systemClock, log = logFaults, outbox: { messages = MAX_MESSAGES, bytes = MAX_BYTES, storage } = {} } = options
  const base = baseOf(options.url)
  const onFault = (error: unknown): void => log({ type: 'fault', error })
  const http = createHttp({ base, clock, fetch: options.fetch ?? ((...given) => fetch(...given)) })
  const tokens = createTokens({ clock, ask })
  const rest = createRest(http, tokens)
  const key = `parley:${base}`
  const { account, token, follow, revoked } = createAccount({
    http, rest, log,
    storage: createLoginStorage(options.storage, key),
    inCookie: options.storage === 'cookie',
    lock: createLock(key, clock),
    onSwitch () {
      if (options.token) return
      tokens.forget()
      become(account.getSnapshot() ?? undefined)
      connection.restart()
    }
  })
  const url = `${base.replace(/^http/, 'ws')}/websocket`
  const tabs = options.tabs === 'own' || options.WebSocket ? undefined : createTabs({ url, clock, onFault, onUp: () => connection.wake() })
  const connection = createConnection({
    clock, tokens, log,
    openSocket: token => tabs?.open(token) ?? new (options.WebSocket ?? globalThis.WebSocket as WebSocketLike)(url, [SUBPROTOCOL]),
    onFrame,
    onOnline (user, isGuest) {
      if (isGuest && wasGuest) {
        for (const { disown } of channels.values()) disown()
        inbox.forget()
      } else {
        become(user, isGuest)
      }
      wasGuest = isGuest
      me = user
      ownIds.add(user.user_id)
      for (const { online } of channels.values()) online()
      inbox.online()
    },
    onOffline () {
      for (const { offline } of channels.values()) offline()
      inbox.offline()
    },
    takeActivity: () => inbox.takeActivity(),
    onRevoked () { if (!options.token) revoked().catch(onFault) }
  })
  const kept = createKeptMessages({
    storage: createOutboxStorage(storage, key, clock),
    clock, onFault,
    onTaken: restore,
    onReady () {
      claim()
      for (const { flush } of channels.values()) flush()
    }
  })
  const channels = new Map<string, ChannelControl>()
  const calls = { ...connection.calls, request }
  const inbox = createInbox({
    clock, calls, rest, onFault,
    isOnline: connection.isOnline,
    me: () => me,
    isOpen: name => channels.get(name)?.isLive() ?? false,
    refine: row => channels.get(row.name)?.refine(row) ?? { row, isKnown: true },
    onRow: name => channels.get(name)?.listed(),
    authenticateAnew: connection.authenticateAnew
  })
  const outbox = createView(() => [...channels.values()].flatMap(({ channel }) =>
    channel.getSnapshot().outbox.map(message => ({ ...message, channel: channel.name }))), onFault)
  /** Kept messages of channels that the application has not named yet. */
  let unclaimed: readonly KeptMessage[] = []
  const listeners = new Map<string, Set<(notice: never) => void>>()
  let me: Me | undefined
  /** Ids of the user, and of the guests that this client was before. */
  let ownIds = new Set<string>()
  let wasGuest = false
  /** Ends what listens to the page; undefined while the client is idle. */
  let stopListening: Array<() => void> | undefined
  const link: Link = {
    clock, calls, rest, inbox, kept, onFault,
    room: { messages, bytes },
    isOnline: connection.isOnline,
    me: () => me,
    isMine: id => ownIds.has(id),
    write: connection.write,
    outboxChanged: outbox.changed
  }

  async function ask (why: TokenReason, signal: AbortSignal): Promise<Token | null> {
    if (!options.token) return token(signal)
    const given = await options.token(why)
    return given === null ? null : { token: given }
  }

  /**
   * Takes note of the user of the login, and later of the connection: what they write is kept from now on, but nothing of a guest. Another
   * user than before gets nothing of what the one before has seen and written.
   */
  function become (user: Me | undefined, isGuest = false): void {
    if (me && me.user_id !== user?.user_id) {
      const error = new ParleyError('not_authenticated')
      for (const { forget } of channels.values()) forget(error)
      inbox.forget()
      ownIds = new Set()
      kept.stop()
      unclaimed = []
    }
    me = user
    if (user && !isGuest && stopListening) kept.start(user.user_id)
  }

  function restore (messages: readonly KeptMessage[], areAll: boolean): void {
    for (const [name, channel] of channels) channel.restore(messages.filter(message => message.channel === name), areAll)
    unclaimed = [...areAll ? [] : unclaimed, ...messages.filter(({ channel }) => !channels.has(channel))]
    claim()
  }

  /** Sends the kept messages of channels that the application does not name. It may still do so until there is a connection. */
  function claim (): void {
    if (connection.isOnline()) for (const { channel } of unclaimed) control(channel)
  }

  function control (name: string, channelOptions: ChannelOptions = {}): ChannelControl {
    let found = channels.get(name)
    if (!found) {
      channels.set(name, found = createChannel(link, name, { ...options.channels, ...channelOptions }))
      const claimed = unclaimed.filter(({ channel }) => channel === name)
      unclaimed = unclaimed.filter(({ channel }) => channel !== name)
      found.restore(claimed, false)
    }
    return found
  }

  function onFrame (frame: { type: string, channel?: unknown }): void {
    const isOfChannel = channels.get(frame.channel as string)?.receive(frame)
    const isKnown = inbox.receive(frame) || isOfChannel
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

  function request<K extends keyof Requests> (type: K, fields: Fields<K>, callOptions?: CallOptions): Promise<Reply<K>> {
    const reply = connection.calls.request(type, fields, callOptions)
    inbox.asked(type, reply)
    return reply
  }

  function channel (name: string, channelOptions?: ChannelOptions): Channel {
    return control(name, channelOptions).channel
  }

  async function disconnect (): Promise<void> {
    for (const stop of stopListening ?? []) stop()
    stopListening = undefined
    connection.disconnect()
    for (const { stop } of channels.values()) stop()
    kept.stop()
    tabs?.end()
  }

  return {
    getSnapshot: connection.getSnapshot,
    subscribe: connection.subscribe,
    account,
    inbox: inbox.inbox,
    outbox: { getSnapshot: outbox.getSnapshot, subscribe: outbox.subscribe },
    rest,
    connect () {
      if (!options.WebSocket && !('WebSocket' in globalThis)) throw new TypeError('no WebSocket here: pass one as an option')
      stopListening ??= [listenForWake(connection.wake), follow()]
      const user = account.getSnapshot()
      if (user && !options.token) become(user)
      connection.connect()
    },
    disconnect,
    channel,
    direct: async userId => channel((await request('open_direct', { user_id: userId })).channel.name),
    request,
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

function logFaults (event: LogEvent): void {
  if (event.type === 'fault') console.error('parley:', event.error)
}
