import type { Frame } from '../client.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { redis, startServer } from '../helper.ts'
import { t } from '../tap.ts'

const bus = await startRedis(t)
const config = { redis: { ...redis(), url: bus.url } }
const a = await startServer(t, { config })
const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
await bus.kill()
await eventually(() => !a.broker.connected && !b.broker.connected)

t.test('[P43] [P44] with the bus down, positions reach the other instance, and activity this instance\'s own connections', async t => {
  const [ann, ben] = [await a.enter('ann', 'room'), await b.enter('ben', 'room')]
  const there = await b.login(ann.person)
  const client = await a.connect()
  await client.request({ type: 'authenticate', token: ann.person.access_token, activity: true })
  await ben.request({ type: 'send_message', channel: 'room', message: 'x' })
  await ann.expect('message')
  t.match(await ann.exchange({ type: 'mark_read', channel: 'room', seq: 1 }), { data: { seq: 1 } })
  t.match(await client.expect('read_marker'), { seq: 1 })
  await eventually(async () => {
    const { channels } = await there.request({ type: 'channel_list', joined: true })
    return channels.find(({ name }: Frame) => name === 'room').read_seq === 1
  })
  await ann.request({ type: 'send_message', channel: 'room', message: 'x' })
  t.match(await client.expect('channel_activity'), { channel: 'room', seq: 2 })
})
