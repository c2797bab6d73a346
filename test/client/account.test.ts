import type { LoginStorage, OutboxStorage, ParleyOptions } from '@parley/client'
import { t, type Test } from '../tap.ts'
import { createScene, iso } from './scripted.ts'

const HOUR = 3_600_000

/** A REST server of one account, `password` right: each refresh gives new tokens. `fail` makes the next calls fail. */
function createAccounts () {
  const calls: string[] = []
  const state: { refreshes: number, fail?: (() => Response) | undefined, hold?: Promise<void> } = { refreshes: 0 }
  const valid = new Set<string>()
  const user = { id: 'me', email: 'ann@example.org', name: 'Ann', role: 'user', created_at: iso(0) }
  const refusal = (code: string, status: number, more: object = {}): Response =>
    Response.json({ statusCode: status, error: '', code, message: code, ...more }, { status })

  function login (): Response {
    const token = `refresh-${++state.refreshes}`
    valid.add(token)
    const access = { access_token: `access-${state.refreshes}`, token_type: 'Bearer', expires_in: 3600 }
    return Response.json({ user, ...access, refresh_token: token, refresh_expires_in: 99 })
  }

  const fetch: typeof globalThis.fetch = async (input, { method, body, headers } = {}) => {
    const path = new URL(String(input)).pathname
    const given = body === undefined ? {} : JSON.parse(String(body))
    calls.push(`${method} ${path} ${given.refresh_token ?? (headers as Record<string, string>).authorization ?? ''}`.trim())
    await state.hold
    if (state.fail) return state.fail()
    if (path === '/api/auth/login') return given.password === 'right' ? login() : refusal('authentication_failed', 401)
    if (path === '/api/auth/register') return given.email === 'unverified' ? Response.json({ user }, { status: 202 }) : login()
    if (path === '/api/auth/refresh') return valid.has(given.refresh_token) ? login() : refusal('authentication_failed', 401)
    if (path === '/api/auth/logout') {
      valid.delete(given.refresh_token)
      return new Response(null, { status: 204 })
    }
    if (path === '/api/me' && method === 'PATCH') return Response.json({ ...user, name: given.name })
    if (path === '/api/me' && method === 'DELETE') {
      return given.password === 'right' ? new Response(null, { status: 204 }) : refusal('authentication_failed', 401)
    }
    return Response.json(user)
  }
  return { fetch, calls, state, valid, refusal }
}

/** A storage that several clients share, as tabs do. */
function createStorage () {
  const listeners = new Set<() => void>()
  const state = { kept: null as string | null }
  const storage = (): LoginStorage => {
    let own: (() => void) | undefined
    return {
      load: () => state.kept,
      save (login) {
        state.kept = login
        for (const listener of listeners) if (listener !== own) listener()
      },
      subscribe (listener) {
        own = listener
        listeners.add(listener)
        return () => { listeners.delete(listener) }
      }
    }
  }
  return { storage, state, listeners }
}

function withAccount (t: Test, options: ParleyOptions = {}, accounts = createAccounts()) {
  // Without `token`, the account gives the tokens.
  const scene = createScene(t, { fetch: accounts.fetch, token: undefined as never, ...options })
  const tokens = () => scene.sockets.map(socket => socket.asked('authenticate').map(({ token }) => token))
  return { scene, account: scene.parley.account, accounts, tokens }
}

t.test('[C7] account: without a login nobody is connected; a login connects, and its tokens are renewed on the open socket', async t => {
  const { scene, account, accounts, tokens } = withAccount(t)
  scene.answers.authenticate = (frame, socket) => {
    if (frame.token === undefined) return socket.refuse(frame, 'token_required')
    socket.reply(frame, 'authenticated', { ...scene.server.user, expires_at: iso(scene.clock.now() + HOUR) })
  }
  await scene.connect()
  t.match(scene.parley.getSnapshot(), { state: 'ended', reason: { code: 'token_required' } })
  await t.rejects(account.login({ email: 'ann@example.org', password: 'wrong' }), { code: 'authentication_failed' })
  t.equal(account.getSnapshot(), null)
  t.match(await account.login({ email: 'ann@example.org', password: 'right' }), { user_id: 'me', username: 'Ann' })
  await scene.clock.advance(0)
  t.match(account.getSnapshot(), { user_id: 'me', email: 'ann@example.org', role: 'user' })
  t.equal(scene.parley.getSnapshot().state, 'online')
  await scene.clock.advance(HOUR)
  t.equal(scene.sockets.length, 2)
  t.equal(tokens()[1]!.length, 2)
  const refreshes = accounts.calls.filter(call => call.includes('refresh'))
  t.same([...new Set(refreshes)], refreshes, 'no refresh token is used twice')

  t.match(await account.update({ name: 'Anna' }), { username: 'Anna' })
  t.match(account.getSnapshot(), { username: 'Anna' })
  t.equal(scene.parley.getSnapshot().state, 'online', 'a new name is no other login')
  await account.logout()
  await scene.clock.advance(0)
  t.equal(account.getSnapshot(), null)
  t.match(scene.parley.getSnapshot(), { state: 'ended', reason: { code: 'token_required' } })
  t.equal(accounts.valid.has(`refresh-${accounts.state.refreshes}`), false)
})

t.test('[C4] what somebody writes after they have logged in is kept before there is a connection', async t => {
  const calls: string[] = []
  const storage: OutboxStorage = {
    async take (userId) {
      calls.push(`take ${userId}`)
      return []
    },
    async put (userId, { text }) { calls.push(`put ${userId} ${text}`) },
    async remove () {},
    release () {}
  }
  const { scene, account } = withAccount(t, { outbox: { storage } })
  await account.login({ email: 'ann@example.org', password: 'right' })
  t.same(calls, [], 'an idle client takes nothing')
  await scene.connect()
  await account.logout()
  await scene.clock.advance(0)
  scene.server.isSilent = true
  calls.length = 0
  await account.login({ email: 'ann@example.org', password: 'right' })
  scene.parley.channel('room').send('early')
  await scene.clock.advance(0)
  t.same(calls, ['take me', 'put me early'])
})

t.test('[C7] a refresh that fails for want of network changes nothing, obeys Retry-After; one that is refused ends the login', async t => {
  const { scene, account, accounts } = withAccount(t)
  await account.login({ email: 'ann@example.org', password: 'right' })
  accounts.state.fail = () => { throw new TypeError('fetch failed') }
  await scene.connect()
  t.match(scene.parley.getSnapshot(), { state: 'waiting', reason: { code: 'offline' } })
  t.ok(account.getSnapshot())
  accounts.state.fail = () => accounts.refusal('rate_limited', 429, { retry_after_ms: 12_345 })
  await scene.clock.advance(1000)
  t.match(scene.parley.getSnapshot(), { state: 'waiting', reason: { code: 'rate_limited' }, retryAt: Number })
  const state = scene.parley.getSnapshot()
  t.ok(state.state === 'waiting' && state.retryAt - scene.clock.now() > 11_000)
  accounts.state.fail = () => new Response('<h1>Bad Gateway</h1>', { status: 502, headers: { 'retry-after': '60' } })
  await scene.clock.advance(12_345)
  t.match(scene.parley.getSnapshot(), { state: 'waiting', reason: { code: 'unavailable' } })
  accounts.state.fail = undefined
  await scene.clock.advance(60_000)
  t.equal(scene.parley.getSnapshot().state, 'online')
  t.ok(account.getSnapshot())

  accounts.valid.clear()
  await t.rejects(account.refresh(), { code: 'not_authenticated' })
  t.equal(account.getSnapshot(), null)
})

t.test('[C7] one refresh at a time, and one that is refused ends the login in all tabs', async t => {
  const { storage, state } = createStorage()
  const accounts = createAccounts()
  const tabs = [1, 2, 3].map(() => withAccount(t, { storage: storage() }, accounts))
  await tabs[0]!.account.login({ email: 'ann@example.org', password: 'right' })
  for (const { scene } of tabs) await scene.connect()
  for (const { scene, account } of tabs) {
    t.equal(scene.parley.getSnapshot().state, 'online')
    t.match(account.getSnapshot(), { username: 'Ann' })
  }
  const { scene: { parley }, account } = tabs[0]!
  const before = accounts.calls.length
  await Promise.all([parley.rest('GET /api/me'), parley.rest('GET /api/me'), account.refresh()])
  t.equal(accounts.calls.slice(before).filter(call => call.includes('refresh')).length, 1)

  accounts.valid.clear()
  await t.rejects(tabs[1]!.account.refresh(), { code: 'not_authenticated' })
  for (const { scene } of tabs) await scene.clock.advance(0)
  t.equal(state.kept, null)
  for (const { account } of tabs) t.equal(account.getSnapshot(), null)
})

t.test('[C7] a login is kept: the next client begins with it, and 4504 ends it for good', async t => {
  const { storage, state, listeners } = createStorage()
  const accounts = createAccounts()
  const first = withAccount(t, { storage: storage() }, accounts)
  await first.account.register({ email: 'ann@example.org', name: 'Ann', password: 'right' })
  t.ok(state.kept)
  t.notMatch(state.kept, 'access-', 'access tokens are not stored')
  const second = withAccount(t, { storage: storage() }, accounts)
  t.match(second.account.getSnapshot(), { username: 'Ann' })
  await second.scene.connect()
  t.equal(second.scene.parley.getSnapshot().state, 'online')
  t.equal(listeners.size, 1)
  second.scene.socket.end(4504, 'session revoked')
  await second.scene.clock.advance(0)
  t.match(second.scene.parley.getSnapshot(), { state: 'ended', reason: { code: 4504 } })
  t.equal(second.account.getSnapshot(), null)
  t.equal(state.kept, null)
  await second.scene.parley.disconnect()
  t.equal(listeners.size, 0, '[C10]')
})

t.test('[C7] a logout while a refresh is under way is not undone by it', async t => {
  const { account, accounts } = withAccount(t)
  await account.login({ email: 'ann@example.org', password: 'right' })
  let go = (): void => {}
  accounts.state.hold = new Promise(resolve => { go = resolve })
  const refreshed = account.refresh()
  const out = account.logout()
  go()
  await Promise.all([refreshed, out])
  t.equal(account.getSnapshot(), null)
  await t.rejects(account.refresh(), { code: 'not_authenticated' })
})

t.test('an account that is erased is logged out, and one whose address has to be verified first is not logged in', async t => {
  const { storage, state } = createStorage()
  const { account, scene } = withAccount(t, { storage: storage() })
  await t.rejects(account.register({ email: 'unverified', name: 'Ann', password: 'right' }), { code: 'email_not_verified' })
  t.same([account.getSnapshot(), state.kept], [null, null])
  await account.login({ email: 'ann@example.org', password: 'right' })
  await scene.connect()
  t.equal(scene.parley.getSnapshot().state, 'online')
  await t.rejects(account.erase('wrong'), { code: 'authentication_failed' })
  t.ok(account.getSnapshot())
  await account.erase('right')
  t.same([account.getSnapshot(), state.kept], [null, null])
  await scene.clock.advance(0)
  t.equal(scene.sockets[0]!.isClosed, true, 'the connection of the erased user is not kept')
})
