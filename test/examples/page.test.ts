import { startExample } from '../../scripts/examples.ts'
import { createDatabase } from '../helper.ts'
import { t } from '../tap.ts'
import { fits, openPage } from './example.ts'

t.test('the example page: two windows exchange messages', async t => {
  const { url, close } = await startExample('page', await createDatabase(t))
  t.teardown(close)
  const [narrow, wide] = await Promise.all([openPage(t, url, 390), openPage(t, url, 1280)])
  const text = `<b>${'long'.repeat(50)}</b>`
  await narrow.fill('input', text)
  await narrow.click('button')
  await wide.locator('li', { hasText: text }).waitFor()
  await wide.fill('input', 'an answer')
  await wide.press('input', 'Enter')
  for (const page of [narrow, wide]) {
    await page.locator('li', { hasText: /^guest-\w+: an answer$/ }).waitFor()
    await page.getByRole('status').getByText('online').waitFor()
    t.equal(await page.locator('li').count(), 2, 'each message shows once')
    t.ok(await fits(page))
  }
})
