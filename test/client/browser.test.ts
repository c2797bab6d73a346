import { t, type Test } from '../tap.ts'
import { createScene } from './scripted.ts'

/** Puts these properties on the global object until the test ends. */
function pretend (t: Test, properties: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(properties)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name)
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    t.teardown(() => {
      if (before) Object.defineProperty(globalThis, name, before)
      else Reflect.deleteProperty(globalThis, name)
    })
  }
}

/** A page whose listeners are counted. */
function createPage (t: Test) {
  const [page, scope] = [new EventTarget(), new EventTarget()]
  const state = { visibilityState: 'visible', listeners: 0 }
  const counted = (target: EventTarget) => ({
    addEventListener (type: string, listener: () => void) {
      state.listeners++
      target.addEventListener(type, listener)
    },
    removeEventListener (type: string, listener: () => void) {
      state.listeners--
      target.removeEventListener(type, listener)
    }
  })
  pretend(t, { ...counted(scope), document: { ...counted(page), get visibilityState () { return state.visibilityState } } })
  return { state, scope, page }
}

/** localStorage of one origin, and what its tabs hear of each other. */
function createLocalStorage (t: Test, scope: EventTarget) {
  const items = new Map<string, string>()
  const state = { isFull: false }
  const localStorage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem (key: string, value: string) {
      if (state.isFull) throw new Error('QuotaExceededError')
      items.set(key, value)
    },
    removeItem: (key: string) => items.delete(key)
  }
  pretend(t, { localStorage })
  const tell = (key: string | null): void => {
    scope.dispatchEvent(Object.assign(new Event('storage'), { key, storageArea: localStorage }))
  }
  return { items, state, tell }
}

const login = (name: string, refreshToken: string): string =>
  JSON.stringify({ user: { user_id: name, username: name, email: null, role: 'user' }, refreshToken })

const KEY = 'parley:http://parley.test'

t.test('[C5] a machine that finds a network and a page that is shown end the wait; [C10] disconnect ends the listening', async t => {
  const { state, scope, page } = createPage(t)
  const { parley, server, sockets, clock, connect } = createScene(t)
  await connect()
  t.ok(state.listeners > 0)
  for (const wake of [
    () => scope.dispatchEvent(new Event('online')), () => scope.dispatchEvent(new Event('pageshow')),
    () => page.dispatchEvent(new Event('visibilitychange'))
  ]) {
    server.isDown = true
    sockets.at(-1)!.end()
    for (let i = 0; i < 10; i++) await clock.advance(30_000)
    t.equal(parley.getSnapshot().state, 'waiting')
    server.isDown = false
    wake()
    await clock.advance(0)
    t.equal(parley.getSnapshot().state, 'online')
  }

  sockets.at(-1)!.end(1012, 'service restart retry_after_ms=5000')
  scope.dispatchEvent(new Event('online'))
  t.equal(parley.getSnapshot().state, 'waiting', 'the time that the server has named is kept')
  await clock.advance(5000)
  server.isSilent = true
  scope.dispatchEvent(new Event('online'))
  await clock.advance(3000)
  t.equal(parley.getSnapshot().state, 'waiting', '[C6] a connection is in doubt when the network is another one')
  server.isDown = true
  state.visibilityState = 'hidden'
  await clock.advance(60_000)
  const { length } = sockets
  page.dispatchEvent(new Event('visibilitychange'))
  t.equal(sockets.length, length, 'a page that is hidden tries nothing')
  await parley.disconnect()
  t.equal(state.listeners, 0)
  t.equal(clock.pending, 0)
})

t.test('[C7] the login is kept in localStorage, and what another tab does with it is followed', async t => {
  const { state, scope } = createPage(t)
  const { items, tell } = createLocalStorage(t, scope)
  items.set(KEY, login('ann', 'one'))
  const refreshed: string[] = []
  const { parley, connect, clock, server } = createScene(t, {
    token: undefined as never,
    fetch: async (_, { body } = {}) => {
      const { refresh_token: token } = JSON.parse(String(body))
      refreshed.push(token)
      const id = token === 'of bob' ? 'bob' : 'ann'
      server.user = { ...server.user, user_id: id }
      const user = { id, email: null, name: id, role: 'user', created_at: '' }
      return Response.json({ user, access_token: 'access', expires_in: 3600, refresh_token: `${token}+`, refresh_expires_in: 9 })
    }
  })
  t.match(parley.account.getSnapshot(), { username: 'ann' })
  await connect()
  t.match(items.get(KEY), '"one+"')

  items.set(KEY, login('bob', 'of bob'))
  tell('another key')
  await clock.advance(0)
  t.match(parley.account.getSnapshot(), { username: 'ann' })
  tell(KEY)
  await clock.advance(0)
  t.match(parley.account.getSnapshot(), { username: 'bob' })
  t.match(parley.getSnapshot(), { state: 'online', user: { user_id: 'bob' } })
  items.clear()
  tell(null)
  await clock.advance(0)
  t.equal(parley.account.getSnapshot(), null)
  t.same(refreshed, ['one', 'of bob'])
  await parley.disconnect()
  t.equal(state.listeners, 0)
})

t.test('[C7] a storage that is full or forbidden leaves the login in memory', async t => {
  const { scope } = createPage(t)
  const { state } = createLocalStorage(t, scope)
  state.isFull = true
  const user = { id: 'ann', email: null, name: 'Ann', role: 'user', created_at: '' }
  const answer = { user, access_token: 'a', expires_in: 3600, refresh_token: 'r' }
  const options = { token: undefined as never, fetch: async () => Response.json(answer) }
  const full = createScene(t, options)
  await full.parley.account.login({ email: '', password: '' })
  t.match(await full.parley.account.refresh(), { username: 'Ann' })
  Object.defineProperty(globalThis, 'localStorage', { get () { throw new Error('SecurityError') }, configurable: true })
  const forbidden = createScene(t, options)
  await forbidden.parley.account.login({ email: '', password: '' })
  t.match(await forbidden.parley.account.refresh(), { username: 'Ann' })
})

t.test('[C7] a refresh holds the Web Lock of all tabs, and a tab that is frozen with it delays the others by 10 s at most', async t => {
  const held: string[] = []
  let isFree = true
  const locks = {
    async request (name: string, { signal }: { signal: AbortSignal }, work: () => Promise<unknown>) {
      if (!isFree) await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      held.push(name)
      try {
        return await work()
      } finally {
        held.pop()
      }
    }
  }
  pretend(t, { navigator: { locks } })
  const during: string[][] = []
  const user = { id: 'ann', email: null, name: 'Ann', role: 'user', created_at: '' }
  const { parley, clock } = createScene(t, {
    token: undefined as never,
    fetch: async () => {
      during.push([...held])
      return Response.json({ user, access_token: 'a', expires_in: 3600, refresh_token: 'r' })
    }
  })
  await parley.account.login({ email: '', password: '' })
  await parley.account.refresh()
  t.same(during, [[KEY], [KEY]])
  t.same(held, [])
  isFree = false
  const late = parley.account.refresh()
  await clock.advance(9999)
  t.equal(during.length, 2)
  await clock.advance(1)
  await late
  t.same(during[2], [])
  t.equal(clock.pending, 0)
})
