import { eventually, nextMillisecond } from '../eventually.ts'
import { startServer, type Person, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t, type Test } from '../tap.ts'
import { counts, settings } from './settings.ts'

type Where = '/api/messages' | '/api/admin/messages'
interface Found { id: string, seq: number, channel: string, message: string }

/** Makes one search. `query` may have any parameters. */
async function ask (server: Server, where: Where, query: Record<string, string>, by: Person) {
  return server.call('GET', `${where}?${new URLSearchParams(query)}`, { token: by.access_token })
}

/** Searches until these messages are found, newest first: the index may be some seconds behind. */
async function finds (t: Test, server: Server, where: Where, query: Record<string, string>, by: Person, texts: string[]): Promise<Found[]> {
  let found: Found[] = []
  await eventually(async () => {
    const { body } = await ask(server, where, query, by)
    found = body.messages ?? []
    return JSON.stringify(found.map(({ message }) => message)) === JSON.stringify(texts)
  }, 20_000).catch(() => {})
  t.same(found.map(({ message }) => message), texts, `${where} ${JSON.stringify(query)}`)
  return found
}

const unlimited = { limits: { search_requests: 100_000 } }

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P70] search on ${name}`, async t => {
    const [a, b] = await start(t, unlimited)

    t.test('[P70] members find the messages with all words, a phrase, or without a word, newest first', async t => {
      const ann = await a.enter('ann', 'tea', 'cake')
      const send = (channel: string, message: string, more: object = {}) => ann.request({ type: 'send_message', channel, message, ...more })
      await send('tea', 'Green TEA is warm')
      await send('cake', 'warm cake, green tea', { client_id: 'c', data: { a: 1 } })
      await send('tea', 'tea is green')
      const find = (query: string, texts: string[], more: object = {}) =>
        finds(t, b, '/api/messages', { query, ...more }, ann.person, texts)

      const found = await find('green tea', ['tea is green', 'warm cake, green tea', 'Green TEA is warm'])
      const { body: history } = await b.call('GET', '/api/channels/cake/messages', { token: ann.person.access_token })
      t.same(found[1], history.messages[0], 'a result is the message as history shows it')
      await find('"green tea"', ['warm cake, green tea', 'Green TEA is warm'])
      await find('tea -warm', ['tea is green'])
      await find('cake or is', ['tea is green', 'warm cake, green tea', 'Green TEA is warm'])
      await find('-green', [])
      await find('gree', [])
      await find('green tea', ['tea is green', 'Green TEA is warm'], { channel: 'tea' })
      for (const odd of ['!!!', '& | ! ( ) <->', '"', '\'', '\\', ' block 0', '"  admins"', ':*', 'a:*b', '-', '"" -']) {
        t.match(await ask(a, '/api/messages', { query: odd }, ann.person), { status: 200, body: { messages: [], next_cursor: null } }, odd)
      }
    })

    t.test('[P70] a search shows edits and deletions', async t => {
      const ann = await a.enter('ann', 'changes')
      const send = async (message: string): Promise<string> =>
        (await ann.request({ type: 'send_message', channel: 'changes', message })).data.id
      const [edited, deleted] = [await send('old words'), await send('old secret')]
      await finds(t, b, '/api/messages', { query: 'old' }, ann.person, ['old secret', 'old words'])
      await ann.request({ type: 'command', command: 'edit_message', channel: 'changes', id: edited, message: 'new words' })
      await ann.request({ type: 'command', command: 'delete_message', channel: 'changes', id: deleted })
      t.match(await ask(b, '/api/messages', { query: 'old' }, ann.person), { body: { messages: [] } }, 'at once')
      await finds(t, b, '/api/messages', { query: 'new' }, ann.person, ['new words'])
      await eventually(async () => {
        const [row] = await a.database.query<{ left: number }>(`SELECT count(*)::int AS left
          FROM "SearchEntry" s JOIN "Channel" c ON c.id = s."channelId" WHERE c.name = 'changes'`, [])
        return row!.left === 1
      }, 10_000)
    })

    t.test('[P70] nobody finds a message that they may not read', async t => {
      const rows = createRows(a.database)
      const [ann, ben, admin] = [await a.register('ann'), await a.register('ben'), await a.register('admin')]
      await rows.role(admin, 'admin')
      const channels = {
        mine: await rows.channel('private', { name: 'mine' }),
        banned: await rows.channel('public', { name: 'banned' }),
        raised: await rows.channel('moderator', { name: 'raised' }),
        open: await rows.channel('public', { name: 'open' }),
        hidden: await rows.channel('private', { name: 'hidden' })
      }
      const write = (channel: { id: string }, text: string) => a.database.query(`WITH c AS (
          UPDATE "Channel" SET "lastSeq" = "lastSeq" + 1 WHERE id = $1::uuid RETURNING id, "lastSeq")
        INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
        SELECT id, "lastSeq", parley_new_id(), $2::uuid, $3, now() FROM c`, [channel.id, ben.user.id, text])
      for (const [name, channel] of Object.entries(channels)) {
        await nextMillisecond()
        await write(channel, `word ${name}`)
        await rows.member(channel, ben)
        if (name !== 'open' && name !== 'hidden') await rows.member(channel, ann)
      }
      await rows.ban(channels.banned, ann)
      const all = ['hidden', 'open', 'raised', 'banned', 'mine'].map(channel => `word ${channel}`)
      await finds(t, b, '/api/admin/messages', { query: 'word' }, admin, all)
      await finds(t, b, '/api/admin/messages', { query: 'word', channel: 'hidden' }, admin, ['word hidden'])
      await finds(t, b, '/api/messages', { query: 'word' }, ann, ['word mine'])
      await finds(t, b, '/api/messages', { query: 'word' }, admin, [])
      const refusals = {
        banned: 'banned', raised: 'not_authorized', open: 'not_in_channel', hidden: 'channel_not_found', nowhere: 'channel_not_found'
      }
      for (const [channel, code] of Object.entries(refusals)) {
        t.match(await ask(a, '/api/messages', { query: 'word', channel }, ann), { body: { code } }, channel)
      }
      const nowhere = await ask(a, '/api/admin/messages', { query: 'word', channel: 'nowhere' }, admin)
      t.match(nowhere, { status: 404, body: { code: 'channel_not_found' } })
      t.match(await ask(a, '/api/admin/messages', { query: 'word' }, ann), { status: 403, body: { code: 'not_authorized' } })
      t.match(await ask(a, '/api/admin/messages', {}, ann), { status: 403, body: { code: 'not_authorized' } })
      await a.database.query('DELETE FROM "ChannelUser" WHERE "userId" = $1::uuid', [ann.user.id])
      await finds(t, b, '/api/messages', { query: 'word' }, ann, [])

      await t.test('an admin never finds messages of a channel type that is not for admins', async t => {
        await a.database.query('ALTER TYPE "ChannelType" ADD VALUE IF NOT EXISTS \'direct\'', [])
        const direct = await rows.channel('public', { name: 'direct-0' })
        await rows.member(direct, ben)
        await rows.member(direct, admin)
        await a.database.query('UPDATE "Channel" SET "channelType" = \'direct\' WHERE id = $1::uuid', [direct.id])
        await write(direct, 'word direct')
        await finds(t, b, '/api/messages', { query: 'direct' }, ben, ['word direct'])
        t.match(await ask(b, '/api/admin/messages', { query: 'direct' }, admin), { body: { messages: [] } })
        const inDirect = await ask(b, '/api/admin/messages', { query: 'direct', channel: 'direct-0' }, admin)
        t.match(inDirect, { body: { code: 'channel_not_found' } })
      })
    })

    t.test('[P70] pages have no gaps and no doubles while messages arrive', async t => {
      const ann = await a.enter('ann', 'first', 'second')
      const texts: string[] = []
      for (let n = 0; n < 20; n++) {
        texts.unshift(`page ${n}`)
        await ann.request({ type: 'send_message', channel: n % 3 ? 'first' : 'second', message: `page ${n}` })
      }
      await finds(t, b, '/api/messages', { query: 'page' }, ann.person, texts)
      const seen: string[] = []
      let cursor: string | null | undefined
      for (let page = 0; cursor !== null; page++) {
        const { body } = await ask(b, '/api/messages', { query: 'page', limit: '3', ...cursor && { cursor } }, ann.person)
        seen.push(...body.messages.map(({ message }: Found) => message))
        cursor = body.next_cursor
        await ann.request({ type: 'send_message', channel: 'first', message: `page later ${page}` })
      }
      t.same(seen, texts)
    })
  })
}

for (const [name, start] of Object.entries(counts)) {
  t.test(`[P70] the number of searches a minute is limited for each user, on ${name}`, async t => {
    const [limited, other] = await start(t, { limits: { search_requests: 2 } })
    const [ann, ben] = [await limited.register('ann'), await limited.register('ben')]
    const statuses: number[] = []
    for (const server of [limited, other, limited]) statuses.push((await ask(server, '/api/messages', { query: 'x' }, ann)).status)
    t.same(statuses, [200, 200, 429])
    const refused = await ask(other, '/api/admin/messages', { query: 'x' }, ben)
    t.equal(refused.body.code, 'not_authorized')
    const { body } = await ask(other, '/api/messages', { query: 'x' }, ann)
    t.match(body, { code: 'rate_limited' })
    t.ok(body.retry_after_ms > 0 && body.retry_after_ms <= 60_000, `${body.retry_after_ms} ms`)
    t.equal((await ask(other, '/api/messages', { query: 'x' }, ben)).status, 200)
  })
}

t.test('[P70] a search with bad input is refused', async t => {
  const a = await startServer(t, { config: unlimited })
  const ann = await a.register('ann')
  t.equal((await a.call('GET', '/api/messages?query=x')).status, 401)
  const cases: Array<[string, string]> = [
    ['', 'invalid_request'], ['query=', 'invalid_request'], ['query=%20%09', 'invalid_request'], ['query=a%00', 'invalid_request'],
    [`query=${'a'.repeat(201)}`, 'invalid_request'],
    [`query=${encodeURIComponent('😀'.repeat(201))}`, 'invalid_request'],
    ['query=a&query=b', 'invalid_request'], ['query=a&limit=0', 'invalid_request'], ['query=a&limit=101', 'invalid_request'],
    ['query=a&limit=x', 'invalid_request'], ['query=a&cursor=x', 'invalid_request'], ['query=a&cursor=', 'invalid_request'],
    [`query=a&cursor=${Buffer.from('9999999999999999').toString('base64url')}`, 'invalid_request'],
    ['query=a&other=1', 'invalid_request'],
    ['query=a&channel=NO', 'invalid_channel_name'], ['query=a&channel=', 'invalid_channel_name'],
    ['query=a&channel=a%00', 'invalid_channel_name']
  ]
  for (const [query, code] of cases) {
    const { status, body } = await a.call('GET', `/api/messages?${query}`, { token: ann.access_token })
    t.match({ status, body }, { status: 400, body: { code } }, query.slice(0, 60))
  }
  t.equal((await ask(a, '/api/messages', { query: '😀'.repeat(200) }, ann)).status, 200)
})
