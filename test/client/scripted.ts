import type { Parley, ParleyOptions, SocketLike } from '@parley/client'
import { createParley } from '@parley/client'
import { manualClock } from '@parley/client/testing'
import type { Frame } from '../client.ts'
import type { Scope } from '../helper.ts'

export const me = { user_id: 'me', username: 'Ann' }
const START = Date.UTC(2026, 0, 1)

/** A frame of a client. */
type Asked = Frame & { ref?: number }

/** One socket of a client. It opens at once and says `welcome`, unless the server is down or silent. */
export class ScriptedSocket implements SocketLike {
  onopen: unknown = null
  onmessage: unknown = null
  onclose: unknown = null
  onerror: unknown = null
  readonly sent: Asked[] = []
  isClosed = false
  readonly url: string
  readonly protocols: string[]
  readonly onSent: (frame: Asked, socket: ScriptedSocket) => void

  constructor (url: string, protocols: string[], onSent: (frame: Asked, socket: ScriptedSocket) => void) {
    this.url = url
    this.protocols = protocols
    this.onSent = onSent
  }

  send (text: string): void {
    const frame = JSON.parse(text) as Asked
    this.sent.push(frame)
    this.onSent(frame, this)
  }

  /** Frames of this type or with this command that the client has sent. */
  asked (name: string): Asked[] {
    return this.sent.filter(({ type, command }) => (command ?? type) === name)
  }

  /** Gives the client a frame, or a text that is none. */
  say (frame: object | string): void {
    (this.onmessage as ((event: object) => void) | null)?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) })
  }

  reply ({ ref }: Asked, action: string, data: object): void {
    this.say({ type: 'success', action, data, ref })
  }

  refuse ({ ref }: Asked, code: string, more: object = {}): void {
    this.say({ type: 'error', code, message: code, ref, ...more })
  }

  /** Ends the socket, as the server or the network does. */
  end (code = 1006, reason = ''): void {
    if (this.isClosed) return
    this.isClosed = true;
    (this.onclose as ((event: object) => void) | null)?.({ code, reason })
  }

  /** The client closes. */
  close (): void {
    queueMicrotask(() => this.end(1000))
  }
}

/**
 * A client on a manual clock whose sockets lead to a scripted server: it answers what every test needs, with one channel named `room`, and
 * leaves the rest to the test. `answers` replaces an answer: by the name of the request.
 */
export function createScene (t: Scope, options: ParleyOptions = {}) {
  const clock = manualClock({ now: START })
  const sockets: ScriptedSocket[] = []
  const log: Array<{ type: string, [field: string]: unknown }> = []
  const room = {
    id: 'room-1',
    /** The stream of the channel. The `seq` of an entry is its place, from 1. */
    entries: [] as Frame[],
    /** The user's position. */
    readTo: 0,
    /** A resume is refused if more is missed. */
    resumeLimit: 1000
  }
  const server = {
    /** New sockets end at once. */
    isDown: false,
    /** New sockets do not say a word. */
    isSilent: false,
    /** Milliseconds for which a token is good. */
    tokenLife: 3_600_000,
    /** Milliseconds by which the server's clock is ahead. */
    ahead: 0,
    user: { ...me, email: null as string | null, role: 'user' }
  }
  const answers: Record<string, (frame: Asked, socket: ScriptedSocket) => void> = {
    authenticate (frame, socket) {
      socket.reply(frame, 'authenticated', { ...server.user, expires_at: iso(clock.now() + server.ahead + server.tokenLife) })
    },
    heartbeat (_frame, socket) { socket.say({ type: 'heartbeat_ack', server_time: iso(clock.now()) }) },
    join_channel: join,
    unsubscribe_channel () {},
    signal () {},
    user_list ({ channel, ref }, socket) { socket.say({ type: 'user_list', channel, users: [me], count: 1, next_cursor: null, ref }) }
  }

  function join (frame: Asked, socket: ScriptedSocket): void {
    const { since, since_id: sinceId, channel_id: channelId, history } = frame
    const { entries, id, resumeLimit } = room
    const isSame = since !== undefined && channelId === id && (since === 0 || entries[since - 1]?.id === sinceId)
    const recovered = isSame && entries.length - since <= resumeLimit
    socket.reply(frame, 'channel_joined', {
      channel: frame.channel,
      channel_id: id,
      channel_type: 'public',
      seq: entries.length,
      last_id: entries.at(-1)?.id ?? null,
      recovered,
      messages: recovered ? entries.slice(since) : since === undefined ? newest(history) : [],
      topic: '', slow_mode: 0, retention: null, user_count: 1,
      me: { role: 'user', is_member_since: iso(START), is_moderator: false, muted_until: null, read_seq: room.readTo }
    })
  }

  /** The messages as they are now: what every client has to show. */
  function history (): Frame[] {
    const messages = new Map<string, Frame>()
    for (const { type, ...entry } of room.entries) {
      if (type === 'message') messages.set(entry.id, entry as never)
      else {
        const change = type === 'message_edited' ? { message: entry.message, edited_at: entry.timestamp } : { message: null, deleted: true }
        messages.set(entry.id, { ...messages.get(entry.id)!, ...change })
      }
    }
    return [...messages.values()]
  }

  const newest = (count: number): object[] => history().slice(-count).map(message => ({ ...message, type: 'message' }))

  /** Adds an entry to the stream of the channel, and sends it to the newest socket. */
  function publish (entry: object, isHeard = true): Frame {
    const seq = room.entries.length + 1
    const bob = { user_id: 'bob', username: 'Bob' }
    const whole = { id: `m${seq}`, seq, channel: 'room', timestamp: iso(clock.now()), ...bob, ...entry } as unknown as Frame
    room.entries.push(whole)
    if (isHeard) sockets.at(-1)?.say(whole)
    return whole
  }

  function onSent (frame: Asked, socket: ScriptedSocket): void {
    const answer = answers[frame.command ?? frame.type]
    if (answer && !server.isSilent) queueMicrotask(() => { if (!socket.isClosed) answer(frame, socket) })
  }

  class Socket extends ScriptedSocket {
    constructor (url: string, protocols: string[] = []) {
      super(url, protocols, onSent)
      sockets.push(this)
      queueMicrotask(() => {
        if (server.isDown) this.end()
        else if (!server.isSilent) this.say(welcome(clock.now() + server.ahead))
      })
    }
  }

  const parley: Parley = createParley({
    url: 'http://parley.test', clock, WebSocket: Socket, token: () => 'token', log: event => { log.push(event) }, ...options
  })
  t.teardown(() => {
    const ended = parley.disconnect()
    sockets.at(-1)?.end(1000)
    return ended
  })

  return {
    clock, sockets, log, room, server, answers, parley, publish, history,
    get socket () { return sockets.at(-1)! },
    text: (message: string, more: object = {}, isHeard = true): Frame => publish({ type: 'message', message, ...more }, isHeard),
    /** Connects and waits until everything that needs no time is done. */
    async connect (): Promise<void> {
      parley.connect()
      await clock.advance(0)
    }
  }
}

export type Scene = ReturnType<typeof createScene>

export function welcome (now: number): object {
  const bounds = { heartbeat_interval: 30, connection_timeout: 300, max_payload: 65_536 }
  return { type: 'welcome', connection_id: 'c', server_time: iso(now), protocol: 1, ...bounds }
}

export function iso (ms: number): string {
  return new Date(ms).toISOString()
}
