import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import { connectRaw, text } from '../websocket/raw.ts'
import { startProcesses } from './cluster.ts'
import { createReport, type Outcome } from './outcome.ts'
import { startOwnDatabase } from './own-database.ts'
import { seedPeople } from './people.ts'
import type { Stage } from './scope.ts'
import { residentMegabytes } from './slow-clients.ts'

/** Bytes of a frame, close to `server.max_payload`. Parsed, the frame takes about 20 times as much memory. */
const FRAME_SIZE = 65_000
/** Frames that each connection sends: more than may wait for their turn. */
const FRAMES = 80
/** Limit of V8's heap, in megabytes. */
const HEAP = 512

/**
 * [P53] PostgreSQL is stopped for `seconds` while many connections of one account send the largest `channel_list` frames: a process
 * with a heap of 512 MB survives, no connection is closed, and service resumes by itself.
 */
export async function frozenDatabase (stage: Stage, { connections, seconds, limits }: {
  connections: number, seconds: number, limits: boolean
}): Promise<Outcome> {
  const report = createReport()
  const database = await startOwnDatabase(stage)
  const cluster = await startProcesses(stage, report, {
    faults: [undefined],
    databaseUrl: database.url,
    env: { NODE_OPTIONS: `--max-old-space-size=${HEAP}`, LIMITS_ENABLED: String(limits) }
  })
  const { ledger, instances: [server] } = cluster
  const [sender, reader] = await cluster.enter(2, ['room'])
  const [account] = await seedPeople(database.url, 1)
  const crowd = await Promise.all(Array.from({ length: connections }, async () => {
    const client = await connectRaw(stage, server.port, text({ type: 'authenticate', token: account!.token, ref: 'in' }))
    await client.replies(1)
    return client
  }))
  const frame = text(`{"type":"channel_list","ref":1,"x":[${'[],'.repeat(FRAME_SIZE / 3)}[]]}`)
  const before = residentMegabytes(server.pid)
  let peak = before
  const watch = setInterval(() => { peak = Math.max(peak, residentMegabytes(server.pid)) }, 100)

  server.exited.then(() => clearInterval(watch))

  database.signal('SIGSTOP')
  for (const client of crowd) for (let i = 0; i < FRAMES; i++) client.socket.write(frame)
  await sleep(seconds * 1000)
  database.signal('SIGCONT')

  const isUp = (): boolean => sender!.open && reader!.open
  await eventually(async () => !isUp() || (await sender!.send('room', 'after')).code === null, 30_000)
    .catch(() => report.problem('no message is stored within 30 s'))
  const isAnswered = (): boolean => crowd.every(({ texts }) => texts().length > 2)
  await eventually(() => !isUp() || isAnswered(), 30_000).catch(() => report.problem('not every connection has an answer within 30 s'))
  clearInterval(watch)
  if (!isUp()) report.problem(`the process has ended: ${server.output().slice(0, 500)}`)
  report.equal('still_open', crowd.filter(({ frames }) => frames.every(({ code }) => code !== 8)).length, connections)
  report.atMost('memory_grown_mb', peak - before, HEAP)
  for (const { socket } of crowd) socket.destroy()
  if (isUp()) await ledger.settle([sender!, reader!], 10_000)
  return report.outcome()
}
