import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Message } from '@parley/client'
import { asShown } from '../client/clients.ts'
import { startHarm } from '../client/harm.ts'
import { startLine } from '../../src/testing/line.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { keyOf, type EntryMark } from '../../src/schemas/message.ts'
import type { SentByClient, Shown } from './client-program.ts'
import { startClients } from './client-process.ts'
import { startProcesses } from './cluster.ts'
import type { Ledger } from './ledger.ts'
import { createReport, type Outcome, type Report } from './outcome.ts'
import { startOwnDatabase } from './own-database.ts'
import { seedPeople } from './people.ts'
import { startProcess } from './process.ts'
import type { Stage } from './scope.ts'

/** Milliseconds between two harms to connections. */
const HARM_EVERY = 700
/** Milliseconds that the process of the clients may take to end after all of them have disconnected over a dead network. */
const EXIT_MS = 5000

/**
 * G17. Clients of @parley/client, in a process of their own, talk through two instances while their connections are cut, half-closed and
 * stalled, instances are restarted and killed, Redis and PostgreSQL fail, and access tokens last 5 s. In the end each client shows exactly
 * what history has, each resolved send is stored once, and the process ends by itself. `seconds`: between two of the greater faults.
 */
export async function clientLedger (stage: Stage, { clients, channels: count, pause, seconds }: {
  clients: number, channels: number, pause: number, seconds: number
}): Promise<Outcome> {
  const report = createReport()
  const database = await startOwnDatabase(stage)
  const redis = await startRedis(stage)
  const cluster = await startProcesses(stage, report, {
    databaseUrl: database.url,
    redisUrl: redis.url,
    // Dead connections are noticed, and resumes refused, often enough to be seen.
    env: { AUTHENTICATION_TOKEN_EXPIRY: '5', PERFORMANCE_HEARTBEAT_INTERVAL: '2', CHANNELS_RESUME_LIMIT: '100' }
  })
  const [reader] = await seedPeople(database.url, 1)
  const instances = [...cluster.instances]
  const lines = await Promise.all(instances.map(({ port }) => startLine(stage, port)))
  const channels = Array.from({ length: count }, (_, i) => `c${i}`)
  const host = await startClients(stage, { urls: lines.map(({ url }) => url), clients, channels, pause })

  /** Ends an instance and starts another in its place. Meanwhile its line leads to the other instance, as a load balancer would. */
  async function replace (i: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const old = instances[i]!
    old.signal(signal)
    await old.exited
    lines[i]!.leadTo(instances[1 - i]!.port)
    await sleep(seconds * 500)
    instances[i] = await startProcess(stage, { env: cluster.env })
    lines[i]!.leadTo(instances[i]!.port)
  }

  const faults: Array<() => Promise<unknown>> = [
    () => replace(0, 'SIGTERM'),
    () => redis.kill().then(() => sleep(seconds * 500)).then(redis.start),
    () => replace(1, 'SIGKILL'),
    async () => {
      database.signal('SIGSTOP')
      await sleep(seconds * 1000)
      database.signal('SIGCONT')
    },
    () => database.restart(() => sleep(seconds * 250))
  ]

  const harm = startHarm(lines, HARM_EVERY)
  await host.order('talk')
  for (const fault of faults) {
    await sleep(seconds * 1000)
    await fault()
  }
  await sleep(seconds * 1000)
  await harm.stop()
  const { sent = [], changed = [], filled = 0, attempts = 0, faults: problems = [] } = await host.order('rest')
  for (const problem of problems) report.problem(problem)

  const histories = new Map<string, Message[]>()
  for (const channel of channels) histories.set(channel, await readHistory(instances[0]!.port, reader!.token, channel))
  for (const { channel, seq, ...mark } of changed) {
    cluster.ledger.note(channel, 0, { code: null, id: mark.id, seq, key: keyOf(mark as EntryMark), duplicate: false, at: 0, took: 0 })
  }
  await judgeSends(cluster.ledger, report, sent, histories)
  await judgeWindows(report, async () => (await host.order('show')).shown!, histories)
  report.figure('sends', sent.length)
  report.figure('harms', harm.count())
  report.figure('connections', attempts)
  report.figure('filled', filled)
  if (attempts <= clients) report.problem('no connection was ever lost')

  // The last connections are dead when the clients disconnect.
  for (const line of lines) line.stall(() => Math.random() < 0.5)
  const { code, ms } = await host.leave()
  report.equal('exit_code', Number(code), 0)
  report.atMost('exit_ms', ms, EXIT_MS)
  return report.outcome()
}

/** Every message was resolved, is stored once, as its receipt says, and those of one sender are in the order in which they were sent. */
async function judgeSends (ledger: Ledger, report: Report, sent: SentByClient[], histories: Map<string, Message[]>): Promise<void> {
  report.equal('unresolved', sent.filter(({ receipt }) => !receipt).length, 0)
  for (const { channel, text, receipt, code } of sent) {
    if (code !== undefined) report.problem(`${channel}: "${text}" was refused: ${code}`)
    if (!receipt) continue
    const { id, seq } = receipt
    ledger.note(channel, 0, { code: null, id, seq, key: keyOf({ type: 'message', id }), duplicate: false, at: 0, took: 0 })
    const stored = histories.get(channel)!.find(message => message.id === id)
    const isAsSent = stored?.deleted || [text, `${text} edited`].includes(stored?.message ?? '')
    if (!isAsSent || stored?.seq !== seq) report.problem(`${channel}: "${text}" is ${JSON.stringify(stored)}`)
  }
  await ledger.settle([])
  for (const [channel, history] of histories) {
    const last = new Map<string, number>()
    for (const { message, user_id: userId } of history) {
      const place = Number(/ (\d+)/.exec(message ?? '')?.[1] ?? NaN)
      if (place <= (last.get(userId) ?? -1)) report.problem(`${channel}: "${message}" is behind a later one`)
      if (place >= 0) last.set(userId, place)
    }
  }
}

/** Every window is the part of history that it covers [C1]. The last entries may still be on their way. */
async function judgeWindows (report: Report, show: () => Promise<Shown[]>, histories: Map<string, Message[]>): Promise<void> {
  const isTrue = ({ channel, messages, outbox, gap, state }: Shown): boolean => {
    const first = messages[0]?.seq ?? Infinity
    const covered = histories.get(channel)!.filter(({ seq }) => seq >= first)
    const isSettled = state === 'live' && !gap && outbox.length === 0 && messages.length > 0
    return isSettled && isDeepStrictEqual(messages.map(asShown), covered.map(asShown))
  }
  const wrong = async (): Promise<Shown[]> => (await show()).filter(shown => !isTrue(shown))
  const left = await eventually(async () => (await wrong()).length === 0 && []).catch(wrong)
  for (const shown of left) report.problem(`${shown.client} does not show ${shown.channel} as it is: ${difference(shown, histories)}`)
  report.equal('wrong_windows', left.length, 0)
}

function difference ({ channel, messages, outbox, gap, state }: Shown, histories: Map<string, Message[]>): string {
  const history = histories.get(channel)!.slice(-messages.length)
  const at = history.findIndex((message, i) => !isDeepStrictEqual(asShown(message), messages[i] && asShown(messages[i])))
  const place = JSON.stringify([messages[at], history[at]])
  return `${state}, ${messages.length} messages, ${outbox.length} outgoing, gap ${JSON.stringify(gap)}, shown and stored at ${at}: ${place}`
}

/** The whole history of a channel over REST. */
async function readHistory (port: number, token: string, channel: string): Promise<Message[]> {
  const messages: Message[] = []
  for (;;) {
    const url = `http://127.0.0.1:${port}/api/channels/${channel}/messages?limit=100&after=${messages.at(-1)?.seq ?? 0}`
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
    const page = (await response.json() as { messages: Message[] }).messages
    messages.push(...page)
    if (page.length < 100) return messages
  }
}
