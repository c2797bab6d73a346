import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { redis, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'

const config = { redis: redis() }
const server = await startServer(t, { config })
const other = await startServer(t, { config, databaseUrl: server.databaseUrl })
const rows = createRows(server.database)

t.test('[P19] channel_list pages through what one may know of, by name', async t => {
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
  t.same(Object.keys(found[0]!), ['id', 'name', 'channel_type', 'user_count', 'online_count', 'joined'])
  t.match(found[0], { channel_type: 'public', user_count: 0, online_count: 0, joined: false })
})

t.test('[P23] channel_list and user_list count who is online on all instances; a member offline counts as member only', async t => {
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
    t.same(list, { type: 'user_list', channel: name, count: 2 })
    // Ids are made in the order of time.
    t.same(users, [ann, ben].map(({ person: { user } }) => ({ user_id: user.id, username: user.name })))
  }
})

t.test('[P9] a limit or cursor that is none', async t => {
  const wrong = [
    ...[0, 101, -1, 1.5, '5', null, 1e300].map(limit => ({ limit })),
    ...[1, null, '', '!', 'x'.repeat(257), Buffer.from('No Name').toString('base64url')].map(cursor => ({ cursor }))
  ]
  for (const fields of wrong) {
    // Ten such frames would end a connection.
    const ann = await server.enter('ann')
    const reply = await ann.exchange({ type: 'channel_list', ...fields })
    t.match(reply, { type: 'error', code: 'invalid_frame', message: /^Invalid message: (limit|cursor): / }, JSON.stringify(fields))
  }
})
