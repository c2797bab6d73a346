import type { Parley } from '@parley/client'
import { eventually } from '../eventually.ts'
import { startServer, type Scope } from '../helper.ts'
import { t } from '../tap.ts'
import { createClient, settled } from './clients.ts'
import { startLine } from '../../src/testing/line.ts'

const server = await startServer(t)

/** A new person with a client that is connected and shows the inbox. */
async function enter (t: Scope, name: string, url = server.origin) {
  const person = await server.register(name)
  const parley = createClient(t, url, person)
  parley.inbox.subscribe(() => {})
  parley.connect()
  await eventually(() => parley.inbox.getSnapshot().state === 'live')
  return { person, parley, id: person.user.id }
}

/** Opens a channel, and closes it again where the client only has to be a member. */
async function join (parley: Parley, name: string, stays = true) {
  const channel = parley.channel(name)
  const close = channel.open()
  await settled(channel)
  if (!stays) close()
  return channel
}

const row = (parley: Parley, name: string) => {
  const { channels, directs } = parley.inbox.getSnapshot()
  return [...channels, ...directs].find(channel => channel.name === name)
}

/** Waits until the inbox shows so many unread messages in the channel. */
const shows = async (parley: Parley, name: string, unread: number) => eventually(() => row(parley, name)?.unread_count === unread)

t.test('[P44] the inbox shows what others write in channels that are not open, and only messages of others count', async t => {
  const [ann, bob] = [await enter(t, 'ann'), await enter(t, 'bob')]
  const away = await join(ann.parley, 'away', false)
  const talk = await join(bob.parley, 'away')
  await eventually(() => row(ann.parley, 'away'))
  const first = await talk.send('one')
  await talk.send('two')
  await shows(ann.parley, 'away', 2)
  await talk.react(first.id, '+')
  await talk.send('three')
  await shows(ann.parley, 'away', 3)
  t.match(row(ann.parley, 'away'), { last_seq: 4, read_seq: 0 })
  away.open()
  await settled(away)
  t.match(away.getSnapshot(), { readTo: 0, unread: 3 })
  t.equal(row(bob.parley, 'away')?.unread_count, 0, 'own messages are read')
})

t.test('[P43] [P45] a mark shows at once here, in the other tabs, and to the others in the channel', async t => {
  const [ann, bob] = [await enter(t, 'ann'), await enter(t, 'bob')]
  const tab = createClient(t, server.origin, ann.person)
  tab.inbox.subscribe(() => {})
  tab.connect()
  const [here, there] = [await join(ann.parley, 'marks'), await join(bob.parley, 'marks')]
  there.readers.subscribe(() => {})
  for (const text of ['one', 'two', 'three']) await there.send(text)
  await eventually(() => here.getSnapshot().unread === 3)
  for (const one of [tab, ann.parley]) await shows(one, 'marks', 3)
  here.markRead(2)
  t.match(here.getSnapshot(), { readTo: 2, unread: 1 })
  t.equal(row(ann.parley, 'marks')?.unread_count, 1)
  await shows(tab, 'marks', 1)
  await eventually(() => there.readers.getSnapshot()[ann.id] === 2)
  tab.channel('marks').markRead()
  await shows(tab, 'marks', 0)
  await eventually(() => here.getSnapshot().unread === 0)
  await shows(ann.parley, 'marks', 0)
  t.equal((await ann.parley.rest('GET /api/channels', { query: { joined: true } })).channels[0]?.read_seq, 3)
})

t.test('[P47] [P48] a direct channel appears with the first message, and a block ends what the other can write', async t => {
  const [ann, bob] = [await enter(t, 'ann'), await enter(t, 'bob')]
  const direct = await ann.parley.direct(bob.id)
  direct.open()
  await settled(direct)
  await eventually(() => ann.parley.inbox.getSnapshot().directs.length === 1)
  t.same(bob.parley.inbox.getSnapshot().directs, [])
  await direct.send('psst')
  await shows(bob.parley, direct.name, 1)
  t.match(bob.parley.inbox.getSnapshot(), { channels: [], directs: [{ peer: { user_id: ann.id, username: 'ann' } }] })
  const same = await bob.parley.direct(ann.id)
  t.equal(same.name, direct.name)
  same.open()
  await settled(same)
  same.markRead()
  t.equal(row(bob.parley, direct.name)?.unread_count, 0)

  await bob.parley.request('block_user', { user_id: ann.id })
  await t.rejects(direct.send('hello?'), { code: 'blocked' })
  await t.rejects(ann.parley.direct(bob.id), { code: 'blocked' })
  await bob.parley.request('unblock_user', { user_id: ann.id })
  await direct.resend(direct.getSnapshot().outbox[0]!.clientId)
  await eventually(() => same.getSnapshot().messages.length === 2)
})

t.test('[P57] invitations come and go: used, declined, or taken back by a kick', async t => {
  const [ann, bob] = [await enter(t, 'ann'), await enter(t, 'bob')]
  const names = ['used', 'declined', 'ended']
  for (const name of names) {
    await ann.parley.request('create_channel', { name, channel_type: 'private' })
    await ann.parley.channel(name).moderate.invite(bob.id)
  }
  const invited = () => bob.parley.inbox.getSnapshot().invitations.map(({ channel }) => channel).sort()
  await eventually(() => invited().length === 3)
  t.match(bob.parley.inbox.getSnapshot().invitations, [{ username: 'ann' }])
  await join(bob.parley, 'used')
  await eventually(() => !invited().includes('used') && row(bob.parley, 'used'))
  await bob.parley.request('decline_invitation', { channel: 'declined' })
  await ann.parley.channel('ended').moderate.kick(bob.id)
  await eventually(() => invited().length === 0)
  await eventually(() => names.every(name => row(ann.parley, name)))
})

t.test('[C8] over cuts the inbox stays exact: what was written, read, left and opened meanwhile', async t => {
  const line = await startLine(t, server.port)
  const [ann, bob] = [await enter(t, 'ann', line.url), await enter(t, 'bob')]
  for (const name of ['open', 'shut', 'left']) await join(ann.parley, name, name === 'open')
  const [open, shut] = [await join(bob.parley, 'open'), await join(bob.parley, 'shut')]
  const tab = createClient(t, server.origin, ann.person)
  tab.connect()
  for (let i = 1; i <= 3; i++) {
    line.down(true)
    line.cut()
    await eventually(() => ann.parley.getSnapshot().state !== 'online')
    await open.send(`${i}`)
    await shut.send(`${i}`)
    if (i === 2) await tab.request('leave_channel', { channel: 'left' })
    line.down(false)
    await shows(ann.parley, 'open', i)
    await shows(ann.parley, 'shut', i)
  }
  const { channels } = await ann.parley.rest('GET /api/channels', { query: { joined: true } })
  await eventually(() => {
    const shown = ann.parley.inbox.getSnapshot().channels
    return shown.length === channels.length && channels.every(channel => {
      const { last_seq: seq, unread_count: unread, last_message_at: at } = shown.find(({ name }) => name === channel.name)!
      return seq === channel.last_seq && unread === channel.unread_count && at === channel.last_message_at
    })
  })
  t.same(channels.map(({ name }) => name).sort(), ['open', 'shut'])
})
