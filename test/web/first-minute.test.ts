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
