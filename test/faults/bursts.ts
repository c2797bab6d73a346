import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startRedis } from '../contracts/redis-server.ts'
import { inParallel, startCluster } from './cluster.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import type { Recorder } from './recorder.ts'
import type { Stage } from './scope.ts'

/** About 12 kB in UTF-8, even with the client id that the load appends. */
const TEXT = '語'.repeat(3950)
const BURST = 100
const SIZE = Buffer.byteLength(TEXT)

/**
 * G22. Bursts at the default limits: 100 messages of 12 kB at once by WebSocket and by REST, 1.5 MB/s while the database is locked
 * for 0.9 s, and 525 kB/s while Redis is dead for `seconds`. No client that reads is cut off, and every client gets everything [P52].
 */
export async function bursts (stage: Stage, { rounds, seconds }: { rounds: number, seconds: number }): Promise<Outcome> {
  const report = createReport()
  const redis = await startRedis(stage)
  const cluster = await startCluster(stage, report, { redisUrl: redis.url, env: { LIMITS_ENABLED: 'true' } })
  const { ledger } = cluster
  const clients = await cluster.enter(6, ['room'])
  const writers = clients.slice(0, 4)

  for (let round = 0; round < rounds; round++) {
    const writer = writers[round % writers.length]!
    const names = Array.from({ length: BURST }, (_, i) => `${round}-${i}`)
    await Promise.all(names.map(async name => ledger.note('room', writer.port, await writer.send('room', TEXT, `socket-${name}`))))
    await inParallel(names, name => post(writer, `rest-${name}`), BURST)
  }
  const locking = startLoad(ledger, { writers, channels: ['room'], rate: 1_500_000 / SIZE, text: TEXT })
  await lockMessages(cluster.databaseUrl, 900)
  await locking.stop()

  await redis.kill()
  const catchingUp = startLoad(ledger, { writers, channels: ['room'], rate: 525_000 / SIZE, text: TEXT })
  await sleep(seconds * 1000)
  await catchingUp.stop()
  await ledger.settle(clients)

  report.atMost('lag_there_ms', report.read('lag_there_ms'), 5000)
  report.equal('still_open', clients.filter(({ open }) => open).length, clients.length)
  return report.outcome()
}

async function post ({ port, member }: Recorder, clientId: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/api/channels/room/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${member.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ message: TEXT, client_id: clientId })
  })
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`)
  await response.body?.cancel()
}

async function lockMessages (databaseUrl: string, milliseconds: number): Promise<void> {
  const holder = new pg.Client({ connectionString: databaseUrl })
  await holder.connect()
  await holder.query('BEGIN')
  await holder.query('LOCK TABLE "Message" IN EXCLUSIVE MODE')
  await sleep(milliseconds)
  await holder.end()
}
