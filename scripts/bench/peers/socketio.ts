// Socket.IO 4 with only its own features: rooms and fan-out. It neither authenticates clients nor stores messages.
import { createServer } from 'node:http'
import { randomUUID } from 'node:crypto'
import { Server } from 'socket.io'
import { announcePort } from './ready.ts'

interface Draft { channel: string, message: string }

const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })

io.on('connection', socket => {
  socket.on('join', (channel: string, done: (answer: object) => void) => {
    socket.join(channel)
    done({ channel })
  })
  socket.on('message', ({ channel, message }: Draft) => {
    io.to(channel).emit('message', {
      id: randomUUID(), channel, user_id: socket.id, username: 'person', message, timestamp: new Date().toISOString()
    })
  })
})

http.listen(0, '127.0.0.1', () => announcePort(http))
