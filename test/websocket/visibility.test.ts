import { randomUUID } from 'node:crypto'
import { commands } from '../../src/requests/table.ts'
import { failure, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t)
const rows = createRows(server.database)

const people = {
  member: await server.enter('member'),
  invited: await server.enter('invited'),
  creator: await server.enter('creator'),
  admin: await server.enter('admin'),
  moderator: await server.enter('moderator'),
  stranger: await server.enter('stranger')
}
type Kind = keyof typeof people
await rows.role(people.admin, 'admin')
await rows.role(people.moderator, 'moderator')

const everyone = Object.keys(people) as Kind[]

/** For each type of channel, the people who can see it and the people who may join it. */
const table: Record<'public' | 'private' | 'admin' | 'moderator', { sees: Kind[], joins: Kind[] }> = {
  public: { sees: everyone, joins: everyone },
  private: { sees: ['member', 'invited', 'creator', 'admin'], joins: ['member', 'invited', 'creator', 'admin'] },
  admin: { sees: everyone, joins: ['admin'] },
  moderator: { sees: everyone, joins: ['admin', 'moderator'] }
}

for (const [type, { sees, joins }] of Object.entries(table) as Array<[keyof typeof table, typeof table[keyof typeof table]]>) {
  t.test(`[P18] [P19] only the right people can see and join a channel of type ${type}`, async t => {
    const channel = await rows.channel(type, { name: `v-${type}-${randomUUID()}`, creator: people.creator })
    await rows.member(channel, people.member)
    await rows.invitation(channel, people.invited)
    for (const [kind, client] of Object.entries(people) as Array<[Kind, typeof people[Kind]]>) {
      const token = client.person.access_token
      const isSeen = sees.includes(kind)
      for (const path of ['', '/messages', '/members', '/online']) {
        const { status, body } = await server.call('GET', `/api/channels/${channel.name}${path}`, { token })
        const mayRead = path === '' || joins.includes(kind)
        t.equal(status, !isSeen ? 404 : mayRead ? 200 : 403, `${kind}: GET ${path}`)
        if (!isSeen) t.same(body, { statusCode: 404, error: 'Not Found', code: 'channel_not_found', message: 'Channel not found' })
      }
      const users = await client.exchange({ type: 'user_list', channel: channel.name })
      const listed = joins.includes(kind) ? 'user_list' : isSeen ? 'not_authorized' : 'channel_not_found'
      t.equal(users.code ?? users.type, listed, `${kind}: user_list`)
      const list = await client.request({ type: 'channel_list', limit: 100 })
      t.equal(list.channels.some(({ id }: { id: string }) => id === channel.id), isSeen, `${kind}: channel_list`)
      const { body } = await server.call('GET', '/api/channels?limit=100', { token })
      t.equal(body.channels.some(({ id }: { id: string }) => id === channel.id), isSeen, `${kind}: GET /api/channels`)
      const send = await client.exchange({ type: 'send_message', channel: channel.name, message: 'x' })
      t.equal(send.code, 'not_in_channel', `${kind}: a send without a subscription`)

      const joined = await client.exchange({ type: 'join_channel', channel: channel.name })
      const outcome = joins.includes(kind) ? 'channel_joined' : isSeen ? 'not_authorized' : 'channel_not_found'
      t.equal(joined.code ?? joined.action, outcome, `${kind}: join`)
      if (isSeen) continue
      t.same(await client.exchange({ type: 'leave_channel', channel: channel.name }), failure('channel_not_found'), `${kind}: leave`)
    }
  })
}

t.test('[P19] joining uses up an invitation; a user who then leaves a private channel cannot see it any more', async t => {
  const guest = await server.enter('guest')
  const channel = await rows.channel('private')
  await rows.invitation(channel, guest)
  await guest.request({ type: 'join_channel', channel: channel.name })
  t.equal(await server.database.prisma.channelInvite.count({ where: { channelId: channel.id } }), 0)
  await guest.request({ type: 'leave_channel', channel: channel.name })
  t.equal((await guest.exchange({ type: 'join_channel', channel: channel.name })).code, 'channel_not_found')
})

t.test('[P19] a missing channel and an invisible private channel give the same answer to every request', async t => {
  const stranger = await server.enter('stranger')
  const hidden = await rows.channel('private')
  const message = await rows.message(hidden, people.creator)
  const token = stranger.person.access_token
  for (const type of ['user_list', 'leave_channel', 'send_message']) {
    const [there, absent] = [hidden.name, 'no-such-channel'].map(channel => stranger.exchange({ type, channel, message: 'x' }))
    t.same(await there, await absent, type)
  }
  for (const [command, row] of Object.entries(commands).filter(([name]) => name !== 'create_channel')) {
    const [there, absent] = [hidden.name, 'no-such-channel'].map(channel =>
      stranger.exchange({ command, channel, id: message, message: 'y', topic: 'z', reaction: '👍', user_id: people.creator.person.user.id }))
    t.same(await there, failure(row.subscribed ? 'not_in_channel' : 'channel_not_found'), command)
    t.same(await absent, await there)
  }
  const calls: Array<[string, string, object?]> = [
    ['GET', ''], ['PATCH', '', { channel_type: 'public' }], ['DELETE', ''],
    ['GET', '/messages'], ['GET', '/messages?around=1'], ['POST', '/messages', { message: 'x' }], ['GET', '/members'], ['GET', '/online'],
    ['GET', `/messages/${message}`],
    ['PATCH', `/messages/${message}`, { message: 'y' }], ['DELETE', `/messages/${message}`],
    ...['bans', 'mutes', 'moderators', 'log'].map((list): [string, string] => ['GET', `/${list}`]),
    ...['members', 'bans', 'mutes', 'moderators'].flatMap(list => [people.creator.person.user.id, randomUUID(), 'nobody'].flatMap(
      (id): Array<[string, string]> => [['PUT', `/${list}/${id}`], ['DELETE', `/${list}/${id}`]]))
  ]
  for (const [method, path, body] of calls) {
    const there = await server.call(method, `/api/channels/${hidden.name}${path}`, { token, body })
    const absent = await server.call(method, `/api/channels/no-such-channel${path}`, { token, body })
    t.same([there.status, there.body], [absent.status, absent.body], `${method} ${path}`)
    t.equal(there.status, 404)
  }
})
