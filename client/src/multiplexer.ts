import { claimsOf } from './claims.ts'
import { createTimer, type Clock } from './clock.ts'
import { SUBPROTOCOL } from './generated/names.ts'
import { createHeartbeat } from './heartbeat.ts'
import type { SocketLike, WebSocketLike } from './options.ts'
import { createSharedChannels, isEntry, type Frame, type SharedTab } from './shared-channels.ts'
import { weightOf, type FromTab, type ToTab } from './tab-messages.ts'
import type { Me, Notices, Reply } from './wire.ts'

/** Milliseconds until a server that has said nothing is given up. */
const CONNECT_TIMEOUT = 20_000
/** The weight of frames that a tab may leave unread: a frozen tab reads nothing. */
const MAX_UNREAD = 4 * 2 ** 20
/** Bytes by which a frame may become longer because its `ref` does. */
const REF_ROOM = 32
const ABNORMAL = 1006

/** Frames about a channel that only its subscribers get, besides its entries. */
const forSubscribers = ['signal', 'user_joined', 'user_left', 'user_read', 'channel_updated', 'channel_deleted']
/** Frames with which the server ends the subscription to a channel. */
const endings = ['kicked_from_channel', 'banned_from_channel', 'channel_deleted', 'channel_left']

type Welcome = Notices['welcome']
/** A request of a tab: `ref` is the tab's own. */
interface Request extends Frame { token?: string | null, activity?: boolean, event?: string }
type Route = { tab: Tab, connection: number, request: Request } | ((reply: Frame) => void)

interface Tab extends SharedTab {
  /** The number of its connection, if it has one. */
  connection: number | undefined
  isAuthenticated: boolean
  unread: number
  say (message: ToTab): void
}

export type Multiplexer = ReturnType<typeof createMultiplexer>

/**
 * Carries the connections of several tabs over one socket [C9]. To each tab it looks like a connection of its own: replies go to the tab
 * that has asked, streams to those that are subscribed, and a tab hears what the server tells a user's other connections.
 */
export function createMultiplexer ({ url, clock, WebSocket }: { url: string, clock: Clock, WebSocket: WebSocketLike }) {
  const tabs = new Set<Tab>()
  const routes = new Map<number, Route>()
  const channels = createSharedChannels({ clock, request, others: () => listening() })
  const heartbeat = createHeartbeat({ clock, beat: () => request({ type: 'heartbeat' }), die: () => lose(ABNORMAL, 'no sign of life') })
  const deadline = createTimer(clock, () => lose(ABNORMAL, 'no answer'))
  let socket: SocketLike | undefined
  let refs = 0
  let welcome: Welcome | undefined
  /** Milliseconds by which the server's clock is ahead of this one. */
  let skew = 0
  /** The user of the connection, and when their token expires, in milliseconds since 1970 by the server's clock. */
  let user: Me | undefined
  let expiresAt = 0
  /** The server tells this connection of activity [P44]. */
  let isToldOfActivity = false
  /** The frame that says that the instance has lost the message bus. */
  let degraded: string | undefined

  const serverTime = (): number => clock.now() + skew

  function listening (): Tab[] {
    return [...tabs].filter(({ isAuthenticated }) => isAuthenticated)
  }

  function connect (): void {
    deadline.start(CONNECT_TIMEOUT)
    socket = new WebSocket(url, [SUBPROTOCOL])
    socket.onmessage = ({ data }: { data: string }) => receive(data)
    socket.onclose = ({ code, reason }: { code: number, reason: string }) => lose(code, reason)
    // The end follows as `onclose`.
    socket.onerror = () => {}
  }

  /** Lets go of the socket. The tabs hear of it, each tries again by itself, and the first to do so connects for all. */
  function lose (code: number, reason: string): void {
    const open = [...tabs].filter(({ connection }) => connection !== undefined)
    drop()
    for (const tab of open) end(tab, code, reason)
  }

  function drop (): void {
    const last = socket
    socket = welcome = user = degraded = undefined
    expiresAt = 0
    isToldOfActivity = false
    heartbeat.stop()
    deadline.stop()
    routes.clear()
    channels.clear()
    if (!last) return
    last.onmessage = last.onclose = null
    last.close(1000)
  }

  /** Ends the connection of one tab. The socket ends with the last of them. */
  function end (tab: Tab, code: number, reason: string): void {
    if (tab.connection === undefined) return
    tab.say({ type: 'closed', socket: tab.connection, code, reason })
    detach(tab)
  }

  function detach (tab: Tab): void {
    tab.connection = undefined
    tab.isAuthenticated = tab.wantsActivity = false
    channels.releaseAll(tab)
    if (socket && ![...tabs].some(({ connection }) => connection !== undefined)) drop()
  }

  function request (frame: object, done: (reply: Frame) => void = () => {}): void {
    routes.set(++refs, done)
    socket?.send(JSON.stringify({ ...frame, ref: refs }))
  }

  function greet (tab: Tab, frame: Welcome): void {
    const now = new Date(serverTime()).toISOString()
    tab.post(JSON.stringify({ ...frame, server_time: now, max_payload: frame.max_payload - REF_ROOM }))
  }

  /** A tab has sent a frame. */
  function forward (tab: Tab, text: string): void {
    const frame = JSON.parse(text) as Request
    const { type, ref, channel = '' } = frame
    const answer = (action: string, data: object): void => tab.post(JSON.stringify({ type: 'success', action, data, ref }))
    if (type === 'unsubscribe_channel') {
      channels.release(tab, channel)
      return answer('channel_unsubscribed', { channel })
    }
    if (type === 'authenticate') {
      const expiry = expiryWithin(frame)
      if (expiry !== undefined) {
        answer('authenticated', { ...user, expires_at: new Date(expiry).toISOString() })
        return authenticated(tab, frame)
      }
      // Another tab may want to be told of activity, although this one does not.
      if (!frame.activity) delete frame.activity
    }
    if (type === 'join_channel') channels.want(tab, channel)
    routes.set(++refs, { tab, connection: tab.connection!, request: frame })
    socket?.send(JSON.stringify({ ...frame, ref: refs }))
  }

  /**
   * The expiry of a token that is good but expires before the one of the connection: with it, the connection would end earlier for all.
   * Undefined if the server has to judge the token.
   */
  function expiryWithin ({ token, activity }: Request): number | undefined {
    const claims = claimsOf(token ?? '')
    const expiry = (claims?.exp ?? 0) * 1000
    const isKnown = user?.user_id === claims?.user_id && serverTime() < expiry && expiry <= expiresAt
    return isKnown && (!activity || isToldOfActivity) ? expiry : undefined
  }

  /** The tab has authenticated. It learns what the connection was told before. */
  function authenticated (tab: Tab, { activity }: Request): void {
    tab.isAuthenticated = true
    tab.wantsActivity = activity ?? tab.wantsActivity
    if (degraded !== undefined) tab.post(degraded)
  }

  function receive (text: string): void {
    heartbeat.heard()
    const frame = JSON.parse(text) as Frame
    if (frame.type === 'welcome') welcomed(frame as unknown as Welcome)
    else if (frame.ref !== undefined) reply(frame)
    else notice(frame, text)
  }

  function welcomed (frame: Welcome): void {
    welcome = frame
    skew = Date.parse(frame.server_time) - clock.now()
    deadline.stop()
    heartbeat.start(frame.heartbeat_interval * 1000)
    for (const tab of tabs) greet(tab, frame)
  }

  function reply (frame: Frame): void {
    const route = routes.get(frame.ref as number)
    routes.delete(frame.ref as number)
    if (!route) return
    if (typeof route === 'function') return route(frame)
    const { tab, connection, request } = route
    const isSame = tab.connection === connection
    if (isSame) tab.post(JSON.stringify({ ...frame, ref: request.ref }))
    if (frame.type === 'success') succeeded(tab, isSame, request, frame.data)
    else if (isSame && request.type === 'join_channel') channels.refused(tab, request.channel!)
  }

  /** Does for the other tabs what the server does for the other connections of a user. */
  function succeeded (tab: Tab, isSame: boolean, request: Request, data: unknown): void {
    const { type, channel = '', event, data: given } = request
    const timestamp = new Date(serverTime()).toISOString()
    const tell = (notice: object, isMeant = (_other: Tab) => true): void => {
      for (const other of listening()) if (other !== tab && isMeant(other)) other.post(JSON.stringify(notice))
    }
    if (type === 'join_channel' && isSame) channels.joined(tab, data as Reply<'join_channel'>)
    if (type === 'mark_read') tell({ type: 'read_marker', channel, seq: (data as Reply<'mark_read'>).seq })
    if (type === 'open_direct') tell({ type: 'direct_opened', ...data as Reply<'open_direct'>, timestamp })
    if (type === 'signal') {
      const { user_id, username, handle } = user!
      tell({ type: 'signal', channel, event, user_id, username, handle, data: given, timestamp }, other => channels.isLive(other, channel))
    }
    if (type === 'leave_channel') {
      tell({ type: 'channel_left', channel, timestamp })
      channels.ended(channel)
    }
    if (type === 'authenticate') {
      const { expires_at: until, ...me } = data as Reply<'authenticate'>
      const isFirst = !user
      isToldOfActivity ||= request.activity === true
      user = me
      expiresAt = Math.max(expiresAt, Date.parse(until ?? ''))
      if (isSame) authenticated(tab, request)
      if (isFirst) for (const other of tabs) if (other.connection === undefined) other.say({ type: 'up' })
    }
  }

  /** The server tells something unasked. */
  function notice (frame: Frame, text: string): void {
    const { type, channel } = frame
    if (type === 'degraded') degraded = text
    else if (type === 'restored') degraded = undefined
    if (channel !== undefined && (isEntry(frame) || forSubscribers.includes(type))) channels.receive(frame, text)
    else for (const tab of listening()) if (type !== 'channel_activity' || tab.wantsActivity) tab.post(text)
    if (channel !== undefined && endings.includes(type)) channels.ended(channel)
  }

  return {
    /** The network may have changed: asks the server for a sign of life. */
    probe (): void { if (welcome) heartbeat.probe() },

    /** Adds a tab. @returns `take`, which gets its messages, and `gone`, which is called when it has ended. */
    attach (say: (message: ToTab) => void) {
      const tab: Tab = {
        connection: undefined, isAuthenticated: false, wantsActivity: false, unread: 0, say,
        post (text) {
          if (tab.connection === undefined) return
          tab.unread += weightOf(text)
          say({ type: 'frame', socket: tab.connection, text })
          if (tab.unread > MAX_UNREAD) tab.lose('the tab does not read')
        },
        lose: reason => end(tab, ABNORMAL, reason)
      }
      tabs.add(tab)
      return {
        take (message: FromTab): void {
          if (message.type === 'taken') tab.unread = Math.max(0, tab.unread - message.size)
          else if (message.type === 'open') {
            if (tab.connection !== undefined) detach(tab)
            tab.connection = message.socket
            tab.unread = 0
            if (!socket) connect()
            else if (welcome) greet(tab, welcome)
          } else if ('socket' in message && message.socket === tab.connection) {
            if (message.type === 'send') forward(tab, message.text)
            else detach(tab)
          }
        },
        gone (): void {
          tabs.delete(tab)
          if (tab.connection !== undefined) detach(tab)
        }
      }
    },

    get isUnused () { return tabs.size === 0 }
  }
}
