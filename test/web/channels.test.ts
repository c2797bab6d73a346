import type { Page } from 'playwright-core'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import type { Person } from '../helper.ts'
import { t } from '../tap.ts'
import { axe, startApp } from './app.ts'

// The test asks again and again until the messages are in the index.
const app = await startApp(t, { config: { limits: { search_requests: 1_000_000 } } })
const { server } = app

/** A person with a page of their own. */
async function enter (scope: typeof t, name: string, path = ''): Promise<{ person: Person, page: Page }> {
  const person = await server.register(name)
  return { person, page: await app.open(await app.profile(scope), person, path) }
}

const sidebar = (page: Page) => page.getByRole('navigation', { name: 'Conversations' })
const composer = (page: Page, name: string) => page.getByRole('textbox', { name: `Message ${name}` })

t.test('a channel is created, found, looked at, joined, changed live, left and deleted', async t => {
  const { page: ann } = await enter(t, 'ann')
  await sidebar(ann).getByRole('button', { name: 'Create channel' }).click()
  const name = ann.getByLabel('Name', { exact: true })
  await name.pressSequentially('Garten ü')
  t.equal(await name.inputValue(), 'garten-ü')
  await ann.getByText('“ü” cannot be in a name.').waitFor()
  t.same(await axe(ann), [])
  await name.fill('garden')
  await ann.getByLabel('Topic (optional)').fill('Beds and seeds')
  await ann.getByRole('button', { name: 'Create', exact: true }).click()
  await composer(ann, '#garden').fill('The beans are in')
  await ann.getByRole('button', { name: 'Send' }).click()

  const { page: ben } = await enter(t, 'ben', 'browse')
  await ben.getByRole('searchbox').fill('seeds')
  t.same(await axe(ben), [])
  await ben.getByRole('link', { name: /^garden/ }).click()
  await ben.getByText('The beans are in').waitFor()
  t.equal(await sidebar(ben).getByRole('link', { name: 'garden' }).count(), 0, 'who looks at a channel is not in it')
  t.same(await axe(ben), [])
  await ben.getByRole('button', { name: 'Join channel' }).click()
  await composer(ben, '#garden').waitFor()
  await sidebar(ben).getByRole('link', { name: 'garden' }).waitFor()
  await ann.getByRole('button', { name: 'People: 2 here now' }).waitFor()

  await ann.getByRole('button', { name: 'Channel menu' }).click()
  await ann.getByRole('menuitem', { name: 'Channel settings' }).click()
  t.same(await axe(ann), [])
  await ann.getByLabel('Topic').fill('Only beans')
  await ann.getByRole('button', { name: 'Save' }).click()
  await ben.getByText('Only beans').waitFor()

  await ben.getByRole('button', { name: 'Channel menu' }).click()
  t.equal(await ben.getByRole('menuitem', { name: 'Channel settings' }).count(), 0, 'nobody is offered what they may not do')
  await ben.getByRole('menuitem', { name: 'Leave channel' }).click()
  await ben.getByText('You have left garden.').waitFor()
  await sidebar(ben).getByRole('link', { name: 'garden' }).waitFor({ state: 'detached' })

  await ann.getByRole('button', { name: 'Channel menu' }).click()
  await ann.getByRole('menuitem', { name: 'Channel settings' }).click()
  await ann.getByRole('button', { name: 'Delete channel' }).click()
  await ann.getByLabel('Type garden to confirm').fill('gardens')
  await ann.getByRole('button', { name: 'Delete channel', exact: true }).click()
  await ann.getByText('This is not the name of the channel: garden').waitFor()
  await ann.getByLabel('Type garden to confirm').fill('garden')
  await ann.getByRole('button', { name: 'Delete channel', exact: true }).click()
  await sidebar(ann).getByRole('link', { name: 'garden' }).waitFor({ state: 'detached' })
})

t.test('[P19] a link to a private channel says the same as one to a channel that does not exist, and creates none', async t => {
  const owner = await server.enter('olga')
  await owner.request({ type: 'command', command: 'create_channel', name: 'secret', channel_type: 'private' })
  const { person, page } = await enter(t, 'carl', 'c/secret')
  const said = async (): Promise<string> => {
    await page.getByText('This channel does not exist, or you are not invited to it.').waitFor()
    return await page.getByRole('main').innerText()
  }
  const secret = await said()
  t.same(await axe(page), [])
  await page.goto(`${server.origin}/c/unknown`)
  t.equal(await said(), secret)
  t.equal((await server.call('GET', '/api/channels/unknown', { token: person.access_token })).status, 404)
})

t.test('people are invited by name, and an invitation is accepted or declined where it is shown', async t => {
  const { page: dora } = await enter(t, 'dora')
  const { page: emil } = await enter(t, 'emil')
  for (const name of ['den', 'lair']) {
    await sidebar(dora).getByRole('button', { name: 'Create channel' }).click()
    await dora.getByLabel('Name', { exact: true }).fill(name)
    await dora.getByLabel('Private').check()
    await dora.getByRole('button', { name: 'Create', exact: true }).click()
    await composer(dora, `#${name}`).waitFor()
    await dora.getByRole('button', { name: 'Channel menu' }).click()
    await dora.getByRole('menuitem', { name: 'Invite people' }).click()
    await dora.getByRole('combobox').fill('emi')
    await dora.getByRole('option', { name: 'emil' }).click()
    await dora.getByText('emil is invited.').waitFor()
    await dora.keyboard.press('Escape')
  }
  await sidebar(emil).getByRole('button', { name: 'Decline lair' }).waitFor()
  t.same(await axe(emil), [])
  await sidebar(emil).getByRole('button', { name: 'Decline lair' }).click()
  await sidebar(emil).getByRole('button', { name: 'Decline lair' }).waitFor({ state: 'detached' })
  await sidebar(emil).getByRole('button', { name: 'Join den' }).click()
  await composer(emil, '#den').waitFor()
  await sidebar(emil).getByText('Invitations').waitFor({ state: 'detached' })
})

t.test('by keyboard alone one jumps to channels, people and actions, and from one unread conversation to the next', async t => {
  const person = await server.register('fred')
  const others = await server.enter('gina', 'general', 'alpha-team', 'beta')
  const own = await server.login(person)
  for (const channel of ['general', 'alpha-team', 'beta']) await own.request({ type: 'join_channel', channel })
  const page = await app.open(await app.profile(t), person)
  await sidebar(page).getByRole('link', { name: 'beta' }).waitFor()
  await others.request({ type: 'send_message', channel: 'beta', message: 'Look' })
  await sidebar(page).getByRole('link', { name: 'beta 1 unread message' }).waitFor()

  await composer(page, '#general').focus()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('al te')
  await page.getByRole('option', { name: 'alpha-team', selected: true }).waitFor()
  t.same(await axe(page), [])
  await page.keyboard.press('ArrowDown')
  await page.getByRole('option', { name: 'Search messages for “al te”', selected: true }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await composer(page, '#alpha-team').waitFor()
  await composer(page, '#alpha-team').and(page.locator(':focus')).waitFor()

  await page.keyboard.press('Alt+Shift+ArrowDown')
  await composer(page, '#beta').waitFor()
  await page.keyboard.press('Alt+ArrowUp')
  await composer(page, '#alpha-team').and(page.locator(':focus')).waitFor()

  await page.keyboard.press('Control+k')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await composer(page, '#alpha-team').and(page.locator(':focus')).waitFor()

  await page.keyboard.press('Control+k')
  await page.keyboard.type('gina')
  await page.getByRole('option', { name: /^gina/, selected: true }).waitFor()
  await page.keyboard.press('Enter')
  await composer(page, 'gina').waitFor()
  t.match(page.url(), `/d/${others.person.user.id}`)
  await sidebar(page).getByRole('link', { name: 'online gina' }).waitFor()

  await page.keyboard.press('Control+k')
  await page.keyboard.type('keyb')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  t.same(await axe(page), [])
})

t.test('[P70] messages are found in one channel or in all, with their words marked, and lead to their place', async t => {
  const { person, page } = await enter(t, 'hans')
  const own = await server.login(person)
  for (const channel of ['orchard', 'shed']) {
    await own.request({ type: 'join_channel', channel })
    await own.request({ type: 'send_message', channel, message: `Apples are in the ${channel} <b>now</b>` })
  }
  const found = async (): Promise<number> => {
    const { body } = await server.call('GET', '/api/messages?query=apples', { token: person.access_token })
    return body.messages.length
  }
  await eventually(async () => await found() === 2, 20_000)
  await sidebar(page).getByRole('link', { name: 'Search messages' }).click()
  await page.getByRole('searchbox').fill('apples')
  await page.keyboard.press('Enter')
  await page.getByText('2 messages').waitFor()
  t.same(await page.locator('mark').allTextContents(), ['Apples', 'Apples'])
  t.same(await axe(page), [])
  await page.getByLabel('Where to search').selectOption({ label: '# shed' })
  await page.getByText('1 message', { exact: true }).waitFor()
  await page.getByRole('link', { name: /Apples are in the shed <b>now/ }).click()
  t.match(page.url(), /\/c\/shed\/m\/[0-9a-f-]{36}$/)
  await page.goBack()
  await page.getByText('1 message', { exact: true }).waitFor()
  t.match(page.url(), /\/search\?q=apples&in=shed$/)
})

t.test('[C3] the list marks the channel in which a message waits for a connection', async t => {
  const line = await startLine(t, server.port)
  const person = await server.register('ida')
  const own = await server.login(person)
  for (const channel of ['general', 'notes']) await own.request({ type: 'join_channel', channel })
  const page = await app.open(await app.profile(t), person, 'c/notes', line.url)
  await composer(page, '#notes').waitFor()
  line.down(true)
  line.cut()
  await composer(page, '#notes').fill('Buy seeds')
  await page.getByRole('button', { name: 'Send' }).click()
  await sidebar(page).getByRole('link', { name: 'general' }).click()
  await sidebar(page).getByRole('link', { name: 'notes Messages wait to be sent' }).waitFor()
  line.down(false)
  await sidebar(page).getByRole('link', { name: 'notes', exact: true }).waitFor()
})
