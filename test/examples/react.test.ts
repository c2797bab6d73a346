import { startExample } from '../../scripts/examples.ts'
import { createDatabase } from '../helper.ts'
import { t } from '../tap.ts'
import { fits, openPage } from './example.ts'

t.test('the example react: windows see messages, who is online and who is typing, in the channel that they show', async t => {
  const { url, close } = await startExample('react', await createDatabase(t))
  t.teardown(close)
  const [narrow, wide] = await Promise.all([openPage(t, url, 390), openPage(t, url, 1280)])
  for (const page of [narrow, wide]) await page.getByText('2 online').waitFor()
  await narrow.getByLabel('Message', { exact: true }).pressSequentially('hello')
  await wide.getByText(/^guest-\w+ …$/).waitFor()
  await narrow.getByRole('button', { name: 'Send' }).click()
  await wide.locator('li', { hasText: /^guest-\w+ hello$/ }).waitFor()
  await wide.getByLabel('Message', { exact: true }).fill('long'.repeat(100))
  await wide.keyboard.press('Enter')
  await narrow.locator('li', { hasText: 'longlong' }).waitFor()
  for (const page of [narrow, wide]) {
    t.equal(await page.locator('li', { hasText: 'hello' }).count(), 1, 'each message shows once')
    t.ok(await fits(page))
  }

  await wide.getByRole('button', { name: '#random' }).click()
  await wide.getByText('1 online').waitFor()
  await narrow.getByText('1 online').waitFor()
  t.equal(await wide.locator('li', { hasText: 'hello' }).count(), 0)
})
