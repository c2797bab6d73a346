import { failure, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

/** Neither a port nor a token for metrics is configured. */
const server = await startServer(t)
const rows = createRows(server.database)
const root = await server.enter('root', 'general')
await rows.role(root, 'admin')
const ask = (token = root.person.access_token) => server.call('GET', '/api/admin/stats', { token })
const isStats = ({ type }: { type: string }): boolean => type === 'stats'

t.test('[P77] GET /api/admin/stats has the numbers of the last seconds, also where no metrics are configured', async t => {
  const { body: first } = await ask()
  t.match(first, {
    instance: /^[0-9a-f-]{36}$/,
    connections: { open: 1, max: 10_000, authenticated: 1, behind: 0, opened_total: 1 },
    users_online: 1,
    subscriptions: 1,
    channels: 1,
    publishes: { total: 0, per_second: 0 },
    delivery: { p50_ms: null, p99_ms: null },
    queue: { messages: 0, oldest_ms: 0 },
    slow_consumers_total: 0,
    database: { kind: 'postgresql', up: true, full: false, ping_ms: Number, pool: { max: Number } },
    bus: { driver: 'memory', up: true, dropped_total: 0 },
    event_loop: { utilization: Number },
    memory: { rss_bytes: Number, heap_used_bytes: Number, heap_limit_bytes: Number }
  })
  const guest = await server.connect()
  for (let i = 0; i < 3; i++) await root.request({ type: 'send_message', channel: 'general', message: 'x' })
  await root.exchange({ type: 'send_message', channel: 'general' })
  await root.request({ type: 'watch_stats' })
  const after = await root.expect(({ type, publishes, errors }) => type === 'stats' && publishes.total === 3 && errors.total === 1)
  await root.request({ type: 'unwatch_stats' })
  t.match(after, {
    instance: first.instance,
    started_at: first.started_at,
    connections: { open: 2, authenticated: 1 },
    deliveries: { total: 3 },
    delivery: { p50_ms: Number, p99_ms: Number },
    commit: { p50_ms: Number, p99_ms: Number }
  })
  t.ok(after.at > first.at && after.window_ms > 0)
  t.ok(after.publishes.per_second > 0)
  t.ok(after.delivery.p50_ms <= after.delivery.p99_ms)
  await guest.close()
})

t.test('[P77] [P78] users and moderators can neither ask for the numbers nor watch them', async t => {
  const ann = await server.enter('ann')
  for (const role of ['user', 'moderator'] as const) {
    await rows.role(ann, role)
    t.match(await ask(ann.person.access_token), { status: 403, body: { code: 'not_authorized' } }, role)
    t.same(await ann.exchange({ type: 'watch_stats' }), failure('not_authorized'), role)
  }
  t.match(await server.call('GET', '/api/admin/stats'), { status: 401, body: { code: 'not_authenticated' } })
  const nobody = await server.connect()
  for (const type of ['watch_stats', 'unwatch_stats']) t.same(await nobody.exchange({ type }), failure('not_authenticated'))
  t.match(await ann.exchange({ type: 'unwatch_stats' }), { action: 'stats_unwatched' }, 'without effect')
})

t.test('[P78] a watching connection gets a frame a second until it unwatches or the user is no admin any more', async t => {
  const [left, demoted] = [await server.login(root.person), await server.enter('eve')]
  await rows.role(demoted, 'admin')
  const { data: { instance } } = await root.request({ type: 'watch_stats' })
  for (const client of [left, demoted]) t.match(await client.request({ type: 'watch_stats' }), { data: { instance } })
  for (const client of [root, left, demoted]) t.equal((await client.expect('stats')).instance, instance)
  await left.request({ type: 'unwatch_stats' })
  left.inbox.length = 0
  for (let i = 0; i < 2; i++) await root.expect('stats')
  t.notOk((await left.settle()).some(isStats), 'unwatched')

  await rows.role(demoted, 'user')
  t.same(await demoted.exchange({ type: 'watch_stats' }), failure('not_authorized'))
  let lacking = 0
  while (lacking < 2) {
    demoted.inbox.length = 0
    await root.expect('stats')
    lacking = (await demoted.settle()).some(isStats) ? 0 : lacking + 1
  }
  t.match(await demoted.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' }, 'the connection goes on')
  await root.request({ type: 'unwatch_stats' })
})
