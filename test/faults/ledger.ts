import pg from 'pg'
import { eventually } from '../eventually.ts'
import type { Report } from './outcome.ts'
import type { Recorder, Sent } from './recorder.ts'

/** An entry as history has it. `key` says what it is, in the form of `keyOf`. */
interface Stored { seq: number, key: string, clientId: string | null }
interface Ack { channel: string, seq: number, key: string, at: number, port: number }

export type Ledger = ReturnType<typeof createLedger>

/**
 * Judges a run by what was acked, what history holds and what each client received. No acked entry (message, edit, deletion, reaction)
 * may be missing, none may be stored twice, and every client must receive entries in the order of history. No client may receive a signal
 * twice, and no signal may take a number.
 */
export function createLedger (databaseUrl: string, report: Report) {
  /** Acks by channel and `seq`. `port` is that of the instance that acked the entry first. */
  const acks = new Map<string, Ack>()
  /** The `seq` under which each message was acked, by key. */
  const messages = new Map<string, number>()
  /** Who sent each signal. */
  const signals = new Map<string, Recorder>()
  const refusals: Record<string, number> = {}
  let slowest = 0

  return {
    refusals,
    /** The longest time to an answer, in milliseconds. */
    get slowest () { return slowest },
    /** Numbers of acked entries, and of acked messages among them. */
    get acked () { return acks.size },
    get messages () { return messages.size },

    note (channel: string, port: number, sent: Sent): void {
      if (sent.code !== 'lost') slowest = Math.max(slowest, sent.took)
      if (sent.code !== null) {
        refusals[sent.code] = (refusals[sent.code] ?? 0) + 1
        return
      }
      const { seq, key, at } = sent
      if (seq === undefined) return
      const before = ackOf(channel, seq)
      if (before && before.key !== key) report.problem(`${before.key} and ${key} are acked as ${seq} in ${channel}`)
      if (!before) acks.set(`${channel} ${seq}`, { channel, seq, key, at, port })
      if (!key.startsWith('message ')) return
      const earlier = messages.get(key) ?? seq
      if (earlier !== seq) report.problem(`acked as ${earlier} and as ${seq} in ${channel}`)
      messages.set(key, seq)
    },

    /** Takes note of a signal before it is sent. */
    signalled (signal: string, sender: Recorder): void { signals.set(signal, sender) },

    /** Waits at most `within` milliseconds until every client has received what history has, then compares everything. */
    async settle (recorders: Recorder[], within = 5000): Promise<void> {
      const histories = await readHistories(databaseUrl)
      const began = performance.now()
      const behind = (): Recorder[] => recorders.filter(({ streams, lastOf }) =>
        [...streams.keys()].some(channel => lastOf(channel) < (histories.get(channel)?.at(-1)?.seq ?? 0)))
      await eventually(() => behind().length === 0, within)
        .catch(() => report.problem(`${behind().length} of ${recorders.length} clients are behind after ${within} ms`))
      report.figure('settled_ms', performance.now() - began)

      for (const [channel, history] of histories) checkHistory(channel, history)
      const stored = [...histories.values()].flat()
      report.figure('acked', acks.size)
      report.figure('stored', stored.length)
      for (const kind of ['message_edited', 'message_deleted', 'reaction_added', 'reaction_removed']) {
        const count = stored.filter(({ key }) => key.startsWith(`${kind} `)).length
        if (count > 0) report.figure(kind, count)
      }
      for (const { channel, seq, key } of acks.values()) {
        if (histories.get(channel)?.[seq - 1]?.key !== key) report.problem(`acked ${channel} ${seq} is not in history`)
      }
      const counts = await query<{ channel: string, last: number }>(databaseUrl, `
        SELECT name AS channel, "lastSeq"::int AS last FROM "Channel"`)
      for (const { channel, last } of counts) {
        const length = histories.get(channel)?.length ?? 0
        if (last !== length) report.problem(`${channel} has ${length} entries, but the last is ${last}`)
      }
      compareAll(recorders, histories)
    },

    /** Compares the streams of clients that are gone with history, as far as the streams go. */
    async compare (recorders: Recorder[]): Promise<void> {
      compareAll(recorders, await readHistories(databaseUrl))
    },

    /** The entries that this client received from other instances: when each was acked, and the milliseconds until its receipt. */
    crossingsOf ({ port, streams }: Recorder): Array<{ acked: number, lag: number }> {
      return receivedBy(streams).flatMap(({ channel, seq, at }) => {
        const ack = ackOf(channel, seq)
        return ack && ack.port !== port ? [{ acked: ack.at, lag: Math.max(0, at - ack.at) }] : []
      })
    },

    /** Milliseconds from the ack of each entry to its receipt by this client. */
    lagsOf: ({ streams }: Recorder): number[] => receivedBy(streams).flatMap(({ channel, seq, at }) => {
      const ack = ackOf(channel, seq)
      return ack ? [Math.max(0, at - ack.at)] : []
    })
  }

  function ackOf (channel: string, seq: number): Ack | undefined {
    return acks.get(`${channel} ${seq}`)
  }

  function compareAll (recorders: Recorder[], histories: Map<string, Stored[]>): void {
    let [here, there, received] = [0, 0, 0]
    for (const recorder of recorders) {
      const { member, port, streams, unrecovered } = recorder
      for (const [signal, times] of recorder.signals) {
        received++
        if (times > 1) report.problem(`${member.name} received the signal ${signal} ${times} times`)
        if (!signals.has(signal) || signals.get(signal) === recorder) report.problem(`${member.name} received the signal ${signal}`)
      }
      if (unrecovered > 0) report.problem(`${member.name} could not resume`)
      for (const [channel, { base, past, entries }] of streams) {
        const older = (histories.get(channel) ?? []).filter(({ seq, key }) => seq <= base && key.startsWith('message ')).slice(-past.length)
        if (past.some(({ key }, i) => key !== older[i]?.key)) report.problem(`${member.name}: the past of ${channel} is not as in history`)
        entries.forEach(({ seq, key, at }, i) => {
          if (seq !== base + 1 + i) report.problem(`${member.name} received ${channel} ${seq} after ${base + i}`)
          else if (histories.get(channel)?.[seq - 1]?.key !== key) report.problem(`${member.name}: ${channel} ${seq} is not as in history`)
          const ack = ackOf(channel, seq)
          if (ack?.port === port) here = Math.max(here, at - ack.at)
          else if (ack) there = Math.max(there, at - ack.at)
        })
      }
    }
    // The longest time from an ack to a receipt, on the sender's instance and on others.
    report.figure('lag_here_ms', here)
    report.figure('lag_there_ms', there)
    if (signals.size > 0) report.figure('signals_received', received)
  }

  function checkHistory (channel: string, history: Stored[]): void {
    const clientIds = new Set<string>()
    const others = new Set<string>()
    history.forEach(({ seq, key, clientId }, i) => {
      if (seq !== i + 1) report.problem(`history of ${channel} has ${seq} in place ${i + 1}`)
      if (!mayFollow(others, key)) report.problem(`history of ${channel} has ${key} twice`)
      if (clientId === null) return
      if (clientIds.has(clientId)) report.problem(`history of ${channel} has ${clientId} twice`)
      clientIds.add(clientId)
    })
  }
}

/**
 * Whether an entry may come behind those before it, which left what they added in `present`: a message is deleted once, and a reaction is
 * added only where it is not there and taken back only where it is. An edit may be repeated.
 */
function mayFollow (present: Set<string>, key: string): boolean {
  const [kind, ...rest] = key.split(' ')
  const what = rest.join(' ')
  if (kind === 'reaction_removed') return present.delete(what)
  if (kind !== 'reaction_added' && kind !== 'message_deleted') return true
  return !present.has(what) && Boolean(present.add(what))
}

/** What a client received, of all channels. */
function receivedBy (streams: Recorder['streams']): Array<{ channel: string, seq: number, at: number }> {
  return [...streams].flatMap(([channel, { entries }]) => entries.map(({ seq, at }) => ({ channel, seq, at })))
}

/** All entries of all channels, by channel name and in order of `seq`. */
export async function readHistories (databaseUrl: string): Promise<Map<string, Stored[]>> {
  const rows = await query<Stored & { channel: string }>(databaseUrl, `
    SELECT c.name AS channel, x.seq::int, x.key, x."clientId" FROM (
      SELECT "channelId", seq, 'message ' || id AS key, "clientId" FROM "Message"
      UNION ALL SELECT "channelId", seq, 'message_' || kind || ' ' || "messageId", NULL FROM "MessageChange"
      UNION ALL SELECT "channelId", seq,
        concat_ws(' ', CASE WHEN added THEN 'reaction_added' ELSE 'reaction_removed' END, "messageId", "userId", reaction), NULL
        FROM "Reaction"
    ) x JOIN "Channel" c ON c.id = x."channelId" ORDER BY c.name, x.seq`)
  const histories = new Map<string, Stored[]>()
  for (const row of rows) {
    if (!histories.has(row.channel)) histories.set(row.channel, [])
    histories.get(row.channel)!.push(row)
  }
  return histories
}

/** Runs one statement directly in the database. */
export async function query<T extends object> (databaseUrl: string, statement: string, values: unknown[] = []): Promise<T[]> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return (await client.query<T>(statement, values)).rows
  } finally {
    await client.end()
  }
}
