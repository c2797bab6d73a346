import { uuidv7 } from 'uuidv7'
import { createStores } from '../../src/domain.ts'
import type { Database } from '../../src/store/client.ts'
import { openEmbeddedDatabase, openTestDatabase } from '../routes/rest.ts'
import { createRows } from '../rows.ts'
import { t, type Test } from '../tap.ts'

const databases: Record<string, (t: Test) => Promise<Database>> = {
  PostgreSQL: openTestDatabase,
  'the embedded database': openEmbeddedDatabase
}

/** A database with an admin and two channels. `write` adds messages with these texts to a channel, without the publisher. */
async function prepare (open: (t: Test) => Promise<Database>, t: Test) {
  const database = await open(t)
  const stores = createStores(database)
  const rows = createRows(database)
  const admin = { user: await database.prisma.user.create({ data: { name: 'admin', email: 'admin@example.org', role: 'admin' } }) }
  const channels = [await rows.channel('public', { name: 'a' }), await rows.channel('public', { name: 'b' })] as const
  const actor = { userId: admin.user.id, sid: null }

  async function write (channel: { id: string }, texts: string[]): Promise<void> {
    await database.query(`WITH c AS (UPDATE "Channel" SET "lastSeq" = "lastSeq" + cardinality($2::text[]) WHERE id = $1::uuid RETURNING *)
      INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
      SELECT c.id, c."lastSeq" - cardinality($2::text[]) + t.nr, i.id::uuid, $3::uuid, t.text, now()
      FROM c, unnest($2::text[], $4::text[]) WITH ORDINALITY AS t (text, id, nr) JOIN LATERAL (SELECT t.id) i ON true`,
    [channel.id, texts, admin.user.id, texts.map(() => uuidv7())])
  }

  return {
    database,
    stores,
    channels,
    write,
    /** Indexes all entries. @returns how many batches it took. */
    async index (most: number): Promise<number> {
      let batches = 0
      while (await stores.search.index(most) > 0) batches++
      return batches
    },
    async page (query: string, limit: number) {
      return (await stores.search.find(actor, true, { query, channel: undefined, below: undefined, limit })).messages
    },
    /** Searches to the end, also where the time of a search is over before. @returns texts. */
    async find (query: string, below?: number): Promise<Array<string | null>> {
      const { messages, rest } = await stores.search.find(actor, true, { query, channel: undefined, below, limit: 1000 })
      return [...messages.map(({ message }) => message.message), ...rest === undefined ? [] : await this.find(query, rest)]
    },
    async count (table: 'SearchEntry' | 'SearchPosition'): Promise<number> {
      return (await database.query<{ n: number }>(`SELECT count(*)::int AS n FROM "${table}"`, []))[0]!.n
    }
  }
}

for (const [name, open] of Object.entries(databases)) {
  t.test(`[P70] ${name}: messages from before the index exist in it too, after all newer ones, and are found in their order`, async t => {
    const world = await prepare(open, t)
    const { database, channels: [a, b], write, index } = world
    for (let n = 0; n < 10; n++) await write(n % 2 ? a : b, [`word ${2 * n}`, `word ${2 * n + 1}`])
    // What the migration does where there are messages.
    await database.query('INSERT INTO "SearchPosition" SELECT id, "lastSeq", 0 FROM "Channel" WHERE "lastSeq" > 0', [])
    await write(a, ['word 20'])
    t.ok(await index(3) > 3, 'it takes several batches')
    t.same(await world.find('word'), Array.from({ length: 21 }, (_, n) => `word ${20 - n}`))
    t.equal(await index(3), 0)
  })

  t.test(`[P70] ${name}: what is pruned, and what a deleted channel had, is removed from the index`, async t => {
    const world = await prepare(open, t)
    const { database, stores, channels: [a, b], write, index, count } = world
    await write(a, ['word 1', 'word 2', 'word 3'])
    await write(b, ['word 4'])
    await index(100)
    await stores.pruning.deleteEntries(a.id, 2n)
    t.same([await world.find('word'), await count('SearchEntry')], [['word 4', 'word 3'], 2])
    await database.query('DELETE FROM "Channel" WHERE id = $1::uuid', [b.id])
    const page = await world.page('word', 1)
    t.same([page.map(({ message }) => message.message), await world.find('word')], [['word 3'], ['word 3']])
    await database.query('INSERT INTO "DeletedChannel" (id) VALUES ($1::uuid)', [b.id])
    await stores.messages.purge(100)
    t.same([await count('SearchEntry'), await count('SearchPosition')], [1, 1])
  })

  t.test(`[P70] ${name}: a search whose time is over ends with a place from which it goes on, and none is left out`, async t => {
    const { database, channels: [a], write, index } = await prepare(open, t)
    // Three large blocks of places.
    for (const place of [0, 131_072, 262_144]) {
      await database.query('UPDATE "SearchState" SET "nextPlace" = $1', [place])
      await write(a, [`rare ${place}`])
      await index(10)
    }
    const found: Array<string | null> = []
    let below: number | undefined = Number.MAX_SAFE_INTEGER
    let calls = 0
    for (; below !== undefined && calls < 1000; calls++) {
      const rows: Array<{ code: string | null, place: number, content: string | null }> = await database.query(`
        SELECT f.code, f.place::float8 AS place, m.content
        FROM parley_search((SELECT id FROM "User"), NULL, true, NULL, 'rare', $1::bigint, 10, -1) f
        LEFT JOIN "Message" m ON m."channelId" = f.channel_id AND m.seq = f.seq ORDER BY f.place DESC, f.channel_id NULLS LAST`, [below])
      found.push(...rows.flatMap(({ content }) => content ?? []))
      const last = rows.at(-1)
      below = last?.content === null ? last.place : undefined
    }
    t.same(found, ['rare 262144', 'rare 131072', 'rare 0'])
    t.ok(calls > 2, `${calls} calls`)
  })
}

t.test('[P70] a channel with very many new messages does not hold up another', async t => {
  const world = await prepare(openTestDatabase, t)
  const { channels: [a, b], write, stores } = world
  await write(a, Array.from({ length: 500 }, (_, n) => `word ${n}`))
  await write(b, ['other'])
  await stores.search.index(20)
  t.same(await world.find('other'), ['other'])
})

t.test('[P70] texts that are hard to split into words are indexed in time, and do not hold up others', async t => {
  const world = await prepare(openTestDatabase, t)
  const { channels: [a, b], write, index } = world
  const long = ['a', 'a-', 'a.', '/a', 'a@', '<a', '-', '1.', 'ä', '&a;', 'http://a/', '😀'].map(part => part.repeat(4000 / part.length))
  await write(a, long)
  await write(b, ['other'])
  await index(100)
  t.same(await world.find('other'), ['other'])
})
