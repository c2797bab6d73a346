// `npm run smoke [-- URL]`: two users register on a running server, exchange a message in a channel, and erase their accounts again.
// Exits with code 1 at the first failure.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { loadConfig } from '../src/config.ts'

/** Milliseconds that each answer may take. */
const TIMEOUT = 5000
const url = new URL(process.argv[2] ?? `http://127.0.0.1:${loadConfig().config.server.port}`)
const channel = `smoke-${randomUUID().slice(0, 8)}`

interface Account { name: string, email: string, password: string, token: string }
type Frame = Record<string, unknown> & { type: string }

try {
  await call('GET', '/healthz')
  console.log(`✓ ${url.origin} is up`)
  const [ann, ben] = [await register('ann'), await register('ben')]
  try {
    console.log('✓ two people registered')
    await talk(ann, ben)
  } finally {
    await call('DELETE', `/api/channels/${channel}`, ann)
    for (const account of [ann, ben]) await call('DELETE', '/api/me', account, { password: account.password })
  }
  console.log('✓ their channel and accounts are deleted again\nAll is well.')
} catch (error) {
  const { message, cause } = error as Error
  console.error(`✗ ${message}${cause instanceof Error ? `: ${cause.message || (cause as NodeJS.ErrnoException).code}` : ''}`)
  process.exitCode = 1
}

async function talk (ann: Account, ben: Account): Promise<void> {
  const sockets = [await connect(ann), await connect(ben)] as const
  try {
    for (const socket of sockets) await socket.request({ type: 'join_channel', channel })
    console.log(`✓ both joined ${channel} over WebSocket`)
    const text = 'Hello, Ben'
    const heard = sockets[1].expect(frame => frame.type === 'message' && frame.message === text)
    const reply = await sockets[0].request({ type: 'send_message', channel, message: text })
    const { seq } = await heard
    if ((reply.data as { seq: number }).seq !== seq) throw new Error('the delivered message has another seq than its acknowledgement')
    console.log(`✓ a message was stored, acknowledged and delivered as number ${seq}`)
    const { messages } = await call('GET', `/api/channels/${channel}/messages`, ben) as { messages: Array<{ message: string }> }
    if (messages.length !== 1 || messages[0]?.message !== text) throw new Error('the history does not hold the message')
    console.log('✓ the history holds it')
  } finally {
    for (const socket of sockets) socket.close()
  }
}

async function register (name: string): Promise<Account> {
  const account = { name, email: `${name}.${randomUUID()}@example.invalid`, password: randomUUID() }
  const { access_token: token } = await call('POST', '/api/auth/register', undefined, account) as { access_token: string }
  return { ...account, token }
}

async function call (method: string, path: string, account?: Account, body?: object): Promise<unknown> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: { ...account && { authorization: `Bearer ${account.token}` }, ...body && { 'content-type': 'application/json' } },
    ...body && { body: JSON.stringify(body) },
    signal: AbortSignal.timeout(TIMEOUT)
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}

/** Opens a connection and authenticates it. */
async function connect (account: Account) {
  const target = new URL('/websocket', url)
  target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new WebSocket(target)
  const waiting = new Set<(frame: Frame) => void>()
  socket.on('message', data => {
    const frame = JSON.parse(String(data)) as Frame
    for (const look of waiting) look(frame)
  })
  await once(socket, 'open', { signal: AbortSignal.timeout(TIMEOUT) })

  function expect (matches: (frame: Frame) => boolean): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${account.name} did not receive the expected frame within ${TIMEOUT} ms`)), TIMEOUT)
      waiting.add(function look (frame) {
        if (!matches(frame)) return
        clearTimeout(timer)
        waiting.delete(look)
        resolve(frame)
      })
    })
  }

  async function request (frame: Frame): Promise<Frame> {
    const ref = randomUUID()
    const reply = expect(candidate => candidate.ref === ref)
    socket.send(JSON.stringify({ ...frame, ref }))
    const answer = await reply
    if (answer.type === 'error') throw new Error(`${frame.type} answered ${JSON.stringify(answer)}`)
    return answer
  }

  await request({ type: 'authenticate', token: account.token })
  return { expect, request, close: () => socket.close() }
}
