import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Config } from '../../src/config-schema.ts'
import type { NewInvitationCode } from '../../src/schemas/invitation-code.ts'
import { startServer, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t, type Test } from '../tap.ts'
import { settings, type Pair } from './settings.ts'

type Mode = Config['authentication']['registration']

const path = '/api/admin/invitation-codes'
const password = 'password-of-theirs'
const wrong = 'invalid_invitation_code'

/** What a registration answers, by the state of the code that it brings: 201, or the code of the error. */
const answers: Record<Mode, Record<'none' | 'valid' | 'unknown' | 'used up' | 'expired' | 'revoked', number | string>> = {
  open: { none: 201, valid: 201, unknown: wrong, 'used up': wrong, expired: wrong, revoked: wrong },
  invite: { none: wrong, valid: 201, unknown: wrong, 'used up': wrong, expired: wrong, revoked: wrong },
  closed: {
    none: 'registration_closed',
    valid: 'registration_closed',
    unknown: 'registration_closed',
    'used up': 'registration_closed',
    expired: 'registration_closed',
    revoked: 'registration_closed'
  }
}

/** Bad fields of a new code with the error code of the answer. */
const badCodes: Array<[object, string]> = [
  [{ uses: 0 }, 'invalid_request'], [{ uses: 10_001 }, 'invalid_request'], [{ uses: 1.5 }, 'invalid_request'],
  [{ uses: '1' }, 'invalid_request'], [{ uses: null }, 'invalid_request'], [{ expires_in: 0 }, 'invalid_request'],
  [{ expires_in: 31_536_001 }, 'invalid_request'], [{ expires_in: '60' }, 'invalid_request'], [{ channels: 'general' }, 'invalid_request'],
  [{ channels: [5] }, 'invalid_request'], [{ channels: Array.from({ length: 21 }, (_, n) => `c-${n}`) }, 'invalid_request'],
  [{ extra: 1 }, 'invalid_request'], [[], 'invalid_request'],
  [{ channels: ['Not A Name'] }, 'invalid_channel_name'], [{ channels: ['general', 'nowhere'] }, 'channel_not_found'],
  [{ channels: ['admin-room'] }, 'invalid_channel_type'], [{ channels: ['moderator-room'] }, 'invalid_channel_type']
]

/** Invitation codes that are no text of 1 to 64 characters. */
const badValues = ['', 5, null, ['x'], {}, 'x'.repeat(65), 'a\0b', '\ud83d']

/** Registrations with one code that start at once at two instances. `made`: how many accounts they make; `left`: uses left of the code. */
const races = [
  { title: '10 registrations with a code for 1', count: 10, uses: 1, made: 1, left: 0 },
  { title: '12 registrations with a code for 5', count: 12, uses: 5, made: 5, left: 0 },
  { title: '6 registrations of one email with a code for 3', count: 6, uses: 3, made: 1, left: 2, email: `${randomUUID()}@example.org` }
]

const many = (pair: Pair, count: number, code: string, email?: string) =>
  Array.from({ length: count }, (_, n) => register(pair[n % 2]!, { invitation_code: code, ...email !== undefined && { email } }))

async function register (server: Server, fields: object = {}) {
  const body = { email: `${randomUUID()}@example.org`, name: 'new', password, ...fields }
  return server.call('POST', '/api/auth/register', { body })
}

async function createAdmin (t: Test, server: Server) {
  const root = await server.register('root')
  await createRows(server.database).role(root, 'admin')
  const token = root.access_token
  return {
    root,
    token,
    async create (fields: object = {}): Promise<NewInvitationCode> {
      const { status, body } = await server.call('POST', path, { token, body: fields })
      t.equal(status, 201)
      return body
    },
    async list (query = ''): Promise<{ invitation_codes: Array<Omit<NewInvitationCode, 'code'>>, next_cursor: string | null }> {
      return (await server.call('GET', `${path}${query}`, { token })).body
    },
    revoke: (id: string) => server.call('DELETE', `${path}/${id}`, { token })
  }
}

/** Registers at both servers with each kind of code, and none. */
async function testAnswers (t: Test, pair: Pair, mode: Mode): Promise<void> {
  const [a, b] = pair
  const { prisma } = a.database
  const { create, revoke } = await createAdmin(t, a)
  const codes = {
    none: undefined,
    valid: (await create({ uses: 2 })).code,
    unknown: 'x'.repeat(27),
    'used up': (await create()).code,
    expired: (await create()).code,
    revoked: (await create()).code
  }
  const [revoked, expired, used] = await prisma.invitationCode.findMany({ orderBy: { id: 'desc' } })
  await revoke(revoked!.id)
  await prisma.$executeRaw`UPDATE "InvitationCode" SET "expiresAt" = now() WHERE id = ${expired!.id}::uuid`
  await prisma.invitationCode.update({ where: { id: used!.id }, data: { usesLeft: 0 } })

  for (const [state, expected] of Object.entries(answers[mode])) {
    const before = await prisma.user.count()
    for (const server of pair) {
      const { status, body } = await register(server, { invitation_code: codes[state as keyof typeof codes] })
      t.equal(status === 201 ? status : body.code, expected, state)
      if (status !== 201) t.equal(status, 403)
    }
    t.equal(await prisma.user.count(), before + (expected === 201 ? 2 : 0), `${state}: accounts`)
  }
  if (mode === 'invite') {
    const { body } = await register(b, { email: (await a.register()).email })
    t.equal(body.code, wrong, 'without a code, nobody learns which addresses have accounts')
  }
}

// The database does not know the mode, so only the mode `invite` is tested in all settings, below.
for (const mode of ['open', 'closed'] as const) {
  t.test(`[P64] registration ${mode}`, async t => {
    await testAnswers(t, await settings['two instances on PostgreSQL']!(t, { authentication: { registration: mode } }), mode)
  })
}

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P64] registration invite and its codes on ${name}`, async t => {
    const pair = await start(t, { authentication: { registration: 'invite' }, channels: { max_users_per_channel: 2 } })
    const [a, b] = pair
    const { prisma } = a.database
    const rows = createRows(a.database)
    const { root, token, create, list, revoke } = await createAdmin(t, a)
    for (const type of ['admin', 'moderator'] as const) await rows.channel(type, { name: `${type}-room` })

    t.test('an account needs a valid code', t => testAnswers(t, pair, 'invite'))

    t.test('a code is shown once, listed without its value, and kept only as a hash', async t => {
      const made = await create({ uses: 3, expires_in: 60, channels: ['general', 'general'] })
      t.match(made, { uses: 3, uses_left: 3, channels: ['general'], created_by: root.user.id, code: /^[\w-]{27}$/ })
      t.ok(Math.abs(Date.parse(made.expires_at) - Date.parse(made.created_at) - 60_000) < 1000)
      const { code, ...rest } = made
      t.same((await list('?limit=1')).invitation_codes, [rest])
      const stored = await prisma.$queryRaw<Array<{ row: string }>>`SELECT i::text AS row FROM "InvitationCode" i`
      t.notOk(JSON.stringify(stored).includes(code))
      t.notOk(JSON.stringify(stored).includes(Buffer.from(code).toString('hex')))
      t.notOk(a.lines.some(line => line.includes(code)))

      const plain = await create()
      t.match(plain, { uses: 1, uses_left: 1, channels: [] })
      t.ok(Math.abs(Date.parse(plain.expires_at) - Date.parse(plain.created_at) - 604_800_000) < 1000)
    })

    t.test('bad fields are refused and nothing is stored', async t => {
      const before = await prisma.invitationCode.count()
      for (const [fields, code] of badCodes) {
        const { status, body } = await b.call('POST', path, { token, body: fields })
        t.match({ status, body }, { status: code === 'channel_not_found' ? 404 : 400, body: { code } }, JSON.stringify(fields).slice(0, 80))
      }
      for (const id of [uuidv7(), 'x', '%00']) t.match(await revoke(id), { status: 404, body: { code: 'invitation_code_not_found' } }, id)
      for (const query of ['limit=0', 'cursor=x', 'extra=1']) {
        t.match(await a.call('GET', `${path}?${query}`, { token }), { status: 400, body: { code: 'invalid_request' } }, query)
      }
      const { access_token: other } = await a.register()
      for (const [method, url, body] of [['POST', path, {}], ['GET', path], ['DELETE', `${path}/${uuidv7()}`]] as const) {
        t.match(await a.call(method, url, { token: other, body }), { status: 403, body: { code: 'not_authorized' } }, method)
      }
      t.equal(await prisma.invitationCode.count(), before)

      const users = await prisma.user.count()
      for (const value of badValues) {
        t.match(await register(b, { invitation_code: value }), { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(value))
      }
      t.equal(await prisma.user.count(), users)
    })

    t.test('codes are listed in pages, newest first', async t => {
      const made = [await create(), await create(), await create()]
      const first = await list('?limit=2')
      const second = await list(`?limit=1&cursor=${first.next_cursor}`)
      t.same([...first.invitation_codes, ...second.invitation_codes].map(({ id }) => id), made.map(({ id }) => id).reverse())
    })

    t.test('the new user is a member of the code\'s channels, except those that are gone, full or not for users any more', async t => {
      const [open, hidden, full, gone, raised] = await Promise.all(
        (['public', 'private', 'public', 'public', 'public'] as const).map(type => rows.channel(type)))
      const channels = [open, hidden, full, gone, raised].map(channel => channel!.name)
      const { code } = await create({ channels })
      for (let n = 0; n < 2; n++) await rows.member(full!, await a.register())
      await a.call('DELETE', `/api/channels/${gone!.name}`, { token })
      await a.call('PATCH', `/api/channels/${raised!.name}`, { token, body: { channel_type: 'admin' } })
      const { status, body: login } = await register(b, { invitation_code: code })
      t.equal(status, 201)
      const members = await prisma.channelUser.findMany({ where: { userId: login.user.id } })
      t.same(members.map(({ channelId }) => channelId).sort(), [open!.id, hidden!.id].sort())
      const counts = await prisma.channel.findMany({ where: { id: { in: [open!.id, hidden!.id, full!.id, raised!.id] } } })
      t.same(Object.fromEntries(counts.map(({ id, userCount }) => [id, userCount])),
        { [open!.id]: 1, [hidden!.id]: 1, [full!.id]: 2, [raised!.id]: 0 })
      const client = await a.login({ ...login, email: login.user.email, password })
      t.equal((await client.request({ type: 'join_channel', channel: hidden!.name })).action, 'channel_joined')
    })

    for (const { title, count, uses, made, left, email } of races) {
      t.test(`${title}, at two instances at once, make exactly the accounts of the code`, async t => {
        const room = await rows.channel('private')
        const code = await create({ uses, channels: [room.name] })
        const before = await prisma.user.count()
        await Promise.all(many(pair, count, code.code, email))
        t.equal(await prisma.user.count() - before, made)
        t.equal((await prisma.invitationCode.findUniqueOrThrow({ where: { id: code.id } })).usesLeft, left)
        const { userCount } = await prisma.channel.findUniqueOrThrow({ where: { id: room.id } })
        t.equal(userCount, await prisma.channelUser.count({ where: { channelId: room.id } }))
        t.equal(userCount, Math.min(2, uses - left), 'the channel has room for 2')
      })
    }

    t.test('once a code is revoked, no registration with it succeeds, also one that runs', async t => {
      const made = await create({ uses: 10 })
      const before = await prisma.user.count()
      const [revoked, replies] = await Promise.all([revoke(made.id), Promise.all(many(pair, 6, made.code))])
      t.equal(revoked.status, 204)
      const { body: { log: [line] } } = await b.call('GET', '/api/admin/log?limit=1', { token })
      t.match(line, { action: 'revoke_invitation_code', actor_id: root.user.id, reason: made.id }, '[P63]')
      t.equal(await prisma.user.count() - before, replies.filter(reply => reply.status === 201).length)
      t.equal((await register(a, { invitation_code: made.code })).body.code, wrong)
      t.equal((await revoke(made.id)).status, 404)
    })
  })
}

t.test('[P64] ADMIN_EMAIL makes an admin also where registration is closed', async t => {
  const admin = { admin_email: 'root@example.org', admin_password: password }
  const server = await startServer(t, { config: { authentication: { registration: 'closed', ...admin } } })
  const { status, body } = await server.call('POST', '/api/auth/login', { body: { email: admin.admin_email, password } })
  t.match({ status, body }, { status: 200, body: { user: { role: 'admin' } } })
})
