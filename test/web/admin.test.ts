import type { Page } from 'playwright-core'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { axe, say, startApp } from './app.ts'

const app = await startApp(t)
const rows = createRows(app.server.database)
const boss = await app.server.register('Boss')
await app.server.register('Zoe')
await rows.role(boss, 'admin')
const console = await app.open(await app.profile(t), boss, 'admin')

/** Shows a section of the console by its link. */
async function show (name: string): Promise<Page> {
  await console.getByRole('navigation').getByRole('link', { name, exact: true }).click()
  await console.getByRole('heading', { level: 1, name, exact: true }).waitFor()
  return console
}

t.test('every section of the console has no violation that axe finds, in both themes', async t => {
  await console.getByRole('heading', { level: 1, name: 'Health' }).waitFor()
  const names = await console.getByRole('navigation').getByRole('listitem').allTextContents()
  t.equal(names.length, 9)
  for (const name of names) {
    await show(name)
    await console.getByRole('img', { name: 'Loading' }).waitFor({ state: 'detached' })
    t.same(await axe(console), [], name)
  }
})

t.test('a person without the role sees nothing of the console, and no request asks for any of it', async t => {
  const ann = await app.open(await app.profile(t), await app.server.register('ann'))
  const asked: string[] = []
  ann.on('request', request => { asked.push(request.url()) })
  await ann.goto(`${app.server.origin}/admin/users`)
  await ann.getByRole('heading', { name: 'There is nothing here.' }).waitFor()
  t.same(asked.filter(url => url.includes('/api/admin') || /admin-\w+\.js/.test(url)), [])
  t.same(await axe(ann), [])
})

t.test('a menu stays open while the answer of a search comes', async t => {
  const people = await show('People')
  const menu = people.getByRole('menu', { name: 'Acts for Zoe' })
  let answer: () => void
  const isOpen = new Promise<void>(resolve => { answer = resolve })
  await people.route(/users\?.*query=zo/, async route => {
    await isOpen
    await route.continue()
  })
  t.teardown(() => people.unrouteAll())
  await people.getByRole('button', { name: 'Acts for Boss' }).waitFor()
  await people.getByRole('searchbox').fill('zo')
  await people.getByRole('button', { name: 'Acts for Zoe' }).click()
  await menu.waitFor()
  answer!()
  await people.getByRole('button', { name: 'Acts for Boss' }).waitFor({ state: 'detached' })
  t.ok(await menu.isVisible())
  await people.keyboard.press('Escape')
})

t.test('an account is disabled: the page of the person says so at once', async t => {
  const ben = await app.open(await app.profile(t), await app.server.register('Ben'))
  // The field to write in is there once the page is connected.
  await ben.getByRole('textbox').first().waitFor()
  const people = await show('People')
  await people.getByRole('searchbox').fill('Ben')
  await people.getByRole('button', { name: 'Acts for Ben' }).click()
  await people.getByRole('menuitem', { name: 'Disable' }).click()
  await people.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
  await people.getByText('disabled since').waitFor()
  await ben.getByRole('status').getByText('An administrator has closed your account.').waitFor()
})

t.test('a code is shown once, counts as one that was made, and is revoked', async t => {
  const codes = await show('Invitation codes')
  await codes.getByLabel('How many people may use it').fill('3')
  await codes.getByRole('button', { name: 'Make code' }).click()
  const code = await codes.getByRole('dialog').getByLabel('Code', { exact: true }).inputValue()
  t.ok(code.length > 8)
  await codes.getByRole('dialog').getByText('Close', { exact: true }).click()
  await codes.getByText('3 of 3 uses left').waitFor()
  await codes.getByRole('button', { name: /^Revoke/ }).click()
  await codes.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await codes.getByText('No code was made yet.').waitFor()
})

t.test('a report of any channel is settled', async () => {
  const [carl, dora] = [await app.server.enter('carl', 'general'), await app.server.enter('dora', 'general')]
  const { id } = (await dora.request({ type: 'send_message', channel: 'general', message: 'buy this' })).data
  await app.server.call('POST', `/api/channels/general/messages/${id}/reports`, { token: carl.person.access_token, body: {} })
  const reports = await show('Reports')
  await reports.getByText('buy this').waitFor()
  await reports.getByRole('button', { name: 'Dismiss' }).click()
  await reports.getByText('No report waits for a decision').waitFor()
  await reports.getByRole('button', { name: 'Settled' }).click()
  await reports.getByText('Dismissed by').waitFor()
  await (await show('Log')).getByText('dismissed a report of a message by').waitFor()
})

t.test('the numbers of the health page move by themselves', async t => {
  const health = await show('Health')
  const card = health.getByRole('listitem').filter({ hasText: 'Messages a second' })
  // The card may show the number of a second ago, so the test reads the true one from a sample that is made from now on.
  const watcher = await app.server.login(boss)
  await watcher.request({ type: 'watch_stats' })
  const now = new Date().toISOString()
  const { publishes: { total: before } } = await watcher.expect(({ type, at }) => type === 'stats' && at > now)
  await watcher.close()
  await card.getByText(`${before} since the start`).waitFor()
  const erin = await app.open(await app.profile(t), await app.server.register('erin'), 'c/general')
  await say(erin, 'counts')
  await card.getByText(`${before + 1} since the start`).waitFor()
  await say(erin, 'counts too')
  await card.getByText(`${before + 2} since the start`).waitFor()
  t.match(await card.getByRole('img').getAttribute('aria-label'), /^Messages a second, now: .* between .* and /)
})

t.test('a connection is closed from the list of connections', async t => {
  const frank = await app.server.enter('frank', 'general')
  const connections = await show('Connections')
  await connections.getByRole('button', { name: 'Disconnect frank' }).click()
  await connections.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
  t.match(await frank.closed(), { code: 4503 })
  await connections.getByRole('button', { name: 'Disconnect frank' }).waitFor({ state: 'detached' })
})

t.test('a trace shows the way of a message, step by step', async t => {
  const gina = await app.server.enter('gina', 'general')
  const trace = await show('Trace')
  await trace.getByLabel('Channel').fill('general')
  await trace.getByRole('button', { name: 'Trace for one minute' }).click()
  await trace.getByText(/^Still \d+ s/).waitFor()
  await gina.request({ type: 'send_message', channel: 'general', message: 'on its way' })
  const message = trace.getByRole('article').first()
  await message.getByRole('img', { name: /ms/ }).waitFor()
  const steps = await message.getByRole('listitem').allInnerTexts()
  t.match(steps.join('\n'), /Received[^]*In the queue[^]*Stored[^]*First write/)
  t.same(await axe(trace), [])
  await trace.getByRole('button', { name: 'Stop' }).click()
  await trace.getByRole('button', { name: 'Trace for one minute' }).waitFor()
})
