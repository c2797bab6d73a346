import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Client, Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { redis, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const server = await startServer(t, { config })
const other = await startServer(t, { config, databaseUrl: server.databaseUrl })
const rows = createRows(server.database)

t.test('[P19] channel_list lists the channels that are visible to the user in pages by name', async t => {
  const ann = await server.enter('ann')
  const names = Array.from({ length: 5 }, (_, i) => `list-${i}`)
  for (const name of names) await rows.channel('public', { name })
  await rows.channel('private', { name: 'list-2-hidden' })
  const found: Frame[] = []
  let cursor: string | undefined
  do {
    const page = await ann.request({ type: 'channel_list', limit: 2, ...cursor !== undefined && { cursor } })
    t.same(Object.keys(page), ['type', 'channels', 'next_cursor'])
    t.ok(page.channels.length === 2 || page.next_cursor === null)
    found.push(...page.channels)
    cursor = page.next_cursor ?? undefined
  } while (cursor)
  t.same(found.map(({ name }) => name), ['general', ...names])
  t.same(Object.keys(found[0]!), ['id', 'name', 'channel_type', 'user_count', 'online_count', 'joined', 'topic'])
  t.match(found[0], { channel_type: 'public', user_count: 0, online_count: 0, joined: false })
})

t.test('[P23] channel_list and user_list count the online users of all instances, and offline members only as members', async t => {
  const name = `z-${randomUUID()}`
  const ann = await server.enter('ann', name)
  const tab = await other.login(ann.person)
  await tab.request({ type: 'join_channel', channel: name })
  const ben = await other.enter('ben', name)
  const away = await server.enter('away', name)
  await away.close()
  for (const client of [ann, ben]) {
    await eventually(async () => {
      const { channels } = await client.request({ type: 'channel_list', limit: 100 })
      const entry = channels.find((channel: Frame) => channel.name === name)
      return entry.user_count === 3 && entry.online_count === 2 && entry.joined === true
    })
    const { users, ...list } = await client.request({ type: 'user_list', channel: name })
    t.same(list, { type: 'user_list', channel: name, count: 2, next_cursor: null })
    // The list is sorted by id, and UUIDv7 ids sort by the time of creation.
    t.same(users, [ann, ben].map(({ person: { user } }) => ({ user_id: user.id, username: user.name, handle: user.handle })))
  }
})

/** Creates users with these names who are online in the channel without a connection. */
async function crowd (channel: string, names: string[], on = server) {
  const users = names.map(name => ({ id: uuidv7(), name }))
  await on.database.prisma.user.createMany({ data: users })
  const { id } = await on.database.prisma.channel.findUniqueOrThrow({ where: { name: channel } })
  for (const user of users) on.presence.enter({ id, name: channel }, { user_id: user.id, username: user.name })
  return users.map(user => ({ user_id: user.id, username: user.name, handle: null }))
}

/** Reads all pages of a channel's `user_list`. */
async function listAll (client: Client, channel: string, limit?: number): Promise<Frame[]> {
  const pages: Frame[] = []
  let cursor: string | undefined
  do {
    pages.push(await client.request({ type: 'user_list', channel, ...limit && { limit }, ...cursor !== undefined && { cursor } }))
    cursor = pages.at(-1)!.next_cursor ?? undefined
  } while (cursor !== undefined)
  return pages
}

t.test('[P59] a user_list of 2,500 users comes in pages of 1,000, each with the total count, and the connection stays', async t => {
  const channel = `big-${randomUUID().slice(0, 8)}`
  const ann = await server.enter('ann', channel)
  const people = await crowd(channel, Array.from({ length: 2500 }, (_, i) => `person ${i}`))
  const pages = await listAll(ann, channel)
  t.same(pages.map(({ users, count }) => [users.length, count]), [[1000, 2501], [1000, 2501], [501, 2501]])
  t.same(pages.flatMap(({ users }) => users).slice(1), people, 'each user once, in order of id')
  t.same((await listAll(ann, channel, 999)).map(({ users }) => users.length), [999, 999, 503])
})

t.test('[P59] with long names a page ends before half of max_buffered, and its cursor goes on from there', async t => {
  const small = await startServer(t, { config: { performance: { max_buffered: 65_536 } } })
  for (const text of ['漢'.repeat(64), '\u0001'.repeat(64), 'x']) {
    const channel = `long-${randomUUID().slice(0, 8)}`
    const ann = await small.enter('ann', channel)
    const people = await crowd(channel, Array.from({ length: 600 }, () => text), small)
    const pages = await listAll(ann, channel)
    t.ok(pages.length > 1)
    t.ok(pages.every(page => Buffer.byteLength(JSON.stringify(page)) <= 32_768))
    t.same(pages.flatMap(({ users }) => users).slice(1), people)
    t.ok(pages.every(({ count }) => count === 601))
  }
})

t.test('[P9] invalid limits and cursors of user_list are refused', async t => {
  for (const fields of [{ limit: 0 }, { limit: 1001 }, { limit: '5' }, { limit: null }, { cursor: '' }, { cursor: '!' }, { cursor: 7 }]) {
    const ann = await server.enter('ann')
    const reply = await ann.exchange({ type: 'user_list', channel: 'general', ...fields })
    t.match(reply, { type: 'error', code: 'invalid_frame', message: /^Invalid message: (limit|cursor): / }, JSON.stringify(fields))
  }
})

t.test('[P9] invalid limits and cursors of channel_list are refused', async t => {
  const wrong = [
    ...[0, 101, -1, 1.5, '5', null, 1e300].map(limit => ({ limit })),
    ...[1, null, '', '!', 'x'.repeat(257), Buffer.from('No Name').toString('base64url')].map(cursor => ({ cursor }))
  ]
  for (const fields of wrong) {
    // Each frame has a new connection, because ten invalid frames close one with 4501.
    const ann = await server.enter('ann')
    const reply = await ann.exchange({ type: 'channel_list', ...fields })
    t.match(reply, { type: 'error', code: 'invalid_frame', message: /^Invalid message: (limit|cursor): / }, JSON.stringify(fields))
  }
})
