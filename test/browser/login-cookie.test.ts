import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { createParley, Parley } from '@parley/client'
import type { BrowserContext, Page } from 'playwright-core'
import { chromiumOptions } from '../../scripts/chromium.ts'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { t, type Test } from '../tap.ts'
import { createCertificates } from '../tls.ts'
import { chromium } from './playwright.ts'
import { bundle } from './site.ts'

/** The globals of the page, and those of browsers that the tests use. */
interface Globals {
  createParley: typeof createParley
  parley: Parley
  document: { cookie: string }
  localStorage: Record<string, string> & { setItem (key: string, value: string): void }
  sessionStorage: object
  location: { href: string }
}

const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>'
const folder = mkdtempSync(join(tmpdir(), 'parley-login-cookie-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const files = await bundle()

/** Starts a server behind a proxy that ends TLS and delivers the page, under a path prefix or none. @returns the address of the page. */
async function startBehindProxy (prefix: string) {
  const { pem, key } = createCertificates(folder).selfSigned('proxy')
  const proxy = createServer({ cert: pem, key: readFileSync(key) })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const url = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}`
  const server = await startServer(t, { config: { server: { trust_proxy: 'loopback', public_url: url } } })
  const { port } = server

  proxy.on('request', (asked, answer) => {
    const path = asked.url!.slice(prefix.length)
    if (path === '/') return answer.setHeader('content-type', 'text/html').end(PAGE)
    if (files.has(path)) return answer.setHeader('content-type', 'text/javascript').end(files.get(path))
    const headers = { ...asked.headers, 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' }
    asked.pipe(request({ port, path, method: asked.method!, headers }, given => {
      answer.writeHead(given.statusCode!, given.headers)
      given.pipe(answer)
    }))
  })
  proxy.on('upgrade', ({ url: path, headers }, socket) => {
    const inner = connect(port, '127.0.0.1')
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    inner.write(`${[`GET ${path!.slice(prefix.length)} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`)
    for (const [from, to] of [[socket, inner], [inner, socket]] as const) from.pipe(to).on('error', () => from.destroy())
  })
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return { url, server }
}

const here = await startBehindProxy('')
const { url, server } = here
const prefixed = await startBehindProxy('/chat')
let context = await startBrowser()

/** Starts Chromium with the profile of these tests, which outlives it. */
async function startBrowser (): Promise<BrowserContext> {
  const { args = [], ...options } = chromiumOptions()
  // Playwright's own option for this leaves shared workers out.
  const started = await chromium.launchPersistentContext(join(folder, 'profile'), {
    ...options, args: [...args, '--ignore-certificate-errors']
  })
  t.teardown(() => started.close())
  return started
}

/** Opens a tab with a client that keeps its login in a cookie. */
async function openTab (t: Test, base = url): Promise<Page> {
  const page = await context.newPage()
  t.teardown(() => page.close())
  await page.goto(`${base}/`)
  await start(page)
  return page
}

function start (page: Page): Promise<void> {
  return page.evaluate(() => {
    const globals = globalThis as unknown as Globals
    globals.parley = globals.createParley({ url: new URL('.', globals.location.href), storage: 'cookie' })
  })
}

/** The user of a tab, by its email address. */
function userOf (page: Page): Promise<string | undefined> {
  return page.evaluate(() => (globalThis as unknown as Globals).parley.account.getSnapshot()?.email ?? undefined)
}

/** Logs the tab in as a new person. @returns their email address. */
async function logIn (page: Page, { register } = server): Promise<string> {
  const { email, password } = await register('ann')
  await page.evaluate(credentials => (globalThis as unknown as Globals).parley.account.login(credentials), { email, password })
  return email
}

const refresh = (page: Page): Promise<unknown> => page.evaluate(() => (globalThis as unknown as Globals).parley.account.refresh())

async function untilOnline (page: Page): Promise<void> {
  await page.evaluate(() => (globalThis as unknown as Globals).parley.connect())
  await eventually(() => page.evaluate(() => (globalThis as unknown as Globals).parley.getSnapshot().state === 'online'))
}

t.test('[C7] [P85] no script of the page can read the refresh token, nor have it answered', async t => {
  const page = await openTab(t)
  await logIn(page)
  await untilOnline(page)
  const [cookie] = await context.cookies()
  t.match(cookie, { name: '__Host-parley_refresh', path: '/', httpOnly: true, secure: true, sameSite: 'Strict', value: /^[\w-]{43}$/ })
  const found = await page.evaluate(async () => {
    const { document, localStorage, sessionStorage } = globalThis as unknown as Globals
    const answer = await fetch('/api/auth/refresh', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"cookie":false}'
    })
    return JSON.stringify([document.cookie, localStorage, sessionStorage, answer.status, await answer.json(), [...answer.headers]])
  })
  const after = (await context.cookies())[0]!.value
  t.match(found, /^\["",.*,200,\{/)
  t.match(found, 'access_token')
  t.not(after, cookie!.value)
  for (const token of [cookie!.value, after]) t.notOk(found.includes(token))
})

t.test('[C7] [P85] a login in a cookie survives a reload and a closed browser', async t => {
  const emails = new Map<string, string>()
  for (const { url, server } of [here, prefixed]) {
    const page = await openTab(t, url)
    const email = await logIn(page, server)
    await page.reload()
    await start(page)
    t.equal(await userOf(page), email, 'the user is known at once')
    await untilOnline(page)
    emails.set(url, email)
  }
  await context.close()
  context = await startBrowser()
  for (const [url, email] of emails) {
    const again = await openTab(t, url)
    t.equal(await userOf(again), email)
    await untilOnline(again)
    await again.close()
  }
  const cookies = (await context.cookies()).map(({ name, path }) => `${name} ${path}`)
  t.same(cookies.sort(), ['__Host-parley_refresh /', '__Secure-parley_refresh /chat'])
})

t.test('[C7] [P61] [P85] tabs refresh at once, and a logout in one ends the login in all', async t => {
  const first = await openTab(t)
  const email = await logIn(first)
  const tabs = [first, await openTab(t)] as const
  t.equal(await userOf(tabs[1]), email)
  for (const tab of tabs) await untilOnline(tab)
  for (let i = 0; i < 3; i++) await Promise.all(tabs.map(refresh))
  const logins = await tabs[1].evaluate(() => (globalThis as unknown as Globals).parley.rest('GET /api/me/logins'))
  t.equal(logins.logins.length, 2, 'the login of the registration, and that of both tabs')
  await tabs[1].evaluate(() => (globalThis as unknown as Globals).parley.account.logout())
  for (const tab of tabs) await eventually(async () => await userOf(tab) === undefined)
  t.same(await context.cookies(url), [])
})

t.test('[C7] [P85] a logout without network is not undone by a reload, and is told to the server then', async t => {
  const page = await openTab(t)
  await logIn(page)
  await context.setOffline(true)
  const refused = page.evaluate(() => (globalThis as unknown as Globals).parley.account.logout())
  await t.rejects(refused, /offline|Failed to fetch/)
  await context.setOffline(false)
  await page.reload()
  await start(page)
  t.equal(await userOf(page), undefined)
  t.equal((await context.cookies(url)).length, 1)
  await page.evaluate(() => (globalThis as unknown as Globals).parley.connect())
  await eventually(async () => (await context.cookies(url)).length === 0)
})

t.test('[P85] pages of another origin, also of the same site, cannot use the cookie, nor log anybody in', async t => {
  const page = await openTab(t)
  const email = await logIn(page)
  const other = await server.register('mallory')
  const credentials = JSON.stringify({ email: other.email, password: other.password, cookie: true })
  const stranger = await context.newPage()
  t.teardown(() => stranger.close())
  for (const site of [prefixed.url, prefixed.url.replace('127.0.0.1', 'localhost')]) {
    await stranger.goto(`${site}/`)
    await stranger.evaluate(async ({ url, credentials }) => {
      for (const [route, body] of [['logout', '{}'], ['refresh', '{}'], ['login', credentials]]) {
        for (const type of ['application/json', 'text/plain']) {
          for (const mode of ['cors', 'no-cors'] as const) {
            await fetch(`${url}/api/auth/${route}`, {
              method: 'POST', mode, credentials: 'include', headers: { 'content-type': type }, body: body!
            }).catch(() => {})
          }
        }
      }
    }, { url, credentials })
    await stranger.setContent(`<form method="post" action="${url}/api/auth/logout"></form>`)
    await stranger.evaluate('document.forms[0].submit()')
    await stranger.waitForURL(`${url}/**`)
    t.match(await stranger.textContent('body'), 'unsupported_media_type')
  }
  t.match(await refresh(page), { email })
})

t.test('[P85] a token that scripts could read before moves into the cookie', async t => {
  const page = await openTab(t)
  const { refresh_token: refreshToken, user, email } = await server.register('ben')
  const me = { user_id: user.id, username: user.name, handle: user.handle, email, role: user.role }
  const login = JSON.stringify({ user: me, refreshToken })
  await page.evaluate(({ url, login }) => {
    (globalThis as unknown as Globals).localStorage.setItem(`parley:${url}`, login)
  }, { url, login })
  await page.reload()
  await start(page)
  t.match(await refresh(page), { email })
  t.notMatch(await page.evaluate(() => JSON.stringify((globalThis as unknown as Globals).localStorage)), /refreshToken/)
  await page.reload()
  await start(page)
  t.match(await refresh(page), { email })
})
