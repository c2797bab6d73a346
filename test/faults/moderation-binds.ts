import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { startCluster } from './cluster.ts'
import { query } from './ledger.ts'
import { createReport, type Outcome } from './outcome.ts'
import type { Stage } from './scope.ts'

/**
 * G13. With Redis dead, a user is banned on one instance while they send on the other, `rounds` times: in the order of the database
 * no message of the user is stored after the ban, and their subscription ends within 5 s [P32] [P33].
 */
export async function moderationBinds (stage: Stage, { rounds, rate }: { rounds: number, rate: number }): Promise<Outcome> {
  const report = createReport()
  const redis = await startRedis(stage)
  const cluster = await startCluster(stage, report, { redisUrl: redis.url })
  const { databaseUrl, instances: [a, b] } = cluster
  const [owner] = await cluster.enter(1, [], [a.port])
  await owner!.request({ type: 'command', command: 'create_channel', name: 'room' })
  const targets = await cluster.enter(rounds, ['room'], [b.port])
  await redis.kill()
  await eventually(() => targets.every(({ notices }) => notices.some(({ type }) => type === 'degraded')))

  let [late, slowest] = [0, 0]
  for (const target of targets) {
    const refused: string[] = []
    let sent = 0
    const timer = setInterval(async () => {
      const { code } = await target.send('room', `message ${++sent}`)
      if (code !== null) refused.push(code)
    }, 1000 / rate)
    await sleep(300)
    await owner!.request({ type: 'command', command: 'ban_user', channel: 'room', user_id: target.member.id })
    const began = performance.now()
    const [channel] = await query<{ last: number }>(databaseUrl, 'SELECT "lastSeq"::int AS last FROM "Channel" WHERE name = $1', ['room'])
    await eventually(() => refused.includes('not_in_channel'))
    slowest = Math.max(slowest, performance.now() - began)
    clearInterval(timer)
    if (refused.length < 2) report.problem('no message was on its way when the user was banned')
    const [row] = await query<{ late: number }>(databaseUrl, `
      SELECT count(*)::int AS late FROM "Message" m JOIN "ChannelBan" b ON b."channelId" = m."channelId" AND b."userId" = m."userId"
      WHERE m."userId" = $1 AND (m."createdAt" > b."createdAt" OR m.seq > $2)`, [target.member.id, channel!.last])
    late += row!.late
  }
  report.equal('accepted_after_the_ban', late, 0)
  report.atMost('subscription_ended_ms', slowest, 5000)
  return report.outcome()
}
