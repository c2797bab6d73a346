import { randomBytes, randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { BusEvent, ControlAction, Topic } from '../../src/broker/broker.ts'
import { encodeEvent, INSTANCE_BYTES } from '../../src/broker/encoding.ts'
import { encode, encodeEntries } from '../../src/connections/frames.ts'
import type { Entry } from '../../src/schemas/message.ts'
import type { Client, Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { unjudged } from '../frames.ts'
import { failure, redis, startServer, type Person } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const server = await startServer(t, { config })
const rows = createRows(server.database)

/** The Redis connection of an attacker, who knows the format of the bus messages. */
const stranger = new Redis(config.redis.url!)
t.teardown(() => stranger.disconnect())

async function publish (topic: Topic, message: Buffer | string): Promise<void> {
  await stranger.publish(`${config.redis.prefix}${topic}`, message)
}

const forge = (topic: Topic, event: BusEvent): Promise<void> => publish(topic, encodeEvent(event, randomBytes(INSTANCE_BYTES)))
const forgeAction = (topic: Topic, action: object): Promise<void> => forge(topic, { kind: 'control', action: action as ControlAction })
const forgeNotice = (topic: Topic, frame: Buffer): Promise<void> => forge(topic, { kind: 'notice', frame })
const forgeEntries = (topic: Topic, entries: Entry[], firstSeq = entries[0]!.seq): Promise<void> =>
  forge(topic, { kind: 'entries', firstSeq, ...encodeEntries(entries) })

type Someone = Client & { person: Person }

const userTopic = ({ person }: Someone): Topic => `user:${person.user.id}`

/** Resolves when the server has read all forged messages and has finished the database look-ups that they caused. */
async function settled (client: Someone): Promise<void> {
  const message = randomUUID()
  await forgeNotice(userTopic(client), encode({ type: 'announcement', message, timestamp: new Date().toISOString() }))
  await client.expect(frame => frame.message === message)
  // Only the database tells of this end, so the look-up that finds it began after the forged messages were read.
  const witness = await server.enter('witness')
  await server.database.prisma.user.update({ where: { id: witness.person.user.id }, data: { disabledAt: new Date() } })
  await witness.closed()
}

async function channelOf (client: Someone, name: string): Promise<{ id: string, topic: Topic }> {
  const { data } = await client.request({ type: 'join_channel', channel: name })
  return { id: data.channel_id, topic: `channel:${data.channel_id}` }
}

const say = (client: Client, channel: string, message: string): Promise<Frame> => client.request({ type: 'send_message', channel, message })

function entry (channel: string, seq: number, message = 'false'): Extract<Entry, { type: 'message' }> {
  const ids = { id: randomUUID(), user_id: randomUUID() }
  return { type: 'message', ...ids, seq, channel, username: 'nobody', message, timestamp: '2026-01-01T00:00:00.000Z' }
}

t.test('[P60] a forged user_changed changes nobody\'s identity, name, role or rights', async t => {
  const admin = await server.enter('admin')
  await rows.role(admin, 'admin')
  await admin.request({ type: 'command', command: 'create_channel', name: 'vault', channel_type: 'private' })
  const mallory = await server.enter('mallory', 'market')
  const { id, email } = admin.person.user
  const all = { id, name: 'admin', role: 'admin', email, guest: false }
  const changes = [{ id }, all, { role: 'admin' }, { name: 'admin' }, { role: 'owner' }]
  for (const user of changes) {
    await forgeAction(userTopic(mallory), { type: 'user_changed', user, id, userId: id })
  }
  await settled(mallory)
  t.same(await mallory.exchange({ type: 'join_channel', channel: 'vault' }), failure('channel_not_found'))
  t.same(await mallory.exchange({ type: 'user_list', channel: 'vault' }), failure('channel_not_found'))
  const creation = { type: 'command', command: 'create_channel', name: 'admin-forged', channel_type: 'admin' }
  t.same(await mallory.exchange(creation), failure('not_authorized'))
  await say(mallory, 'market', 'it is me')
  t.match(await mallory.expect('message'), { user_id: mallory.person.user.id, username: 'mallory' })
})

t.test('[P60] a forged disconnect closes no connection, whatever its reason and login', async t => {
  const ann = await server.enter('ann')
  const { sid } = JSON.parse(Buffer.from(ann.person.access_token.split('.')[1]!, 'base64url').toString())
  t.ok(sid)
  for (const fields of [
    { reason: 'disconnected' }, { reason: 'session_revoked' }, { reason: 'session_revoked', sid }, { reason: 'disconnected', sid },
    { reason: 'unheard_of' }, { reason: 'constructor' }, { reason: '__proto__' }, { reason: 4503 }, { reason: null }, {}
  ]) await forgeAction(userTopic(ann), { type: 'disconnect', ...fields })
  await settled(ann)
  await ann.settle()
})

t.test('[P60] [P47] a forged direct_opened tells nobody of a direct channel without a message, and of another one only once', async t => {
  const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
  const { data: { channel: { name } } } = await ann.request({ type: 'open_direct', user_id: ben.person.user.id })
  await forgeAction(userTopic(ben), { type: 'direct_opened', channel: { name }, user_id: ann.person.user.id })
  await settled(ben)
  t.notOk((await ben.settle()).some(({ type }) => type === 'direct_opened'))
  await ann.request({ type: 'join_channel', channel: name })
  await say(ann, name, 'hello')
  await ben.expect('direct_opened')
  for (const client of [ann, ben, ben]) await forgeAction(userTopic(client), { type: 'direct_opened' })
  await settled(ben)
  for (const client of [ann, ben]) t.notOk((await client.settle()).some(({ type }) => type === 'direct_opened'))
})

t.test('[P60] a forged membership_ended or channel_deleted ends no subscription and is announced to nobody', async t => {
  const [ann, ben] = [await server.enter('ann', 'lasting'), await server.enter('ben', 'lasting')]
  const { topic } = await channelOf(ann, 'lasting')
  const userIds = [ann.person.user.id, ben.person.user.id]
  for (const aclVersion of [0, 1, 7, Number.MAX_SAFE_INTEGER]) await forgeAction(topic, { type: 'membership_ended', userIds, aclVersion })
  await forgeAction(topic, { type: 'channel_deleted', timestamp: '2026-01-01T00:00:00.000Z' })
  await settled(ann)
  await say(ben, 'lasting', 'still here')
  t.match(await ann.expect('message'), { message: 'still here' })
  for (const client of [ann, ben]) t.notOk(client.inbox.some(({ type }) => type === 'channel_deleted' || type === 'channel_left'))
  await server.call('DELETE', '/api/channels/lasting/members/me', { token: ben.person.access_token })
})

t.test('[P60] [P33] a real kick that follows a forged one still ends the subscription on other instances', async t => {
  const other = await startServer(t, { config, databaseUrl: server.databaseUrl })
  const owner = await server.enter('owner')
  await owner.request({ type: 'command', command: 'create_channel', name: 'kicking' })
  const target = await other.enter('target', 'kicking')
  const { topic } = await channelOf(target, 'kicking')
  await forgeAction(topic, { type: 'membership_ended', userIds: [target.person.user.id], aclVersion: Number.MAX_SAFE_INTEGER })
  await owner.request({ type: 'command', command: 'kick_user', channel: 'kicking', user_id: target.person.user.id })
  await target.expect('kicked_from_channel')
  const speech = { type: 'send_message', channel: 'kicking', message: '?' }
  await eventually(async () => (await target.exchange(speech)).code === 'not_in_channel')
  t.notOk(target.inbox.some(({ type }) => type === 'channel_left'), 'the user has already received kicked_from_channel')
})

/** Kinds of forged entries for a channel whose next `seq` is `next`. */
const falseEntries: Record<string, (channel: string, next: number) => Entry[]> = {
  'the next entry': (channel, next) => [entry(channel, next)],
  'the next three': (channel, next) => [0, 1, 2].map(i => entry(channel, next + i)),
  'another entry with the last seq': (channel, next) => [entry(channel, next - 1)],
  'entries that overlap the last': (channel, next) => [entry(channel, next - 1), entry(channel, next)],
  'an entry that leaves a gap': (channel, next) => [entry(channel, next + 3)],
  'the highest possible seq': channel => [entry(channel, Number.MAX_SAFE_INTEGER - 1)]
}

t.test('[P60] [P27] a forged entry neither suppresses nor repeats real messages', async t => {
  const other = await startServer(t, { config, databaseUrl: server.databaseUrl })
  for (const [i, [what, make]] of Object.entries(falseEntries).entries()) {
    const channel = `stream-${i}`
    const reader = await server.enter('reader')
    const { topic } = await channelOf(reader, channel)
    const writer = await other.enter('writer', channel)
    const sent: string[] = []
    for (let seq = 1; seq <= 20; seq++) {
      sent.push((await say(writer, channel, `text ${seq}`)).data.id)
      if (seq % 5 === 1) await forgeEntries(topic, make(channel, seq + 1))
    }
    await reader.expect(({ type, id }) => type === 'message' && id === sent.at(-1))
    const truth = new Set(sent)
    const received = reader.inbox.filter(({ type, id }) => type === 'message' && truth.has(id)).map(({ id }) => id)
    t.same(received, sent.slice(0, -1), `${what}: each real message arrives once, in order`)
    const { body } = await server.call('GET', `/api/channels/${channel}/messages?limit=100`, { token: reader.person.access_token })
    t.same(body.messages.map(({ id }: Frame) => id), sent, `${what}: no forged message is stored`)
  }
})

t.test('[P60] events that cannot be entries of the channel reach nobody', async t => {
  const ann = await server.enter('ann', 'strict')
  const { topic } = await channelOf(ann, 'strict')
  const { frames, ends } = encodeEntries([entry('strict', 1)])
  const refused = unjudged((): BusEvent[] => [
    { kind: 'entries', firstSeq: 1, ...encodeEntries([entry('elsewhere', 1)]) },
    { kind: 'entries', firstSeq: 1, ...encodeEntries([entry('strict', 2)]) },
    { kind: 'entries', firstSeq: 1, ...encodeEntries([{ ...entry('strict', 1), type: 'success' as 'message' }]) },
    { kind: 'entries', firstSeq: 1, ...encodeEntries([{ ...entry('strict', 1), username: 7 as unknown as string }]) },
    { kind: 'entries', firstSeq: 1, ...encodeEntries([{ ...entry('strict', 1), id: 'x' }]) },
    { kind: 'entries', firstSeq: 1, frames, ends: [ends[0]! - 1, ends[0]!] },
    { kind: 'entries', firstSeq: 1, frames: frames.subarray(0, -1), ends: [ends[0]! - 1] },
    { kind: 'entries', firstSeq: 1, frames: Buffer.from([0x88, 2, 0x03, 0xe8]), ends: [4] },
    { kind: 'entries', firstSeq: 1, frames: Buffer.from([0x81, 1, 0xff]), ends: [3] },
    { kind: 'entries', firstSeq: 1, frames: Buffer.alloc(0), ends: [] }
  ])
  for (const event of refused) await forge(topic, event)
  await forgeEntries(userTopic(ann), [entry('strict', 1)])
  await forgeEntries('broadcast', [entry('strict', 1)])
  await settled(ann)
  const { data } = await say(ann, 'strict', 'first')
  t.equal(data.seq, 1)
  t.match(await ann.expect('message'), { id: data.id, seq: 1 })
  t.notOk(ann.inbox.some(({ type }) => type === 'message'))
})

t.test('[P60] a forged notice is dropped if it imitates a reply or message, names another channel, is malformed or too large', async t => {
  const ann = await server.enter('ann', 'notices')
  const { topic } = await channelOf(ann, 'notices')
  const timestamp = '2026-01-01T00:00:00.000Z'
  const refused = unjudged(() => [
    ...['welcome', 'success', 'error', 'heartbeat_ack', 'channel_list', 'user_list', 'message', 'message_edited', 'message_deleted']
      .map(type => encode({ ...entry('notices', 1), type, ref: 'ref-1' })),
    encode({ type: 'announcement', message: 'x'.repeat(600_000), timestamp }), encode({ type: 7 }), encode({}), encode([]),
    Buffer.from([0x81, 4, ...Buffer.from('null')]), Buffer.from([0x81, 1, 0x7b]), Buffer.from([0x88, 0]), Buffer.from([0x89, 0]),
    Buffer.from([0x81, 127, 0, 0, 0, 0]), Buffer.from([0x81, 5, 0x7b]), Buffer.alloc(0)
  ])
  for (const frame of refused) for (const to of [topic, userTopic(ann), 'broadcast'] as const) await forgeNotice(to, frame)
  await forgeNotice(topic, encode({ type: 'user_left', user_id: randomUUID(), username: 'x', channel: 'elsewhere', timestamp }))
  const before = ann.inbox.length
  await settled(ann)
  await ann.settle()
  t.same(ann.inbox.slice(before).filter(({ type }) => type !== 'user_joined' && type !== 'user_left'), [])
})

t.test('[P60] malformed events cause at most one warning of each kind a second, and end neither a connection nor the process', async t => {
  const ann = await server.enter('ann', 'calm')
  const { topic } = await channelOf(ann, 'calm')
  const control = (text: string): Buffer => Buffer.concat([Buffer.from([1, 3]), randomBytes(INSTANCE_BYTES), Buffer.from(text)])
  const malformed = [
    '', 'nonsense', '{"type":"user_changed"}', randomBytes(5), randomBytes(5000), Buffer.alloc(17_000_000, 1),
    ...['', 'null', '7', '"x"', '[]', '{}', '{"type":null}', '{"type":"__proto__"}', '{"type":"constructor"}',
      '{"__proto__":{"type":"disconnect"}}',
      '{"type":"user_changed"}', '{"type":"user_changed","user":null}', '{"type":"user_changed","user":{"role":"__proto__"}}',
      '{"type":"user_changed","user":{"name":7}}', '{"type":"disconnect"}', '{"type":"disconnect","reason":{}}',
      '{"type":"disconnect","reason":"toString"}', '{"type":"disconnect","reason":"disconnected","sid":7}',
      '{"type":"membership_ended"}', '{"type":"membership_ended","userIds":"x","aclVersion":1}',
      '{"type":"membership_ended","userIds":[null],"aclVersion":1}', '{"type":"membership_ended","userIds":[],"aclVersion":"1"}',
      '{"type":"membership_ended","userIds":[],"aclVersion":1e400}', '{"type":"membership_ended","userIds":[],"aclVersion":-1}',
      '{"type":"channel_deleted"}', '{"type":"channel_deleted","timestamp":{}}', `{"type":"unheard_of","x":"${'x'.repeat(5_000_000)}"}`,
      '['.repeat(100_000)
    ].map(control)
  ]
  const warnings = (): number => server.lines.filter(line => line.includes('message bus: ')).length
  const [before, began] = [warnings(), performance.now()]
  for (const message of malformed) {
    // Redis disconnects a subscriber with more than 32 MB of unread messages, so a large one goes to one topic, and the test waits for it.
    const isLarge = message.length > 1_000_000
    for (const to of isLarge ? [topic] : [topic, userTopic(ann), 'broadcast'] as const) await publish(to, message)
    if (isLarge) await settled(ann)
  }
  // These actions have a valid form, but arrive on topics that never carry them.
  for (const to of [topic, 'broadcast'] as const) await forgeAction(to, { type: 'disconnect', reason: 'disconnected' })
  for (const to of [userTopic(ann), 'broadcast'] as const) await forgeAction(to, { type: 'channel_deleted', timestamp: 'now' })
  await settled(ann)
  const seconds = Math.ceil((performance.now() - began) / 1000)
  t.ok(warnings() > before)
  t.ok(warnings() - before <= 2 * (seconds + 1), `${warnings() - before} warnings in ${seconds} s`)
  await say(ann, 'calm', 'still here')
  t.match(await ann.expect('message'), { message: 'still here' })
})
