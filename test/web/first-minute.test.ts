import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { axe, said, say, startApp } from './app.ts'

const app = await startApp(t)

t.test('somebody registers, lands in the default channel and talks, and another browser shows it at once', async t => {
  const [ann, ben] = [await (await app.profile(t)).newPage(), await app.open(await app.profile(t), await app.server.register('ben'))]
  await ann.goto(app.server.origin)
  await ann.getByRole('link', { name: 'Create account' }).click()
  t.same(await axe(ann), [])
  await ann.getByLabel('Name').fill('Ann')
  await ann.getByLabel('Email').fill('ann@example.org')
  await ann.getByLabel('Password', { exact: true }).fill('correct horse')
  await ann.getByRole('button', { name: 'Create account' }).click()
  await say(ann, 'Hello, everybody')
  await said(ben, 'Hello, everybody').waitFor()
  await said(ben, 'Ann').waitFor()
  t.same(await axe(ben), [])
})

t.test('[C9] five tabs of one person share one connection, and all of them show what one of them sends', async t => {
  const line = await startLine(t, app.server.port)
  const profile = await app.profile(t)
  const tabs = [await app.open(profile, await app.server.register('five'), '', line.url)]
  for (let i = 1; i < 5; i++) tabs.push(await profile.newPage())
  for (const tab of tabs) await tab.goto(`${line.url}/c/general`)
  await say(tabs[0]!, 'Hello from the first tab')
  for (const tab of tabs) await said(tab, 'Hello from the first tab').waitFor()
  await eventually(() => line.sockets === 1)
})
