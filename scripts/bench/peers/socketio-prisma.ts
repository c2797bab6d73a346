// A chat server as a team would write it with Socket.IO and Prisma: it checks a token at connect, stores a message with one `create`, then
// sends it to the room, then acks it. The Redis adapter connects the instances if REDIS_URL is set. It does less than Parley: no order
// across instances (its `seq` is only unique), no membership in the database, no protection against duplicates, no repair of losses.
import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import { uuidv7 } from 'uuidv7'
import { loadConfig } from '../../../src/config.ts'
import type { AccessClaims } from '../../../src/schemas/auth.ts'
import { openDatabase } from '../../../src/store/client.ts'
import { createAccessTokens } from '../tokens.ts'
import { announcePort } from './ready.ts'

interface Draft { channel: string, message: string }

/** Seconds. Under saturation, messages wait for a database connection instead of failing. */
const POOL_TIMEOUT = 60

const { config } = loadConfig()
const tokens = await createAccessTokens(config.authentication.jwt_secret!)
const { prisma } = await openDatabase({ ...config.database, pool_timeout: POOL_TIMEOUT })
const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })
if (config.redis.url !== undefined) io.adapter(createAdapter(new Redis(config.redis.url), new Redis(config.redis.url)))

/** The schema requires unique numbers per channel. Each process uses channel ids of its own, so that its numbers cannot collide. */
const channelIds = new Map<string, string>()
let seq = 0

io.use((socket, next) => {
  try {
    socket.data.user = tokens.verify(socket.handshake.auth.token as string)
    next()
  } catch {
    next(new Error('authentication failed'))
  }
})

io.on('connection', socket => {
  const { user_id: userId, email } = socket.data.user as AccessClaims

  socket.on('join', async (channel: string, done: (answer: object) => void) => {
    await socket.join(channel)
    if (!channelIds.has(channel)) channelIds.set(channel, uuidv7())
    done({ channel })
  })

  socket.on('message', async ({ channel, message }: Draft, done: (answer: object) => void) => {
    if (!socket.rooms.has(channel)) return done({ error: 'not in channel' })
    const stored = await prisma.message.create({
      data: { id: uuidv7(), channelId: channelIds.get(channel)!, seq: ++seq, userId, content: message, createdAt: new Date() },
      select: { id: true, createdAt: true }
    })
    const timestamp = stored.createdAt.toISOString()
    io.to(channel).emit('message', { id: stored.id, channel, user_id: userId, username: email, message, timestamp })
    done({ id: stored.id, timestamp })
  })
})

http.listen(0, '127.0.0.1', () => announcePort(http))
