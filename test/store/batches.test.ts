import { uuidv7 } from 'uuidv7'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createMembershipStore } from '../../src/store/memberships.ts'
import { createMessageStore } from '../../src/store/messages.ts'
import { eventually } from '../eventually.ts'
import { createDatabase } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t, type Test } from '../tap.ts'

const rules = { maxChannels: 50, maxCreated: 0, createdPerMinute: 0, maxUsers: 1000, defaultRoom: 'general', createMissing: true }

async function open (t: Test) {
  const database = await openDatabase({ ...loadConfig({}).config.database, url: await createDatabase(t) })
  t.teardown(database.close)
  const { prisma } = database
  const user = async (name: string) => ({ user: await prisma.user.create({ data: { id: uuidv7(), name, email: `${name}@example.org` } }) })
  return { prisma, rows: createRows(database), user, messages: createMessageStore(database), memberships: createMembershipStore(database) }
}

t.test('[P26] [P27] [P28] refused messages of a batch do not affect the others: verdicts are in order, seqs have no gap', async t => {
  const { prisma, rows, user, messages } = await open(t)
  const [ann, muted, banned, stranger, disabled] = await Promise.all(['ann', 'muted', 'banned', 'stranger', 'disabled'].map(user))
  const [one, two] = [await rows.channel(), await rows.channel()]
  for (const member of [ann!, muted!, banned!, disabled!]) await rows.member(one, member)
  await rows.member(two, ann!)
  await rows.mute(one, muted!, 60_000)
  await rows.ban(one, banned!)
  await prisma.user.update({ where: { id: disabled!.user.id }, data: { disabledAt: new Date() } })
  const draft = (channel: { id: string }, given: typeof ann, clientId?: string) =>
    ({ id: uuidv7(), channelId: channel.id, userId: given!.user.id, sid: null, content: 'x', clientId })

  const [first] = await messages.publish([draft(one, ann, 'k')])
  t.match(first, { code: null, seq: 1, duplicate: false })
  const verdicts = await messages.publish([
    draft(one, ann), draft(one, muted), draft(two, ann), draft(one, stranger), draft(one, banned), draft(one, ann, 'k'),
    draft(one, disabled), draft({ id: uuidv7() }, ann), draft(one, ann, 'l'), draft(two, ann, 'k')
  ])
  t.same(verdicts.map(verdict => verdict.code ?? verdict.seq), [
    2, 'muted', 1, 'not_in_channel', 'banned', 1, 'authentication_failed', 'channel_not_found', 3, 2
  ])
  t.match(verdicts[5], { ...first, duplicate: true })
  t.same((await prisma.channel.findMany({ orderBy: { id: 'asc' } })).map(({ lastSeq }) => lastSeq), [3n, 2n])
  t.equal(await prisma.message.count(), 5)
})

t.test('[P17]–[P21] refused joins of a batch do not affect the others, and a channel created in a batch can be joined in it', async t => {
  const { prisma, rows, user, memberships } = await open(t)
  const [ann, ben, banned] = await Promise.all(['ann', 'ben', 'banned'].map(user))
  const [known, hidden] = [await rows.channel(), await rows.channel('private')]
  await rows.ban(known, banned!)
  const join = (given: typeof ann, channelName: string) => ({ userId: given!.user.id, sid: null, channelName, newId: uuidv7() })
  const outcomes = await memberships.join([
    join(ann, 'fresh'), join(banned, known.name), join(ben, 'fresh'), join(ann, hidden.name), join(ann, 'admin-x'),
    join(ann, known.name), join(ann, 'fresh'), { ...join(ann, 'fresh'), userId: uuidv7() }
  ], rules)
  const codes = outcomes.map(({ code }) => code)
  t.same(codes, [null, 'banned', null, 'channel_not_found', 'not_authorized', null, null, 'authentication_failed'])
  const fresh = await prisma.channel.findUniqueOrThrow({ where: { name: 'fresh' }, include: { members: true, moderators: true } })
  t.match(fresh, { createdBy: ann!.user.id, userCount: 2, members: { length: 2 }, moderators: [{ userId: ann!.user.id }] })
  t.equal(await prisma.channel.count({ where: { name: 'admin-x' } }), 0)
})

t.test('[P17] [P21] a user one below the cap creates one channel in a batch, not two; the first allowed join creates it', async t => {
  const { prisma, user, memberships } = await open(t)
  const [ann, ben] = [await user('ann'), await user('ben')]
  const join = (given: typeof ann, channelName: string) => ({ userId: given.user.id, sid: null, channelName, newId: uuidv7() })
  const batch = [join(ann, 'first'), join(ann, 'left'), join(ann, 'taken'), join(ben, 'taken')]
  const outcomes = await memberships.join(batch, { ...rules, maxChannels: 1 })
  t.same(outcomes.map(({ code }) => code), [null, 'too_many_channels', 'too_many_channels', null])
  const made = await prisma.channel.findMany({ where: { userCount: 1 }, orderBy: { name: 'asc' }, include: { moderators: true } })
  t.match(made, [
    { name: 'first', createdBy: ann.user.id, userCount: 1, moderators: [{ userId: ann.user.id }] },
    { name: 'taken', createdBy: ben.user.id, userCount: 1, moderators: [{ userId: ben.user.id }] }
  ])
  t.equal(await prisma.channel.count({ where: { name: 'left' } }), 0)
})

t.test('[P20] joining again writes nothing', async t => {
  const { prisma, user, memberships } = await open(t)
  const ann = await user('ann')
  const join = () => memberships.join([{ userId: ann.user.id, sid: null, channelName: 'again', newId: uuidv7() }], rules)
  const [first] = await join()
  // xmin and xmax name the transactions that wrote and locked a row.
  const marks = () => prisma.$queryRaw`
    SELECT xmin::text, xmax::text FROM "Channel"
    UNION ALL SELECT xmin::text, xmax::text FROM "ChannelUser"
    UNION ALL SELECT xmin::text, xmax::text FROM "User"`
  const before = await marks()
  t.same(await join(), [{ ...first, isNew: false }])
  t.same(await marks(), before)
})

t.test('[P30] entries and history keep their bounds and limits, in ascending order', async t => {
  const { rows, user, messages } = await open(t)
  const ann = await user('ann')
  const channel = await rows.channel()
  await rows.member(channel, ann)
  await messages.publish(Array.from({ length: 10 }, (_, n) =>
    ({ id: uuidv7(), channelId: channel.id, userId: ann.user.id, sid: null, content: `m${n + 1}`, clientId: undefined })))
  const seqs = (rows: Array<{ seq: number }>): number[] => rows.map(({ seq }) => seq)
  t.same(seqs(await messages.entries(channel.id, 3, 6, 100, 1000)), [4, 5, 6])
  t.same(seqs(await messages.entries(channel.id, 3, 9, 2, 1000)), [4, 5])
  t.same(seqs(await messages.entries(channel.id, 3, 9, 100, 3)), [4, 5], 'the entry whose text exceeds the bound is the last one')
  t.same(seqs(await messages.entries(channel.id, 10, 20, 10, 1000)), [])
  t.same(seqs(await messages.history(channel.id, { limit: 3 })), [8, 9, 10])
  t.same(seqs(await messages.history(channel.id, { before: 5, limit: 2 })), [3, 4])
  t.same(seqs(await messages.history(channel.id, { after: 5, limit: 2 })), [6, 7])
  t.same(seqs(await messages.history(channel.id, { after: 5, before: 8, limit: 9 })), [6, 7])
})

t.test('[P24] entries of deleted channels are purged a limited number at a time, also changes and reactions without messages', async t => {
  const { prisma, rows, user, messages } = await open(t)
  const ann = await user('ann')
  const kept = await rows.channel()
  const gone = [uuidv7(), uuidv7()]
  const row = (channelId: string, seq: number) => ({ channelId, seq, id: uuidv7(), userId: ann.user.id, createdAt: new Date() })
  const change = (channelId: string, seq: number) => {
    const { id: messageId, ...rest } = row(channelId, seq)
    return { ...rest, messageId, kind: 'edited' as const }
  }
  await prisma.message.createMany({ data: [row(gone[0]!, 1), row(gone[0]!, 2), row(gone[0]!, 3), row(kept.id, 1)] })
  await prisma.messageChange.createMany({
    data: [...[4, 5, 6, 7].map(seq => change(gone[0]!, seq)), change(gone[1]!, 1), change(kept.id, 2)]
  })
  const reaction = (channelId: string, seq: number) => {
    const { id: messageId, ...rest } = row(channelId, seq)
    return { ...rest, messageId, reaction: '👍', added: true, current: true }
  }
  await prisma.reaction.createMany({ data: [...[8, 9].map(seq => reaction(gone[0]!, seq)), reaction(kept.id, 3)] })
  await prisma.deletedChannel.createMany({ data: [...gone, uuidv7()].map(id => ({ id })) })
  const purged: number[] = []
  do purged.push(await messages.purge(2)); while (purged.at(-1)! > 0)
  t.same(purged, [2, 2, 2, 2, 2, 2, 1, 0], 'counts include the row of each deleted channel, also of one without entries')
  t.equal(await prisma.deletedChannel.count(), 0)
  t.same((await prisma.message.findMany()).map(({ channelId }) => channelId), [kept.id])
  t.same((await prisma.messageChange.findMany()).map(({ channelId }) => channelId), [kept.id])
  t.same((await prisma.reaction.findMany()).map(({ channelId }) => channelId), [kept.id])
})

t.test('[P40] a batch of reactions writes the channel\'s row once and two rows at most for each reaction', async t => {
  const { prisma, rows, user, messages } = await open(t)
  const people = await Promise.all(Array.from({ length: 10 }, (_, i) => user(`person${i}`)))
  const [one, two] = [await rows.channel(), await rows.channel()]
  for (const channel of [one, two]) for (const person of people) await rows.member(channel, person)
  const targets = [await rows.message(one, people[0]!), await rows.message(two, people[0]!)]
  const batch = (isAdded: boolean) => people.flatMap(({ user: { id: userId } }) => [one, two].map(({ name: channelName }, i) =>
    ({ userId, sid: null, channelName, messageId: targets[i]!, reaction: '👍', isAdded })))
  const react = async (isAdded: boolean): Promise<Array<number | null>> => {
    const { reactions } = await messages.commit({ messages: [], changes: [], reactions: batch(isAdded) }, 20)
    return reactions.map(verdict => verdict.code === null ? verdict.seq : NaN)
  }
  /** The rows that statements have inserted, updated and deleted. The statistics arrive a moment after the statement. */
  const written = async (): Promise<Record<string, number>> => {
    await prisma.$queryRaw`SELECT pg_stat_clear_snapshot()::text`
    const found = await prisma.$queryRaw<Array<{ name: string, count: number }>>`
      SELECT relname AS name, (n_tup_ins + n_tup_upd + n_tup_del)::int AS count FROM pg_stat_user_tables`
    return Object.fromEntries(found.map(({ name, count }) => [name, count]))
  }
  const inOrder = (first: number) => people.flatMap((_, i) => [first + i, first + i])
  t.same(await react(true), inOrder(2), 'each channel numbers its reactions in the order of the batch')
  t.same(await react(true), people.flatMap(() => [null, null]), 'once more: nothing is stored')
  t.same(await react(false), inOrder(12))
  t.same((await prisma.channel.findMany({ where: { lastSeq: 21 } })).length, 2)
  const total = await eventually(async () => {
    const counts = await written()
    return (counts.Reaction ?? 0) >= 60 && (counts.Channel ?? 0) >= 28 && counts
  })
  t.equal(total.Reaction, 60, 'one row for each that is added, two for each that is taken back')
  // Besides: the channels themselves, ten members in each, and a message in each.
  t.equal(total.Channel, 2 + 20 + 2 + 2 * 2, 'each channel once in each batch that stores something')
})
