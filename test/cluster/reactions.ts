import type { Client, Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { failure } from '../helper.ts'
import { createRows } from '../rows.ts'
import type { Test } from '../tap.ts'
import type { Pair } from './settings.ts'

const isEntry = ({ type }: Frame): boolean => /^(message|message_edited|message_deleted|reaction_added|reaction_removed)$/.test(type)

/**
 * Tests reactions at two servers, which may be the same. Without `isWhole`, it tests only what crosses from one to the other: where every
 * entry has to be read from the database, the rest would take long and show nothing new.
 */
export function testReactions (t: Test, [a, b]: Pair, { isWhole }: { isWhole: boolean }): void {
  const rows = createRows(a.database)

  /** Creates a channel that ann on `a` and ben on `b` have joined, with a message of ann's. Entries from now on are in their inboxes. */
  async function arrange () {
    const channel = await rows.channel()
    const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
    for (const client of [ann, ben]) await rows.member(channel, client)
    for (const client of [ann, ben]) await client.request({ type: 'join_channel', channel: channel.name })
    const { data: { id } } = await ann.request({ type: 'send_message', channel: channel.name, message: 'hello' })
    for (const client of [ann, ben]) await client.expect(({ type }) => type === 'message')
    const command = (command: string) => (client: Client, reaction: string, target = id): Promise<Frame> =>
      client.exchange({ command, channel: channel.name, id: target, reaction })
    return {
      ...channel, ann, ben, message: id as string,
      add: command('add_reaction'),
      remove: command('remove_reaction'),
      /** The reactions to the message as REST shows them, by reaction. */
      async shown (): Promise<Record<string, [count: number, ...ids: string[]]>> {
        const url = `/api/channels/${channel.name}/messages/${id}`
        const { body } = await a.call('GET', url, { token: ann.person.access_token })
        return Object.fromEntries((body.reactions ?? []).map(({ reaction, count, user_ids: ids }: Frame) => [reaction, [count, ...ids]]))
      }
    }
  }

  t.test('[P40] a reaction is an entry for everyone, once per user, and history counts it', async t => {
    const { id: channelId, name, ann, ben, message, add, remove, shown } = await arrange()
    const [annId, benId] = [ann.person.user.id, ben.person.user.id]
    const added = await add(ben, '👍')
    t.match(added, { type: 'success', action: 'reaction_added', data: { channel: name, id: message, seq: 2, reaction: '👍' } })
    const again = await add(ben, '👍')
    t.match(again, { type: 'success', action: 'reaction_added', data: { channel: name, id: message, reaction: '👍' } })
    t.notOk('seq' in again.data)
    t.match((await add(ann, '👍')).data, { seq: 3 })
    t.match((await add(ann, '🎉')).data, { seq: 4 })
    t.match((await remove(ann, '👍')).data, { seq: 5, reaction: '👍' })
    const twice = await remove(ann, '👍')
    t.match(twice, { action: 'reaction_removed', data: { id: message, reaction: '👍' } })
    t.notOk('seq' in twice.data)
    t.same(await shown(), { '👍': [1, benId], '🎉': [1, annId] })

    const entry = { id: message, channel: name }
    const expected = [
      { ...entry, type: 'reaction_added', seq: 2, user_id: benId, username: 'ben', reaction: '👍', timestamp: added.data.timestamp },
      { ...entry, type: 'reaction_added', seq: 3, user_id: annId, username: 'ann', reaction: '👍' },
      { ...entry, type: 'reaction_added', seq: 4, user_id: annId, username: 'ann', reaction: '🎉' },
      { ...entry, type: 'reaction_removed', seq: 5, user_id: annId, username: 'ann', reaction: '👍' }
    ]
    const streams = await Promise.all([ann, ben].map(async client => {
      await eventually(() => client.inbox.some(({ seq }) => seq === 5))
      return client.inbox.filter(isEntry)
    }))
    t.match(streams[0], expected)
    t.same(streams[1], streams[0], 'both instances deliver the same frames')

    const reader = await b.enter('reader')
    const resumed = await reader.request({ type: 'join_channel', channel: name, since: 1, channel_id: channelId })
    t.match(resumed.data, { recovered: true, seq: 5, last_id: message })
    t.same(resumed.data.messages, streams[0], 'a resume has the live frames')
    const { data } = await reader.request({ type: 'join_channel', channel: name, since: 0, channel_id: channelId })
    const reactions = [{ reaction: '👍', count: 1, user_ids: [benId] }, { reaction: '🎉', count: 1, user_ids: [annId] }]
    t.match(data, { recovered: true, messages: [{ type: 'message', seq: 1, reactions, reactions_seq: 5 }, ...expected] })
    const page = await reader.request({ type: 'join_channel', channel: name, history: 1 })
    t.match(page.data, { messages: [{ type: 'message', seq: 1, reactions, reactions_seq: 5 }] })
    const { body } = await b.call('GET', `/api/channels/${name}/messages`, { token: ben.person.access_token })
    t.match(body, { last_seq: 5, last_id: message, messages: [{ reactions, reactions_seq: 5 }] })
  })

  t.test('[P40] a reaction that meets the deletion of its message is refused, or is an entry before it', async t => {
    for (const [turn, order] of [['react', 'delete'], ['delete', 'react'], ['react', 'react'], ['delete', 'delete']].entries()) {
      const { id: channelId, name, ann, ben, message, add, remove, shown } = await arrange()
      await add(ben, 'kept')
      const destroy = (): Promise<Frame> => ann.exchange({ command: 'delete_message', channel: name, id: message })
      const acts = order.map(act => act === 'react' ? () => add(ben, `r${turn}`) : destroy)
      const replies = await Promise.all([...acts.map(act => act()), remove(ben, 'kept'), add(ann, 'x'), destroy()])
      const { data: history } = await ann.request({ type: 'join_channel', channel: name, since: 0, channel_id: channelId })
      const entries: Frame[] = history.messages
      const deletion = entries.findIndex(({ type }) => type === 'message_deleted')
      t.equal(deletion, entries.length - 1, `${order.join(' and ')}: nothing comes behind the deletion`)
      t.same(entries.map(({ seq }) => seq), entries.map((_, i) => i + 1))
      for (const reply of replies) {
        if (reply.type === 'error') t.same(reply, failure('message_not_found'))
        else t.ok(entries.some(({ seq }) => seq === reply.data.seq) || reply.data.seq === undefined, JSON.stringify(reply))
      }
      t.same(await shown(), {}, 'the message has none')
      t.notOk('reactions' in entries[0]!)
      t.same(await add(ben, 'late'), failure('message_not_found'))
      t.same(await remove(ben, 'kept'), failure('message_not_found'))
    }
  })

  t.test('[P40] [P30] reactions during a resume are in its messages or follow live, each once', async t => {
    const { id: channelId, name, ben, add, remove, ann } = await arrange()
    const toggles = (async () => {
      for (let i = 0; i < 60; i++) await (i % 2 === 0 ? add : remove)(i % 4 < 2 ? ben : ann, '👍')
    })()
    const readers = await Promise.all(Array.from({ length: 6 }, async (_, i) => {
      const reader = await [a, b][i % 2]!.enter('reader')
      await rows.member({ id: channelId, name }, reader)
      const { data } = await reader.request({ type: 'join_channel', channel: name, since: 1, channel_id: channelId })
      return { reader, data }
    }))
    await toggles
    for (const { reader, data } of readers) {
      await eventually(() => reader.inbox.some(({ seq }) => seq === 61))
      const seqs = [...data.messages, ...reader.inbox.filter(isEntry)].map(({ seq }: Frame) => seq)
      t.same(seqs, Array.from({ length: 60 }, (_, i) => i + 2))
    }
  })

  if (!isWhole) return

  t.test('[P40] over REST a member needs no subscription; any reaction finds its way through a URL', async t => {
    const { id: channelId, name, ann, message, shown } = await arrange()
    const carl = await b.register('carl')
    await rows.member({ id: channelId, name }, carl)
    const call = (method: string, reaction: string) => b.call(method,
      `/api/channels/${name}/messages/${message.toUpperCase()}/reactions/${encodeURIComponent(reaction)}`,
      { token: carl.access_token, ...method === 'PUT' && { body: {} } })
    const given = ['a/b', '%25', '+1', 'é', '?', '#', '👩‍👩‍👧‍👦', '😀'.repeat(32), '"\\']
    for (const [i, reaction] of given.entries()) {
      const { status, body } = await call('PUT', reaction)
      t.match({ status, body }, { status: 200, body: { channel: name, id: message, seq: i + 2, reaction } }, reaction)
    }
    t.same(Object.keys(await shown()).sort(), given.toSorted())
    const again = await call('PUT', 'a/b')
    t.equal(again.status, 200)
    t.notOk('seq' in again.body)
    for (const reaction of given) {
      t.match(await call('DELETE', reaction), { status: 204, body: null }, reaction)
      t.match(await call('DELETE', reaction), { status: 204, body: null }, 'again')
    }
    t.same(await shown(), {})
    await eventually(() => ann.inbox.filter(isEntry).length === 2 * given.length)
    t.same(ann.inbox.filter(isEntry).map(({ reaction }) => reaction), [...given, ...given])
  })

  t.test('[P40] a message has 20 different reactions at most, also where many come at once', async t => {
    const { id: channelId, name, ann, ben, message, add, remove, shown } = await arrange()
    const many = Array.from({ length: 30 }, (_, i) => `r${i}`)
    const clients = await Promise.all([a, b, a, b].map(async server => {
      const client = await server.enter('reader')
      await rows.member({ id: channelId, name }, client)
      await client.request({ type: 'join_channel', channel: name })
      return client
    }))
    const replies = await Promise.all(clients.map((client, i) =>
      Promise.all((i % 2 === 0 ? many : many.toReversed()).map(reaction => add(client, reaction)))))
    const refused = replies.flat().filter(({ type }) => type === 'error')
    for (const reply of refused) t.same(reply, failure('too_many_reactions'))
    const kept = await shown()
    t.equal(Object.keys(kept).length, 20)
    for (const [count, ...ids] of Object.values(kept)) t.equal(ids.length, count)
    const accepted = replies.flat().filter(({ data }) => data?.seq !== undefined)
    t.equal(Object.values(kept).reduce((sum, [count]) => sum + count, 0), accepted.length, 'every accepted reaction counts once')
    t.same(accepted.map(({ data }) => data.seq).sort((x, y) => x - y), accepted.map((_, i) => i + 2), 'refused ones take no seq')

    const [there] = Object.keys(kept)
    t.equal((await add(ann, there!)).type, 'success', 'one of the 20 can be added by others')
    t.same(await add(ann, 'new'), failure('too_many_reactions'))
    t.equal((await remove(ben, 'never')).type, 'success')
    const [last] = Object.entries(kept).filter(([reaction, [count]]) => count === 1 && reaction !== there)[0] ?? []
    if (last !== undefined) {
      for (const client of clients) await remove(client, last)
      t.equal((await add(ann, 'new')).type, 'success', 'there is room again when the last of a kind is taken back')
    }
    t.equal(await a.database.prisma.reaction.count({ where: { messageId: message, current: false, added: true } }), last ? 1 : 0)
  })

  t.test('[P40] history shows the first 20 users of a reaction, oldest first, and counts all', async t => {
    const { id: channelId, name, ann, message, add, remove, shown } = await arrange()
    const people = await Promise.all(Array.from({ length: 25 }, async (_, i) => {
      const client = await [a, b][i % 2]!.enter(`person${i}`)
      await rows.member({ id: channelId, name }, client)
      await client.request({ type: 'join_channel', channel: name })
      return client
    }))
    for (const client of people) await add(client, '👍')
    const ids = people.map(({ person }) => person.user.id)
    t.same((await shown())['👍'], [25, ...ids.slice(0, 20)])
    await remove(people[0]!, '👍')
    await add(ann, '👍')
    t.same((await shown())['👍'], [25, ...ids.slice(1, 21)], 'whoever takes it back and adds it again is the youngest')
    await add(people[0]!, '👍')
    t.same((await shown())['👍'], [26, ...ids.slice(1, 21)])
    t.equal(await a.database.prisma.reaction.count({ where: { messageId: message } }), 28)
  })

  t.test('[P40] who may not send a message may not react or take a reaction back', async t => {
    const { id: channelId, name, ann, ben, message, add, remove } = await arrange()
    await add(ben, 'mine')
    const both = async (client: Client): Promise<Frame[]> => [await add(client, 'x'), await remove(client, 'mine')]
    await rows.mute({ id: channelId, name }, ben, 60_000)
    for (const reply of await both(ben)) {
      t.match(reply, failure('muted'))
      t.ok(reply.retry_after_ms > 0 && reply.retry_after_ms <= 60_000)
    }
    await a.database.prisma.channelMute.deleteMany({})
    const unsubscribed = await b.login(ben.person)
    for (const reply of await both(unsubscribed)) t.same(reply, failure('not_in_channel'), 'without a subscription')
    await rows.ban({ id: channelId, name }, ben)
    for (const reply of await both(ben)) t.same(reply, failure('banned'))
    const url = `/api/channels/${name}/messages/${message}/reactions/x`
    const stranger = await a.register('stranger')
    t.match(await b.call('PUT', url, { token: stranger.access_token, body: {} }), { status: 403, body: { code: 'not_in_channel' } })
    t.match(await b.call('DELETE', url, { token: stranger.access_token }), { status: 403, body: { code: 'not_in_channel' } })
    t.match((await add(ann, 'y')).data, { seq: 3 }, 'refused reactions took no seq')
  })

  t.test('[P40] an erased user\'s reactions stay, without their name', async t => {
    const { id: channelId, name, ann, ben, add, shown } = await arrange()
    const { person } = ben
    await add(ben, '👍')
    const { status } = await a.call('DELETE', '/api/me', { token: person.access_token, body: { password: person.password } })
    t.equal(status, 204)
    t.same(await shown(), { '👍': [1, person.user.id] })
    const { data } = await ann.request({ type: 'join_channel', channel: name, since: 1, channel_id: channelId })
    t.match(data.messages, [{ type: 'reaction_added', user_id: person.user.id, username: 'deleted user' }])
  })
}
