import { randomUUID } from 'node:crypto'
import { hashOf } from '../../src/services/secret-hash.ts'
import { startServer, type ConfigChange, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { codeOf, startSmtp } from '../smtp.ts'
import { t, type Test } from '../tap.ts'
import { settings } from './settings.ts'

const password = 'a password of theirs'
const wrong = { status: 403, body: { code: 'invalid_code' } }
const unverified = { status: 403, body: { code: 'email_not_verified', message: 'Email not verified' } }

const newEmail = (): string => `${randomUUID()}@example.org`
const register = ({ call }: Server, email: string, fields: object = {}) =>
  call('POST', '/api/auth/register', { body: { email, name: 'Visit http://evil.example', password, ...fields } })
const login = ({ call }: Server, email: string, to = password) => call('POST', '/api/auth/login', { body: { email, password: to } })
const verify = ({ call }: Server, code: unknown) => call('POST', '/api/auth/verify', { body: { code } })
const me = ({ call }: Server, token: string) => call('GET', '/api/me', { token })
const ask = ({ call }: Server, token: string) => call('POST', '/api/me/verification', { token })

/** Starts a mail server and the servers of a setting that send their mails there. */
async function startMailing (t: Test, start: (t: Test, change?: ConfigChange) => Promise<[Server, Server]>, change: ConfigChange = {}) {
  const smtp = await startSmtp(t)
  const [a, b] = await start(t, { ...change, mail: { url: smtp.url, from: 'parley@example.org' } })
  return { smtp, a, b }
}

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P76] verified addresses on ${name}`, async t => {
    const { smtp, a, b } = await startMailing(t, start, { server: { public_url: 'https://chat.example.org' }, limits: { account_mails: 2 } })
    const { prisma } = a.database

    t.test('a registration mails a code; it verifies the address once, without a login', async t => {
      const email = newEmail()
      const { status, body } = await register(a, email)
      t.match({ status, body }, { status: 201, body: { user: { email_verified: false }, access_token: String } })
      const mail = await smtp.next(email)
      t.match(mail.headers, { subject: 'Confirm your email address', 'auto-submitted': 'auto-generated', to: email })
      t.notOk(mail.raw.includes('evil'), 'the mail has no text that a user has chosen')
      t.ok(mail.text.includes(`https://chat.example.org/verify#code=${codeOf(mail)}\n`))
      const { expiresAt } = await prisma.accountCode.findFirstOrThrow({ where: { userId: body.user.id } })
      t.ok(Math.abs(expiresAt.getTime() - Date.now() - 86_400_000) < 60_000, 'it lasts a day')
      t.match(await a.call('POST', '/api/auth/reset', { body: { code: codeOf(mail), password } }), wrong, 'it sets no password')

      t.equal((await verify(b, codeOf(mail))).status, 204)
      t.match(await me(a, body.access_token), { status: 200, body: { email_verified: true } })
      t.match(await verify(a, codeOf(mail)), wrong)
      t.match(await login(b, email), { status: 200, body: { user: { email_verified: true } } })
      const refreshed = await b.call('POST', '/api/auth/refresh', { body: { refresh_token: body.refresh_token } })
      t.match(refreshed, { status: 200, body: { user: { email_verified: true } } })
      t.notOk([...a.lines, ...b.lines].some(line => line.includes(codeOf(mail))))
    })

    t.test('a user asks for another mail: its code replaces the one before; a verified user gets none', async t => {
      const email = newEmail()
      const { body } = await register(a, email)
      const first = codeOf(await smtp.next(email))
      t.match(await ask(b, body.access_token), { status: 204, body: null })
      const second = codeOf(await smtp.next(email))
      t.match(await ask(a, body.access_token), { status: 429, body: { code: 'rate_limited' } })
      t.match(await verify(a, first), wrong)
      t.equal((await verify(b, second)).status, 204)

      const ann = await a.register('ann')
      await prisma.user.update({ where: { id: ann.user.id }, data: { emailVerifiedAt: new Date() } })
      t.equal((await ask(a, ann.access_token)).status, 204)
      t.equal(await prisma.accountCode.count({ where: { userId: ann.user.id } }), 0)
    })

    t.test('the database\'s clock, disabling and erasing end a code; a new password does not', async t => {
      const [one, two, three] = [newEmail(), newEmail(), newEmail()]
      const logins = [(await register(a, one)).body, (await register(a, two)).body, (await register(a, three)).body]
      const codes = [codeOf(await smtp.next(one)), codeOf(await smtp.next(two)), codeOf(await smtp.next(three))]
      await prisma.$executeRaw`UPDATE "AccountCode" SET "expiresAt" = now() WHERE "codeHash" = ${hashOf(codes[0]!)}`
      await prisma.user.update({ where: { id: logins[1].user.id }, data: { disabledAt: new Date() } })
      const change = { password: 'another password', current_password: password }
      t.equal((await a.call('PATCH', '/api/me', { token: logins[2].access_token, body: change })).status, 200)
      t.match(await verify(a, codes[0]), wrong)
      t.match(await verify(b, codes[1]), wrong)
      t.equal((await verify(b, codes[2])).status, 204)
      await prisma.user.update({ where: { id: logins[2].user.id }, data: { email: newEmail() } })
      t.match(await me(a, logins[2].access_token), { body: { email_verified: false } }, 'a new address is not verified')
      await prisma.user.update({ where: { id: logins[2].user.id }, data: { emailVerifiedAt: new Date() } })
      t.equal((await a.call('DELETE', '/api/me', { token: logins[2].access_token, body: { password: change.password } })).status, 204)
      t.match(await prisma.user.findUnique({ where: { id: logins[2].user.id } }), { emailVerifiedAt: null })
    })

    t.test('bad fields are refused', async t => {
      for (const code of ['', 5, null, ['x'], {}, 'x'.repeat(65), 'a\0b', '\ud83d']) {
        t.match(await verify(a, code), { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(code))
      }
      t.match(await ask(a, 'x'), { status: 401 })
    })
  })
}

// The database does not know that addresses have to be verified. What it keeps of them is tested in all settings above.
t.test('[P76] a verified address is required', async t => {
  const start = settings['two instances on PostgreSQL']!
  const { smtp, a, b } = await startMailing(t, start, { authentication: { require_verified_email: true } })
  const { prisma } = a.database
  const email = newEmail()
  const { status, body } = await register(a, email)
  t.match({ status, body }, { status: 202, body: { user: { email, email_verified: false } } })
  t.notOk('access_token' in body, 'the new account is not logged in')
  t.equal(await prisma.refreshToken.count(), 0)
  await smtp.next(email)

  t.equal((await login(a, email, 'a wrong password')).body.code, 'authentication_failed', 'a wrong password learns nothing')
  t.match(await login(b, email), unverified)
  const code = codeOf(await smtp.next(email))
  t.equal((await verify(a, code)).status, 204, 'the refused login has mailed another code')
  const { status: logged, body: session } = await login(b, email)
  t.equal(logged, 200)
  t.equal((await b.call('POST', '/api/auth/refresh', { body: { refresh_token: session.refresh_token } })).status, 200)

  const forgetful = newEmail()
  await register(a, forgetful)
  await smtp.next(forgetful)
  await a.call('POST', '/api/auth/forgot', { body: { email: forgetful } })
  const reset = { code: codeOf(await smtp.next(forgetful)), password: 'another password' }
  t.equal((await b.call('POST', '/api/auth/reset', { body: reset })).status, 204)
  t.equal((await login(a, forgetful, reset.password)).status, 200, 'a mailed reset proves the address')

  const old = await a.register('from-before')
  t.match(await b.call('POST', '/api/auth/refresh', { body: { refresh_token: old.refresh_token } }), unverified)
  await createRows(a.database).role(old, 'admin')
  t.equal((await b.call('POST', '/api/auth/refresh', { body: { refresh_token: old.refresh_token } })).status, 200, 'admins are exempt')
})

t.test('[P76] ADMIN_EMAIL is not locked out, invitation codes spare nobody, and no mail server holds up a registration', async t => {
  const admin = { admin_email: 'root@example.org', admin_password: password }
  const authentication = { ...admin, require_verified_email: true, registration: 'invite' as const }
  const mail = { url: 'smtp://127.0.0.1:1', from: 'parley@example.org' }
  const server = await startServer(t, { config: { authentication, mail } })
  const { status, body: root } = await login(server, admin.admin_email)
  t.equal(status, 200)
  const { body: { code } } = await server.call('POST', '/api/admin/invitation-codes', { token: root.access_token, body: {} })
  const email = newEmail()
  t.equal((await register(server, email, { invitation_code: code })).status, 202)
  t.match(await login(server, email), unverified)
})

t.test('[P76] the limit of mails refuses no registration and no login', async t => {
  const { smtp, a } = await startMailing(t, settings['two instances on PostgreSQL']!, { limits: { address_mails: 1 } })
  const [one, two] = [newEmail(), newEmail()]
  t.equal((await register(a, one)).status, 201)
  t.equal((await register(a, two)).status, 201)
  await smtp.next(one)
  t.same(smtp.mails, [])
})
