import type { Client } from '../client.ts'
import { eventually } from '../eventually.ts'
import { redis, startServer } from '../helper.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const leases = { lease: 5000, renew: 1000 }
const a = await startServer(t, { config, leases })
const b = await startServer(t, { config, leases, databaseUrl: a.databaseUrl })

/** Types of the unread `user_joined` and `user_left` frames of one user. */
const told = ({ inbox }: Client, name: string): string[] =>
  inbox.filter(({ type, username }) => /^user_(joined|left)$/.test(type) && username === name).map(({ type }) => type)

/** Names of the users online in the channel, as the instance of this connection lists them. */
async function online (client: Client, channel: string): Promise<string[]> {
  return (await client.request({ type: 'user_list', channel })).users.map(({ username }: { username: string }) => username).sort()
}

t.test('[P23] tabs on two instances are one user, who is announced once when the first opens and once when the last closes', async t => {
  const here = await a.enter('here', 'room')
  const there = await b.enter('there', 'room')
  await here.expect(({ type, username }) => type === 'user_joined' && username === 'there')
  const ben = await a.enter('ben', 'room')
  for (const client of [here, there]) await client.expect(({ type, username }) => type === 'user_joined' && username === 'ben')
  const tab = await b.login(ben.person)
  await tab.request({ type: 'join_channel', channel: 'room' })
  for (const client of [here, there, ben, tab]) t.same(await online(client, 'room'), ['ben', 'here', 'there'])

  await ben.close()
  // Carl joins and leaves later: an announcement about Ben's first tab would arrive before these two.
  const carl = await a.enter('carl', 'room')
  for (const client of [here, there]) await client.expect(({ type, username }) => type === 'user_joined' && username === 'carl')
  await carl.close()
  for (const client of [here, there]) await client.expect(({ type, username }) => type === 'user_left' && username === 'carl')
  for (const client of [here, there]) {
    t.same(told(client, 'ben'), [], 'the other tab is still connected')
    t.same(await online(client, 'room'), ['ben', 'here', 'there'])
  }

  await tab.close()
  for (const client of [here, there]) {
    await client.expect(({ type, username }) => type === 'user_left' && username === 'ben')
    await client.settle()
    t.same(told(client, 'ben'), [])
    t.same(await online(client, 'room'), ['here', 'there'])
  }
})

t.test('[P23] user_list and online_count cover all instances, also over REST', async t => {
  const ann = await a.enter('ann', 'wide')
  const ben = await b.enter('ben', 'wide')
  await eventually(async () => (await online(ann, 'wide')).length === 2)
  for (const server of [a, b]) {
    const { body } = await server.call('GET', '/api/channels/wide/online', { token: ann.person.access_token })
    t.same(body.users.map(({ username }: { username: string }) => username).sort(), ['ann', 'ben'])
  }
  const { channels } = await ben.request({ type: 'channel_list', limit: 100 })
  t.equal(channels.find(({ name }: { name: string }) => name === 'wide').online_count, 2)
})

t.test('[P23] when an instance closes, the departure of its users is announced once', async t => {
  const c = await startServer(t, { config, leases, databaseUrl: a.databaseUrl })
  const ann = await a.enter('ann', 'closing')
  const ben = await c.enter('ben', 'closing')
  await ann.expect(({ type, username }) => type === 'user_joined' && username === 'ben')
  await c.close()
  t.match(await ben.closed(), { code: 1012, reason: /^service restart retry_after_ms=\d+$/ })
  // Another instance announces the departure only after users have had time to reconnect.
  await ann.expect(({ type, username }) => type === 'user_left' && username === 'ben', 20_000)
  await ann.settle()
  t.same(told(ann, 'ben'), [])
  t.same(await online(ann, 'closing'), ['ann'])
})
