import type { Locator, Page } from 'playwright-core'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { axe, say, startApp } from './app.ts'

const app = await startApp(t)
const { server } = app

/** Messages of a channel that is longer than the pages in which it is read, four times the 50 of one page. */
const LONG = 200

const field = (page: Page): Locator => page.getByRole('textbox', { name: /^Message #/ })
const message = (page: Page, text: string): Locator => page.getByRole('article').filter({ hasText: text }).last()
const texts = (page: Page): Promise<string[]> => page.locator('.message .text').allInnerTexts()

/** Waits until the channel, which has no messages, is joined. */
const joined = (page: Page): Promise<void> => page.getByText('This is the beginning of').waitFor()

t.test('two people talk, reply, react, edit and delete, and each sees at once what the other does', async t => {
  const [ann, ben] = await Promise.all(['ann', 'ben'].map(async name => {
    return app.open(await app.profile(t), (await server.enter(name, 'talk')).person, 'c/talk')
  }))
  await say(ann!, 'Is *anybody* here?')
  await ben!.getByRole('article').getByText('anybody').waitFor()
  await field(ben!).pressSequentially('Y')
  await ann!.getByText('ben is typing …').waitFor()
  await message(ben!, 'Is anybody here?').hover()
  await message(ben!, 'Is anybody here?').getByRole('button', { name: 'Reply' }).click()
  await field(ben!).press('End')
  await ben!.keyboard.type('es')
  await ben!.keyboard.press('Enter')
  await message(ann!, 'Yes').getByText('Is anybody here?').waitFor()

  await message(ann!, 'Yes').hover()
  await message(ann!, 'Yes').getByRole('button', { name: 'Add a reaction' }).click()
  await ann!.getByRole('dialog', { name: 'Add a reaction' }).getByRole('button', { name: '🎉' }).click()
  const chip = message(ben!, 'Yes').getByRole('button', { name: '🎉 1: ann reacted with 🎉' })
  await chip.click()
  await message(ann!, 'Yes').getByRole('button', { name: /^🎉 2: you and ben/, pressed: true }).click()
  await ben!.getByRole('button', { name: '🎉 1: you reacted with 🎉', pressed: true }).waitFor()

  await field(ann!).press('ArrowUp')
  await ann!.getByRole('textbox', { name: 'Edit the message' }).fill('Is somebody here?')
  await ann!.keyboard.press('Enter')
  await message(ben!, 'Is somebody here?').getByText('(edited)').waitFor()
  await field(ann!).and(ann!.locator(':focus')).waitFor()

  t.same(await axe(ann!), [])
  await message(ben!, 'Yes').focus()
  await ben!.keyboard.press('Enter')
  await ben!.getByRole('menuitem', { name: 'Delete' }).click()
  await ben!.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await ann!.getByText('This message was deleted.').waitFor()
  t.same(await axe(ben!), [])
})

t.test('a lost network costs nothing: what others wrote comes without a gap, what one wrote is sent once, and drafts stay', async t => {
  const line = await startLine(t, server.port)
  const profile = await app.profile(t)
  const { person: cleo } = await server.enter('cleo', 'lost')
  const page = await app.open(profile, cleo, 'c/lost', line.url)
  const dan = await server.enter('dan', 'lost')
  const write = (text: string) => dan.request({ type: 'send_message', channel: 'lost', message: text })
  await write('before')
  await message(page, 'before').waitFor()
  line.down(true)
  line.cut()
  await say(page, 'from cleo')
  await page.getByRole('article', { name: 'Message that waits to be sent' }).waitFor()
  for (let i = 0; i < 70; i++) await write(`while cleo was away ${i}`)
  line.down(false)
  await message(page, 'while cleo was away 69').waitFor()
  await page.getByRole('article', { name: /^cleo/ }).getByText('from cleo').waitFor()
  t.same((await texts(page)).slice(-3), ['while cleo was away 68', 'while cleo was away 69', 'from cleo'])

  line.down(true)
  line.cut()
  await say(page, 'from a page that is closed')
  await field(page).fill('half a thou')
  await page.close()
  line.down(false)
  const next = await profile.newPage()
  await next.goto(`${line.url}/c/lost`)
  await next.getByRole('article', { name: /^cleo/ }).getByText('from a page that is closed').waitFor()
  t.equal(await field(next).inputValue(), 'half a thou')
  const { body } = await server.call('GET', '/api/channels/lost/messages?limit=100', { token: cleo.access_token })
  t.same(body.messages.slice(-2).map(({ message }: { message: string }) => message), ['from cleo', 'from a page that is closed'])
})

t.test('a long channel loads as one scrolls, and a link opens at a message, however far it is, or says that there is none', async t => {
  const eve = await server.enter('eve', 'long')
  const ids: string[] = []
  for (let i = 0; i < LONG; i++) ids.push((await eve.request({ type: 'send_message', channel: 'long', message: `number ${i}` })).data.id)
  const page = await app.open(await app.profile(t), eve.person, 'c/long')
  await message(page, `number ${LONG - 1}`).waitFor()
  await page.getByRole('article').last().focus()
  // A message that has the focus keeps it, and its place, while older ones are loaded above it.
  await eventually(async () => {
    await page.keyboard.press('Home')
    return await page.getByText('This is the beginning of #long').count() > 0
  }, 60_000)
  await message(page, 'number 0').waitFor()
  await page.getByRole('button', { name: 'Jump to latest' }).click()
  await message(page, `number ${LONG - 1}`).waitFor()

  await page.goto(`${server.origin}/c/long/m/${ids[30]}`)
  await message(page, 'number 30').waitFor()
  await eve.request({ type: 'send_message', channel: 'long', message: 'the newest' })
  t.equal(await message(page, 'the newest').count(), 0)
  await page.getByRole('article').last().focus()
  // The messages between these and the newest are loaded as one comes to where they are missing.
  const seen = new Set<string>()
  while (!seen.has('the newest')) {
    await page.keyboard.press('PageDown')
    await eventually(async () => await page.getByText('Messages are missing here').count() === 0)
    for (const text of await texts(page)) seen.add(text)
  }
  t.ok(seen.has(`number ${LONG / 2}`))
  await page.goto(`${server.origin}/c/long/m/01a228e7-0d73-7dd1-94c3-bd4fcadc51c3`)
  await page.getByText('This message does not exist, or not any more.').waitFor()
  await message(page, 'the newest').waitFor()
})

t.test('a refused message stays with the reason until it is sent again or discarded', async t => {
  const fay = await app.open(await app.profile(t), (await server.enter('fay', 'refused')).person, 'c/refused')
  const gus = await server.enter('gus', 'refused')
  const { data: { id } } = await gus.request({ type: 'send_message', channel: 'refused', message: 'soon gone' })
  await message(fay, 'soon gone').hover()
  await message(fay, 'soon gone').getByRole('button', { name: 'Reply' }).click()
  await gus.request({ type: 'command', command: 'delete_message', channel: 'refused', id })
  await fay.getByText('This message was deleted.').waitFor()
  await say(fay, 'too late')
  const failed = fay.getByRole('article', { name: 'Message that was not sent' })
  await failed.getByRole('button', { name: 'Try again' }).click()
  await failed.getByText('Not sent.').waitFor()
  t.same(await axe(fay), [])
  await fay.reload()
  await failed.getByText('too late').waitFor()
  await failed.getByRole('button', { name: 'Discard' }).click()
  await failed.waitFor({ state: 'detached' })
})

t.test('who is muted or banned sees it at once, with the reason and the time, and keeps their draft', async t => {
  const hal = await server.enter('hal')
  await hal.request({ type: 'command', command: 'create_channel', name: 'strict' })
  const { person } = await server.enter('ida', 'strict')
  const ida = await app.open(await app.profile(t), person, 'c/strict')
  await joined(ida)
  await field(ida).fill('But I')
  const act = (command: string, more = {}) => hal.request({ type: 'command', command, channel: 'strict', user_id: person.user.id, ...more })
  await act('mute_user', { duration: 3600 })
  await ida.getByText(/^A moderator muted you here until/).waitFor()
  t.same(await axe(ida), [])
  await act('unmute_user')
  t.equal(await field(ida).inputValue(), 'But I')
  await hal.request({ type: 'command', command: 'update_channel', channel: 'strict', slow_mode: 600 })
  await field(ida).press('Enter')
  await ida.getByText(/^Slow mode: you can write again in (9:|10:00)/).waitFor()
  await act('ban_user', { reason: 'Too loud', duration: 3600 })
  await ida.getByText('You are banned from #strict.').first().waitFor()
  await ida.getByText(/Too loud/).first().waitFor()
  t.same(await axe(ida), [])
})

t.test('all of it works by keyboard, and new messages of others are read aloud', async t => {
  const jo = await app.open(await app.profile(t), (await server.enter('jo', 'keys')).person, 'c/keys')
  await joined(jo)
  const kim = await server.enter('kim', 'keys')
  for (const text of ['one', 'two', 'three']) await kim.request({ type: 'send_message', channel: 'keys', message: text })
  await jo.getByRole('log').getByText('kim: three').waitFor({ state: 'attached' })
  await field(jo).press('Shift+Tab')
  for (const text of ['three', 'two', 'one']) {
    await eventually(async () => (await jo.locator(':focus').innerText()).includes(text))
    await jo.keyboard.press('ArrowUp')
  }
  await jo.keyboard.press('Enter')
  await jo.getByRole('menuitem', { name: 'Reply' }).waitFor()
  await jo.keyboard.press('Enter')
  await jo.keyboard.type('to one')
  await jo.keyboard.press('Enter')
  await message(jo, 'to one').getByText('one', { exact: true }).waitFor()
  await jo.keyboard.press('Shift+Enter')
  await jo.keyboard.type('second line')
  t.equal(await field(jo).inputValue(), '\nsecond line')
})
