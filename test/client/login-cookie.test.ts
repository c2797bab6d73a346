import { createParley, type WebSocketLike } from '@parley/client'
import WebSocket from 'ws'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { codeOf, startSmtp } from '../smtp.ts'
import { t, type Test } from '../tap.ts'

const server = await startServer(t)
const socketClass = WebSocket as unknown as WebSocketLike
const credentials = { email: 'ann@example.org', password: 'correct horse' }
const registration = { ...credentials, name: 'Ann' }

/** Keeps cookies as a browser does, which scripts cannot read. `answers`: what scripts can read of each answer. */
function createBrowser () {
  const state = { cookie: undefined as string | undefined, isOffline: false }
  const answers: string[] = []
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    if (state.isOffline) throw new TypeError('fetch failed')
    const { cookie } = state
    const headers = { ...init.headers as Record<string, string>, ...cookie !== undefined && { cookie } }
    const response = await globalThis.fetch(input, { ...init, headers })
    const [given] = response.headers.getSetCookie()
    if (given) state.cookie = given.includes('Max-Age=0') ? undefined : given.split(';')[0]
    answers.push(await response.clone().text())
    return response
  }
  return { fetch, state, answers }
}

/** A tab whose login is in a cookie. Without localStorage, which Node has not, its user is kept in memory. */
function openTab (t: Test, { fetch }: ReturnType<typeof createBrowser>) {
  const parley = createParley({ url: server.origin, WebSocket: socketClass, storage: 'cookie', fetch })
  t.teardown(() => parley.disconnect())
  return parley
}

t.test('[C7] [P85] a login in a cookie connects, is refreshed and ends, and no refresh token reaches a script', async t => {
  const browser = createBrowser()
  const parley = openTab(t, browser)
  await parley.account.register(registration)
  await parley.account.logout()
  t.equal(browser.state.cookie, undefined)
  await parley.account.login(credentials)
  parley.connect()
  await eventually(() => parley.getSnapshot().state === 'online')
  t.match(parley.account.getSnapshot(), { email: credentials.email })
  const { cookie } = browser.state
  await parley.account.refresh()
  t.not(browser.state.cookie, cookie)
  await parley.account.update({ name: 'Anna' })
  t.match(parley.account.getSnapshot(), { username: 'Anna' })
  await parley.account.logout()
  await eventually(() => parley.getSnapshot().state === 'ended')
  t.equal(browser.state.cookie, undefined)
  t.ok(browser.answers.length > 4)
  t.notMatch(browser.answers.join(), /"refresh_token"/)
})

t.test('[C7] [P85] a login whose cookie is gone ends, as one whose token is refused', async t => {
  for (const lost of [undefined, 'parley_refresh=unknown']) {
    const browser = createBrowser()
    const parley = openTab(t, browser)
    await parley.account.login(credentials)
    browser.state.cookie = lost
    await t.rejects(parley.account.refresh(), { code: 'not_authenticated' })
    t.equal(parley.account.getSnapshot(), null)
  }
})

t.test('[C7] [P85] a logout that the server did not hear is told to it before the next connection', async t => {
  const browser = createBrowser()
  const parley = openTab(t, browser)
  await parley.account.login(credentials)
  const { access_token: token } = JSON.parse(browser.answers.at(-1)!)
  browser.state.isOffline = true
  await t.rejects(parley.account.logout(), { code: 'offline' })
  t.equal(parley.account.getSnapshot(), null)
  t.ok(browser.state.cookie, 'no script can delete it')
  browser.state.isOffline = false
  await t.rejects(parley.account.refresh(), { code: 'not_authenticated' })
  t.equal(browser.state.cookie, undefined)
  t.match(await server.call('GET', '/api/me', { token }), { status: 401 })
  const calls = browser.answers.length
  await t.rejects(parley.account.refresh(), { code: 'not_authenticated' })
  t.equal(browser.answers.length, calls, 'it is told once')
})

t.test('[C7] [P85] a change of the account does not bring back a login that was ended meanwhile', async t => {
  const browser = createBrowser()
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const answer = await browser.fetch(input, init)
    if (init?.method === 'PATCH') {
      browser.state.isOffline = true
      await t.rejects(parley.account.logout(), { code: 'offline' })
    }
    return answer
  }
  const parley = openTab(t, { ...browser, fetch })
  await parley.account.login(credentials)
  await parley.account.update({ name: 'Anneke' })
  t.equal(parley.account.getSnapshot(), null)
})

t.test('[P75] [P76] people without a login verify an address and reset a password, also while a kept login waits for that', async t => {
  const smtp = await startSmtp(t)
  const { origin, register } = await startServer(t, {
    config: { mail: { url: smtp.url, from: 'parley@example.org' }, authentication: { require_verified_email: true } }
  })
  const { user, refresh_token: refreshToken, email } = await register('ben')
  const me = { user_id: user.id, username: user.name, handle: user.handle, email, role: user.role }
  const waiting = JSON.stringify({ user: me, refreshToken })
  const parley = createParley({ url: origin, WebSocket: socketClass, storage: { load: () => waiting, save () {} } })
  await t.rejects(parley.account.refresh(), { code: 'email_not_verified' })
  await parley.rest('POST /api/auth/forgot', { body: { email } })
  await parley.rest('POST /api/auth/reset', { body: { code: codeOf(await smtp.next(email)), password: 'another horse' } })

  const stranger = createParley({ url: origin, WebSocket: socketClass })
  await t.rejects(stranger.account.register(registration), { code: 'email_not_verified' })
  await t.rejects(parley.rest('POST /api/auth/verify', { body: { code: 'unknown' } }), { code: 'invalid_code' })
  await stranger.rest('POST /api/auth/verify', { body: { code: codeOf(await smtp.next(credentials.email)) } })
  t.match(await stranger.account.login(credentials), { email: credentials.email })
})
