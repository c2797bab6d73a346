import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { uuidv7 } from 'uuidv7'
import { hashOf } from '../../src/services/secret-hash.ts'
import { startServer, type ConfigChange, type Person, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { codeOf, startSilent, startSmtp } from '../smtp.ts'
import { t, type Test } from '../tap.ts'
import { settings } from './settings.ts'

const password = 'a password of theirs'
const from = 'Parley <parley@example.org>'
const wrong = { status: 403, body: { code: 'invalid_code', message: 'Invalid code' } }

const reset = (server: Server, code: unknown, to: unknown = password) =>
  server.call('POST', '/api/auth/reset', { body: { code, password: to } })
const forgot = (server: Server, email: unknown) => server.call('POST', '/api/auth/forgot', { body: { email } })
const login = ({ call }: Server, { email }: Person, to = password) => call('POST', '/api/auth/login', { body: { email, password: to } })

async function makeAdmin (server: Server): Promise<Person> {
  const root = await server.register('root')
  await createRows(server.database).role(root, 'admin')
  return root
}

const give = (server: Server, root: Person, id: string) =>
  server.call('POST', `/api/admin/users/${id}/reset`, { token: root.access_token })

/** Starts a mail server and the servers of a setting that send their mails there. */
async function startMailing (t: Test, start: (t: Test, change?: ConfigChange) => Promise<[Server, Server]>, change: ConfigChange = {}) {
  const smtp = await startSmtp(t)
  const pair = await start(t, { ...change, mail: { url: smtp.url, from } })
  return { smtp, pair, a: pair[0], b: pair[1] }
}

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P75] codes that set a new password on ${name}`, async t => {
    const { smtp, a, b } = await startMailing(t, start, {
      server: { public_url: 'https://chat.example.org/app/' }, limits: { account_mails: 3, address_mails: 100 }
    })
    const { prisma } = a.database
    const root = await makeAdmin(a)
    const make = async (ann: Person): Promise<string> => (await give(a, root, ann.user.id)).body.code

    t.test('an admin makes a code, which sets a new password once and ends all logins everywhere', async t => {
      const ann = await a.register('ann')
      const clients = [await a.login(ann), await b.login(ann)]
      const { status, body } = await give(a, root, ann.user.id)
      t.equal(status, 201)
      t.match(body, { code: /^[\w-]{27}$/, link: `https://chat.example.org/app/reset#code=${body.code}` })
      t.ok(Math.abs(Date.parse(body.expires_at) - Date.now() - 3_600_000) < 60_000, 'it lasts an hour')
      const stored = await prisma.$queryRaw<Array<{ row: string }>>`SELECT c::text AS row FROM "AccountCode" c`
      t.notOk(JSON.stringify(stored).includes(body.code))
      t.notOk(JSON.stringify(stored).includes(Buffer.from(body.code).toString('hex')), 'only a hash of it is kept')

      t.equal((await reset(b, body.code)).status, 204)
      for (const client of clients) t.match(await client.closed(), { code: 4504 })
      t.equal((await b.call('GET', '/api/me', { token: ann.access_token })).status, 401)
      t.equal((await b.call('POST', '/api/auth/refresh', { body: { refresh_token: ann.refresh_token } })).status, 401)
      t.equal((await login(a, ann, ann.password)).status, 401, 'the old password is void')
      t.match(await login(a, ann), { status: 200, body: { user: { email_verified: false } } }, 'it proves nothing about the address')
      t.match(await reset(a, body.code), wrong)
      for (const server of [a, b]) t.notOk(server.lines.some(line => line.includes(body.code)), 'the code is not logged')
    })

    t.test('[P63] the moderation log names the act, and not the code', async t => {
      const ann = await a.register('ann')
      const code = await make(ann)
      const { body: { log } } = await b.call('GET', '/api/admin/log?limit=1', { token: root.access_token })
      t.match(log, [{ action: 'reset_password', actor_id: root.user.id, target_id: ann.user.id, reason: null }])
      const lines = await prisma.$queryRaw<Array<{ row: string }>>`SELECT l::text AS row FROM "ModerationLog" l`
      t.notOk(JSON.stringify(lines).includes(code))
    })

    t.test('of many who use a code at once at two instances, one succeeds', async t => {
      const ann = await a.register('ann')
      const code = await make(ann)
      const tried = Array.from({ length: 8 }, (_, n) => `${password} ${n}`)
      const statuses = await Promise.all(tried.map(async (to, n) => (await reset(n % 2 ? a : b, code, to)).status))
      t.equal(statuses.filter(status => status === 204).length, 1)
      t.ok(statuses.every(status => status === 204 || status === 403))
      t.equal((await login(a, ann, tried[statuses.indexOf(204)])).status, 200, 'the password is that of the one')
    })

    t.test('a new code replaces the one before it, and the database\'s clock ends a code', async t => {
      const ann = await a.register('ann')
      const [first, second] = [await make(ann), await make(ann)]
      t.match(await reset(b, first), wrong)
      await prisma.$executeRaw`UPDATE "AccountCode" SET "expiresAt" = now() WHERE "codeHash" = ${hashOf(second)}`
      t.match(await reset(b, second), wrong)
      t.equal((await login(a, ann, ann.password)).status, 200)
    })

    t.test('a new password, disabling and erasing end the codes of an account', async t => {
      const changes: Array<(ann: Person) => Promise<{ status: number }>> = [
        ann => b.call('PATCH', '/api/me', { token: ann.access_token, body: { password, current_password: ann.password } }),
        async ({ user: { id } }) => {
          await b.call('PATCH', `/api/admin/users/${id}`, { token: root.access_token, body: { disabled: true } })
          return b.call('PATCH', `/api/admin/users/${id}`, { token: root.access_token, body: { disabled: false } })
        },
        ({ user: { id } }) => b.call('DELETE', `/api/admin/users/${id}`, { token: root.access_token })
      ]
      for (const change of changes) {
        const ann = await a.register('ann')
        const code = await make(ann)
        t.ok((await change(ann)).status < 300)
        t.match(await reset(a, code), wrong)
        t.equal(await prisma.accountCode.count({ where: { userId: ann.user.id } }), 0)
      }
    })

    t.test('no code is made for admins themselves, for disabled or erased accounts, for guests, or by others than admins', async t => {
      const [ann, gone, off] = [await a.register('ann'), await a.register('gone'), await a.register('off')]
      await a.call('DELETE', `/api/admin/users/${gone.user.id}`, { token: root.access_token })
      await a.call('PATCH', `/api/admin/users/${off.user.id}`, { token: root.access_token, body: { disabled: true } })
      const guest = await prisma.user.create({ data: { name: 'guest-123456' } })
      const before = await prisma.accountCode.count()
      const cases: Array<[Person, string, number, string]> = [
        [root, root.user.id, 403, 'not_authorized'], [root, off.user.id, 403, 'not_authorized'],
        [root, gone.user.id, 404, 'user_not_found'], [root, guest.id, 404, 'user_not_found'],
        [root, uuidv7(), 404, 'user_not_found'], [root, 'x', 404, 'user_not_found'], [root, '%00', 404, 'user_not_found'],
        [ann, root.user.id, 403, 'not_authorized'], [ann, ann.user.id, 403, 'not_authorized']
      ]
      for (const [actor, id, status, code] of cases) t.match(await give(b, actor, id), { status, body: { code } }, code)
      t.equal(await prisma.accountCode.count(), before)
    })

    t.test('bad fields are refused, and a code of another kind is no code', async t => {
      const ann = await a.register('ann')
      const code = await make(ann)
      const bad: unknown[] = ['', 5, null, ['x'], {}, 'x'.repeat(65), 'a\0b', '\ud83d']
      for (const value of bad) t.match(await reset(a, value), { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(value))
      for (const value of [...bad, 'short', 'x'.repeat(257)].filter(value => value !== 'x'.repeat(65))) {
        t.match(await reset(a, code, value), { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(value))
      }
      for (const body of [{}, { code }, { password }, { code, password, extra: 1 }, []]) {
        t.match(await a.call('POST', '/api/auth/reset', { body }), { status: 400, body: { code: 'invalid_request' } })
      }
      t.match(await a.call('POST', '/api/auth/verify', { body: { code } }), wrong)
      t.equal((await reset(a, code)).status, 204, 'none of that has used it')
    })

    t.test('who forgot their password gets a code by mail, whatever the case of the address, and so proves the address', async t => {
      const ann = await a.register('ann')
      t.match(await forgot(b, ann.email.toUpperCase()), { status: 204, body: null })
      const mail = await smtp.next(ann.email)
      t.match(mail.headers, { 'auto-submitted': 'auto-generated', to: ann.email, subject: 'Choose a new password' })
      t.notMatch(mail.raw, /html/i)
      t.ok(mail.text.includes(`https://chat.example.org/app/reset#code=${codeOf(mail)}\n`))
      t.equal((await reset(a, codeOf(mail))).status, 204)
      t.match(await login(b, ann), { status: 200, body: { user: { email_verified: true } } })
      t.match(await reset(b, codeOf(mail)), wrong)
    })

    t.test('a mailed code and one from an admin stand beside each other; using one ends the other', async t => {
      const ann = await a.register('ann')
      const given = await make(ann)
      await forgot(b, ann.email)
      const mailed = codeOf(await smtp.next(ann.email))
      t.equal((await reset(a, given)).status, 204)
      t.match(await reset(b, mailed), wrong)
    })

    t.test('unknown, disabled and erased accounts get the same answer, and no mail', async t => {
      const [ann, off] = [await a.register('ann'), await a.register('off')]
      await prisma.user.update({ where: { id: off.user.id }, data: { disabledAt: new Date() } })
      const answers = []
      for (const email of [`${randomUUID()}@example.org`, off.email, 'no address', ann.email]) {
        const { status, body, headers } = await forgot(a, email)
        answers.push({ status, body, headers: [...headers.keys()].sort() })
      }
      t.same(new Set(answers.map(answer => JSON.stringify(answer))).size, 1)
      // The queue sends in order, so the others' mails would have come before.
      await smtp.next(ann.email)
      t.same(smtp.mails, [])
    })

    t.test('an account gets its limit of mails an hour, at all instances together, whether it exists or not', async t => {
      for (const email of [(await a.register('ann')).email, `${randomUUID()}@example.org`]) {
        for (let n = 0; n < 3; n++) t.equal((await forgot(n % 2 ? a : b, email)).status, 204)
        for (const server of [a, b]) {
          const { status, body, headers } = await forgot(server, email)
          t.match({ status, body }, { status: 429, body: { code: 'rate_limited' } })
          t.ok(Number(headers.get('retry-after')) > 60, 'within an hour')
        }
      }
    })

    t.test('bad addresses are refused', async t => {
      for (const email of ['', 5, null, ['x'], {}, 'x'.repeat(255), 'a\0b', '\ud83d']) {
        t.match(await forgot(a, email), { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(email).slice(0, 20))
      }
    })
  })
}

t.test('[P75] an address gets its limits: of mails, and of wrong codes', async t => {
  const { smtp, a } = await startMailing(t, settings['two instances on PostgreSQL']!, { limits: { address_mails: 5 } })
  const ann = await a.register('ann')
  t.equal((await forgot(a, ann.email)).status, 204)
  t.notMatch((await smtp.next(ann.email)).text, /http/, 'without PUBLIC_URL, the mail has the code alone')
  for (let n = 0; n < 4; n++) t.equal((await forgot(a, `${randomUUID()}@example.org`)).status, 204)
  t.match(await forgot(a, (await a.register('ben')).email), { status: 429, body: { code: 'rate_limited' } })
  t.same(smtp.mails, [])
  for (let n = 0; n < 50; n++) t.match(await reset(a, randomUUID()), wrong)
  t.match(await reset(a, randomUUID()), { status: 429, body: { code: 'rate_limited' } })
  t.match(await a.call('POST', '/api/auth/verify', { body: { code: randomUUID() } }), { status: 429 })
})

t.test('[P75] the answer waits neither for the mail server nor for the account: it comes while both are held up', async t => {
  const silent = await startSilent(t)
  const server = await startServer(t, { config: { mail: { url: silent.url, from } } })
  const ann = await server.register('ann')
  const rival = new pg.Client(server.databaseUrl)
  await rival.connect()
  t.teardown(() => rival.end())
  await rival.query('BEGIN; LOCK TABLE "User" IN ACCESS EXCLUSIVE MODE')
  // Nothing can read an account now, so an answer to a known one cannot take longer than one to an unknown one.
  for (const email of [ann.email, `${randomUUID()}@example.org`]) t.equal((await forgot(server, email)).status, 204)
  await rival.query('ROLLBACK')
  for (let n = 0; n < 3; n++) t.equal((await forgot(server, ann.email)).status, 204, 'the mail server is silent')
})

t.test('[P75] without a mail server nobody can ask for a mail, and a full queue answers busy to everyone', async t => {
  const plain = await startServer(t)
  const ann = await plain.register('ann')
  t.match(await forgot(plain, ann.email), { status: 404, body: { code: 'not_found' } })
  t.match(await plain.call('POST', '/api/me/verification', { token: ann.access_token }), { status: 404, body: { code: 'not_found' } })

  const silent = await startSilent(t)
  const server = await startServer(t, { config: { mail: { url: silent.url, from, queue_size: 1 } } })
  const ben = await server.register('ben')
  t.equal((await forgot(server, ben.email)).status, 204)
  for (const email of [ben.email, `${randomUUID()}@example.org`]) {
    t.match(await forgot(server, email), { status: 503, body: { code: 'busy' } })
  }
})
