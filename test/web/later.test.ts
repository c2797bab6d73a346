import { t } from '../tap.ts'
import { startApp } from './app.ts'

const app = await startApp(t)

t.test('a part of the app that cannot be loaded says so, and opens when somebody tries again', async t => {
  const context = await app.profile(t)
  let isCut = true
  await context.route(/\/(more|search-view)-[^/]*\.js$/, route => isCut ? route.abort() : route.continue())
  const page = await app.open(context, await app.server.register('ann'), 'c/general')

  await page.getByRole('link', { name: 'Search messages' }).click()
  const main = page.getByRole('main')
  await main.getByText('This part of the app could not be loaded.').waitFor()
  await page.getByRole('button', { name: 'Create channel' }).click()
  const line = page.getByRole('status').filter({ hasText: 'This part of the app could not be loaded.' })
  await line.waitFor()
  t.equal(await page.getByRole('dialog').count(), 0)

  isCut = false
  await line.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('dialog', { name: 'Create channel' }).waitFor()
  await page.keyboard.press('Escape')
  await main.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('heading', { name: 'Search messages' }).waitFor()
})
