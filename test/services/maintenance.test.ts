import { uuidv7 } from 'uuidv7'
import { loadConfig } from '../../src/config.ts'
import { createStores } from '../../src/domain.ts'
import { createMaintenance } from '../../src/services/maintenance.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createDataDirectory } from '../embedded.ts'
import { t } from '../tap.ts'

t.test('[P58] on the embedded database other work runs between rounds of maintenance, which remove all rows that are due', async t => {
  const database = await openDatabase({ ...loadConfig({}).config.database, data_dir: await createDataDirectory(t) })
  t.teardown(database.close)
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
