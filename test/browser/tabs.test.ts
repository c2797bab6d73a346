import { historyOf } from '../client/clients.ts'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { startServer, type Person, type Scope } from '../helper.ts'
import { t } from '../tap.ts'
import { openProfile, openTab, untilLive, type Tab, type TabOptions } from './browser.ts'
import { bundle, bundleWithVite, startSite } from './site.ts'

const server = await startServer(t, { config: { server: { allowed_origins: '*' } } })
const line = await startLine(t, server.port)
const files = await bundle()
const site = await startSite(t, [line.url], files)
/** Each test has a channel of its own. */
let rooms = 0

/** Waits until the tabs show exactly what the channel's history has, and wait for nothing. */
async function agree (person: Person, tabs: Tab[]): Promise<void> {
  for (const tab of tabs) await eventually(async () => (await tab.outbox()).length === 0, 30_000)
  const history = (await historyOf(server, person, `room-${rooms}`)).map(({ message }) => message)
  for (const tab of tabs) await eventually(async () => JSON.stringify(await tab.texts()) === JSON.stringify(history), 30_000)
}

/** Opens tabs of one login in a browser profile of their own, after those of the test before are gone. */
async function openTabs (t: Scope, count: number, options: Partial<TabOptions> = {}) {
  await eventually(() => line.sockets === 0)
  const room = `room-${++rooms}`
  const person = await server.register('ann')
  const context = await openProfile(t)
  const tabs: Tab[] = []
  for (let i = 0; i < count; i++) tabs.push(await openTab(context, site.url, line.url, { token: person.access_token, room, ...options }))
  await untilLive(...tabs)
  return { person, room, context, tabs }
}

t.test('[C9] [C14] five tabs have one socket, each shows exactly the history, and a strict policy is not violated', async t => {
  const { person, tabs } = await openTabs(t, 5)
  t.equal(line.sockets, 1)
  for (const [i, tab] of tabs.entries()) await tab.send(`a${i}`, `b${i}`)
  await agree(person, tabs)
  t.equal((await tabs[0]!.texts()).length, 10)
  t.equal(line.sockets, 1)
  t.same(tabs.flatMap(({ errors }) => errors), [])
  t.same(site.violations, [])
})

t.test('[C9] a closed tab costs the others nothing, and the server hears that a channel is left from the last one', async t => {
  const { person, room, context, tabs: [first, second] } = await openTabs(t, 2)
  const other = await openTab(context, site.url, line.url, { token: person.access_token, room: 'other' })
  await untilLive(other)
  const watcher = await server.enter('watcher', room, 'other')
  await first!.close()
  await other.close()
  await watcher.expect(frame => frame.type === 'user_left' && frame.channel === 'other')
  await second!.send('still here')
  await agree(person, [second!])
  t.equal(line.sockets, 1)
  await second!.close()
  await eventually(() => line.sockets === 0)
})

t.test('[C9] a crashed tab costs the others nothing but a reconnect, and loses no message', async t => {
  const { person, room, tabs } = await openTabs(t, 4)
  const sender = await server.enter('sender', room)
  for (const crashing of [0, 2]) {
    await tabs[crashing]!.crash()
    await sender.request({ type: 'send_message', channel: room, message: `after the crash of ${crashing}` })
    await agree(person, tabs.filter((_, i) => i > crashing && i !== 2))
  }
  await tabs[1]!.send('by a survivor')
  await agree(person, [tabs[1]!, tabs[3]!])
  t.equal(line.sockets, 1)
})

t.test('[C9] an old tab does not share with a new build', async t => {
  const { person, room, context, tabs: [first] } = await openTabs(t, 1)
  await context.route('**/page.js', async route => {
    const answer = await route.fetch()
    await route.fulfill({ response: answer, body: (await answer.text()).replace(/"[0-9a-f]{16}"/, '"the next build"') })
  })
  const second = await openTab(context, site.url, line.url, { token: person.access_token, room })
  await untilLive(second)
  t.equal(line.sockets, 2)
  await first!.send('to both')
  await agree(person, [first!, second])
})

t.test('[C9] tabs have a socket each where there is no SharedWorker, where its script is missing, and where the page says so', async t => {
  const { person, room, context, tabs } = await openTabs(t, 2, { tabs: 'own' })
  t.equal(line.sockets, 2)
  await context.addInitScript('if (location.hash === "#none") delete globalThis.SharedWorker')
  const without = await openTab(context, `${site.url}/#none`, line.url, { token: person.access_token, room })
  await untilLive(without)
  t.equal(line.sockets, 3)
  await context.close()

  const poor = await startSite(t, [line.url], new Map([...files].filter(([path]) => path !== '/worker.js')))
  const other = await openProfile(t)
  for (let i = 0; i < 2; i++) {
    const tab = await openTab(other, poor.url, line.url, { token: person.access_token, room })
    await untilLive(tab)
    t.match(tab.errors.join(), 'the shared worker cannot be started')
    tabs.push(tab)
  }
  t.equal(line.sockets, 2)
  await agree(person, tabs.slice(2))
})

t.test('[C14] the worker works where Vite has bundled it', async t => {
  const vite = await startSite(t, [line.url], await bundleWithVite())
  const room = `room-${++rooms}`
  const person = await server.register('ann')
  const context = await openProfile(t)
  const tabs: Tab[] = []
  for (let i = 0; i < 2; i++) tabs.push(await openTab(context, vite.url, line.url, { token: person.access_token, room }))
  await untilLive(...tabs)
  t.equal(line.sockets, 1)
  t.same(tabs.flatMap(({ errors }) => errors), [])
  t.same(vite.violations, [])
})

t.test('[C10] after a disconnect of all tabs there is no socket, no worker and no lock', async t => {
  const { context, tabs } = await openTabs(t, 2)
  const session = await context.newCDPSession(tabs[0]!.page)
  const workers = async (): Promise<number> => {
    const { targetInfos } = await session.send('Target.getTargets')
    return targetInfos.filter(({ type }) => type === 'shared_worker').length
  }
  t.equal(await workers(), 1)
  for (const tab of tabs) await tab.disconnect()
  await eventually(() => line.sockets === 0)
  await eventually(async () => await workers() === 0)
  t.same(await tabs[0]!.locks(), [])
  for (const tab of tabs) await tab.connect()
  await untilLive(...tabs)
  t.equal(line.sockets, 1)
})
