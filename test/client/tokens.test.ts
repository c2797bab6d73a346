import type { TokenReason } from '@parley/client'
import { t } from '../tap.ts'
import { createScene } from './scripted.ts'

const HOUR = 3_600_000

t.test('[C7] own tokens are asked for when they are needed: at first, at 80 % of their life, when they have expired', async t => {
  const asked: TokenReason[] = []
  const scene = createScene(t, { token: why => `token ${asked.push(why)}` })
  scene.server.tokenLife = HOUR
  await scene.connect()
  await scene.clock.advance(0.8 * HOUR - 1)
  t.same(asked, ['connect'])
  await scene.clock.advance(1)
  t.same(asked, ['connect', 'expiring'])
  t.same(scene.socket.asked('authenticate').map(({ token }) => token), ['token 1', 'token 2'])
  t.equal(scene.sockets.length, 1)

  scene.socket.end()
  await scene.clock.advance(1000)
  t.same(scene.socket.asked('authenticate').map(({ token }) => token), ['token 2'], 'a token that is good is used again')
  scene.server.isDown = true
  scene.socket.end()
  await scene.clock.advance(HOUR)
  scene.server.isDown = false
  await scene.clock.advance(30_000)
  t.same(asked, ['connect', 'expiring', 'connect'])
  t.same(scene.socket.asked('authenticate').map(({ token }) => token), ['token 3'])
})

t.test('[C7] the life of a token is measured by the server\'s clock, whatever this machine\'s clock says', async t => {
  const asked: TokenReason[] = []
  const scene = createScene(t, { token: why => `token ${asked.push(why)}` })
  scene.server.ahead = 5 * HOUR
  await scene.connect()
  await scene.clock.advance(0.8 * HOUR - 1)
  t.same(asked, ['connect'])
  await scene.clock.advance(1)
  t.same(asked, ['connect', 'expiring'])
})

t.test('[C7] a token is asked for once at a time, and an answer that comes after disconnect is not kept', async t => {
  const answers: Array<(token: string) => void> = []
  const used: string[] = []
  const scene = createScene(t, {
    token: () => new Promise(resolve => answers.push(resolve)),
    fetch: async (_, { headers } = {}) => {
      used.push((headers as Record<string, string>).authorization!)
      return Response.json({})
    }
  })
  const { parley } = scene
  const calls = [parley.rest('GET /api/me'), parley.rest('GET /api/me')]
  await scene.connect()
  t.equal(answers.length, 1)
  await parley.disconnect()
  answers[0]!('early')
  await Promise.all(calls)
  const later = parley.rest('GET /api/me')
  await scene.clock.advance(0)
  answers[1]!('late')
  await later
  t.same(used, ['Bearer early', 'Bearer early', 'Bearer late'])
})

t.test('[C7] a question for a token that is never answered does not hold up the next attempt', async t => {
  const asked: TokenReason[] = []
  const scene = createScene(t, { token: why => asked.push(why) === 1 ? new Promise(() => {}) : 'token 2' })
  await scene.connect()
  t.equal(scene.sockets.length, 0)
  await scene.clock.advance(21_000)
  t.same(asked, ['connect', 'connect'])
  t.equal(scene.parley.getSnapshot().state, 'online')
})

t.test('[C7] a token that is refused is replaced once, then the connection ends', async t => {
  const asked: TokenReason[] = []
  const scene = createScene(t, { token: why => `token ${asked.push(why)}` })
  const { authenticate } = scene.answers
  scene.answers.authenticate = (frame, socket) => {
    if (frame.token === 'token 1') socket.refuse(frame, 'authentication_failed')
    else authenticate!(frame, socket)
  }
  await scene.connect()
  t.same(asked, ['connect', 'refused'])
  t.equal(scene.parley.getSnapshot().state, 'online')

  scene.answers.authenticate = (frame, socket) => socket.refuse(frame, 'authentication_failed')
  scene.socket.end(4401, 'token expired')
  await scene.clock.advance(1000)
  t.same(asked, ['connect', 'refused', 'connect', 'refused'], 'after 4401 the token is not used again')
  t.match(scene.parley.getSnapshot(), { state: 'ended', reason: { code: 'authentication_failed' } })
  await scene.clock.advance(HOUR)
  t.equal(asked.length, 4)
})

t.test('[C7] a token function that fails or is slow is asked again; no token connects as a guest', async t => {
  let outcome: () => string | null | Promise<string> = () => { throw new Error('no network') }
  const scene = createScene(t, { token: () => outcome() })
  await scene.connect()
  t.match(scene.parley.getSnapshot(), { state: 'waiting', reason: { code: 'offline' } })
  outcome = () => new Promise(() => {})
  await scene.clock.advance(1000)
  t.equal(scene.parley.getSnapshot().state, 'connecting')
  await scene.clock.advance(20_000)
  t.equal(scene.parley.getSnapshot().state, 'waiting')
  await scene.parley.disconnect()
  outcome = () => null
  await scene.connect()
  t.same(scene.socket.asked('authenticate').map(({ token }) => token), [undefined])
  t.equal(scene.parley.getSnapshot().state, 'online')
})

t.test('[C7] a renewal that fails for want of network is tried again, and a token of another user begins another connection', async t => {
  let outcome = (): string => 'one'
  const scene = createScene(t, { token: () => outcome() })
  await scene.connect()
  outcome = () => { throw new Error('no network') }
  await scene.clock.advance(0.8 * HOUR + 60_000)
  t.equal(scene.parley.getSnapshot().state, 'online')
  outcome = () => 'two'
  await scene.clock.advance(5000)
  t.same(scene.socket.asked('authenticate').map(({ token }) => token), ['one', 'two'])

  scene.answers.authenticate = (frame, socket) => {
    if (socket === scene.sockets[0]) return socket.refuse(frame, 'not_authorized')
    socket.reply(frame, 'authenticated', { user_id: 'bob', username: 'Bob', email: null, role: 'user', expires_at: null })
  }
  await scene.clock.advance(0.8 * HOUR)
  t.match(scene.parley.getSnapshot(), { state: 'online', user: { username: 'Bob' } })
  t.equal(scene.sockets.length, 2)
})

t.test('[C7] a REST call has a fresh token, and is made once more if that was refused', async t => {
  const calls: string[] = []
  let asked = 0
  const scene = createScene(t, {
    token: () => `token-${++asked}`,
    fetch: async (input, { headers } = {}) => {
      const { authorization } = headers as Record<string, string>
      calls.push(`${new URL(String(input)).pathname} ${authorization}`)
      if (authorization !== 'Bearer token-1') return Response.json({ id: 'ok' })
      return Response.json({ code: 'authentication_failed', message: 'Authentication failed' }, { status: 401 })
    }
  })
  t.match(await scene.parley.rest('GET /api/channels/:name', { params: { name: 'a b' } }), { id: 'ok' })
  t.same(calls, ['/api/channels/a%20b Bearer token-1', '/api/channels/a%20b Bearer token-2'])
})

t.test('[C11] a REST call without an answer ends after its time, or when the caller gives it up', async t => {
  const scene = createScene(t, {
    fetch: (_, { signal } = {}) => new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
  })
  const slow = t.rejects(scene.parley.rest('GET /api/me', {}, { timeout: 3000 }), { code: 'timeout', again: true })
  await scene.clock.advance(3000)
  await slow
  const stop = new AbortController()
  const given = t.rejects(scene.parley.rest('GET /api/me', {}, { signal: stop.signal }), { code: 'aborted' })
  await scene.clock.advance(0)
  stop.abort()
  await given
  t.equal(scene.clock.pending, 0)
})
