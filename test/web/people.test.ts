import type { Page } from 'playwright-core'
import type { Person } from '../helper.ts'
import { t } from '../tap.ts'
import { axe, said, say, startApp } from './app.ts'

const app = await startApp(t)
const [ann, ben, cid] = [await app.server.register('ann'), await app.server.register('ben'), await app.server.register('cid')]
for (const name of ['garden', 'roses', 'beds', 'hedges']) {
  await app.server.call('POST', '/api/channels', { token: ann.access_token, body: { name } })
  for (const { user: { id }, access_token: token } of [ben, cid]) {
    await app.server.call('PUT', `/api/channels/${name}/members/${id}`, { token })
  }
}

t.test('a moderator mutes, removes, bans and unbans somebody, asked once more each time, and that person sees it at once', async t => {
  const here = await open(t, ann, 'garden')
  const there = await open(t, ben, 'garden')
  await showPeople(here)
  const person = here.getByRole('complementary').getByRole('button', { name: ben.user.name })
  await person.waitFor()
  t.same(await axe(here), [], 'the list of people')

  await person.click()
  t.same(await axe(here), [], 'the card')
  await act(here, 'Mute', async dialog => {
    await dialog.getByLabel('How long').selectOption('10 minutes')
    t.same(await axe(here), [], 'the question')
  })
  await there.getByText('You are muted in #garden').waitFor()
  await here.getByRole('button', { name: 'Unmute' }).waitFor()
  await act(here, 'Unmute')
  await there.getByText('You may write in #garden again.').waitFor()

  await act(here, 'Remove')
  await there.getByText('A moderator removed you from #garden.').waitFor()
  t.same(await axe(there), [], 'the closed channel')
  await there.getByRole('button', { name: 'Join again' }).click()
  await there.getByRole('textbox', { name: /^Message / }).waitFor()

  await act(here, 'Ban', async dialog => {
    await dialog.getByLabel('How long').selectOption('Another duration …')
    await dialog.getByLabel('Number').fill('2')
    await dialog.getByLabel('Reason').fill('Three adverts')
  })
  await there.getByText('Reason: Three adverts').waitFor()
  await there.getByText(/The ban ends .*, in 2 days\./).waitFor()
  t.equal(await there.getByRole('button', { name: 'Join again' }).count(), 0)
  await act(here, 'Unban')
  await there.getByText('You may join #garden again.').waitFor()
  await there.getByRole('button', { name: 'Join again' }).click()
  await there.getByRole('textbox', { name: /^Message / }).waitFor()
})

t.test('who may not moderate is offered nothing of it, and a new moderator is', async t => {
  const [page, other] = [await open(t, ann, 'roses'), await open(t, ben, 'roses')]
  const third = await app.server.login(cid)
  await third.request({ type: 'join_channel', channel: 'roses' })
  await showPeople(other)
  await other.getByRole('complementary').getByRole('button', { name: cid.user.name }).click()
  await other.getByText('Here in #roses now').waitFor()
  await other.getByRole('button', { name: 'Block', exact: true }).waitFor()
  t.equal(await other.getByRole('button', { name: /^(Mute|Ban|Remove|Make moderator)/ }).count(), 0)
  t.equal(await other.getByRole('button', { name: /^Moderation/ }).count(), 0)
  await showPeople(page)
  await page.getByRole('complementary').getByText('Creator').waitFor()
  await page.getByRole('complementary').getByRole('button', { name: ben.user.name }).click()
  await act(page, 'Make moderator')
  await page.getByRole('dialog').getByText('Moderator', { exact: true }).waitFor()
  await other.reload()
  await other.getByRole('button', { name: /^Moderation/ }).waitFor()
})

t.test('a reported message waits for the moderators, with what was said around it; deleting it settles the report', async t => {
  const page = await open(t, ann, 'beds')
  const reporter = await app.server.login(cid)
  await reporter.request({ type: 'join_channel', channel: 'beds' })
  await say(page, 'Before it')
  const author = await open(t, ben, 'beds')
  await say(author, 'Buy my seeds')
  const { id } = await reporter.expect(({ message }) => message === 'Buy my seeds')
  await reporter.request({ type: 'command', command: 'report_message', channel: 'beds', id, reason: 'An advert' })

  await page.getByRole('button', { name: 'Look at it' }).click()
  const dialog = page.getByRole('dialog', { name: 'Moderation: #beds' })
  const report = dialog.getByRole('article')
  await report.getByText('Reason: An advert').waitFor()
  await report.getByRole('button', { name: 'Show the messages around it' }).click()
  await report.getByText('Before it').waitFor()
  t.same(await axe(page), [], 'the reports')
  await report.getByRole('button', { name: 'Delete message' }).click()
  await page.getByRole('dialog', { name: 'Delete this message?' }).getByRole('button', { name: 'Delete' }).click()
  await dialog.getByText('No report waits for a decision.').waitFor()
  await said(author, 'Buy my seeds').waitFor({ state: 'detached' })

  await dialog.getByRole('tab', { name: 'Reports' }).press('ArrowRight')
  await dialog.getByText(`${ann.user.name} deleted a message by ${ben.user.name}.`).waitFor()
  t.same(await axe(page), [], 'the log')
})

t.test('people are found, their cards opened and closed, and blocked by the keyboard alone', async t => {
  const page = await open(t, ann, 'hedges')
  await open(t, cid, 'hedges')
  await page.getByRole('button', { name: /^People/ }).press('Enter')
  const panel = page.getByRole('complementary')
  await panel.getByRole('button', { name: cid.user.name }).waitFor()
  await panel.getByRole('searchbox').and(page.locator(':focus')).waitFor()
  await page.keyboard.type(cid.user.handle!)
  await panel.getByRole('button', { name: ann.user.name }).waitFor({ state: 'detached' })
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: cid.user.name }).getByRole('button', { name: 'Block' }).press('Enter')
  await page.getByRole('dialog').getByText(`You have blocked ${cid.user.name}`).waitFor()
  const refused = await app.server.call('POST', '/api/directs', { token: cid.access_token, body: { user_id: ann.user.id } })
  t.equal(refused.body.code, 'blocked')
  await page.getByRole('dialog').getByRole('button', { name: 'Unblock' }).press('Enter')
  await page.getByRole('dialog').getByRole('button', { name: 'Block', exact: true }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.locator(':focus', { hasText: cid.user.name }).waitFor()
  await page.keyboard.press('Escape')
  await panel.waitFor({ state: 'detached' })
  t.match(await page.locator(':focus').getAttribute('aria-label'), /^People/)
})

async function open (scope: Parameters<typeof app.profile>[0], person: Person, channel: string): Promise<Page> {
  const page = await app.open(await app.profile(scope), person, `c/${channel}`)
  await page.getByRole('textbox', { name: /^Message / }).waitFor()
  return page
}

async function showPeople (page: Page): Promise<void> {
  await page.getByRole('button', { name: /^People/ }).click()
}

/** Presses the button of an act on the card that is shown, fills in the question, and confirms it. */
async function act (page: Page, name: string, fill = async (_dialog: ReturnType<Page['getByRole']>) => {}): Promise<void> {
  await page.getByRole('button', { name: `${name} …` }).click()
  const dialog = page.getByRole('dialog').last()
  await fill(dialog)
  await dialog.getByRole('button', { name, exact: true }).click()
  await page.getByRole('dialog').nth(1).waitFor({ state: 'detached' })
}
