// Bare `ws` with a Set of subscribers per channel. Each message is encoded once and sent to every subscriber. Nothing is stored.
import { createServer } from 'node:http'
import { randomUUID } from 'node:crypto'
import { WebSocketServer, type WebSocket } from 'ws'
import { announcePort } from './ready.ts'

type Request = { type: 'join_channel', channel: string } | { type: 'send_message', channel: string, message: string }

const channels = new Map<string, Set<WebSocket>>()
const http = createServer()
const server = new WebSocketServer({ server: http })

server.on('connection', socket => {
  const userId = randomUUID()
  socket.on('message', data => {
    const request = JSON.parse(String(data)) as Request
    const { channel } = request
    if (request.type === 'join_channel') {
      const subscribers = channels.get(channel) ?? new Set()
      channels.set(channel, subscribers.add(socket))
      socket.on('close', () => subscribers.delete(socket))
      socket.send(JSON.stringify({ type: 'success', action: 'channel_joined', data: { channel } }))
    } else {
      const frame = Buffer.from(JSON.stringify({
        type: 'message',
        id: randomUUID(),
        channel,
        user_id: userId,
        username: 'person',
        message: request.message,
        timestamp: new Date().toISOString()
      }))
      for (const subscriber of channels.get(channel) ?? []) subscriber.send(frame, { binary: false })
    }
  })
})

http.listen(0, '127.0.0.1', () => announcePort(http))
