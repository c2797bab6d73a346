import { createParley, type WebSocketLike } from '@parley/client'
import WebSocket from 'ws'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { startServer, type Scope } from '../helper.ts'
import { t } from '../tap.ts'
import { createClient, historyOf, settled } from './clients.ts'

const server = await startServer(t)
const socketClass = WebSocket as unknown as WebSocketLike

/** A new person with a client that is connected and has opened this channel. */
async function enter (t: Scope, name: string, channelName: string, url = server.origin) {
  const person = await server.register(name)
  const parley = createClient(t, url, person)
  const channel = parley.channel(channelName)
  channel.open()
  parley.connect()
  await settled(channel)
  return { person, parley, channel }
}

t.test('[C1] [C3] two clients exchange messages with data, replies, edits, deletions, signals and who is online', async t => {
  const ann = await enter(t, 'ann', 'talk')
  const bob = await enter(t, 'bob', 'talk')
  const first = await ann.channel.send('first', { data: { mood: ['good'] } })
  const second = await bob.channel.send('second', { replyTo: first.id })
  await ann.channel.edit(first.id, 'FIRST')
  await bob.channel.remove(second.id)
  const history = await historyOf(server, ann.person, 'talk')
  for (const { channel } of [ann, bob]) {
    await eventually(() => channel.getSnapshot().messages.at(-1)?.deleted)
    t.same(channel.getSnapshot().messages, history)
  }
  ann.channel.typing()
  await eventually(() => bob.channel.getSnapshot().typing.length === 1)
  const online = bob.channel.presence
  await eventually(() => online.getSnapshot().count === 2)
  t.same(online.getSnapshot().online.map(({ username }) => username).sort(), ['ann', 'bob'])
  await ann.parley.disconnect()
  await eventually(() => online.getSnapshot().count === 1)
})

t.test('moderators mute, ban and unban, read the lists, and the others see what happens to them', async t => {
  const ann = await enter(t, 'ann', 'strict')
  await ann.parley.request('create_channel', { name: 'ruled', topic: 'rules' })
  const [ruled, bob] = [ann.parley.channel('ruled'), await enter(t, 'bob', 'ruled')]
  ruled.open()
  await settled(ruled)
  t.match(ruled.getSnapshot().details, { topic: 'rules', me: { is_moderator: true } })
  const { user: { id } } = bob.person
  await ruled.moderate.mute(id, { duration: 60 })
  await t.rejects(bob.channel.send('hush'), { code: 'muted', again: true, retryAfterMs: Number })
  t.match(await ruled.moderate.mutes(), { mutes: [{ user_id: id }] })
  await ruled.moderate.unmute(id)
  await bob.channel.resend(bob.channel.getSnapshot().outbox[0]!.clientId)
  await ruled.moderate.ban(id, { reason: 'enough' })
  await eventually(() => bob.channel.getSnapshot().state === 'closed')
  const ban = { code: 'banned', details: { reason: 'enough', expiresAt: null } }
  t.match(bob.channel.getSnapshot().error, ban, 'the notice says why')
  bob.channel.open()
  await eventually(() => bob.channel.getSnapshot().state === 'closed')
  t.match(bob.channel.getSnapshot().error, ban, 'the refusal of the join says it too')
  t.match(await ruled.moderate.bans({ limit: 10 }), { bans: [{ user_id: id, reason: 'enough' }] })
  await t.rejects(bob.channel.moderate.unban(id), { code: 'not_authorized' })
  await ruled.moderate.unban(id)
  bob.channel.open()
  await settled(bob.channel)
  await bob.channel.leave()
  t.equal(bob.channel.getSnapshot().state, 'closed')
})

t.test('[C7] an account registers, connects, is renewed on the open socket, and logs out', async t => {
  const { origin, lines } = await startServer(t, { config: { authentication: { token_expiry: 5 } } })
  const parley = createParley({ url: origin, WebSocket: socketClass, storage: 'memory' })
  t.teardown(() => parley.disconnect())
  const email = 'ann@example.org'
  await parley.account.register({ email, name: 'Ann', password: 'correct horse' })
  parley.connect()
  const user = await eventually(() => {
    const state = parley.getSnapshot()
    return state.state === 'online' && state.user
  })
  t.same(user, parley.account.getSnapshot())
  const states: string[] = []
  parley.subscribe(() => states.push(parley.getSnapshot().state))
  await eventually(() => lines.filter(line => line.includes('/api/auth/refresh')).length >= 3, 20_000)
  t.same(states, [])
  t.match(await parley.rest('GET /api/me'), { email })
  t.equal(JSON.parse((await parley.rest('GET /api/me/export')).trimEnd().split('\n').at(-1)!).type, 'end', 'an export is handed on as text')
  await t.rejects(parley.rest('GET /api/channels/:name', { params: { name: 'unknown' } }), { code: 'channel_not_found' })
  await parley.account.update({ name: 'Anna' })
  t.match(parley.account.getSnapshot(), { username: 'Anna' })
  await parley.account.logout()
  await eventually(() => parley.getSnapshot().state === 'ended')
  await t.rejects(parley.rest('GET /api/me'), { code: 'not_authenticated' })
})

t.test('[C5] [C8] cut, half-closed and refused connections come back by themselves, with all that was missed', async t => {
  const line = await startLine(t, server.port)
  const ann = await enter(t, 'ann', 'cut', line.url)
  const bob = await enter(t, 'bob', 'cut')
  for (const [i, harm] of [line.cut, line.halfClose, line.cut].entries()) {
    line.down(i === 2)
    harm()
    await eventually(() => ann.parley.getSnapshot().state !== 'online')
    await bob.channel.send(`missed ${i}`)
    const own = ann.channel.send(`own ${i}`)
    line.down(false)
    await own
  }
  await settled(ann.channel)
  t.same(ann.channel.getSnapshot().messages, await historyOf(server, ann.person, 'cut'))
  t.equal(ann.channel.getSnapshot().messages.length, 6)
})

t.test('[C6] a stalled connection is noticed without the help of the operating system, and a slow one is not ended', async t => {
  const { port, register } = await startServer(t, { config: { performance: { heartbeat_interval: 1 } } })
  const line = await startLine(t, port)
  const person = await register('ann')
  const parley = createClient(t, line.url, person)
  const channel = parley.channel('slow')
  channel.open()
  parley.connect()
  await settled(channel)
  line.delay(300)
  for (let i = 0; i < 5; i++) await channel.send(`${i}`)
  t.equal(parley.getSnapshot().state, 'online')
  line.delay(0)
  line.stall()
  await eventually(() => parley.getSnapshot().state !== 'online')
  await channel.send('over the next connection')
})

t.test('[C3] sends that come too early in slow mode are stored in their order all the same', async t => {
  const ann = await enter(t, 'ann', 'lobby')
  await ann.parley.request('create_channel', { name: 'slow', slow_mode: 1 })
  const { person, channel } = await enter(t, 'bob', 'slow')
  const texts = ['one', 'two', 'three']
  await Promise.all(texts.map(text => channel.send(text)))
  t.same((await historyOf(server, person, 'slow')).map(({ message }) => message), texts)
})
