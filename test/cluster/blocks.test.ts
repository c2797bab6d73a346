import { uuidv7 } from 'uuidv7'
import type { Client, Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { failure, type Person, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t, type Test } from '../tap.ts'
import { settings } from './settings.ts'

type User = Client & { person: Person }

const idOf = ({ person }: User): string => person.user.id
const block = (client: Client, target: string): Promise<Frame> => client.exchange({ type: 'block_user', user_id: target })
const unblock = (client: Client, target: string): Promise<Frame> => client.exchange({ type: 'unblock_user', user_id: target })
const signal = (client: Client, channel: string): Promise<Frame> => client.exchange({ type: 'signal', channel, event: 'typing' })
const say = (client: Client, channel: string, message = 'hello'): Promise<Frame> =>
  client.exchange({ type: 'send_message', channel, message })

/** Ann on the first instance and ben on the second, both in their direct channel, in which ben has written a message. */
async function pair (a: Server, b: Server) {
  const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
  const { data: { channel: { id, name } } } = await ann.request({ type: 'open_direct', user_id: idOf(ben) })
  for (const client of [ann, ben]) await client.request({ type: 'join_channel', channel: name })
  const { data: { id: message } } = await ben.request({ type: 'send_message', channel: name, message: 'first' })
  await ann.expect('message')
  await ann.expect('direct_opened')
  return { ann, ben, id, name, message }
}

/** Bad ids of users with the code of the error over WebSocket and over REST; undefined where no path can have them. */
const bad: Array<[unknown, string, string?]> = [
  [undefined, 'user_required'], [null, 'user_required'], [' ', 'user_required'], [7, 'invalid_frame'], [{}, 'invalid_frame'],
  ['someone', 'user_not_found', 'user_not_found'], ['a\0b', 'user_not_found'], ['\ud83d', 'user_not_found'],
  [uuidv7(), 'user_not_found', 'user_not_found'], ['x'.repeat(50), 'user_not_found', 'user_not_found']
]

/** What a user asks for in their direct channel with `peer`, in which the message `id` is their own. */
interface Asked { server: Server, user: User, channel: string, id: string, peer: string }

/** What a blocked user may not do, over WebSocket and REST. Each act returns the code of the error, with its status and text over REST. */
const acts: Record<string, (asked: Asked) => Promise<string | undefined>> = {
  'opening it': async ({ user, peer }) => (await user.exchange({ type: 'open_direct', user_id: peer })).code,
  'a message': async ({ user, channel }) => (await say(user, channel)).code,
  'a signal': async ({ user, channel }) => (await signal(user, channel)).code,
  'an edit': async ({ user, channel, id }) => (await user.exchange({ command: 'edit_message', channel, id, message: 'edited' })).code,
  'opening it by REST': ({ server, user, peer }) => post(server, user, '/api/directs', { user_id: peer }),
  'a message by REST': ({ server, user, channel }) => post(server, user, `/api/channels/${channel}/messages`, { message: 'x' }),
  'a signal by REST': ({ server, user, channel }) => post(server, user, `/api/channels/${channel}/signals`, { event: 'typing' })
}

async function post (server: Server, { person }: User, path: string, fields: object): Promise<string | undefined> {
  const { status, body } = await server.call('POST', path, { token: person.access_token, body: fields })
  return body?.code && `${body.code} ${status} ${body.message}`
}

async function blocks (server: Server, { person }: User, query = ''): Promise<Frame> {
  return (await server.call('GET', `/api/me/blocks${query}`, { token: person.access_token })).body
}

async function invited (server: Server, { person }: User): Promise<string[]> {
  const { body } = await server.call('GET', '/api/me/invitations', { token: person.access_token })
  return body.invitations.map(({ channel }: Frame) => channel)
}

/** Creates a private channel of this user's and returns its name. */
async function makeDen (user: Client): Promise<string> {
  const name = `den-${uuidv7()}`
  await user.request({ command: 'create_channel', name, channel_type: 'private' })
  return name
}

const invite = (client: Client, channel: string, user: User, command = 'invite_user', fields: object = {}): Promise<Frame> =>
  client.exchange({ command, channel, user_id: idOf(user), ...fields })

/** Checks that no unread frame of the client has this type. */
async function hearsNo (t: Test, client: Client, type: string): Promise<void> {
  t.notOk((await client.settle()).some(frame => frame.type === type), type)
}

/** Limits of each user. Every test has users of its own, and only those that are about a limit reach one. */
const limits = { limits: { user_blocks: 4, user_pending_invitations: 20, user_invitations: 20 } }

for (const [setting, start] of Object.entries(settings)) {
  t.test(`[P48] blocks on ${setting}`, async t => {
    const [a, b] = await start(t, limits)
    const rows = createRows(a.database)
    const { prisma } = a.database

    t.test('[P48] block_user and unblock_user are idempotent, over WebSocket and REST; GET /api/me/blocks has pages', async t => {
      const ann = await a.enter('ann')
      const { access_token: token } = ann.person
      const others = [await b.enter('ben'), await b.enter('carl'), await b.enter('dora')].sort((x, y) => idOf(x) < idOf(y) ? -1 : 1)
      const [ben, carl, dora] = others.map(idOf) as [string, string, string]
      for (let i = 0; i < 2; i++) {
        t.same(await block(ann, ben.toUpperCase()), { type: 'success', action: 'user_blocked', data: { user_id: ben } })
        t.match(await b.call('PUT', `/api/me/blocks/${carl}`, { token }), { status: 200, body: { user_id: carl } })
      }
      await block(ann, dora)
      const page = await blocks(a, ann, '?limit=2')
      t.match(page, { blocks: [{ user_id: ben, username: others[0]!.person.user.name, created_at: /Z$/ }, { user_id: carl }] })
      t.same((await blocks(a, ann, `?limit=2&cursor=${page.next_cursor}`)).blocks.map((row: Frame) => row.user_id), [dora])
      t.same((await blocks(b, others[0]!)), { blocks: [], next_cursor: null })
      for (let i = 0; i < 2; i++) {
        t.same(await unblock(ann, ben), { type: 'success', action: 'user_unblocked', data: { user_id: ben } })
        t.match(await b.call('DELETE', `/api/me/blocks/${carl}`, { token }), { status: 204, body: null })
      }
      t.same((await blocks(a, ann)).blocks.map((row: Frame) => row.user_id), [dora])
      for (const other of others) t.same(other.inbox.filter(({ type }) => type !== 'welcome'), [], 'nobody is told')

      await prisma.$queryRaw`SELECT parley_erase_user(NULL, ${dora}::uuid, gen_random_uuid())::text`
      t.same((await blocks(a, ann)).blocks, [], 'nobody blocks an erased user')
      t.equal((await b.call('GET', '/api/me/blocks?cursor=x', { token })).body.code, 'invalid_request')
    })

    t.test('[P48] unknown users, guests and oneself cannot be blocked, and nothing is stored', async t => {
      const [ann, eve] = [await a.enter('ann'), await a.enter('eve')]
      const guest = await prisma.user.create({ data: { name: 'guest-x' } })
      for (const request of ['block_user', 'unblock_user']) {
        const method = request === 'block_user' ? 'PUT' : 'DELETE'
        for (const [id, code, restCode] of [...bad, [guest.id, 'user_not_found', 'user_not_found'] as const]) {
          t.equal((await eve.exchange({ type: request, user_id: id })).code, code, `${request} ${JSON.stringify(id)}`)
          if (restCode === undefined) continue
          const { body } = await b.call(method, `/api/me/blocks/${id}`, { token: ann.person.access_token })
          t.equal(body.code, restCode, `${method} ${id}`)
        }
        t.same(await ann.exchange({ type: request, user_id: idOf(ann) }), failure('not_authorized'))
        t.equal((await b.call(method, `/api/me/blocks/${uuidv7()}`)).status, 401)
      }
      t.equal(await prisma.userBlock.count({ where: { blockedId: { in: [guest.id, idOf(ann)] } } }), 0)
    })

    t.test('[P48] what a blocked user does in the direct channel answers blocked, until the block ends; the blocker may', async t => {
      const { ann, ben, name, message } = await pair(a, b)
      await block(ann, idOf(ben))
      // Signals are judged by what ben's instance knows. A message is judged in the database.
      await eventually(async () => (await signal(ben, name)).code === 'blocked')
      const own = (await ann.request({ type: 'send_message', channel: name, message: 'own' })).data.id
      for (const [what, act] of Object.entries(acts)) {
        const code = await act({ server: b, user: ben, channel: name, id: message, peer: idOf(ann) })
        t.match(code, /^blocked( 403 Blocked by user)?$/, what)
        t.equal(await act({ server: a, user: ann, channel: name, id: own, peer: idOf(ben) }), undefined, `the blocker: ${what}`)
      }
      t.same(await say(ben, name), failure('blocked'))
      const again = await b.login(ben.person)
      const { data } = await again.request({ type: 'join_channel', channel: name, history: 10 })
      t.match(data, { messages: [{ message: 'first' }], me: { muted_until: null } }, 'they may read')
      t.same(await signal(again, name), failure('blocked'), 'a connection that joins later')
      t.match(await ben.exchange({ command: 'delete_message', channel: name, id: message }), { action: 'message_deleted' })
      const heard = (await ann.settle()).filter(({ user_id: user }) => user === idOf(ben)).map(({ type }) => type)
      t.same(heard.filter(type => ['message', 'message_edited'].includes(type)), [])

      await unblock(ann, idOf(ben))
      for (const client of [ben, again]) await eventually(async () => (await signal(client, name)).action === 'signal_sent')
      t.match(await say(ben, name, 'at last'), { action: 'message_sent' })
      await ann.expect(({ message }) => message === 'at last')
      t.match(await ben.exchange({ type: 'open_direct', user_id: idOf(ann) }), { action: 'direct_opened' })
    })

    t.test('[P48] a blocked user’s message brings nobody back, and other channels are not touched', async t => {
      const { ann, ben, name, id } = await pair(a, b)
      for (const client of [ann, ben]) await client.request({ type: 'join_channel', channel: 'tavern' })
      await block(ann, idOf(ben))
      await ann.request({ type: 'leave_channel', channel: name })
      t.same(await say(ben, name), failure('blocked'))
      t.equal(await prisma.channelUser.count({ where: { channelId: id, userId: idOf(ann) } }), 0)
      await hearsNo(t, ann, 'direct_opened')
      t.match(await say(ben, 'tavern', 'cheers'), { action: 'message_sent' })
      await ann.expect(({ message }) => message === 'cheers')
      const carl = await b.enter('carl')
      await block(carl, idOf(ann))
      t.same(await ann.exchange({ type: 'open_direct', user_id: idOf(carl) }), failure('blocked'), 'no channel is made')
      t.match(await carl.exchange({ type: 'open_direct', user_id: idOf(ann) }), { action: 'direct_opened' })
    })

    t.test('[P48] [P32] a block binds every message that commits after it: after its answer comes no new message', async t => {
      for (let round = 0; round < 4; round++) {
        const { ann, ben, name, id } = await pair(a, b)
        const sends = Array.from({ length: 20 }, () => say(ben, name))
        await block(ann, idOf(ben))
        const { lastSeq } = await prisma.channel.findUniqueOrThrow({ where: { id } })
        const replies = await Promise.all(sends)
        const sent = replies.filter(({ action }) => action === 'message_sent')
        t.ok(sent.every(({ data }) => data.seq <= lastSeq), `${sent.length} messages before the block`)
        t.ok(replies.every(({ action, code }) => action === 'message_sent' || code === 'blocked'))
        t.equal((await prisma.channel.findUniqueOrThrow({ where: { id } })).lastSeq, lastSeq)
        t.same(await say(ben, name), failure('blocked'))
      }
    })

    t.test('[P48] a block races open_direct: either the channel is made before it, or the answer is blocked', async t => {
      for (let round = 0; round < 4; round++) {
        const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
        const [reply] = await Promise.all([ben.exchange({ type: 'open_direct', user_id: idOf(ann) }), block(ann, idOf(ben))])
        const count = await prisma.directPeer.count({ where: { userId: idOf(ben) } })
        t.equal(reply.code, count === 1 ? undefined : 'blocked')
        t.same(await ben.exchange({ type: 'open_direct', user_id: idOf(ann) }), failure('blocked'))
        t.equal(await prisma.directPeer.count({ where: { userId: idOf(ben) } }), count)
      }
    })

    t.test('[P48] [P57] invitations by a blocked user are not delivered, and the inviter sees no difference', async t => {
      const [ann, ben, carl] = [await a.enter('ann'), await b.enter('ben'), await b.enter('carl')]
      const [den, early] = [await makeDen(ben), await makeDen(ben)]
      await invite(ben, early, ann)
      await ann.expect('invited_to_channel')
      await block(ann, idOf(ben))
      t.match(await invite(ben, den, ann), { action: 'user_invited', data: { channel: den, user_id: idOf(ann) } })
      t.same(await invited(a, ann), [], 'not even those from before')
      t.notOk((await ann.request({ type: 'channel_list', limit: 100 })).channels.some(({ name }: Frame) => name === den || name === early))
      for (const [command, fields] of [['mute_user', {}], ['unmute_user', {}], ['ban_user', {}], ['unban_user', {}], ['invite_user', {}],
        ['kick_user', {}], ['invite_user', {}]] as const) {
        t.equal((await invite(ben, den, ann, command, fields)).type, 'success', command)
      }
      t.same((await ann.settle()).filter(({ type }) => type.includes('channel')), [], 'nothing is told of what follows from them')

      await unblock(ann, idOf(ben))
      t.same((await invited(a, ann)).sort(), [den, early].sort())
      await block(ann, idOf(ben))
      await ben.request({ command: 'add_moderator', channel: den, user_id: idOf(carl) })
      await ben.request({ command: 'invite_user', channel: den, user_id: idOf(carl) })
      t.match(await invite(carl, den, ann), { action: 'user_invited' })
      t.match(await ann.expect('invited_to_channel'), { channel: den }, 'one by another user replaces it')
      t.same(await invited(a, ann), [den])
      t.match(await invite(ben, den, ann), { action: 'user_invited' })
      t.same(await invited(a, ann), [den])
      t.match(await ann.exchange({ type: 'join_channel', channel: den }), { action: 'channel_joined' })
    })

    t.test('[P48] [P15] an admin can be blocked, and may still moderate', async t => {
      const { ann, ben, name } = await pair(a, b)
      await rows.role(ben, 'admin')
      await block(ann, idOf(ben))
      t.same(await say(ben, name), failure('blocked'))
      for (const client of [ben, ann]) await client.request({ type: 'join_channel', channel: 'agora' })
      t.match(await invite(ben, 'agora', ann, 'kick_user'), { action: 'user_kicked' })
      t.match(await ann.expect('kicked_from_channel'), { channel: 'agora' })
    })

    t.test('[P48] one user may block limits.user_blocks others, exactly', async t => {
      const ann = await a.enter('ann')
      const tab = await b.login(ann.person)
      const others = await Promise.all(Array.from({ length: 8 }, (_, n) => a.register(`user-${n}`)))
      const replies = await Promise.all(others.map(({ user }, n) => block(n % 2 === 0 ? ann : tab, user.id)))
      t.same(replies.map(({ code = 'none' }) => code).sort(), [...Array(4).fill('none'), ...Array(4).fill('too_many_blocks')])
      const [first] = (await blocks(a, ann)).blocks
      t.match(await block(ann, first.user_id), { action: 'user_blocked' }, 'again, without effect')
      t.match(replies.find(({ code }) => code), failure('too_many_blocks'))
      const refused = others[replies.findIndex(({ code }) => code)]!
      const put = () => b.call('PUT', `/api/me/blocks/${refused.user.id}`, { token: ann.person.access_token })
      t.match(await put(), { status: 409, body: { code: 'too_many_blocks', message: 'Maximum blocks per user exceeded' } })
      await unblock(ann, first.user_id)
      t.match(await put(), { status: 200 })
    })

    t.test('[P48] [P57] invitations by blocked users take no room from those by others', async t => {
      const ann = await a.enter('ann')
      for (const name of ['ben', 'carl', 'dora', 'eve']) {
        const bad = await b.enter(name)
        await block(ann, idOf(bad))
        for (let n = 0; n < 5; n++) t.equal((await invite(bad, await makeDen(bad), ann)).action, 'user_invited')
        t.equal((await invite(bad, await makeDen(bad), ann)).code, 'too_many_invitations', 'their own quarter is used up')
      }
      const fay = await b.enter('fay')
      const den = await makeDen(fay)
      t.equal((await invite(fay, den, ann)).action, 'user_invited')
      t.match(await ann.expect('invited_to_channel'), { channel: den })
    })
  })
}
