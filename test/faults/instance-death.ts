import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClients, type Client, type Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { startProcesses, startVictim } from './cluster.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import type { Stage } from './scope.ts'

/** Milliseconds between two looks at a state that changes after seconds only. */
const POLL_MS = 200

/**
 * An instance dies between a commit and its publication, before or after its senders have their acks. The subscribers of the other
 * instance still get the messages. The sender reconnects there and sends again, and nothing is doubled.
 */
export async function deathAfterCommit (stage: Stage, { acked, at }: { acked: boolean, at: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startVictim(stage, report, { faults: acked ? { dieAckedAt: at } : { dieAt: at } })
  const { ledger, instances: [doomed, other] } = cluster
  const [sender, ...others] = await cluster.enter(3, ['room'], [doomed.port, other.port, other.port])
  let unanswered = 0
  let last = ''
  for (let i = 0; sender!.open; i++) {
    const outcome = await sender!.send('room', `message ${i}`, last = `id-${i}`)
    ledger.note('room', doomed.port, outcome)
    if (outcome.code !== null) unanswered++
    // The process dies a moment after its last ack.
    if (acked && i + 1 === at) await eventually(() => !sender!.open)
  }
  report.equal('unanswered', unanswered, acked ? 0 : 1)
  await sender!.connect(other.port)
  const again = await sender!.send('room', `message ${at - 1}`, last)
  ledger.note('room', other.port, again)
  if (again.code !== null || !again.duplicate) report.problem(`sent again: ${JSON.stringify(again)}`)
  await ledger.settle([sender!, ...others])
  report.equal('stored', report.read('stored'), at)
  return report.outcome()
}

/** G9. An instance with many users is killed: they are offline within 45 s, and each departure is announced exactly once [P23]. */
export async function ghosts (stage: Stage, { users }: { users: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startVictim(stage, report, { env: { CHANNELS_MAX_USERS_PER_CHANNEL: '0' } })
  const [dies, stays] = cluster.instances
  const [watcher] = await cluster.enter(1, ['room'], [stays.port])
  const gone = await cluster.enter(users, ['room'], [dies.port])
  const ids = new Set(gone.map(({ member }) => member.id))
  const heard = (type: string): Frame[] => watcher!.notices.filter(notice => notice.type === type && ids.has(notice.user_id))
  await eventually(() => heard('user_joined').length === users, 30_000)
  const began = performance.now()
  await dies.kill()
  await eventually(() => heard('user_left').length >= users, 60_000).catch(() => report.problem('some departures are missing after 60 s'))
  report.atMost('gone_after_ms', performance.now() - began, 45_000)
  // A second announcement would come one period later, when the other instance looks for dead ones again.
  await sleep(6000)
  report.equal('user_left', heard('user_left').length, users)
  report.equal('users_told_of', new Set(heard('user_left').map(({ user_id }) => user_id)).size, users)
  report.equal('still_listed', (await watcher!.request({ type: 'user_list', channel: 'room' })).count, 1)
  return report.outcome()
}

/** G9. Guests of an instance hold all but one place of a capped channel. It is killed: guests of another instance get the places [P60]. */
export async function lostGuests (stage: Stage, { guests }: { guests: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startVictim(stage, report, {
    env: { AUTHENTICATION_ENABLED: 'false', CHANNELS_MAX_USERS_PER_CHANNEL: String(guests), CHANNELS_DEFAULT_ROOM: 'hall' }
  })
  const [dies, stays] = cluster.instances
  const enter = async (port: number): Promise<Client> => {
    const client = await createClients(stage, port).connect()
    await client.request({ type: 'authenticate' })
    return client
  }
  const join = async (client: Client): Promise<boolean> =>
    (await client.exchange({ type: 'join_channel', channel: 'room' })).type === 'success'
  for (let i = 1; i < guests; i++) await join(await enter(dies.port))
  const living = await enter(stays.port)
  report.equal('joined_before', Number(await join(living)), 1)
  const waiting = await Promise.all(Array.from({ length: guests - 1 }, () => enter(stays.port)))
  report.equal('let_in_before', (await Promise.all(waiting.map(join))).filter(Boolean).length, 0)
  const began = performance.now()
  await dies.kill()
  await eventually(async () => {
    await sleep(POLL_MS)
    return (await Promise.all(waiting.map(join))).every(Boolean)
  }, 90_000)
    .catch(() => report.problem('places are still taken after 90 s'))
  report.atMost('free_after_ms', performance.now() - began, 60_000)
  await living.request({ type: 'send_message', channel: 'room', message: 'I am still here' })
  report.equal('heard', (await Promise.all(waiting.map(client => client.expect('message')))).length, waiting.length)
  return report.outcome()
}

/**
 * An instance is frozen for `seconds` while others send and one of its users is kicked. When it resumes, its clients get everything
 * that they missed, and the kick binds at once [P32] [P33].
 */
export async function frozenInstance (stage: Stage, { seconds, rate }: { seconds: number, rate: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startVictim(stage, report)
  const { ledger, instances: [frozen, a] } = cluster
  const [owner, writer] = await cluster.enter(2, [], [a.port])
  const room = `room-${randomUUID()}`
  await owner!.request({ type: 'command', command: 'create_channel', name: room })
  for (const client of [owner!, writer!]) await client.request({ type: 'join_channel', channel: room })
  const [target, ...listeners] = await cluster.enter(3, [room], [frozen.port])

  const load = startLoad(ledger, { writers: [owner!, writer!], channels: [room], rate })
  await sleep(500)
  frozen.signal('SIGSTOP')
  await sleep(seconds * 500)
  await owner!.request({ type: 'command', command: 'kick_user', channel: room, user_id: target!.member.id })
  // This message waits in the socket of the frozen instance, which reads it first when it resumes.
  const late = target!.send(room, 'after the kick')
  await sleep(seconds * 500)
  frozen.signal('SIGCONT')
  const refused = await late
  if (refused.code === null) report.problem('a message was taken after its sender was kicked')
  await sleep(1000)
  await load.stop()
  await ledger.settle([owner!, writer!, ...listeners])
  report.equal('still_open', listeners.filter(({ open }) => open).length, listeners.length)
  return report.outcome()
}

/** The event loop of an instance stalls for `seconds`: no connection is closed because of the stall. */
export async function stalledLoop (stage: Stage, { seconds }: { seconds: number }): Promise<Outcome> {
  const report = createReport()
  // These times are shorter than the stall, but long enough for clients on a machine under full load.
  const env = { PERFORMANCE_HEARTBEAT_INTERVAL: '1', PERFORMANCE_PONG_TIMEOUT: '5', PERFORMANCE_CONNECTION_TIMEOUT: '10' }
  const cluster = await startVictim(stage, report, { faults: {}, env })
  const { ledger, instances: [stalls, a] } = cluster
  const clients = await cluster.enter(10, ['room'], [stalls.port])
  const [elsewhere] = await cluster.enter(1, ['room'], [a.port])
  stalls.order({ stall: seconds * 1000 })
  const load = startLoad(ledger, { writers: [elsewhere!], channels: ['room'], rate: 20 })
  await sleep(seconds * 1000)
  const answers = await Promise.all(clients.map(client => client.ask({ type: 'heartbeat' })))
  await load.stop()
  await ledger.settle([elsewhere!, ...clients])
  report.equal('answered', answers.filter(answer => answer?.type === 'heartbeat_ack').length, clients.length)
  report.equal('still_open', clients.filter(({ open }) => open).length, clients.length)
  await eventually(async () => (await elsewhere!.request({ type: 'user_list', channel: 'room' })).count === 11, 20_000)
    .catch(() => report.problem('not everyone is listed'))
  return report.outcome()
}

/**
 * The wall clock of each instance is wrong by so many milliseconds, or right where the offset is undefined: order, presence and connections
 * are not affected.
 */
export async function wrongClocks (stage: Stage, { offsets, messages }: {
  offsets: Array<number | undefined>, messages: number
}): Promise<Outcome> {
  const report = createReport()
  const cluster = await startProcesses(stage, report, { faults: offsets.map(clock => clock === undefined ? undefined : { clock }) })
  const clients = await cluster.enter(4, ['room'])
  await Promise.all(clients.map(async client => {
    for (let i = 0; i < messages / clients.length; i++) cluster.ledger.note('room', client.port, await client.send('room', `message ${i}`))
  }))
  await cluster.ledger.settle(clients)
  report.equal('acked', cluster.ledger.acked, messages)
  report.equal('online', (await clients[0]!.request({ type: 'user_list', channel: 'room' })).count, clients.length)
  return report.outcome()
}
