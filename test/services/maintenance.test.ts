import { uuidv7 } from 'uuidv7'
import { createStores } from '../../src/domain.ts'
import { createMaintenance } from '../../src/services/maintenance.ts'
import { maintain } from '../maintain.ts'
import { readSoFar } from '../read-so-far.ts'
import { openEmbeddedDatabase } from '../routes/rest.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

t.test('[P58] on the embedded database other work runs between rounds of maintenance, which remove all rows that are due', async t => {
  const database = await openEmbeddedDatabase(t)
  const { prisma } = database
  const { id } = await prisma.user.create({ data: { name: 'ann', email: 'ann@example.org' } })
  const channel = uuidv7()
  await prisma.deletedChannel.create({ data: { id: channel } })
  await prisma.$executeRaw`INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
    SELECT ${channel}::uuid, n, gen_random_uuid(), ${id}::uuid, 'x', now() FROM generate_series(1, 5000) n`
  await prisma.$executeRaw`INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt")
    SELECT x.id, uuid_send(x.id), '', ${id}::uuid, x.id, now() - interval '1 year'
    FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 5000)) x`
  await prisma.accountCode.create({ data: { userId: id, kind: 'verification', codeHash: Buffer.of(1), expiresAt: new Date(0) } })
  const kept = { userId: id, kind: 'mailed_reset', codeHash: Buffer.of(2), expiresAt: new Date(Date.now() + 60_000) } as const
  await prisma.accountCode.create({ data: kept })
  const faults: unknown[] = []
  const maintenance = createMaintenance({
    ...createStores(database), tokenLifetime: 60, hasAutovacuum: false, onFault: error => faults.push(error)
  })
  t.teardown(maintenance.stop)
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await maintenance.run()
  clearInterval(timer)
  t.same(faults, [])
  t.same([await prisma.message.count(), await prisma.refreshToken.count(), await prisma.deletedChannel.count()], [0, 0, 0])
  t.match(await prisma.accountCode.findMany(), [{ kind: kept.kind }], 'only expired codes are deleted')
  t.ok(turns >= 20, `${turns} turns`)
})

t.test('[P58] after a round of maintenance the embedded database reads no more of a channel than a page of its history has', async t => {
  const database = await openEmbeddedDatabase(t)
  const { prisma } = database
  const stores = createStores(database)
  const { id } = await prisma.user.create({ data: { name: 'ann' } })
  const channel = await createRows(database).channel()
  await prisma.$executeRaw`INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
    SELECT ${channel.id}::uuid, n, gen_random_uuid(), ${id}::uuid, 'x', now() FROM generate_series(1, 5000) n`
  await maintain(t, database)
  const before = await readSoFar(database)
  t.match(await stores.messages.history(channel.id, { limit: 50 }), { length: 50, 49: { seq: 5000 } })
  t.match(await stores.messages.around(channel.id, 2500, 50), { length: 50, 0: { seq: 2475 } })
  t.match(await stores.messages.entries(channel.id, 4950, 5000, 1000, 1_000_000), { length: 50 })
  const read = await readSoFar(database) - before
  t.ok(read < 1000, `${read} rows and index entries read`)
  t.same(await stores.pruning.changedTables(), [])
})
