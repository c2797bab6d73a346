import { once } from 'node:events'
import WebSocket from 'ws'
import type { Frame } from '../client.ts'
import { DEADLINE } from '../eventually.ts'
import type { Scope } from '../helper.ts'
import { keyOf, type Entry } from '../../src/schemas/message.ts'
import type { Member } from './people.ts'

/** An entry of a channel as a client received it. `key` says what it is; `at` is by `performance.now()`. */
export interface Received { seq: number, key: string, at: number }

/**
 * The entries of a channel that one client received over all of its connections. `base`: the `seq` before the first entry. `past`: the
 * messages up to `base` that the join brought as history, which has no other entries.
 */
export interface Stream { channelId: string, base: number, past: Received[], entries: Received[] }

/**
 * The outcome of a request. Code `lost`: the connection ended before the answer. `seq` and `key` are those of the entry that it became; a
 * reaction that was there already became none. `took`: milliseconds until the outcome.
 */
export type Sent =
  | { code: null, id: string, seq: number | undefined, key: string, duplicate: boolean, at: number, took: number }
  | { code: string, took: number }

export type Recorder = Awaited<ReturnType<typeof openRecorder>>

/** An authenticated client in these channels that records all it receives. It can reconnect, also to another instance, and resume. */
export async function openRecorder (scope: Scope, port: number, member: Member, channels: string[] = [], join: object = {}) {
  const streams = new Map<string, Stream>()
  /** Frames that are neither replies nor entries. */
  const notices: Frame[] = []
  /** How often each signal was received, by its data. */
  const signals = new Map<string, number>()
  const waiting = new Map<string, (frame: Frame | null) => void>()
  let socket: WebSocket
  let refs = 0
  /** Number of joins that could not resume. */
  let unrecovered = 0
  let ended: { code: number, reason: string } | undefined
  /** Whether the client is authenticated and in all of its channels again. */
  let ready = false
  scope.teardown(() => socket.terminate())

  function receive (frame: Frame): void {
    if (frame.seq !== undefined) {
      streams.get(frame.channel)?.entries.push({ seq: frame.seq, key: keyOf(frame as Entry), at: performance.now() })
    } else if (frame.ref !== undefined) {
      if (frame.action === 'channel_joined') joined(frame.data)
      const resolve = waiting.get(frame.ref)
      waiting.delete(frame.ref)
      resolve?.(frame)
    } else if (frame.type === 'signal') {
      signals.set(frame.data, (signals.get(frame.data) ?? 0) + 1)
    } else {
      notices.push(frame)
    }
  }

  /** Runs in the same event loop turn as the reply arrives, because live entries may follow at once. */
  function joined ({ channel, channel_id: channelId, seq, recovered, messages }: Frame): void {
    const before = streams.get(channel)
    const at = performance.now()
    const entries: Received[] = messages.map((entry: Entry) => ({ seq: entry.seq, key: keyOf(entry), at }))
    if (before && recovered) before.entries.push(...entries)
    else {
      if (before) unrecovered++
      streams.set(channel, { channelId, base: seq, past: entries, entries: [] })
    }
  }

  function ask (frame: object): Promise<Frame | null> {
    const ref = `r${++refs}`
    return new Promise(resolve => {
      if (socket.readyState !== WebSocket.OPEN) return resolve(null)
      waiting.set(ref, resolve)
      socket.send(JSON.stringify({ ...frame, ref }))
    })
  }

  /** @throws Error if the reply is an error or the connection ends. */
  async function request (frame: object): Promise<Frame> {
    const reply = await ask(frame)
    if (!reply || reply.type === 'error') throw new Error(`${JSON.stringify(frame).slice(0, 100)}: ${reply?.code ?? 'lost'}`)
    return reply
  }

  /** Opens a connection to this instance after the last one has ended, and resumes every channel. */
  async function connect (to: number): Promise<void> {
    port = to
    ended = undefined
    const opened = new WebSocket(`ws://127.0.0.1:${to}/websocket`)
    socket = opened
    opened.on('message', data => receive(JSON.parse(String(data))))
    opened.on('error', () => {})
    opened.on('close', (code, reason) => {
      ended = { code, reason: String(reason) }
      ready = false
      for (const resolve of waiting.values()) resolve(null)
      waiting.clear()
    })
    await Promise.race([once(opened, 'open'), once(opened, 'close').then(() => { throw new Error(`${to}: refused`) })])
    await request({ type: 'authenticate', token: member.token })
    for (const [channel, { channelId }] of streams) {
      await request({ type: 'join_channel', channel, since: lastOf(channel), channel_id: channelId })
    }
    ready = true
  }

  /** Makes a request that becomes an entry, and never throws: while the client reconnects, the outcome is `lost`. */
  async function attempt (frame: object): Promise<Sent> {
    const began = performance.now()
    const reply = ready && await ask(frame)
    const at = performance.now()
    const took = at - began
    if (!reply) return { code: 'lost', took }
    if (reply.type === 'error') return { code: reply.code, took }
    const { action, data: { id, seq, duplicate, reaction } } = reply
    const type = action === 'message_sent' ? 'message' : action
    const key = keyOf({ type, id, user_id: member.id, ...reaction !== undefined && { reaction } })
    return { code: null, id, seq, key, duplicate: duplicate === true, at, took }
  }

  const lastOf = (channel: string): number => {
    const { base, entries } = streams.get(channel)!
    return entries.at(-1)?.seq ?? base
  }

  await connect(port)
  for (const channel of channels) await request({ type: 'join_channel', channel, ...join })

  return {
    member,
    streams,
    notices,
    signals,
    request,
    connect,
    lastOf,
    /** Resolves with the reply, even if it is an error, or with null when the connection ends. */
    ask,
    get port () { return port },
    get socket () { return socket },
    get open () { return ended === undefined },
    get ready () { return ready },
    get ended () { return ended },
    get unrecovered () { return unrecovered },

    /** Undefined fields are left out. */
    send: (channel: string, message: string, clientId?: string, replyTo?: string): Promise<Sent> =>
      attempt({ type: 'send_message', channel, message, client_id: clientId, reply_to: replyTo }),

    /** Makes a command that becomes an entry. */
    act: (channel: string, command: object): Promise<Sent> => attempt({ ...command, channel }),

    /** Cuts the connection without a close frame. */
    async drop (): Promise<void> {
      if (ended) return
      socket.terminate()
      await once(socket, 'close')
    },

    /** Waits for the first notice that fits, including those that have already arrived. */
    async notice (fits: (frame: Frame) => boolean, deadline = DEADLINE): Promise<Frame> {
      const end = performance.now() + deadline
      for (;;) {
        const found = notices.find(fits)
        if (found) return found
        if (performance.now() > end) throw new Error(`no such notice within ${deadline} ms`)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    }
  }
}
