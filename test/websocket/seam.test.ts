import type { Client, Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { redis, startServer } from '../helper.ts'
import { t } from '../tap.ts'

const RATE = 200
const TICK_MS = 20

const config = { redis: redis() }
const server = await startServer(t, { config })
const other = await startServer(t, { config, databaseUrl: server.databaseUrl })

/** Sends `RATE` messages a second to a channel until `stop` is called, which resolves with the number of acked messages. */
async function pour (channel: string): Promise<{ stop (): Promise<number>, writers: Client[] }> {
  const writers = [await server.enter('writer', channel), await other.enter('writer', channel)]
  const sends: Array<Promise<Frame>> = []
  const timer = setInterval(() => {
    for (let i = 0; i < RATE * TICK_MS / 1000; i++) {
      sends.push(writers[i % 2]!.request({ type: 'send_message', channel, message: `m${sends.length}` }))
    }
  }, TICK_MS)
  return {
    writers,
    async stop () {
      clearInterval(timer)
      return (await Promise.all(sends)).length
    }
  }
}

/** Records every frame of a connection in the order of arrival. */
function record ({ socket }: Client): Frame[] {
  const frames: Frame[] = []
  socket.on('message', data => { frames.push(JSON.parse(String(data))) })
  return frames
}

/** The seqs that a connection received for each join: those in the reply, then those of live messages up to the next join. */
function streams (frames: Frame[]): Array<{ seq: number, recovered: boolean, told: number[] }> {
  const joins: Array<{ seq: number, recovered: boolean, told: number[] }> = []
  for (const frame of frames) {
    const { data } = frame
    if (frame.action === 'channel_joined') {
      joins.push({ seq: data.seq, recovered: data.recovered, told: data.messages.map(({ seq }: Frame) => seq) })
    }
    if (frame.type === 'message') joins.at(-1)!.told.push(frame.seq)
  }
  return joins
}

const isGapless = (seqs: number[]): boolean => seqs.every((seq, i) => seq === seqs[0]! + i)

/** Ways to join for a reader who has read up to `last`, and the first seq that the reader has to receive, given the reply's `seq`. */
const ways: Record<string, { fields: (last: number, id: string) => object, first: (last: number, seq: number) => number }> = {
  'without since [P27]': { fields: () => ({}), first: (_, seq) => seq + 1 },
  'with history [P31]': { fields: () => ({ history: 50 }), first: (_, seq) => Math.max(1, seq - 49) },
  'with since [P30]': { fields: (last, id) => ({ since: last, channel_id: id }), first: last => last + 1 }
}

const READERS = 5
const JOINS = 8

for (const [i, [what, { fields, first }]] of Object.entries(ways).entries()) {
  t.test(`${what}: readers who join again and again while others send ${RATE}/s at two instances get every message once`, async t => {
    const channel = `seam-${i}`
    const { stop, writers } = await pour(channel)
    const { id } = await server.database.prisma.channel.findUniqueOrThrow({ where: { name: channel } })
    const readers = await Promise.all(Array.from({ length: READERS }, async (_, n) => {
      const client = await (n % 2 ? server : other).enter(`reader${n}`)
      const frames = record(client)
      const firsts: number[] = []
      let last = 0
      for (let round = 0; round < JOINS; round++) {
        // Half of the joins come after leaving the channel, and half on a connection that is still subscribed.
        if (round % 2 === 0) await client.request({ type: 'leave_channel', channel })
        last = streams(frames).at(-1)?.told.at(-1) ?? last
        const { data } = await client.request({ type: 'join_channel', channel, ...fields(last, id) })
        firsts.push(first(last, data.seq))
        await client.expect(({ type, seq }) => type === 'message' && seq > data.seq)
      }
      return { client, frames, firsts }
    }))
    const total = await stop()
    for (const { client, frames, firsts } of readers) {
      await eventually(() => frames.some(({ type, seq }) => type === 'message' && seq === total))
      await client.settle()
      const joins = streams(frames)
      t.same(joins.map(({ told }) => told[0]), firsts, 'each join begins with the right message')
      t.ok(joins.every(({ told }) => isGapless(told)), 'no join has a gap')
      t.equal(joins.at(-1)!.told.at(-1), total, 'the last join receives the last message')
      if (what.startsWith('with since')) t.ok(joins.every(({ recovered }) => recovered))
    }
    for (const writer of writers) {
      const live = writer.inbox.filter(({ type }) => type === 'message').map(({ seq }) => seq)
      t.ok(isGapless(live))
    }
  })
}
