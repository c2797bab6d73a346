import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from '../../src/generated/prisma/client.ts'
import { isUniqueViolation, toStoreError } from '../../src/store/errors.ts'
import { createTokens } from '../../src/store/tokens.ts'
import { createUsers } from '../../src/store/users.ts'
import { buildRest, openTestDatabase } from '../routes/rest.ts'
import { t } from '../tap.ts'

const unavailable = { code: 'unavailable', statusCode: 503, retryAfterMs: 1000 }

t.test('[G16] every call answers `unavailable` while the database cannot be reached', async t => {
  const pool = new pg.Pool({ host: '127.0.0.1', port: 1, connectionTimeoutMillis: 1000 })
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
  t.teardown(() => prisma.$disconnect())
  const users = createUsers(prisma)
  const tokens = createTokens({ prisma, query: async (text, values) => (await pool.query(text, values)).rows })
  const id = '01a206c1-44ff-74cc-9f3d-e76a4fa5e90f'
  await t.rejects(users.findByEmail('ann@example.org'), unavailable, 'a query of Prisma')
  await t.rejects(tokens.revoke(id), unavailable, 'a raw query')
  await t.rejects(tokens.findLogins([{ userId: id, sid: id }]), unavailable, 'a query of the driver')
  await t.rejects(users.changePassword({ id, sid: id, from: 'x', to: 'y' }), unavailable, 'a transaction')
})

t.test('[G16] a lock time-out and a cut connection answer `unavailable`, and the next call works', async t => {
  const database = await openTestDatabase(t)
  const users = createUsers(database.prisma)
  const tokens = createTokens(database)
  const { id } = await users.create({ email: 'ann@example.org', name: 'Ann', passwordHash: 'x' })
  const [holder, cutter] = [new pg.Client(database.url), new pg.Client(database.url)]
  await Promise.all([holder.connect(), cutter.connect()])
  t.teardown(() => Promise.all([holder.end(), cutter.end()]))

  await holder.query('BEGIN')
  await holder.query('LOCK TABLE "User", "RefreshToken"')
  await Promise.all([
    t.rejects(users.findById(id), unavailable, 'lock time-out of a query'),
    t.rejects(tokens.findLogins([{ userId: id, sid: id }]), unavailable, 'lock time-out of a raw query')
  ])

  const waiting = Promise.all([
    t.rejects(users.rename({ userId: id, sid: null }, { name: 'Other' }), unavailable, 'cut off'),
    t.rejects(tokens.revoke(id), unavailable, 'cut off in a raw query'),
    t.rejects(users.changePassword({ id, sid: id, from: 'x', to: 'y' }), unavailable, 'cut off in a transaction')
  ])
  const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'`
  let [gone, over] = [0, false]
  waiting.finally(() => { over = true })
  // A call may fail before the statement that cut it returns, so each result is counted before the loop checks `over`.
  while (!over) gone += (await cutter.query(cut)).rowCount ?? 0
  t.ok(gone >= 3, 'cut off, not timed out')
  await holder.query('COMMIT')
  t.match(await users.findById(id), { name: 'Ann' })
})

t.test('[G16] a host that is down or out of reach is `unavailable`', t => {
  for (const reason of ['connect EHOSTUNREACH 10.0.0.1:5432', 'connect ENETUNREACH 10.0.0.1:5432', 'connect ETIMEDOUT 10.0.0.1:5432']) {
    t.match(toStoreError(new Error(reason)), unavailable)
  }
  t.end()
})

t.test('database errors that only a bug can cause are not translated', async t => {
  const { prisma } = await openTestDatabase(t)
  const error = await prisma.$queryRaw`SELECT nothing`.then(() => null, failure => failure)
  t.equal(toStoreError(error), error)
  t.notOk(isUniqueViolation(error))
  await prisma.user.create({ data: { email: 'ann@example.org', name: 'Ann' } })
  const twice = prisma.$executeRaw`INSERT INTO "User" (id, email, name) VALUES (gen_random_uuid(), 'ann@example.org', 'Ann')`
  t.ok(isUniqueViolation(await twice.then(() => null, failure => failure)))
  await t.rejects(createUsers(prisma).create({ email: 'ann@example.org', name: 'Ann', passwordHash: 'x' }), { code: 'email_taken' })
})

t.test('[G16] REST answers 503 with Retry-After when the database is unavailable; only the log has the reason', async t => {
  const { call, database, lines, app } = await buildRest(t)
  await database.prisma.$executeRaw`ALTER TABLE "User" RENAME TO "Away"`
  const inside = await call('POST', '/api/auth/login', { email: 'a@b', password: 'password' })
  t.match(inside, { status: 500, body: { code: 'internal' } })
  await database.prisma.$executeRaw`ALTER TABLE "Away" RENAME TO "User"`

  const other = new pg.Client(database.url)
  await other.connect()
  t.teardown(() => other.end())
  await other.query('BEGIN')
  await other.query('LOCK TABLE "User"')
  const reply = await call('POST', '/api/auth/login', { email: 'a@b', password: 'password' })
  t.match(reply, {
    status: 503, headers: { 'retry-after': '1' }, body: { code: 'unavailable', message: 'Service unavailable', retry_after_ms: 1000 }
  })
  t.ok(lines.some(line => line.includes('lock timeout')))
  t.equal((await app.inject('/readyz')).statusCode, 200)
})
