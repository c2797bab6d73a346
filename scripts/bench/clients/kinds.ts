import type { Channel } from '@parley/client'
import { createParley, type WebSocketLike } from '@parley/client'
import * as ably from 'ably'
import { Centrifuge } from 'centrifuge'
import ReconnectingWebSocket from 'partysocket/ws'
import { io } from 'socket.io-client'
import WebSocket from 'ws'
import { CHANNEL } from '../peers/scripted-dialects.ts'

/** The events of a client. `seq`: the number of a message that has come and is in the window. */
export interface Watcher { ready (): void, lost (): void, received (seq: number): void }

/** Opens one client, with the defaults of its package, that joins the channel again whenever it has lost it. */
export type Open = (port: number, watcher: Watcher) => void

/** Messages that a client shows. */
const WINDOW = 1000

/** Keeps the newest messages, as an application of a client without a window would. */
function createWindow ({ received }: Watcher): (message: { seq: number }) => void {
  const messages: object[] = []
  return message => {
    messages.push(message)
    if (messages.length > WINDOW) messages.shift()
    received(message.seq)
  }
}

const parley: Open = (port, { ready, lost, received }) => {
  const client = createParley({ url: `http://127.0.0.1:${port}`, token: () => null, WebSocket: WebSocket as unknown as WebSocketLike })
  const channel: Channel = client.channel(CHANNEL, { presence: 'off' })
  let isLive = false
  // Every change is read at once, as a page does that shows it.
  channel.subscribe(() => {
    const { state, messages } = channel.getSnapshot()
    if (isLive !== (state === 'live')) {
      isLive = !isLive
      if (isLive) ready()
      else lost()
    }
    received(messages.at(-1)?.seq ?? 0)
  })
  channel.open()
  client.connect()
}

const socketio: Open = (port, watcher) => {
  // Without `forceNew` all clients of a process would share one connection.
  const socket = io(`http://127.0.0.1:${port}`, { forceNew: true })
  socket.on('connect', () => socket.emit('join', CHANNEL, watcher.ready))
  socket.on('disconnect', watcher.lost)
  socket.on('message', createWindow(watcher))
}

const centrifuge: Open = (port, watcher) => {
  const client = new Centrifuge(`ws://127.0.0.1:${port}/connection/websocket`, { websocket: WebSocket })
  const add = createWindow(watcher)
  const subscription = client.newSubscription(CHANNEL)
  subscription.on('subscribed', watcher.ready)
  subscription.on('subscribing', watcher.lost)
  subscription.on('publication', ({ data }) => add(data as { seq: number }))
  subscription.subscribe()
  client.connect()
}

const ablyRealtime: Open = (port, watcher) => {
  const client = new ably.Realtime({
    token: 'app.token',
    realtimeHost: '127.0.0.1', restHost: '127.0.0.1', port, tls: false, fallbackHosts: [], disableConnectivityCheck: true,
    useBinaryProtocol: false, logLevel: 0
  })
  const add = createWindow(watcher)
  const channel = client.channels.get(CHANNEL)
  channel.on('attached', watcher.ready)
  client.connection.on('disconnected', watcher.lost)
  client.connection.on('suspended', watcher.lost)
  channel.subscribe(({ data }) => add(data as { seq: number })).catch(() => {})
}

/** The parts of the package, which has no types of its own, that are used here. */
interface Phoenix {
  Socket: new (url: string, options: object) => {
    connect (): void
    onClose (listener: () => void): void
    channel (topic: string): {
      join (): { receive (status: string, listener: () => void): void }
      on (event: string, listener: (payload: { seq: number }) => void): void
    }
  }
}
const { Socket } = await import('phoenix' as string) as Phoenix

const phoenix: Open = (port, watcher) => {
  const socket = new Socket(`ws://127.0.0.1:${port}/socket`, { transport: WebSocket })
  socket.connect()
  socket.onClose(watcher.lost)
  const channel = socket.channel(CHANNEL)
  channel.on('message', createWindow(watcher))
  channel.join().receive('ok', watcher.ready)
}

const partysocket: Open = (port, watcher) => {
  const socket = new ReconnectingWebSocket(`ws://127.0.0.1:${port}`, [], { WebSocket })
  const add = createWindow(watcher)
  socket.onopen = () => socket.send('{"type":"join"}')
  socket.onclose = watcher.lost
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data as string)
    if (frame.type === 'joined') watcher.ready()
    else add(frame)
  }
}

export const kinds = { parley, socketio, centrifuge, ably: ablyRealtime, phoenix, partysocket } satisfies Record<string, Open>
export type KindName = keyof typeof kinds
