import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { uuidv7 } from 'uuidv7'
import type { ControlAction, Topic } from '../../src/broker/broker.ts'
import { encodeEvent, INSTANCE_BYTES } from '../../src/broker/encoding.ts'
import { redis, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const a = await startServer(t, { config })
const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
const rows = createRows(a.database)
const root = await a.enter('root')
await rows.role(root, 'admin')

/** Anyone who can write to Redis. */
const stranger = new Redis(config.redis.url!)
t.teardown(() => stranger.disconnect())
async function forge (topic: Topic, action: object): Promise<void> {
  const event = encodeEvent({ kind: 'control', action: action as ControlAction }, randomBytes(INSTANCE_BYTES))
  await stranger.publish(`${config.redis.prefix}${topic}`, event)
}

t.test('[P78] a watching connection gets the numbers of every instance, which another instance sends only on demand', async t => {
  const spy = new Redis(config.redis.url!)
  t.teardown(() => spy.disconnect())
  let told = 0
  spy.on('message', () => { told++ })
  await spy.subscribe(`${config.redis.prefix}stats`)
  await b.enter('ben', 'general', 'lobby')
  const { data: { instance } } = await root.request({ type: 'watch_stats' })
  const own = await root.expect(frame => frame.type === 'stats' && frame.instance === instance)
  t.match(own, { bus: { driver: 'redis', up: true }, subscriptions: 0 })
  const other = await root.expect(frame => frame.type === 'stats' && frame.instance !== instance)
  t.match(other, { connections: { open: 1, authenticated: 1 }, users_online: 1, subscriptions: 2, channels: 2 })
  await root.expect(frame => frame.type === 'stats' && frame.instance === other.instance && frame.at > other.at)
  t.ok(told > 0)

  await root.request({ type: 'unwatch_stats' })
  const witness = await b.enter('witness')
  await rows.role(witness, 'admin')
  await witness.request({ type: 'watch_stats' })
  const { data } = await witness.request({ type: 'watch_stats' })
  t.equal(data.instance, other.instance)
  root.inbox.length = 0
  for (let i = 0; i < 2; i++) await witness.expect(frame => frame.type === 'stats' && frame.instance === instance)
  t.notOk((await root.settle()).some(({ type }) => type === 'stats'), 'unwatched')
  await witness.close()
})

t.test('[P78] forged numbers pass only in their form, without further fields, and of a bounded number of instances', async t => {
  const { data: { instance } } = await root.request({ type: 'watch_stats' })
  const { type: _, ...stats } = await root.expect(frame => frame.type === 'stats' && frame.instance === instance)
  root.inbox.length = 0
  const wrong = [{}, { ...stats, instance: 'x' }, { ...stats, users_online: -1 }, { ...stats, at: '<b>' }, { ...stats, memory: null }]
  for (const forged of wrong) await forge('stats', { type: 'stats_taken', stats: { ...forged, channels: 4242 } })
  await forge('watchers', { type: 'stats_taken', stats: { ...stats, channels: 4242 } })
  const id = uuidv7()
  await forge('stats', { type: 'stats_taken', stats: { ...stats, instance: id, secret: 1, memory: { ...stats.memory, more: 1 } } })
  const { type, ...passed } = await root.expect(frame => frame.instance === id)
  t.same(passed, { ...stats, instance: id })
  t.notOk(root.inbox.some(({ channels }) => channels === 4242))

  for (let i = 0; i < 100; i++) await forge('stats', { type: 'stats_taken', stats: { ...stats, instance: uuidv7(), channels: 4343 } })
  for (let i = 0; i < 2; i++) await root.expect(frame => frame.type === 'stats' && frame.instance === instance && frame.at > stats.at)
  const shown = new Set(root.inbox.filter(({ channels }) => channels === 4343).map(frame => frame.instance))
  t.ok(shown.size > 0 && shown.size <= 64, `${shown.size} instances`)
})
