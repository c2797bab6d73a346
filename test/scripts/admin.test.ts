import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { commands } from '../../src/operator/commands.ts'
import { startServer } from '../helper.ts'
import { operate } from '../operator/operate.ts'
import { createRows } from '../rows.ts'
import { openPostgres } from '../store/transfer/copying.ts'
import { t } from '../tap.ts'
import { admin } from './run.ts'

t.test('[P15] the operator can promote, demote, disable and enable an account while the server runs', async t => {
  const server = await startServer(t)
  const ann = await server.enter('ann')
  const { email } = ann.person
  const operator = (...args: string[]) => operate(server.database, 'admin', ...args)
  const row = (...cells: string[]): string => `${cells.join('  ')}\n`

  const promoted = { code: 0, stdout: row(email, 'admin', 'enabled', 'ann'), stderr: '' }
  t.same(await admin({ DATABASE_URL: server.databaseUrl }, 'promote', email), promoted)
  const last = { message: `${email} is the last enabled admin: promote another account first` }
  for (const command of ['demote', 'disable']) await t.rejects(operator(command, email), last, '[P55]')
  await createRows(server.database).role(await server.register('bob'), 'admin')
  await ann.request({ command: 'create_channel', name: 'admin-room', channel_type: 'admin' })
  await ann.request({ type: 'join_channel', channel: 'admin-room' })

  t.equal(await operator('demote', email), row(email, 'user', 'enabled', 'ann'))
  t.equal((await ann.exchange({ type: 'join_channel', channel: 'admin-room' })).code, 'not_authorized')
  t.match(await ann.expect('channel_left'), { channel: 'admin-room' }, 'the periodic check of memberships finds the change [P33]')

  t.equal(await operator('disable', email), row(email, 'user', 'disabled', 'ann'))
  t.match(await ann.closed(), { code: 4503 })
  const login = () => server.call('POST', '/api/auth/login', { body: { email, password: ann.person.password } })
  t.equal((await login()).status, 401)
  t.equal(await operator('enable', email.toUpperCase()), row(email, 'user', 'enabled', 'ann'))
  t.equal((await login()).status, 200)

  const log = await server.database.prisma.moderationLog.findMany({ orderBy: { id: 'asc' } })
  t.match(log, ['set_role_admin', 'set_role_user', 'disable_user', 'enable_user']
    .map(action => ({ actorId: null, action, targetId: ann.person.user.id })))
})

t.test('[P75] the operator makes a code for a user, as a link where PUBLIC_URL is set, and not for a disabled account', async t => {
  const server = await startServer(t)
  const { prisma } = server.database
  const ann = await server.enter('ann')
  const { email } = ann.person
  const code = await operate(server.database, 'admin', 'reset', email.toUpperCase())
  t.match(code, /^[\w-]{27}\n$/)
  const linked = await admin({ DATABASE_URL: server.databaseUrl, PUBLIC_URL: 'https://chat.example.org/' }, 'reset', email)
  t.match(linked, { code: 0, stdout: /^https:\/\/chat\.example\.org\/reset#code=[\w-]{27}\n$/, stderr: '' })

  const reset = (code: string) => server.call('POST', '/api/auth/reset', { body: { code, password: 'a password of theirs' } })
  t.equal((await reset(code.trim())).body.code, 'invalid_code', 'a new code replaces the old one')
  t.equal((await reset(linked.stdout.trim().split('=')[1]!)).status, 204)
  t.match(await ann.closed(), { code: 4504 })
  const line = { action: 'reset_password', actorId: null, targetId: ann.person.user.id }
  t.match(await prisma.moderationLog.findMany(), [line, line])

  await prisma.user.update({ where: { id: ann.person.user.id }, data: { disabledAt: new Date() } })
  await t.rejects(operate(server.database, 'admin', 'reset', email), { message: `${email} is disabled: enable the account first` })
})

t.test('invalid arguments end the command with a message and exit code 1, before it opens the database', async t => {
  const env = { PARLEY_DATA_DIR: join(t.testdir(), 'data') }
  t.match(await admin(env, 'constructor', 'x'), { code: 1, stdout: '', stderr: /^parley: usage: npm run admin -- COMMAND\n/ })
  t.notOk(existsSync(env.PARLEY_DATA_DIR))
  t.throws(() => commands.admin(['promote', 'a@b', 'user']), { message: 'user: promote to moderator or admin' })
})

t.test('an email without an account and a database without tables are reported in one line', async t => {
  const database = await openPostgres(t)
  await t.rejects(operate(database, 'admin', 'disable', 'nobody@example.org'), { message: 'no account has the email nobody@example.org' })
  const bare = new URL(process.env.TEST_DATABASE_URL!)
  bare.pathname = '/template1'
  t.same(await admin({ DATABASE_URL: bare.href }, 'list'),
    { code: 1, stdout: '', stderr: 'parley: the database is new or old: start the server anew, or stop it and run npm run db:migrate\n' })
})
