import { createServer, request } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { eventually } from '../eventually.ts'
import type { Scope } from '../helper.ts'
import { startLine } from '../../src/testing/line.ts'
import { t } from '../tap.ts'
import { axe, startApp } from './app.ts'

const app = await startApp(t)
const { server } = app
const withWorker = { serviceWorkers: 'allow', program: 'chromium' } as const

/** The globals of pages that the tests use. */
interface Globals {
  document: {
    visibilityState: string, baseURI: string, title: string, documentElement: { dataset: { badge?: string } }
    dispatchEvent (event: object): void
  }
  Event: new (type: string) => object
  caches: { open (name: string): Promise<unknown>, keys (): Promise<string[]> }
  navigator: {
    serviceWorker: { ready: Promise<{ getNotifications (): Promise<Array<{ title: string, body: string }>> }> }
    setAppBadge (count: number): Promise<void>
  }
}

/** The globals of the service worker. */
interface WorkerGlobals {
  registration: { getNotifications (): Promise<Array<{ title: string }>> }
  NotificationEvent: new (type: string, init: object) => object
  dispatchEvent (event: object): void
}

/** Waits until the app can be opened without a network. */
const untilInstalled = (page: Page) => page.evaluate(() => (globalThis as unknown as Globals).navigator.serviceWorker.ready.then(() => {}))

/** Starts a proxy that serves the app under a path of its own, as nginx does, for everything but WebSockets. */
async function startPrefix (scope: Scope, prefix: string) {
  const proxy = createServer((incoming, outgoing) => {
    const { method, headers, url = '' } = incoming
    const inner = request({ port: server.port, method, headers, path: url.slice(prefix.length) || '/' }, answer => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    inner.on('error', () => outgoing.destroy())
    incoming.pipe(inner)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const close = () => new Promise(resolve => {
    proxy.close(resolve)
    proxy.closeAllConnections()
  })
  scope.teardown(() => proxy.listening && close())
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}`, close }
}

t.test('without a network the app opens at any address, shows what waits to be sent, and sends it once there is a network', async t => {
  const line = await startLine(t, server.port)
  const context = await app.profile(t, withWorker)
  const page = await app.open(context, (await server.enter('ann', 'garden')).person, 'c/garden', line.url)
  await untilInstalled(page)
  await page.getByRole('textbox').waitFor()
  line.down(true)
  line.cut()
  await page.getByRole('textbox').fill('Written without a network')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('Written without a network').waitFor()
  await page.reload()
  await page.getByText('Written without a network').waitFor()
  await page.getByText('There is no connection.').waitFor()
  t.match(page.url(), /\/c\/garden$/)
  t.same(await axe(page), [])
  await page.goto(`${line.url}/settings`)
  await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
  line.down(false)
  const { access_token: token } = await server.register('ben')
  const messages = await eventually(async () => {
    const { body } = await server.call('GET', '/api/channels/garden/messages', { token })
    return body.messages?.length > 0 && body.messages
  }, 30_000)
  t.match(messages, [{ message: 'Written without a network' }])
  t.equal(messages.length, 1)
})

t.test('the worker keeps to the path of the app, deletes what an older version kept, and leaves the API alone', async t => {
  const proxy = await startPrefix(t, '/chat')
  const page = await (await app.profile(t, withWorker)).newPage()
  const own = `parley:${proxy.url}/:assets/older`
  const foreign = `parley:${new URL(proxy.url).origin}/other/:assets/older`
  // The page is not the app, so no worker is there yet.
  await page.goto(`${proxy.url}/health`)
  await page.evaluate(async names => {
    for (const name of names) await (globalThis as unknown as Globals).caches.open(name)
  }, [own, foreign])
  await page.goto(`${proxy.url}/login`)
  await untilInstalled(page)
  const names = await eventually(async () => {
    const kept = await page.evaluate(() => (globalThis as unknown as Globals).caches.keys())
    return !kept.includes(own) && kept
  })
  t.ok(names.includes(foreign), 'what another app keeps stays')
  await proxy.close()
  await page.goto(`${proxy.url}/c/garden/m/018f0000-0000-7000-8000-000000000000`)
  await page.getByRole('heading', { level: 1, name: 'Talk together' }).waitFor()
  t.equal(await page.evaluate(() => (globalThis as unknown as Globals).document.baseURI), `${proxy.url}/`)
  await t.rejects(page.goto(`${proxy.url}/docs`), 'other pages are not the app\'s')
})

t.test('the app can be installed', async t => {
  const page = await (await app.profile(t, withWorker)).newPage()
  await page.goto(`${server.origin}/login`)
  await untilInstalled(page)
  const session = await page.context().newCDPSession(page)
  const { errors, url } = await session.send('Page.getAppManifest')
  t.same(errors, [])
  t.match(url, /app\.webmanifest$/)
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors')
  t.same(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), [], 'a test\'s profile counts as incognito')
})

t.test('while nobody sees a tab, a direct message or a mention is notified once, and title and icon count what is unread', async t => {
  const [dora, emil] = [await server.register('dora'), await server.enter('emil', 'general')]
  const context = await app.profile(t, withWorker)
  // The icon of an app that is not installed cannot be read, so the page writes down what it asks for.
  await context.addInitScript(() => {
    const { navigator, document } = globalThis as unknown as Globals
    navigator.setAppBadge = async count => { document.documentElement.dataset.badge = String(count) }
  })
  const badge = (page: Page) => page.locator('html').getAttribute('data-badge')
  await context.grantPermissions(['notifications'], { origin: server.origin })
  const first = await app.open(context, dora, 'c/general')
  await first.getByRole('link', { name: 'general' }).waitFor()
  await first.goto(`${server.origin}/settings`)
  await first.getByRole('button', { name: 'Turn on notifications' }).click()
  await first.getByRole('button', { name: 'Turn off notifications' }).waitFor()
  await eventually(async () => await badge(first) === '0')
  t.same(await axe(first), [])
  const second = await context.newPage()
  await second.goto(`${server.origin}/c/general`)
  await untilInstalled(second)
  // What was there before is not notified.
  for (const page of [first, second]) await page.getByRole('link', { name: 'general' }).waitFor()
  const see = (page: Page, isSeen: boolean) => page.evaluate(state => {
    const { document, Event } = globalThis as unknown as Globals
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, isSeen ? 'visible' : 'hidden')
  const shown = () => first.evaluate(async () => {
    const registration = await (globalThis as unknown as Globals).navigator.serviceWorker.ready
    return (await registration.getNotifications()).map(({ title, body }) => ({ title, body }))
  })
  await see(first, false)
  await see(second, false)
  const { data: { channel: direct } } = await emil.request({ type: 'open_direct', user_id: dora.user.id })
  await emil.request({ type: 'join_channel', channel: direct.name })
  await emil.request({ type: 'send_message', channel: 'general', message: 'Nobody is meant, @doraemon' })
  await emil.request({ type: 'send_message', channel: direct.name, message: 'Are you there?' })
  await eventually(async () => (await shown()).length > 0)
  t.same(await shown(), [{ title: 'emil', body: 'Are you there?' }])
  await emil.request({ type: 'send_message', channel: 'general', message: `This is for @${dora.user.handle}.` })
  await eventually(async () => (await shown()).length > 1)
  t.same(new Set((await shown()).map(({ title }) => title)), new Set(['emil', 'emil in #general']))
  for (const page of [first, second]) {
    await eventually(async () => /^\(\d\) Parley$/.test(await page.title()))
    t.equal(await page.title(), `(${await badge(page)}) Parley`)
  }

  const [worker] = context.serviceWorkers()
  await worker!.evaluate(async () => {
    const { registration, NotificationEvent, dispatchEvent } = globalThis as unknown as WorkerGlobals
    const notification = (await registration.getNotifications()).find(({ title }) => title.includes('#'))
    dispatchEvent(new NotificationEvent('notificationclick', { notification }))
  })
  const isThere = (page: Page) => /\/c\/general\/m\/[0-9a-f-]+$/.test(page.url())
  await eventually(() => isThere(first) || isThere(second))

  for (const page of [first, second]) {
    await page.goto(`${server.origin}/settings`)
    await page.getByRole('link', { name: 'general' }).waitFor()
  }
  await eventually(async () => (await shown()).length === 0)
  const counted = await first.title()
  await emil.request({ type: 'send_message', channel: direct.name, message: 'Somebody sees it' })
  for (const page of [first, second]) await eventually(async () => await page.title() !== counted)
  for (const page of [first, second]) await see(page, false)
  await emil.request({ type: 'send_message', channel: 'general', message: `Again, @${dora.user.handle}` })
  await eventually(async () => (await shown()).length > 0)
  t.same(await shown(), [{ title: 'emil in #general', body: `Again, @${dora.user.handle}` }])
})

t.test('notifications are offered once, in the app, when the first direct message has come', async t => {
  const [finn, gina] = [await server.register('finn'), await server.enter('gina', 'general')]
  const page = await app.open(await app.profile(t, withWorker), finn, 'c/general')
  const offer = page.getByText('Do you want to hear of direct messages')
  await page.getByRole('textbox').waitFor()
  t.equal(await offer.count(), 0)
  const { data: { channel: direct } } = await gina.request({ type: 'open_direct', user_id: finn.user.id })
  await gina.request({ type: 'join_channel', channel: direct.name })
  await gina.request({ type: 'send_message', channel: direct.name, message: 'Hello, Finn' })
  await offer.waitFor()
  t.same(await axe(page), [])
  await page.getByRole('button', { name: 'Close' }).click()
  await offer.waitFor({ state: 'detached' })
  await page.reload()
  await page.getByRole('textbox').waitFor()
  t.equal(await offer.count(), 0)
})
