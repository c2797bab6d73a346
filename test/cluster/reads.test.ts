import type { Client, Frame } from '../client.ts'
import { eventually, nextMillisecond } from '../eventually.ts'
import type { Server } from '../helper.ts'
import { t, type Test } from '../tap.ts'
import { settings, type Pair } from './settings.ts'

const say = (client: Client, channel: string, message = 'x'): Promise<Frame> => client.request({ type: 'send_message', channel, message })
const mark = (client: Client, channel: string, seq: unknown): Promise<Frame> => client.exchange({ type: 'mark_read', channel, seq })
const isMarker = ({ type }: Frame): boolean => type === 'read_marker' || type === 'user_read'

/** What `channel_list` and `GET /api/channels` say of a channel; both have to say the same. */
async function listed (server: Server, client: Client, token: string, name: string): Promise<Frame> {
  const { channels } = await client.request({ type: 'channel_list', limit: 100 })
  const shown = channels.find((channel: Frame) => channel.name === name)
  const { body } = await server.call('GET', '/api/channels?limit=100', { token })
  const { read_seq, unread_count, last_message_at } = body.channels.find((channel: Frame) => channel.name === name)
  if (shown.read_seq !== read_seq || shown.unread_count !== unread_count || shown.last_message_at !== last_message_at) {
    throw new Error(`${JSON.stringify(shown)} and ${read_seq}, ${unread_count}, ${last_message_at}`)
  }
  return shown
}

/** Waits until this instance says that the user has read so far: the other instance writes its marks within a second. */
async function reaches (server: Server, token: string, name: string, seq: number): Promise<void> {
  await eventually(async () => {
    const { body } = await server.call('GET', '/api/channels?joined=true', { token })
    return body.channels.find((channel: Frame) => channel.name === name).read_seq === seq
  })
}

/** `read_receipts_limit`: members of a channel with receipts. No other test expects receipts in a larger channel. */
const LIMIT = 2

/** Tests that a channel of two members has receipts as far as the limit allows, and that one of three has none. */
async function testReceipts (t: Test, [a, b]: Pair, limit: number): Promise<void> {
  const people = [await a.enter('ann', 'big'), await b.enter('ben', 'big')]
  const positions = async () => {
    const { body } = await b.call('GET', '/api/channels/big/members', { token: people[0]!.person.access_token })
    return body.members.filter((member: Frame) => 'read_seq' in member).length
  }
  t.equal(await positions(), limit)
  people.push(await a.enter('carl', 'big'))
  t.equal(await positions(), 0)
  await say(people[1]!, 'big')
  await mark(people[0]!, 'big', 1)
  const tab = await b.login(people[0]!.person)
  await say(people[1]!, 'big')
  await mark(people[0]!, 'big', 2)
  // The tab may be told of the first mark too. With the second one told, the position is written.
  t.ok(await tab.expect(({ type, seq }) => type === 'read_marker' && seq === 2))
  for (const client of people) t.notOk((await client.settle()).some(({ type }) => type === 'user_read'))
}

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P43] [P44] positions, on ${name}`, async t => {
    const [a, b] = await start(t, { channels: { read_receipts_limit: LIMIT } })

    t.test('[P43] a position rises by marks and by messages of one\'s own, never falls, and other connections are told', async t => {
      const [ann, ben] = [await a.enter('ann'), await a.enter('ben', 'room')]
      for (let i = 0; i < 3; i++) await say(ben, 'room')
      const { data } = await ann.request({ type: 'join_channel', channel: 'room' })
      t.match(data, { seq: 3, me: { read_seq: 3 } }, 'a new member has read what is there already')
      const tab = await b.login(ann.person)
      for (let i = 0; i < 4; i++) await say(ben, 'room')
      t.match(await listed(a, ann, ann.person.access_token, 'room'), { last_seq: 7, read_seq: 3, unread_count: 4 })

      t.same(await mark(ann, 'room', 5), { type: 'success', action: 'read_marked', data: { channel: 'room', seq: 5 } })
      t.match(await listed(a, ann, ann.person.access_token, 'room'), { read_seq: 5, unread_count: 2 }, 'its own instance knows at once')
      t.same(await tab.expect('read_marker'), { type: 'read_marker', channel: 'room', seq: 5 })
      t.match(await listed(b, tab, ann.person.access_token, 'room'), { read_seq: 5, unread_count: 2 })
      t.match(await mark(ann, 'room', 4), { data: { seq: 5 } }, 'a lower mark leaves the position')
      t.match((await tab.request({ type: 'join_channel', channel: 'room' })).data, { me: { read_seq: 5 } })
      t.match(await mark(tab, 'room', 4), { action: 'read_marked' })
      t.match(await listed(b, tab, ann.person.access_token, 'room'), { read_seq: 5 })

      await say(ann, 'room')
      t.match(await listed(a, ann, ann.person.access_token, 'room'), { read_seq: 8, unread_count: 0 }, 'one\'s own message is no news')
      await reaches(b, ann.person.access_token, 'room', 8)
      t.match(await mark(ann, 'room', 8), { data: { seq: 8 } })
      await say(ben, 'room')
      const put = (seq: unknown) => b.call('PUT', '/api/channels/room/read', { token: ann.person.access_token, body: { seq } })
      t.match(await put(9), { status: 200, body: { channel: 'room', seq: 9 } })
      for (const client of [ann, tab]) t.same(await client.expect('read_marker'), { type: 'read_marker', channel: 'room', seq: 9 })
      t.match(await put(1), { status: 200, body: { seq: 9 } })
      t.notOk([...await ann.settle(), ...await tab.settle()].some(({ type }) => type === 'read_marker'), 'nobody is told of anything else')
    })

    t.test('[P43] three tabs at once: the position is the highest, and it never falls', async t => {
      const [ann, ben] = [await a.enter('ann', 'tabs'), await b.enter('ben', 'tabs')]
      for (let i = 0; i < 30; i++) await say(ben, 'tabs')
      const tabs = [ann, await b.login(ann.person), await b.login(ann.person)]
      for (const tab of tabs.slice(1)) await tab.request({ type: 'join_channel', channel: 'tabs' })
      for (const round of [4, 8, 12, 16, 20]) {
        const seqs = [round, round + 9, round + 4].map((seq, i) => [tabs[(i + round / 4) % 3]!, seq] as const)
        for (const reply of await Promise.all(seqs.map(([tab, seq]) => mark(tab, 'tabs', seq)))) t.equal(reply.action, 'read_marked')
      }
      for (const server of [a, b]) await reaches(server, ann.person.access_token, 'tabs', 29)
      t.match(await mark(tabs[1]!, 'tabs', 2), { action: 'read_marked' })
      t.match(await listed(b, tabs[1]!, ann.person.access_token, 'tabs'), { read_seq: 29, unread_count: 1 })
    })

    t.test('[P43] [P9] a mark beyond the last is refused, like any other bad seq, and nothing is stored', async t => {
      const ann = await a.enter('ann', 'bad')
      await say(ann, 'bad')
      const { access_token: token } = ann.person
      // Ten invalid frames would end a connection.
      const clients = [await b.login(ann.person), await b.login(ann.person)]
      for (const client of clients) await client.request({ type: 'join_channel', channel: 'bad' })
      for (const [i, seq] of [2, 9007199254740991, 2 ** 53, -1, 1.5, '1', null, undefined, [1], {}, true].entries()) {
        const refused = { type: 'error', code: 'invalid_frame', message: /^Invalid message: .+/ }
        t.match(await mark(clients[i % 2]!, 'bad', seq), refused, `${seq}`)
        const { status, body } = await b.call('PUT', '/api/channels/bad/read', { token, body: { seq } })
        t.match({ status, body }, { status: 400, body: { code: 'invalid_request' } }, `${seq}`)
      }
      t.equal((await b.call('PUT', '/api/channels/bad/read', { token, body: { seq: 1, x: 1 } })).status, 400)
      t.equal((await mark(ann, 'Über', 1)).code, 'invalid_channel_name')
      t.equal((await ann.exchange({ type: 'mark_read', seq: 1 })).code, 'channel_required')
      t.match(await mark(ann, 'bad', 0), { data: { seq: 1 } })
    })

    t.test('[P43] [P19] only members may mark: others are refused as everywhere', async t => {
      const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
      await ann.request({ command: 'create_channel', name: 'secret', channel_type: 'private' })
      await ann.request({ type: 'join_channel', channel: 'open' })
      for (const channel of ['secret', 'open', 'nowhere']) {
        const put = await b.call('PUT', `/api/channels/${channel}/read`, { token: ben.person.access_token, body: { seq: 0 } })
        const { code } = await mark(ben, channel, 0)
        t.same([code, put.body.code], Array(2).fill(channel === 'open' ? 'not_in_channel' : 'channel_not_found'), channel)
      }
      const { id } = ben.person.user
      await ben.request({ type: 'join_channel', channel: 'open' })
      await say(ann, 'open')
      t.match(await mark(ben, 'open', 1), { data: { seq: 1 } })
      for (const [command, code] of [['kick_user', 'not_in_channel'], ['ban_user', 'banned']]) {
        await ben.request({ type: 'join_channel', channel: 'open' })
        await ann.request({ command, channel: 'open', user_id: id })
        await ben.expect(({ type }) => type === 'kicked_from_channel' || type === 'banned_from_channel')
        await eventually(async () => (await mark(ben, 'open', 1)).code === code)
        const put = await b.call('PUT', '/api/channels/open/read', { token: ben.person.access_token, body: { seq: 1 } })
        t.match(put, { status: 403, body: { code } })
      }
      t.equal((await b.call('PUT', '/api/channels/open/read', { body: { seq: 0 } })).status, 401)
    })

    t.test('[P43] a member who left and comes back begins at the last', async t => {
      const [ann, ben] = [await a.enter('ann', 'again'), await b.enter('ben', 'again')]
      for (let i = 0; i < 3; i++) await say(ben, 'again')
      t.match(await mark(ann, 'again', 2), { data: { seq: 2 } })
      await ann.request({ type: 'leave_channel', channel: 'again' })
      await say(ben, 'again')
      t.match((await ann.request({ type: 'join_channel', channel: 'again' })).data, { me: { read_seq: 4 } })
      t.notOk('read_seq' in (await a.enter('eve').then(eve => listed(a, eve, eve.person.access_token, 'again'))), 'only members are told')
    })

    t.test('[P44] unread are messages of others that are not deleted, 100 at most; edits count for nothing', async t => {
      const [ann, ben] = [await a.enter('ann', 'count'), await b.enter('ben', 'count')]
      const ids: string[] = []
      for (let i = 0; i < 3; i++) ids.push((await say(ben, 'count')).data.id)
      const before = await listed(a, ann, ann.person.access_token, 'count')
      t.match(before, { unread_count: 3, last_seq: 3, read_seq: 0 })
      await ben.request({ command: 'delete_message', channel: 'count', id: ids[0] })
      await ben.request({ command: 'edit_message', channel: 'count', id: ids[1], message: 'y' })
      const { last_message_at: at, ...rest } = await listed(a, ann, ann.person.access_token, 'count')
      t.match(rest, { unread_count: 2, last_seq: 5 })
      t.equal(at, before.last_message_at, 'only a message is activity')
      for (let i = 0; i < 97; i++) ben.send({ type: 'send_message', channel: 'count', message: 'x', ref: i })
      for (let i = 0; i < 97; i++) await ben.expect(frame => frame.ref === i)
      t.match(await listed(a, ann, ann.person.access_token, 'count'), { unread_count: 99 })
      await say(ben, 'count')
      t.match(await listed(a, ann, ann.person.access_token, 'count'), { unread_count: 100 }, 'a deleted one is among the next 100')
      for (let i = 0; i < 2; i++) await say(ben, 'count')
      t.match(await listed(b, ann, ann.person.access_token, 'count'), { unread_count: 100 })
      t.match(await listed(b, ben, ben.person.access_token, 'count'), { unread_count: 0 })
    })

    t.test('[P44] one\'s own channels are listed by their newest message, page by page', async t => {
      const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
      const names = ['e', 'd', 'c', 'b', 'a'].map(letter => `own-${letter}`)
      for (const name of [...names, 'own-quiet', 'own-still']) await ann.request({ type: 'join_channel', channel: name })
      for (const name of names) {
        await ben.request({ type: 'join_channel', channel: name })
        await say(ben, name)
        await nextMillisecond()
      }
      await say(ben, 'own-c')
      await ben.request({ type: 'join_channel', channel: 'not-anns' })
      const silent = ['own-still', 'own-quiet']
      const expected = ['own-c', 'own-a', 'own-b', 'own-d', 'own-e', ...silent]
      const whole = await ann.request({ type: 'channel_list', joined: true })
      t.same(whole.channels.map((channel: Frame) => channel.name), expected)
      t.match(whole, { channels: [{ unread_count: 2, joined: true }, { unread_count: 1 }], next_cursor: null })
      t.equal(whole.channels.at(-1).last_message_at, null)
      for (const limit of [1, 2, 3, 7]) {
        const found: string[] = []
        const rest: string[] = []
        let cursor: string | null = null
        do {
          const page: Frame = await ann.request({ type: 'channel_list', joined: true, limit, ...cursor !== null && { cursor } })
          found.push(...page.channels.map((channel: Frame) => channel.name))
          const query = `joined=true&limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`
          const { body } = await b.call('GET', `/api/channels?${query}`, { token: ann.person.access_token })
          rest.push(...body.channels.map((channel: Frame) => channel.name))
          cursor = page.next_cursor
        } while (cursor !== null)
        t.same([found, rest], [expected, expected], `pages of ${limit}`)
      }
      const { body } = await a.call('GET', '/api/channels?joined=false&limit=1', { token: ann.person.access_token })
      t.notSame(body.channels[0].name, 'own-c')
      const filtered = await a.call('GET', '/api/channels?joined=true&type=private', { token: ann.person.access_token })
      t.same(filtered.body, { channels: [], next_cursor: null })
      for (const query of ['joined=1', 'joined=', 'joined=true&joined=true', 'joined=true&cursor=b3duLWM', 'joined=true&cursor=%00']) {
        t.equal((await a.call('GET', `/api/channels?${query}`, { token: ann.person.access_token })).status, 400, query)
      }
      for (const joined of [1, 'true', null, [], {}]) t.equal((await ann.exchange({ type: 'channel_list', joined })).code, 'invalid_frame')
    })

    t.test('[P45] in small channels subscribers see what others have read, after a mark only, and the list of members says it', async t => {
      const [ann, ben] = [await a.enter('ann', 'small'), await b.enter('ben', 'small')]
      const { id } = ann.person.user
      for (let i = 0; i < 3; i++) await say(ben, 'small')
      await say(ann, 'small')
      await say(ben, 'small')
      t.match(await mark(ann, 'small', 5), { action: 'read_marked' })
      t.same(await ben.expect('user_read'), { type: 'user_read', channel: 'small', user_id: id, seq: 5 })
      t.same(await ann.expect('user_read'), { type: 'user_read', channel: 'small', user_id: id, seq: 5 })
      const { body } = await b.call('GET', '/api/channels/small/members', { token: ben.person.access_token })
      const positions = Object.fromEntries(body.members.map((member: Frame) => [member.username, member.read_seq]))
      t.same(positions, { ann: 5, ben: 5 })
      await say(ben, 'small')
      await mark(ann, 'small', 6)
      const own = await a.call('GET', '/api/channels/small/members', { token: ben.person.access_token })
      t.equal(own.body.members.find((member: Frame) => member.username === 'ann').read_seq, 6, 'a mark just made is seen at once')
      t.match(await ben.expect('user_read'), { seq: 6 })
      t.notOk([...await ann.settle(), ...await ben.settle()].some(frame => isMarker(frame) && frame.user_id !== id), 'messages tell nobody')
    })

    t.test('[P45] no receipts in channels of more members than read_receipts_limit', async t => {
      await testReceipts(t, [a, b], LIMIT)
    })
  })
}

t.test('[P45] no receipts at all where read_receipts_limit is 0', async t => {
  const [a, b] = await settings['two instances on PostgreSQL']!(t, { channels: { read_receipts_limit: 0 } })
  await testReceipts(t, [a, b], 0)
})
