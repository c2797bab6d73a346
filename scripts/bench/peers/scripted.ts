// A server that speaks just enough of a protocol for its client to connect and to be in one channel, on the port of the environment. It
// stores nothing, checks nothing and delivers nothing by itself. The message `{ flood: n }` over IPC makes it send n messages to everyone.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { WebSocketServer, type WebSocket } from 'ws'
import { announcePort } from './ready.ts'
import { dialects, message, type PeerName } from './scripted-dialects.ts'

/** Messages between two looks at how much the socket still has to send, and the bytes of it that may wait. */
const BURST = 200
const MAX_WAITING = 1_000_000

const name = process.env.DIALECT as PeerName
const http = createServer()
const flood = name === 'socketio' ? serveSocketIo() : serveScript(name)
let sent = 0

process.on('message', ({ flood: count }: { flood: number }) => {
  flood(sent + 1, sent + count)
  sent += count
})
http.listen(Number(process.env.PORT), '127.0.0.1', () => announcePort(http))

type Flood = (from: number, to: number) => void

/** Serves one of the scripted protocols. @returns what sends the messages from one number to another to everyone who is connected. */
function serveScript (dialect: Exclude<PeerName, 'socketio'>): Flood {
  const { greet, answer, frame } = dialects[dialect]
  const server = new WebSocketServer({ server: http })
  server.on('connection', socket => {
    const send = (frame: object): void => socket.send(JSON.stringify(frame))
    greet(send)
    socket.on('message', data => {
      // Centrifuge puts several commands into one frame, a line each.
      for (const line of String(data).split('\n')) answer(JSON.parse(line), send)
    })
  })
  return (from, to) => {
    for (const socket of server.clients) feed(socket, from, to, i => JSON.stringify(frame(i)))
  }
}

/** Sends as fast as the client reads. */
async function feed (socket: WebSocket, from: number, to: number, text: (i: number) => string): Promise<void> {
  for (let i = from; i <= to; i++) {
    socket.send(text(i))
    if (i % BURST > 0) continue
    while (socket.bufferedAmount > MAX_WAITING) await new Promise(resolve => setTimeout(resolve, 1))
    // The socket gets a turn to write.
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Serves Socket.IO itself, with all of its defaults. */
function serveSocketIo (): Flood {
  const io = new Server(http, { serveClient: false })
  io.on('connection', socket => {
    socket.on('join', (channel: string, done: () => void) => {
      socket.join(channel)
      done()
    })
  })
  return async (from, to) => {
    for (let i = from; i <= to; i++) {
      io.emit('message', message(i))
      if (i % BURST > 0) continue
      for (const { conn } of io.sockets.sockets.values()) {
        // The types hide this list of what waits, which the documentation names.
        const { writeBuffer } = conn as unknown as { writeBuffer: unknown[] }
        if (writeBuffer.length > 0) await once(conn, 'drain')
      }
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}
