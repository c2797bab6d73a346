import { administrate, startServer } from '../helper.ts'
import { t } from '../tap.ts'

t.test('/readyz answers 503 until the database has all migrations of this code', async t => {
  const server = await startServer(t)
  const { query } = server.database
  const [latest] = await query<{ migration_name: string }>(`
    UPDATE _prisma_migrations SET finished_at = NULL
    WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations) RETURNING migration_name`, [])
  t.match(await server.call('GET', '/readyz'), { status: 503, body: { status: 'unavailable', database: 'outdated', bus: 'up' } })
  t.equal((await server.call('GET', '/healthz')).status, 200, 'the process is still alive')
  await query('UPDATE _prisma_migrations SET finished_at = now() WHERE migration_name = $1', [latest!.migration_name])
  t.match(await server.call('GET', '/readyz'), { status: 200, body: { status: 'ready', database: 'up' } })
})

t.test('/readyz answers 503 without a database', async t => {
  const server = await startServer(t)
  t.equal((await server.call('GET', '/readyz')).status, 200)
  await administrate(process.env.TEST_DATABASE_URL!, `DROP DATABASE ${new URL(server.databaseUrl).pathname.slice(1)} WITH (FORCE)`)
  t.match(await server.call('GET', '/readyz'), { status: 503, body: { status: 'unavailable', database: 'down' } })
  t.equal((await server.call('GET', '/healthz')).status, 200)
})

t.test('[P33] /readyz without Redis answers ready, with the bus degraded', async t => {
  const server = await startServer(t, { config: { redis: { url: 'redis://127.0.0.1:1' } } })
  t.match(await server.call('GET', '/readyz'), { status: 200, body: { status: 'ready', database: 'up', bus: 'degraded' } })
})
