import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { startCluster } from './cluster.ts'
import { createReport, type Outcome } from './outcome.ts'
import type { Recorder } from './recorder.ts'
import type { Stage } from './scope.ts'

const CHANNELS = ['one', 'two', 'three', 'four', 'five']
/** Milliseconds within which presence heals: one lease, and a second for the frames. */
const HEALED_WITHIN = 16_000
/** Milliseconds between two looks at all user lists. */
const POLL_MS = 100
const BALLAST = 'x'.repeat(1000)

/**
 * G19. Redis evicts keys because its memory is full, later it loses all keys of presence: user lists are complete again within a lease,
 * nobody who stayed is announced, and later departures are announced once [P23]. One user in ten is connected to both instances.
 */
export async function redisEviction (stage: Stage, { users }: { users: number }): Promise<Outcome> {
  const report = createReport()
  const server = await startRedis(stage, ['--maxmemory-policy', 'allkeys-random'])
  const redis = new Redis(server.url)
  stage.teardown(() => redis.disconnect())
  const cluster = await startCluster(stage, report, { redisUrl: server.url })
  const ports = cluster.instances.map(({ port }) => port)
  const clients = await cluster.enter(users, CHANNELS)
  const tabs = await Promise.all(clients.filter((_, i) => i % 10 === 0).map(({ member, port }) =>
    cluster.join(member, ports.find(other => other !== port)!, CHANNELS)))
  const everyone = [...clients, ...tabs]
  const watchers = ports.map(port => clients.find(client => client.port === port)!)
  const told = (type: string, { notices }: Recorder): number => notices.filter(notice => notice.type === type).length
  const isComplete = async (): Promise<boolean> => {
    const replies = await Promise.all(watchers.flatMap(watcher =>
      CHANNELS.map(channel => watcher.request({ type: 'user_list', channel }))))
    return replies.every(({ count }) => count === users)
  }
  await eventually(isComplete)
  // Everyone has heard of the last arrival when nothing has come for longer than announcements are collected.
  await sleep(2000)
  for (const { notices } of everyone) notices.length = 0

  const keysOf = async (): Promise<string[]> => (await redis.keys('*presence:*:online:*')).sort()
  const epochs = async (): Promise<Set<string>> => new Set((await keysOf()).map(key => key.split('presence:')[1]!.slice(0, 8)))
  /** Breaks presence, then measures until the instances have left the epoch behind and list everyone. */
  async function measure (name: string, lose: () => Promise<void>): Promise<void> {
    const before = [...await epochs()]
    await lose()
    const began = performance.now()
    await eventually(async () => {
      await sleep(POLL_MS)
      const after = await epochs()
      return !before.some(epoch => after.has(epoch)) && after.size === 1 && await isComplete()
    }, 60_000).catch(() => report.problem(`${name}: user lists are still incomplete after 60 s`))
    report.atMost(name, performance.now() - began, HEALED_WITHIN)
  }

  await measure('evicted_healed_ms', async () => {
    const all = await keysOf()
    const [, used] = /^used_memory:(\d+)/m.exec(await redis.info('memory'))!
    await redis.config('SET', 'maxmemory', Number(used) + 1_000_000)
    for (let i = 0; (await redis.exists(...all)) === all.length; i += 100) {
      const pipeline = redis.pipeline()
      for (let k = 0; k < 100; k++) pipeline.set(`ballast:${i + k}`, BALLAST)
      await pipeline.exec()
    }
    await redis.config('SET', 'maxmemory', 0)
  })
  await measure('all_lost_healed_ms', async () => { await redis.del(...await redis.keys('*presence:*')) })

  // False departures would be announced when the instances have had time to enter their users again.
  await sleep(8000)
  const sum = (type: string): number => everyone.reduce((total, client) => total + told(type, client), 0)
  report.equal('false_announcements', sum('user_left') + sum('user_joined'), 0)

  const leaving = clients.filter(client => !watchers.includes(client) && !tabs.some(tab => tab.member === client.member)).slice(0, 10)
  for (const client of leaving) await client.drop()
  const departures = leaving.length * CHANNELS.length
  await eventually(() => watchers.every(watcher => told('user_left', watcher) >= departures), 30_000)
    .catch(() => report.problem('some departures are not announced'))
  await sleep(2000)
  report.equal('user_left', Math.max(...watchers.map(watcher => told('user_left', watcher))), departures)
  return report.outcome()
}
