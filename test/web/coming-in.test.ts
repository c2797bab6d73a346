import type { Locator, Page } from 'playwright-core'
import { eventually } from '../eventually.ts'
import { redis, startServer, type Person } from '../helper.ts'
import { startSmtp } from '../smtp.ts'
import { startLine } from '../../src/testing/line.ts'
import { t } from '../tap.ts'
import { axe, logIn, said, say, startApp } from './app.ts'

const admin = { email: 'root@example.org', password: 'correct horse battery' }
const app = await startApp(t, { config: { authentication: { admin_email: admin.email, admin_password: admin.password } } })
const { server } = app
const { body: root } = await server.call('POST', '/api/auth/login', { body: admin })
const asRoot = (method: string, path: string, body?: object) => server.call(method, `/api/admin${path}`, { token: root.access_token, body })

/** Waits until a page of this person is connected. */
const untilOnline = ({ user }: Person) => eventually(async () =>
  (await server.call('GET', `/api/users/${user.id}`, { token: root.access_token })).body.online)

/** A server for guests and invited people, who have to confirm their addresses by mails. */
const smtp = await startSmtp(t)
const strict = await startServer(t, {
  config: {
    authentication: {
      registration: 'invite', guests: true, require_verified_email: true, admin_email: admin.email, admin_password: admin.password
    },
    server: { public_url: 'https://example.org/' },
    mail: { url: smtp.url, from: 'parley@example.org' }
  }
})

/** A server on which everybody is a guest, and whose bus can be lost. */
const bus = await startLine(t, Number(new URL(process.env.TEST_REDIS_URL ?? '').port))
const free = await startServer(t, { config: { authentication: { enabled: false }, redis: { ...redis(), url: `redis://127.0.0.1:${bus.port}` } } })

/** Returns the part of the link in the next mail that follows the name of the server. */
async function linkFor (email: string): Promise<string> {
  return /https:\/\/example\.org(\/\S+)/.exec((await smtp.next(email)).text)![1]!
}

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name })
const hasFocus = (place: Locator) => place.and(place.page().locator(':focus')).waitFor()

t.test('somebody lands at the address that they asked for, after an error that left the fields alone, and stays logged in', async t => {
  const { person: ann } = await server.enter('ann', 'garden', 'general')
  const context = await app.profile(t)
  const page = await context.newPage()
  await page.goto(`${server.origin}/c/garden`)
  t.same(await axe(page), [])
  await page.getByLabel('Email').fill(ann.email)
  await page.getByLabel('Password', { exact: true }).fill('wrong horse')
  await page.getByRole('button', { name: 'Show password' }).click()
  await page.keyboard.press('Shift+Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').getByText('The email or the password is wrong.').waitFor()
  t.equal(await page.getByLabel('Email').inputValue(), ann.email)
  t.same(await axe(page), [])
  await logIn(page, ann)
  await page.getByRole('textbox', { name: 'Message #garden' }).waitFor()
  t.match(page.url(), /\/c\/garden$/)
  const another = await context.newPage()
  await another.goto(`${server.origin}/login`)
  await another.getByRole('textbox', { name: 'Message #general' }).waitFor()
})

t.test('an invited guest makes an account, confirms the address by the mailed code and lands where they were', async t => {
  const { body: { access_token: token } } = await strict.call('POST', '/api/auth/login', { body: admin })
  const { body: { code } } = await strict.call('POST', '/api/admin/invitation-codes', { token, body: {} })
  const page = await (await app.profile(t)).newPage()
  await page.goto(`${strict.origin}/c/general`)
  await page.getByText('You are here as a guest').waitFor()
  await page.getByRole('textbox', { name: 'Message #general' }).waitFor()
  t.same(await axe(page), [])
  await page.goto(`${strict.origin}/browse`)
  await page.getByRole('link', { name: 'Create account' }).click()
  await hasFocus(heading(page, 'Create account'))
  await page.getByLabel('Invitation code').fill('not a code')
  await page.getByLabel('Name').fill('Ben')
  await page.getByLabel('Email').fill('ben@example.org')
  await page.getByLabel('Password', { exact: true }).fill('correct horse')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByText('This invitation code is wrong').waitFor()
  const field = page.getByLabel('Invitation code')
  await hasFocus(field)
  t.same(await axe(page), [])
  await field.fill(code)
  await page.getByRole('button', { name: 'Create account' }).click()
  await heading(page, 'Confirm your email address').waitFor()
  const first = await linkFor('ben@example.org')
  await page.getByRole('button', { name: 'Send another mail' }).click()
  await page.getByText('Another mail is on its way').waitFor()
  const second = await linkFor('ben@example.org')
  t.same(await axe(page), [])
  const codes = [first, second].map(link => link.replace('/verify#code=', ''))
  await page.getByLabel('Code').fill(codes[0]!)
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByText('This code is wrong').waitFor()
  await page.getByLabel('Code').fill(` ${codes[1]!} `)
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.waitForURL(/\/browse$/)
  t.equal(await page.getByText('You are here as a guest').count(), 0)
})

t.test('a forgotten password is replaced by the link of a mail, and a link confirms an address', async t => {
  const person = await strict.register('cleo')
  const page = await (await app.profile(t)).newPage()
  await page.goto(`${strict.origin}/login`)
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  await page.getByLabel('Email').fill(person.email)
  await page.getByRole('button', { name: 'Send a mail' }).click()
  await page.getByText(`If there is an account with ${person.email}`).waitFor()
  t.same(await axe(page), [])
  await page.goto(strict.origin + await linkFor(person.email))
  t.same(await axe(page), [])
  await page.getByLabel('New password').fill('another horse')
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByText('Your new password is set').waitFor()
  await logIn(page, { email: person.email, password: 'another horse' })
  await page.goto(`${strict.origin}/verify#code=wrong`)
  await page.getByRole('alert').getByText('This code is wrong').waitFor()
  t.same(await axe(page), [])
})

t.test('the page says why a login has ended: logged out in another tab, on another device, or closed by an administrator', async t => {
  const { person: dora } = await server.enter('dora', 'garden', 'general')
  const context = await app.profile(t)
  const [page, other] = [await app.open(context, dora, 'c/garden'), await context.newPage()]
  await other.goto(`${server.origin}/settings`)
  await other.getByRole('button', { name: 'Log out', exact: true }).click()
  for (const one of [page, other]) await one.getByText('You have logged out.').waitFor()
  await logIn(page, dora)
  await other.getByRole('navigation').first().waitFor()
  // The field to write in is there once a page is connected.
  await other.goto(`${server.origin}/c/garden`)
  for (const one of [page, other]) await one.getByRole('textbox').first().waitFor()
  const elsewhere = await server.call('POST', '/api/auth/login', { body: { email: dora.email, password: dora.password } })
  await server.call('DELETE', '/api/me/logins', { token: elsewhere.body.access_token })
  for (const one of [page, other]) await one.getByText('Your login was ended on another device').waitFor()
  t.same(await axe(page), [])
  await other.close()
  await logIn(page, dora)
  await untilOnline(dora)
  await asRoot('DELETE', `/users/${dora.user.id}/connections`)
  await page.getByText('An administrator has ended your connection.').waitFor()
  t.same(await axe(page), [])
  await page.getByRole('button', { name: 'Connect again' }).click()
  await untilOnline(dora)
  await asRoot('PATCH', `/users/${dora.user.id}`, { disabled: true })
  await page.getByText('An administrator has closed your account.').waitFor()
})

t.test('a lost connection is shown, counted down and tried at once, and an announcement stays until it is closed', async t => {
  const line = await startLine(t, server.port)
  const { person: emil, close } = await server.enter('emil', 'garden')
  await close()
  const context = await app.profile(t)
  // The waits of the client are as long as they may be: 1, 2, 4 and 8 seconds.
  await context.addInitScript(() => { Math.random = () => 0.999 })
  const page = await app.open(context, emil, 'c/garden', line.url)
  await untilOnline(emil)
  await page.getByRole('textbox').first().waitFor()
  await asRoot('POST', '/announcements', { message: 'We restart at noon.' })
  await page.getByText('We restart at noon.').waitFor()
  line.down(true)
  line.cut()
  await page.getByText(/There is no connection. *Trying again in \d+ s/).waitFor()
  t.same(await axe(page), [])
  await page.getByText('Trying again in 8 s').waitFor()
  line.down(false)
  await page.getByRole('button', { name: 'Try now' }).click()
  await page.getByText('There is no connection.').waitFor({ state: 'detached', timeout: 6000 })
  await page.context().setOffline(true)
  await page.getByText('You are offline.').waitFor()
  await page.context().setOffline(false)
  await page.getByText('You are offline.').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByText('We restart at noon.').waitFor({ state: 'detached' })
})

t.test('where there are no accounts everybody takes part at once, and is offered nothing that needs one', async t => {
  const page = await (await app.profile(t)).newPage()
  await page.goto(`${free.origin}/login`)
  await say(page, 'Hello from a guest')
  await said(page, 'Hello from a guest').waitFor()
  await page.getByRole('button', { name: 'Your menu' }).click()
  await page.getByRole('menuitem', { name: 'Settings' }).waitFor()
  t.equal(await page.getByText('Log in').count(), 0)
  await page.goto(`${free.origin}/search?q=hello`)
  await page.getByText('Guests cannot search messages.').waitFor()
  t.equal(await page.getByRole('alert').count(), 0)
  t.same(await axe(page), [])
})

t.test('[P33] while the bus is lost every page says that messages may take longer, and they come', async t => {
  const context = await app.profile(t)
  const [early, late] = [await context.newPage(), await context.newPage()]
  const line = (page: Page) => page.getByText('Messages may take some seconds longer at the moment.')
  await early.goto(`${free.origin}/c/general`)
  await early.getByRole('textbox', { name: /^Message / }).waitFor()
  bus.down(true)
  bus.cut()
  await line(early).waitFor()
  t.same(await axe(early), [])
  await late.goto(`${free.origin}/c/general`)
  await line(late).waitFor()
  await say(late, 'Sent without the bus')
  await said(early, 'Sent without the bus').waitFor()
  bus.down(false)
  for (const page of [early, late]) await line(page).waitFor({ state: 'detached' })
})

t.test('people change profile and password, end other logins, unblock others, take their data along and erase their account', async t => {
  const [finn, gina] = [await server.register('finn'), await server.register('gina')]
  await server.call('PUT', `/api/me/blocks/${gina.user.id}`, { token: finn.access_token })
  const page = await app.open(await app.profile(t), finn, 'settings')
  const section = (name: string) => page.getByRole('region', { name })
  const said = (text: string) => page.getByRole('status').getByText(text).waitFor()
  await section('Blocked people').getByText('gina').first().waitFor()
  t.same(await axe(page), [])

  await section('Profile').getByLabel('Name').fill('Finn O.')
  await section('Profile').getByLabel('Handle').fill(gina.user.handle!)
  await section('Profile').getByRole('button', { name: 'Save' }).click()
  await section('Profile').getByText('Somebody has this handle already').waitFor()
  t.equal(await section('Profile').getByLabel('Name').inputValue(), 'Finn O.')
  await section('Profile').getByLabel('Handle').fill('finn_o')
  await section('Profile').getByRole('button', { name: 'Save' }).click()
  await said('Saved.')

  t.equal(await section('Devices').getByRole('listitem').count(), 2)
  await section('Devices').getByRole('button', { name: 'Log out Unknown device' }).click()
  await said('That device is logged out.')
  t.equal((await server.call('GET', '/api/me', { token: finn.access_token })).status, 401)

  await section('Blocked people').getByRole('button', { name: 'Unblock gina' }).click()
  await section('Blocked people').getByText('You have blocked nobody.').waitFor()

  await section('Password').getByLabel('Current password').fill('wrong horse')
  await section('Password').getByLabel('New password').fill('another horse')
  await section('Password').getByRole('button', { name: 'Change password' }).click()
  await section('Password').getByText('This password is wrong.').waitFor()
  await section('Password').getByLabel('Current password').fill(finn.password)
  await section('Password').getByRole('button', { name: 'Change password' }).click()
  await said('Your password is changed.')

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download my data' }).click()])
  t.match(download.suggestedFilename(), /^parley-.*\.ndjson$/)

  await section('Appearance').getByLabel('Dark').check()
  t.equal(await page.locator('html').getAttribute('data-theme'), 'dark')
  await section('Appearance').getByLabel('Deutsch').click()
  await heading(page, 'Einstellungen').waitFor()
  await page.getByRole('radio', { name: 'English' }).click()
  await heading(page, 'Settings').waitFor()

  await page.getByRole('button', { name: 'Erase my account' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Password', { exact: true }).waitFor()
  t.same(await axe(page), [])
  await dialog.getByLabel('Password', { exact: true }).fill('another horse')
  await dialog.getByRole('button', { name: 'Erase my account' }).click()
  await page.getByText('Your account is erased.').waitFor()
  t.equal((await asRoot('GET', `/users?query=${encodeURIComponent(finn.email)}`)).body.users.length, 0)
})
