import { isDeepStrictEqual } from 'node:util'
import type { Channel, Message } from '@parley/client'
import { asShown, createClient, historyOf, settled } from '../client/clients.ts'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { createDatabase, startServer, type Server } from '../helper.ts'
import { loadConfig } from '../../src/config.ts'
import { backUp } from './backup.ts'
import { createReport, type Outcome, type Report } from './outcome.ts'
import { seedPeople, type Member } from './people.ts'
import { startProcess } from './process.ts'
import { openRecorder, type Recorder } from './recorder.ts'
import type { Stage } from './scope.ts'

/** Messages of each channel before the backup. */
const BEFORE = 10
/** The most entries that a resume brings. */
const RESUME_LIMIT = 30
const REACTIONS = ['👍', '🎉']

type Kind = 'message' | 'edit' | 'delete' | 'react'

/**
 * The acts in each channel after the backup, which the restore undoes, and those between the restore and the return of the clients. Edits,
 * deletions and reactions are of the channel's last message before the backup.
 */
const channels: Record<string, { lost: Kind[], anew: Kind[] }> = {
  untouched: { lost: [], anew: [] },
  'gone-on': { lost: [], anew: times(3) },
  none: { lost: times(5), anew: [] },
  fewer: { lost: times(5), anew: times(2) },
  'as-many': { lost: times(5), anew: times(5) },
  more: { lost: times(5), anew: times(9) },
  'many-more': { lost: times(5), anew: times(2 * RESUME_LIMIT) },
  edited: { lost: ['message', 'edit'], anew: ['message', 'edit'] },
  'edited-more': { lost: ['edit'], anew: ['edit', 'message'] },
  deleted: { lost: ['message', 'delete'], anew: ['message', 'edit'] },
  reactions: { lost: ['react', 'react'], anew: ['message', 'react'] }
}
/** A channel that does not exist at the time of the backup, and is made again after the restore. */
const REMADE = 'remade'
const NAMES = [...Object.keys(channels), REMADE]

/** The last entry of a channel, as a client of the protocol knows it. */
interface Known { channelId: string, seq: number, id: string, timestamp: string, kind: Kind }

/**
 * G18. The database is restored from a backup while clients have a newer window, and their numbers are given to other entries before they
 * come back. No client shows a message that is lost beside one that is new; all end with the new history, what was acked and is lost is
 * gone, and what was not acked is stored. A client of the protocol is told that it cannot resume [P37].
 */
export async function restoredDatabase (stage: Stage, { clients }: { clients: number }): Promise<Outcome> {
  const report = createReport()
  const databaseUrl = await createDatabase(stage)
  const env = { DATABASE_URL: databaseUrl, LIMITS_ENABLED: 'false', CHANNELS_RESUME_LIMIT: String(RESUME_LIMIT) }
  const [writer, ...people] = await seedPeople(databaseUrl, clients + 1) as [Member, ...Member[]]
  const first = await start(stage, env)
  const line = await startLine(stage, first.port)
  const earlier = await openRecorder(stage, first.port, writer, Object.keys(channels))
  const known = new Map<string, Known>()
  for (const name of Object.keys(channels)) known.set(name, (await act(earlier, name, times(BEFORE))).at(-1)!)
  const targets = new Map([...known].map(([name, { id }]) => [name, id]))

  const restore = await backUp(stage, databaseUrl)
  await earlier.request({ type: 'join_channel', channel: REMADE })
  const screens = people.flatMap(({ token }) => {
    const parley = createClient(stage, line.url, { access_token: token })
    parley.connect()
    return NAMES.map(name => parley.channel(name, { presence: 'off' }))
  })
  for (const channel of screens) channel.open()
  for (const channel of screens) await settled(channel, 60_000)
  const lost: Known[] = []
  for (const name of NAMES) {
    const entries = await act(earlier, name, plan(name).lost, targets.get(name))
    lost.push(...entries)
    if (entries.length > 0) known.set(name, entries.at(-1)!)
  }
  for (const channel of screens) {
    const last = known.get(channel.name)!
    if (last.kind === 'message') await eventually(() => channel.getSnapshot().messages.at(-1)?.id === last.id)
  }
  const mixtures = watch(screens, lost)

  line.down(true)
  await first.end()
  await restore()
  const second = await start(stage, env)
  const later = await openRecorder(stage, second.port, writer, NAMES)
  for (const name of NAMES) await act(later, name, plan(name).anew, targets.get(name))
  await judgeProtocol(report, later, known)
  const waiting = screens.filter(({ name }) => name === 'fewer').map(async channel => channel.send('sent while the server was away'))
  line.leadTo(second.port)
  line.down(false)
  for (const channel of screens) await settled(channel, 60_000)
  const receipts = await Promise.all(waiting)
  for (const name of NAMES) await act(later, name, ['message'])

  const histories = new Map<string, Message[]>()
  for (const name of NAMES) histories.set(name, await historyOf({ call: second.call }, { access_token: writer.token }, name))
  report.figure('lost_entries', lost.length)
  const stored = new Set(histories.get('fewer')!.map(({ id }) => id))
  report.equal('sent_while_away', receipts.filter(({ id }) => stored.has(id)).length, clients)
  report.equal('gaps', screens.filter(channel => channel.getSnapshot().gap).length, clients)
  await judgeScreens(report, screens, histories)
  report.equal('mixtures', mixtures(), 0)
  return report.outcome()
}

function times (count: number): Kind[] {
  return Array.from({ length: count }, () => 'message')
}

function plan (name: string): { lost: Kind[], anew: Kind[] } {
  return channels[name] ?? { lost: times(5), anew: times(5) }
}

/** Starts an instance, in this process or in one of its own. */
async function start (stage: Stage, env: Record<string, string>) {
  const call = (port: number): Server['call'] => async (method, path, { token } = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization: `Bearer ${token}` } })
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
  if (!stage.processes) {
    const { port, close } = await startServer(stage, { config: loadConfig(env).config, databaseUrl: env.DATABASE_URL! })
    return { port, call: call(port), end: close }
  }
  const { port, signal, exited } = await startProcess(stage, { env })
  return { port, call: call(port), end: () => signal('SIGTERM') && exited }
}

/** Makes these entries, one after the other, and returns them. Those that change a message change `target`. */
async function act (writer: Recorder, channel: string, kinds: Kind[], target?: string): Promise<Known[]> {
  const { channelId } = writer.streams.get(channel)!
  const entries: Known[] = []
  for (const [i, kind] of kinds.entries()) {
    const { data } = await writer.request({
      message: { type: 'send_message', channel, message: `message ${i}` },
      edit: { type: 'command', command: 'edit_message', channel, id: target, message: `edit ${i} by ${writer.port}` },
      delete: { type: 'command', command: 'delete_message', channel, id: target },
      react: { type: 'command', command: 'add_reaction', channel, id: target, reaction: REACTIONS[i] }
    }[kind])
    entries.push({ channelId, kind, id: data.id, seq: data.seq, timestamp: data.timestamp })
  }
  return entries
}

/** Counts how often a client shows a message that is lost beside one that nobody had seen before. */
function watch (screens: Channel[], lost: Known[]): () => number {
  const ids = new Set(lost.filter(({ kind }) => kind === 'message').map(({ id }) => id))
  const seen = new Set(screens.flatMap(channel => channel.getSnapshot().messages.map(({ id }) => id)))
  let mixtures = 0
  for (const channel of screens) {
    channel.subscribe(() => {
      const { messages } = channel.getSnapshot()
      if (messages.some(({ id }) => ids.has(id)) && messages.some(({ id }) => !seen.has(id))) mixtures++
    })
  }
  return () => mixtures
}

/** Resumes each channel as [P37] says. Only where nothing was lost may the client go on from what it knows. */
async function judgeProtocol (report: Report, client: Recorder, known: Map<string, Known>): Promise<void> {
  for (const [name, { channelId, seq, id, timestamp, kind }] of known) {
    const from = kind === 'message' ? { since: seq, since_id: id } : { since: seq - 1 }
    const { data } = await client.request({ type: 'join_channel', channel: name, channel_id: channelId, ...from })
    const isSame = data.recovered && (kind === 'message' || data.messages[0]?.timestamp === timestamp)
    if (isSame !== (plan(name).lost.length === 0)) report.problem(`${name}: recovered ${data.recovered}`)
    if (!data.recovered && data.messages.length > 0) report.problem(`${name}: ${data.messages.length} entries of a resume that was refused`)
  }
}

/** Every window is the part of the new history that it covers, before and after the rest of it is loaded. */
async function judgeScreens (report: Report, screens: Channel[], histories: Map<string, Message[]>): Promise<void> {
  let wrong = 0
  for (const channel of screens) {
    const history = histories.get(channel.name)!.map(asShown)
    const isTrue = (): boolean => {
      const messages = channel.getSnapshot().messages.map(asShown)
      return messages.length > 0 && isDeepStrictEqual(messages, history.slice(-messages.length))
    }
    const isRight = await eventually(isTrue).catch(() => false)
    await channel.older(100)
    const { messages, gap, outbox } = channel.getSnapshot()
    if (isRight && isTrue() && messages.length === history.length && !gap && outbox.length === 0) continue
    wrong++
    report.problem(`${channel.name} is not shown as it is: ${JSON.stringify([messages.at(-1), history.at(-1)])}`)
  }
  report.figure('windows', screens.length)
  report.equal('wrong_windows', wrong, 0)
}
