import pg from 'pg'
import { eventually } from '../eventually.ts'
import type { Report } from './outcome.ts'
import type { Recorder, Sent } from './recorder.ts'

interface Stored { seq: number, id: string, clientId: string | null }

export type Ledger = ReturnType<typeof createLedger>

/**
 * Judges a run by what was acked, what history holds and what each client received. No acked message may be missing, none may be stored
 * twice, and every client must receive messages in the order of history.
 */
export function createLedger (databaseUrl: string, report: Report) {
  /** Acks by message id. `port` is that of the instance that acked the message first. */
  const acks = new Map<string, { channel: string, seq: number, at: number, port: number }>()
  const refusals: Record<string, number> = {}
  let slowest = 0

  return {
    refusals,
    /** The longest time to an answer, in milliseconds. */
    get slowest () { return slowest },
    get acked () { return acks.size },

    note (channel: string, port: number, sent: Sent): void {
      if (sent.code !== 'lost') slowest = Math.max(slowest, sent.took)
      if (sent.code !== null) {
        refusals[sent.code] = (refusals[sent.code] ?? 0) + 1
        return
      }
      const before = acks.get(sent.id)
      if (before && before.seq !== sent.seq) report.problem(`acked as ${before.seq} and as ${sent.seq} in ${channel}`)
      if (!before) acks.set(sent.id, { channel, seq: sent.seq, at: sent.at, port })
    },

    /** Waits at most `within` milliseconds until every client has received what history has, then compares everything. */
    async settle (recorders: Recorder[], within = 5000): Promise<void> {
      const histories = await readHistories(databaseUrl)
      const began = performance.now()
      const behind = (): Recorder[] => recorders.filter(({ streams, lastOf }) =>
        [...streams.keys()].some(channel => lastOf(channel) < (histories.get(channel)?.at(-1)?.seq ?? 0)))
      await eventually(() => behind().length === 0, within)
        .catch(() => report.problem(`${behind().length} of ${recorders.length} clients are behind after ${within} ms`))
      report.figure('settled_ms', performance.now() - began)

      let stored = 0
      for (const [channel, history] of histories) {
        stored += history.length
        checkHistory(channel, history)
      }
      report.figure('acked', acks.size)
      report.figure('stored', stored)
      for (const [id, { channel, seq }] of acks) {
        if (histories.get(channel)?.[seq - 1]?.id !== id) report.problem(`acked ${channel} ${seq} is not in history`)
      }
      compareAll(recorders, histories)
    },

    /** Compares the streams of clients that are gone with history, as far as the streams go. */
    async compare (recorders: Recorder[]): Promise<void> {
      compareAll(recorders, await readHistories(databaseUrl))
    },

    /** The messages that this client received from other instances: when each was acked, and the milliseconds until its receipt. */
    crossingsOf ({ port, streams }: Recorder): Array<{ acked: number, lag: number }> {
      return [...streams.values()].flatMap(({ entries }) => entries).flatMap(({ id, at }) => {
        const ack = acks.get(id)
        return ack && ack.port !== port ? [{ acked: ack.at, lag: Math.max(0, at - ack.at) }] : []
      })
    },

    /** Milliseconds from the ack of each message to its receipt by this client. */
    lagsOf (recorder: Recorder): number[] {
      return [...recorder.streams.values()].flatMap(({ entries }) => entries)
        .flatMap(({ id, at }) => acks.has(id) ? [Math.max(0, at - acks.get(id)!.at)] : [])
    }
  }

  function compareAll (recorders: Recorder[], histories: Map<string, Stored[]>): void {
    let [here, there] = [0, 0]
    for (const { member, port, streams, unrecovered } of recorders) {
      if (unrecovered > 0) report.problem(`${member.name} could not resume`)
      for (const [channel, { base, entries }] of streams) {
        entries.forEach(({ seq, id, at }, i) => {
          if (seq !== base + 1 + i) report.problem(`${member.name} received ${channel} ${seq} after ${base + i}`)
          else if (histories.get(channel)?.[seq - 1]?.id !== id) report.problem(`${member.name}: ${channel} ${seq} is not as in history`)
          const ack = acks.get(id)
          if (ack?.port === port) here = Math.max(here, at - ack.at)
          else if (ack) there = Math.max(there, at - ack.at)
        })
      }
    }
    // The longest time from an ack to a receipt, on the sender's instance and on others.
    report.figure('lag_here_ms', here)
    report.figure('lag_there_ms', there)
  }

  function checkHistory (channel: string, history: Stored[]): void {
    const clientIds = new Set<string>()
    history.forEach(({ seq, clientId }, i) => {
      if (seq !== i + 1) report.problem(`history of ${channel} has ${seq} in place ${i + 1}`)
      if (clientId === null) return
      if (clientIds.has(clientId)) report.problem(`history of ${channel} has ${clientId} twice`)
      clientIds.add(clientId)
    })
  }
}

/** All messages of all channels, by channel name and in order of `seq`. */
export async function readHistories (databaseUrl: string): Promise<Map<string, Stored[]>> {
  const rows = await query<Stored & { channel: string }>(databaseUrl, `
    SELECT c.name AS channel, m.seq::int, m.id, m."clientId"
    FROM "Message" m JOIN "Channel" c ON c.id = m."channelId" ORDER BY c.name, m.seq`)
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
