import { historyOf } from '../client/clients.ts'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { startServer, type Person, type Scope } from '../helper.ts'
import { t } from '../tap.ts'
import { openProfile, openTab, stopBrowser, untilLive, type Tab } from './browser.ts'
import { bundle, startSite } from './site.ts'

/** Milliseconds within which tabs have to come back. A busy machine may need most of them. */
const PATIENCE = 30_000

const server = await startServer(t, {
  config: { server: { allowed_origins: '*' }, performance: { heartbeat_interval: 4, pong_timeout: 4 } }
})
const line = await startLine(t, server.port)
const site = await startSite(t, [line.url], await bundle())
/** Each test has a channel of its own. */
let rooms = 0

/** A login in the form in which `parley.account` keeps it. */
const loginOf = ({ user: { id, name, handle, email, role }, refresh_token: refreshToken }: Person): string =>
  JSON.stringify({ user: { user_id: id, username: name, handle, email, role }, refreshToken })

/** Opens tabs of one stored login in a browser profile of their own, after those of the test before are gone. */
async function openTabs (t: Scope, count: number) {
  const room = `room-${++rooms}`
  line.down(false)
  await eventually(() => line.sockets === 0)
  const person = await server.register('ann')
  const context = await openProfile(t)
  const tabs: Tab[] = []
  for (let i = 0; i < count; i++) {
    tabs.push(await openTab(context, site.url, line.url, { ...i === 0 && { login: loginOf(person) }, storage: 'indexeddb', room }))
  }
  await untilLive(...tabs)
  return { person, room, context, tabs: tabs as [Tab, ...Tab[]] }
}

/** The texts that the channel of the test has. */
const textsOf = async (person: Person): Promise<Array<string | null>> =>
  (await historyOf(server, person, `room-${rooms}`)).map(({ message }) => message)

/** Waits until the tabs show exactly what the channel's history has, and wait for nothing. */
async function agree (person: Person, tabs: Tab[]): Promise<void> {
  for (const tab of tabs) await eventually(async () => (await tab.outbox()).length === 0, PATIENCE)
  const texts = JSON.stringify(await textsOf(person))
  for (const tab of tabs) await eventually(async () => JSON.stringify(await tab.texts()) === texts, PATIENCE)
}

t.test('[C5] [C9] a network that goes and comes back leaves all tabs on one socket, with all that was said meanwhile', async t => {
  const { person, room, tabs } = await openTabs(t, 3)
  const other = await server.enter('other', room)
  line.down(true)
  line.cut()
  for (const tab of tabs) await eventually(async () => await tab.state() !== 'online')
  for (const [i, tab] of tabs.entries()) await tab.send(`offline ${i}`)
  await other.request({ type: 'send_message', channel: room, message: 'meanwhile' })
  line.down(false)
  await agree(person, tabs)
  t.same((await textsOf(person)).sort(), ['meanwhile', 'offline 0', 'offline 1', 'offline 2'])
  t.equal(line.sockets, 1)
})

t.test('[C6] a machine that slept while its connection died comes back with what it has missed', async t => {
  const { person, room, tabs } = await openTabs(t, 2)
  const other = await server.enter('other', room)
  const wake = await stopBrowser()
  try {
    line.stall()
    await other.request({ type: 'send_message', channel: room, message: 'during the sleep' })
    await other.expect('user_left', PATIENCE)
    await other.request({ type: 'send_message', channel: room, message: 'still asleep' })
  } finally {
    wake()
  }
  await agree(person, tabs)
  t.equal((await textsOf(person)).length, 2)
  t.equal(line.sockets, 1)
})

t.test('[C7] tabs use a refresh token one at a time, and the end of the login ends it in all tabs', async t => {
  const { person, context, tabs } = await openTabs(t, 2)
  let running = 0
  let most = 0
  await context.route(/\/api\/auth\/refresh/, async route => {
    if (route.request().method() !== 'POST') return route.continue()
    most = Math.max(most, ++running)
    const answer = await route.fetch()
    running--
    await route.fulfill({ response: answer })
  })
  await Promise.all([...tabs, ...tabs].map(tab => tab.refresh()))
  t.equal(most, 1)
  // The lock may reach a tab before the other tab's write to localStorage does. The same token is used again then, without harm [P61].
  for (const tab of tabs) await tab.refresh()
  await untilLive(...tabs)
  t.equal(line.sockets, 1)

  const { email, password } = person
  const { body: login } = await server.call('POST', '/api/auth/login', { body: { email, password } })
  await server.call('DELETE', '/api/me/logins', { token: login.access_token })
  for (const tab of tabs) await eventually(async () => await tab.user() === null)
})

t.test('[C4] a page that reloads shows its unsent messages and sends them in order, each once, and never another tab too', async t => {
  const { person, tabs: [first, second] } = await openTabs(t, 2)
  line.down(true)
  line.cut()
  for (const tab of [first, second!]) await eventually(async () => await tab.state() !== 'online')
  await first.send('one', 'two')
  await second!.send('by the second tab')
  await first.reload('three')
  await eventually(async () => (await first.outbox()).join() === 'one,two,three')
  t.same(await second!.outbox(), ['by the second tab'])
  line.down(false)
  await agree(person, [first, second!])
  t.same((await textsOf(person)).filter(text => text !== 'by the second tab'), ['one', 'two', 'three'])
  t.equal((await textsOf(person)).length, 4)
  await first.reload()
  await agree(person, [first, second!])
  t.equal((await textsOf(person)).length, 4, 'nothing is sent again')
})

t.test('[C4] the unsent messages of a tab that was closed are sent by another, and never by another login', async t => {
  const { person, room, context, tabs: [first, second] } = await openTabs(t, 2)
  line.down(true)
  line.cut()
  for (const tab of [first, second!]) await eventually(async () => await tab.state() !== 'online')
  await first.send('left behind')
  await first.close()
  const bob = await server.register('bob')
  line.down(false)
  const stranger = await openTab(context, site.url, line.url, { token: bob.access_token, storage: 'indexeddb', room })
  await eventually(async () => (await textsOf(person)).length === 1, PATIENCE)
  await agree(person, [second!, stranger])
  t.match(await historyOf(server, person, room), [{ message: 'left behind', user_id: person.user.id }])
})

t.test('[C14] none of this violates the policy', async t => {
  t.same(site.violations, [])
})
