import { createHash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Client, Frame } from '../client.ts'
import { failure, type Person, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { settings } from './settings.ts'

type User = Client & { person: Person }

const idOf = ({ person }: User): string => person.user.id
const open = (client: Client, peer: string): Promise<Frame> => client.exchange({ type: 'open_direct', user_id: peer })
const say = (client: Client, channel: string, message = 'hello'): Promise<Frame> =>
  client.exchange({ type: 'send_message', channel, message })
const join = (client: Client, channel: string): Promise<Frame> => client.exchange({ type: 'join_channel', channel })
const get = (server: Server, { person }: User, path: string) => server.call('GET', path, { token: person.access_token })

async function listed (client: Client): Promise<Frame[]> {
  return (await client.request({ type: 'channel_list', limit: 100 })).channels.filter(({ channel_type: type }: Frame) => type === 'direct')
}

/** The name that the rule gives the direct channel of two users. */
function nameOf (...users: User[]): string {
  const ids = users.map(idOf).sort().map(id => Buffer.from(id.replaceAll('-', ''), 'hex'))
  return `direct-${createHash('sha256').update(Buffer.concat(ids)).digest('hex').slice(0, 32)}`
}

/** Bad fields of `open_direct` with the code of the error over WebSocket and over REST. */
const bad: Array<[object, string, string?]> = [
  [{}, 'user_required'], [{ user_id: null }, 'user_required'], [{ user_id: ' ' }, 'user_required'],
  [{ user_id: 7 }, 'invalid_frame', 'invalid_request'], [{ user_id: ['x'] }, 'invalid_frame', 'invalid_request'],
  [{ user_id: 'someone' }, 'user_not_found'], [{ user_id: 'a\0b' }, 'user_not_found'], [{ user_id: '\ud83d' }, 'user_not_found'],
  [{ user_id: 'x'.repeat(5000) }, 'user_not_found'], [{ user_id: uuidv7() }, 'user_not_found']
]

/** Commands that nobody may give in a direct channel. */
const forbidden: Array<[string, object]> = [
  ['invite_user', {}], ['kick_user', {}], ['ban_user', {}], ['unban_user', {}], ['mute_user', {}], ['unmute_user', {}],
  ['add_moderator', {}], ['remove_moderator', {}], ['update_channel', { topic: 'x' }], ['update_channel', { slow_mode: 5 }],
  ['update_channel', { retention: 5 }], ['update_channel', { channel_type: 'public' }], ['delete_channel', {}]
]

/** Limits that no other test of this file reaches: each has its own users. */
const limits = {
  channels: { max_channels_per_user: 2, max_users_per_channel: 2, max_created_per_user: 2 }, limits: { user_channels_created: 6 }
}

/** REST requests about a channel that ask for something. */
const reads = ['', '/messages', `/messages/${uuidv7()}`, '/members', '/online', '/moderators', '/bans', '/mutes', '/log']

for (const [setting, start] of Object.entries(settings)) {
  t.test(`[P47] direct channels on ${setting}`, async t => {
    const [a, b] = await start(t, limits)
    const rows = createRows(a.database)
    const { prisma } = a.database

    t.test('[P47] opening makes the one channel of two users, whoever opens it and how; both are members and see their peer', async t => {
      const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
      const name = nameOf(ann, ben)
      const { data: { channel }, ...reply } = await open(ann, idOf(ben).toUpperCase())
      t.same(reply, { type: 'success', action: 'direct_opened' })
      t.match(channel, {
        id: /./, name, channel_type: 'direct', created_by: null, user_count: 2, last_seq: 0, topic: '', slow_mode: 0, retention: null,
        peer: { user_id: idOf(ben), username: 'ben' }
      })
      t.notOk((await ben.settle()).some(({ type }) => type === 'direct_opened'), 'nothing is told before the first message')

      const asked = await b.call('POST', '/api/directs', { token: ben.person.access_token, body: { user_id: idOf(ann) } })
      t.match(asked, { status: 200, body: { ...channel, peer: { user_id: idOf(ann), username: 'ann' } } })
      t.match((await a.call('POST', '/api/directs', { token: ann.person.access_token, body: { user_id: idOf(await b.enter('carl')) } })),
        { status: 201, body: { channel_type: 'direct', peer: { username: 'carl' } } })

      const peer = { user_id: idOf(ann), username: 'ann' }
      t.match(await listed(ben), [{ id: channel.id, name, channel_type: 'direct', joined: true, peer }])
      t.match((await get(b, ben, '/api/channels?type=direct')).body, { channels: [{ name, peer }], next_cursor: null })
      t.match((await get(b, ben, '/api/channels')).body.channels.find((found: Frame) => found.id === channel.id), { peer })
      t.match((await get(a, ann, `/api/channels/${name}`)).body, { name, peer: { username: 'ben' } })
      t.match((await join(ben, name)).data, {
        channel: name, channel_type: 'direct', user_count: 2, me: { is_moderator: false, muted_until: null }, peer
      })
      t.notOk('peer' in (await join(ben, 'general')).data, 'other channels have no peer')
      const { body: { members } } = await get(a, ann, `/api/channels/${name}/members`)
      t.same(members.map(({ username }: Frame) => username).sort(), ['ann', 'ben'])
    })

    t.test('[P47] the peer learns of the channel by its first message, on all connections, and of later ones not again', async t => {
      const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
      const tabs = [ben, await a.login(ben.person), await b.login(ben.person)]
      const annsTab = await b.login(ann.person)
      const { data: { channel: { id, name } } } = await open(ann, idOf(ben))
      t.match(await annsTab.expect('direct_opened'), { channel: { id, name, peer: { username: 'ben' } }, timestamp: /Z$/ })
      await join(ann, name)
      t.match(await say(ann, name), { data: { seq: 1 } })
      for (const tab of tabs) t.match(await tab.expect('direct_opened'), { channel: { id, name, last_seq: 1, peer: { username: 'ann' } } })
      await join(ben, name)
      await say(ann, name, 'again')
      t.match(await ben.expect('message'), { seq: 2, message: 'again', username: 'ann' })
      await say(ben, name, 'yes?')
      await ann.expect(({ message }) => message === 'yes?')
      for (const client of [...tabs, ann, annsTab]) {
        t.notOk((await client.settle()).some(({ type }) => type === 'direct_opened'))
      }
      const { body } = await get(b, ben, `/api/channels/${name}/messages`)
      t.same(body.messages.map(({ message }: Frame) => message), ['hello', 'again', 'yes?'])
    })

    t.test('[P47] both open at once at two instances: one channel with both as members', async t => {
      for (let round = 0; round < 4; round++) {
        const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
        const replies = await Promise.all([open(ann, idOf(ben)), open(ben, idOf(ann)), open(ann, idOf(ben))])
        t.equal(new Set(replies.map(({ data }) => data.channel.id)).size, 1)
        const id = replies[0]!.data.channel.id as string
        t.equal(await prisma.channel.count({ where: { name: nameOf(ann, ben) } }), 1)
        t.equal(await prisma.channelUser.count({ where: { channelId: id } }), 2)
        t.equal((await prisma.channel.findUniqueOrThrow({ where: { id } })).userCount, 2)
      }
    })

    t.test('[P47] nobody else sees the channel, admins neither', async t => {
      const [ann, ben, root, eve] = [await a.enter('ann'), await b.enter('ben'), await b.enter('root'), await a.enter('eve')]
      await rows.role(root, 'admin')
      const name = nameOf(ann, ben)
      const id = (await open(ann, idOf(ben))).data.channel.id
      await join(ann, name)
      const { data: { id: message } } = await say(ann, name)
      for (const [server, user] of [[b, root], [a, eve]] as const) {
        for (const path of reads) {
          const { status, body } = await get(server, user, `/api/channels/${name}${path}`)
          t.same([status, body.code], [404, 'channel_not_found'], `${user.person.user.name}: ${path}`)
        }
        t.same(await join(user, name), failure('channel_not_found'))
        t.same(await user.exchange({ type: 'leave_channel', channel: name }), failure('channel_not_found'))
        t.same(await user.exchange({ type: 'user_list', channel: name }), failure('channel_not_found'))
        t.same(await say(user, name), failure('not_in_channel'))
        const changes: typeof forbidden = [['edit_message', { id: message, message: 'x' }], ['delete_message', { id: message }]]
        for (const [command, fields] of [...forbidden, ...changes]) {
          t.same(await user.exchange({ command, channel: name, user_id: idOf(ben), ...fields }), failure('channel_not_found'), command)
        }
        for (const [path, body] of [['messages', { message: 'x' }], ['signals', { event: 'typing' }]] as const) {
          const { status } = await server.call('POST', `/api/channels/${name}/${path}`, { token: user.person.access_token, body })
          t.equal(status, 404, path)
        }
        for (const query of ['', '?type=direct', '?type=private']) {
          t.notOk((await get(server, user, `/api/channels${query}`)).body.channels.some((channel: Frame) => channel.name === name), query)
        }
        t.same(await listed(user), [])
      }
      const { body } = await b.call('POST', '/api/admin/invitation-codes', { token: root.person.access_token, body: { channels: [name] } })
      t.equal(body.code, 'channel_not_found')
      const { body: { log } } = await get(b, root, '/api/admin/log?limit=100')
      t.notOk(log.some((line: Frame) => line.channel === name || line.channel_id === id))
    })

    t.test('[P47] nobody is invited, kicked, banned, muted or made moderator in it, and it is neither changed nor deleted', async t => {
      const [ann, ben, carl] = [await a.enter('ann'), await b.enter('ben'), await a.enter('carl')]
      const { data: { channel: { id, name } } } = await open(ann, idOf(ben))
      const targets = [ann, ben, carl]
      for (const [turn, role] of (['user', 'moderator', 'admin'] as const).entries()) {
        await rows.role(ann, role)
        // Each role gives each command, and each target is that of each command once.
        for (const [i, [command, fields]] of forbidden.entries()) {
          const reply = await ann.exchange({ command, channel: name, user_id: idOf(targets[(turn + i) % 3]!), ...fields })
          t.same(reply, failure('not_authorized'), `${role}: ${command}`)
        }
        for (const path of ['/bans', '/mutes', '/log']) {
          t.equal((await get(a, ann, `/api/channels/${name}${path}`)).body.code, 'not_authorized', `${role}: ${path}`)
        }
        t.equal((await join(ann, name)).data.me.is_moderator, false)
      }
      await join(ben, name)
      const { data: { id: message } } = await say(ben, name)
      t.same(await ann.exchange({ command: 'delete_message', channel: name, id: message }), failure('not_authorized'), 'an admin')
      t.match(await ben.exchange({ command: 'delete_message', channel: name, id: message }), { action: 'message_deleted' })
      const row = await prisma.channel.findUnique({ where: { id } })
      t.match(row, { channelType: 'direct', userCount: 2, topic: '', slowMode: 0, retention: null })
    })

    t.test('[P47] a user who has left comes back by the other’s message, or by opening the channel again', async t => {
      const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
      const name = nameOf(ann, ben)
      await open(ann, idOf(ben))
      await join(ann, name)
      await say(ann, name)
      await ben.expect('direct_opened')
      await join(ben, name)
      const tab = await a.login(ben.person)
      t.match(await ben.exchange({ type: 'leave_channel', channel: name }), { action: 'channel_left' })
      t.same(await listed(ben), [])
      t.same(await join(ben, name), failure('channel_not_found'))
      t.equal((await get(b, ben, `/api/channels/${name}/messages`)).body.code, 'channel_not_found')

      t.match(await say(ann, name, 'where are you?'), { data: { seq: 2 } })
      for (const client of [ben, tab]) t.match(await client.expect('direct_opened'), { channel: { name, user_count: 2, last_seq: 2 } })
      t.match((await join(ben, name)).data, { seq: 2, user_count: 2 })

      await ben.exchange({ type: 'leave_channel', channel: name })
      t.match(await open(ben, idOf(ann)), { action: 'direct_opened', data: { channel: { name, user_count: 2, last_seq: 2 } } })
      t.match(await tab.expect('direct_opened'), { channel: { name } })
      t.match((await join(ben, name)).action, 'channel_joined')

      await ben.exchange({ type: 'leave_channel', channel: name })
      const { data } = await say(ann, name, 'three')
      await ben.expect('direct_opened')
      await ben.exchange({ type: 'leave_channel', channel: name })
      const again = await ann.exchange({ type: 'send_message', channel: name, message: 'x', reply_to: uuidv7() })
      t.same(again, failure('message_not_found'))
      t.equal((await ann.exchange({ command: 'edit_message', channel: name, id: data.id, message: 'edited' })).action, 'message_edited')
      t.same(await listed(ben), [], 'neither a refused message nor an edit brings anybody back')
    })

    t.test('[P47] [P32] leaving races the other’s messages: the one that commits last decides, and members are counted right', async t => {
      for (let round = 0; round < 4; round++) {
        const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
        const { data: { channel: { id, name } } } = await open(ann, idOf(ben))
        await join(ann, name)
        await Promise.all([
          ...Array.from({ length: 5 }, () => say(ann, name)),
          ...Array.from({ length: 3 }, () => ben.exchange({ type: 'leave_channel', channel: name }))
        ])
        const isMember = await prisma.channelUser.count({ where: { channelId: id, userId: idOf(ben) } })
        t.equal((await prisma.channel.findUniqueOrThrow({ where: { id } })).userCount, 1 + isMember)
        t.match(await say(ann, name), { action: 'message_sent' })
        t.equal(await prisma.channelUser.count({ where: { channelId: id } }), 2)
        t.equal((await prisma.channel.findUniqueOrThrow({ where: { id } })).userCount, 2)
      }
    })

    t.test('[P47] with oneself: not_authorized; unknown, disabled and erased users are not found', async t => {
      const [ann, gone, off] = [await a.enter('ann'), await b.register('gone'), await b.register('off')]
      await prisma.$queryRaw`SELECT parley_erase_user(NULL, ${gone.user.id}::uuid, gen_random_uuid())::text`
      await prisma.$queryRaw`SELECT parley_set_disabled(NULL, ${off.user.id}::uuid, true, gen_random_uuid())`
      t.same(await open(ann, idOf(ann)), failure('not_authorized'))
      for (const { user } of [gone, off]) t.same(await open(ann, user.id), failure('user_not_found'))
      const { access_token: token } = ann.person
      const wire = await a.enter('bad')
      for (const [fields, code, restCode = code] of bad) {
        t.equal((await wire.exchange({ type: 'open_direct', ...fields })).code, code, JSON.stringify(fields))
        t.equal((await b.call('POST', '/api/directs', { token, body: fields })).body.code, restCode, JSON.stringify(fields))
      }
      t.equal((await b.call('POST', '/api/directs', { token, body: { user_id: idOf(ann), extra: 1 } })).body.code, 'invalid_request')
      t.equal((await b.call('POST', '/api/directs', { body: { user_id: idOf(ann) } })).status, 401)
      t.same(await listed(ann), [])
    })

    t.test('[P47] names direct-… are reserved: they can be neither created nor joined', async t => {
      const ann = await a.enter('ann')
      await rows.role(ann, 'admin')
      for (const channel of ['direct-', 'direct-talk', nameOf(ann, ann)]) {
        t.same(await join(ann, channel), failure('channel_not_found'))
        for (const type of ['public', 'private', 'admin']) {
          t.same(await ann.exchange({ command: 'create_channel', name: channel, channel_type: type }), failure('invalid_channel_name'))
        }
        t.equal((await get(a, ann, `/api/channels/${channel}`)).body.code, 'channel_not_found')
        t.equal(await prisma.channel.count({ where: { name: channel } }), 0)
      }
      t.same(await ann.exchange({ command: 'create_channel', name: 'talk', channel_type: 'direct' }), failure('invalid_channel_type'))
      await ann.request({ command: 'create_channel', name: 'talk' })
      t.same(await ann.exchange({ command: 'update_channel', channel: 'talk', channel_type: 'direct' }), failure('invalid_channel_type'))
    })

    t.test('[P47] if one of the two is erased, the other keeps the channel and can leave it; a message → user_not_found', async t => {
      const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
      const { data: { channel: { id, name } } } = await open(ann, idOf(ben))
      await join(ann, name)
      await join(ben, name)
      await say(ben, name, 'farewell')
      const { body } = await b.call('DELETE', '/api/me', { token: ben.person.access_token, body: { password: ben.person.password } })
      t.equal(body, null)
      t.same(await say(ann, name), failure('user_not_found'))
      const { access_token: token } = ann.person
      const refusal = await a.call('POST', `/api/channels/${name}/messages`, { token, body: { message: 'x' } })
      t.match(refusal, { status: 404, body: { code: 'user_not_found' } })
      t.same(await open(ann, idOf(ben)), failure('user_not_found'))
      t.match(await listed(ann), [{ name, user_count: 1, peer: { user_id: idOf(ben), username: 'deleted user' } }])
      t.match((await get(a, ann, `/api/channels/${name}/messages`)).body.messages, [{ message: 'farewell', username: 'deleted user' }])
      t.equal(await prisma.channel.count({ where: { id } }), 1)
      await a.call('DELETE', '/api/me', { token, body: { password: ann.person.password } })
      t.equal(await prisma.channel.count({ where: { id } }), 0, 'nobody can see it any more')
    })

    t.test('[P21] [P47] [P58] direct channels count to no cap, only to the channels made in a minute', async t => {
      const ann = await a.enter('ann')
      const peers = [await b.enter('ben'), await b.enter('carl'), await b.enter('dora'), await b.enter('eve'), await b.enter('fay')]
      for (const peer of peers.slice(0, 4)) t.equal((await open(ann, idOf(peer))).action, 'direct_opened')
      for (const name of ['one', 'two']) t.equal((await join(ann, name)).action, 'channel_joined', name)
      t.same(await join(ann, 'three'), failure('too_many_channels'))
      t.same(await ann.exchange({ command: 'create_channel', name: 'four' }), failure('too_many_channels'))
      const late = await open(ann, idOf(peers[4]!))
      t.match(late, { ...failure('rate_limited'), retry_after_ms: Number })
      t.ok(late.retry_after_ms > 0 && late.retry_after_ms <= 10_000)
      t.equal((await open(ann, idOf(peers[0]!))).action, 'direct_opened', 'what exists can be opened')
      t.equal((await open(peers[4]!, idOf(ann))).action, 'direct_opened')
    })
  })
}
