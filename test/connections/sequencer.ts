import type { EntriesEvent } from '../../src/broker/broker.ts'
import { encodeEntries } from '../../src/connections/frames.ts'
import { Sequencer } from '../../src/connections/sequencer.ts'
import type { Entry } from '../../src/schemas/message.ts'
import { eventually } from '../eventually.ts'
import type { Test } from '../tap.ts'

export const entry = (seq: number): Entry => ({
  type: 'message', id: `m${seq}`, seq, channel: 'general', user_id: 'u1', username: 'ann', message: `text ${seq}`, timestamp: 'now'
})
export const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
export const run = (from: number, to = from): EntriesEvent =>
  ({ kind: 'entries', firstSeq: from, ...encodeEntries(numbers(from, to).map(entry)) })

/** The `seq` of each entry, as a client reads it from the frames. Throws if `frames`, `ends` and `firstSeq` disagree. */
export function seqsIn ({ frames, ends, firstSeq }: EntriesEvent): number[] {
  const seqs = [...frames.toString('latin1').matchAll(/"seq":(\d+)/g)].map(match => Number(match[1]))
  if (seqs.length !== ends.length || seqs[0] !== firstSeq || ends.at(-1) !== frames.length) throw new Error('frames and ends disagree')
  return seqs
}

/** The most entries that one read of the database returns. */
const READ_LIMIT = 500

/** Returns a sequencer that has delivered up to `last`, over a simulated database with the entries `stored`. */
export function start (t: Test, last: number, stored: number[] = []) {
  const delivered: number[] = []
  const reads: Array<[after: number, upTo: number]> = []
  const faults: unknown[] = []
  const returns: number[] = []
  const doubts = { count: 0 }
  const gaps = { found: 0, repaired: 0 }
  const database = { stored, hasRoom: true, inFlight: new Set<string>(), gate: async (): Promise<void> => {} }
  const sequencer = new Sequencer('c1', last, {
    deliver: event => { delivered.push(...seqsIn(event)) },
    messages: {
      missing: async (_, after, upTo) => {
        reads.push([after, upTo])
        const found = database.stored.filter(seq => seq > after && seq <= upTo).slice(0, READ_LIMIT).map(entry)
        await database.gate()
        return found
      },
      isInFlight: ({ id }) => database.inFlight.has(id)
    },
    hasRoom: () => database.hasRoom,
    onFault: error => { faults.push(error) },
    onDoubt: () => { doubts.count++ },
    maxUnvouched: 100_000,
    onReturn: committed => { returns.push(committed) },
    gaps
  })
  t.teardown(() => sequencer.close())
  const until = (seq: number): Promise<true> => eventually(() => sequencer.last === seq)
  return { sequencer, delivered, reads, faults, returns, doubts, gaps, database, until }
}
