import { uuidv7 } from 'uuidv7'
import { loadConfig } from '../../src/config.ts'
import { createStores, type Stores } from '../../src/domain.ts'
import { openDatabase } from '../../src/store/client.ts'
import type { Opened } from '../../src/store/directs.ts'
import { createPruning } from '../../src/store/pruning.ts'
import { administrate, createDatabase } from '../helper.ts'
import { readSoFar } from '../read-so-far.ts'
import { createRows } from '../rows.ts'
import { t, type Test } from '../tap.ts'

/** Numbers of other people in the two databases that are compared. */
const FEW = 400
const MANY = 4000

const rules = { maxChannels: 50, maxCreated: 100, createdPerMinute: 60, maxUsers: 1000, defaultRoom: 'general', createMissing: true }

/** Ids in a query for many rows. It must not read the rest of the table, because the server runs it for each part of a long list. */
const ASKED = 400

/** The id of an instance whose lease expires at once. */
const lost = uuidv7()

/** Fills a database with a few rows of ann, ben, an admin and a guest, and with rows of `count` other people. */
async function fill (t: Test, count: number) {
  // One connection, because each PostgreSQL backend reports its read counts only when it is told to.
  const url = await createDatabase(t)
  const database = await openDatabase({ ...loadConfig({}).config.database, url, pool_size: 1 })
  t.teardown(database.close)
  const { prisma } = database
  const stores = createStores(database)
  const rows = createRows(database)
  const user = async (name: string, data: object = {}) => {
    return { user: await prisma.user.create({ data: { name, email: `${name}@example.org`, ...data } }) }
  }
  await prisma.$executeRaw`INSERT INTO "User" (id, name, email, "disabledAt")
    SELECT gen_random_uuid(), 'person ' || n, 'p' || n || '@example.org', CASE WHEN n % 2 = 0 THEN now() - interval '1 year' END
    FROM generate_series(1, ${count}) n`
  await prisma.$executeRaw`INSERT INTO "Channel" (id, name, "channelType", "createdBy", "userCount", "lastSeq")
    SELECT u.id, 'p-' || u.id, 'private', u.id, 1, 1 FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "ChannelUser" ("channelId", "userId") SELECT u.id, u.id FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "ChannelModerator" ("channelId", "userId") SELECT u.id, u.id FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "ChannelInvite" ("channelId", "userId", "invitedBy") SELECT u.id, u.id, u.id FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "ChannelBan" ("channelId", "userId", "bannedBy") SELECT u.id, u.id, u.id FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "ChannelMute" ("channelId", "userId", "mutedBy", "expiresAt")
    SELECT u.id, u.id, u.id, now() + interval '1 hour' FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "DirectPeer" ("channelId", "userId", "peerId", "toldAt")
    SELECT u.id, u.id, u.id, now() - interval '1 hour' FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "UserBlock" ("userId", "blockedId") SELECT u.id, u.id FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
    SELECT u.id, 1, u.id, u.id, 'x', now() FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "MessageChange" ("channelId", seq, "messageId", kind, "userId", "createdAt")
    SELECT u.id, 2, u.id, 'edited', u.id, now() FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "ModerationLog" (id, action, "actorId", "targetId", "channelId")
    SELECT u.id, 'invite_user', u.id, u.id, u.id FROM "User" u`
  await prisma.$executeRaw`INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "revokedAt")
    SELECT u.id, uuid_send(u.id), '', u.id, u.id, now() + interval '1 day',
      CASE WHEN u."disabledAt" IS NOT NULL THEN now() - interval '1 hour' END FROM "User" u`

  await prisma.$executeRaw`INSERT INTO "Report"
    (id, "channelId", "channelName", "messageId", seq, "authorId", content, "sentAt", "reporterId", "createdAt", resolution, "settledAt")
    SELECT u.id, u.id, 'x', u.id, 1, u.id, 'x', now(), u.id, now(),
      CASE WHEN u."disabledAt" IS NULL THEN 'dismissed'::"ReportResolution" END,
      CASE WHEN u."disabledAt" IS NULL THEN now() END FROM "User" u`

  const people = { ann: await user('ann'), ben: await user('ben'), admin: await user('admin', { role: 'admin' }) }
  const { ann, ben } = people
  const channel = await rows.channel('private', { creator: ann })
  const invited = await rows.channel('private')
  await prisma.channelModerator.create({ data: { channelId: channel.id, userId: ann.user.id } })
  await rows.member(channel, ann)
  await rows.member(channel, ben)
  await rows.mute(channel, ben, 60_000)
  await rows.invitation(invited, ann)
  await rows.message(channel, ann)
  // These rows expired long ago, so that purging and pruning have something to remove.
  const expiresAt = new Date(Date.now() - 90 * 86_400_000)
  await prisma.refreshToken.create({
    data: { tokenHash: Buffer.from('x'), salt: Buffer.from(''), userId: ann.user.id, familyId: uuidv7(), expiresAt }
  })
  await prisma.moderationLog.create({ data: { action: 'ban_user', createdAt: expiresAt } })
  await prisma.user.create({ data: { name: 'guest-1', disabledAt: expiresAt } })
  const old = await rows.report(channel, uuidv7(), { author: ben, reporter: ann })
  await prisma.report.update({ where: { id: old }, data: { createdAt: expiresAt } })
  const deleted = await rows.channel('public', { creator: ann })
  await rows.message(deleted, ann)
  await stores.channels.delete(actorOf(ann), deleted.name)
  while (await stores.search.index(5000) > 0) { /* Go on until all messages are in the index. */ }
  // The tables of an embedded database are not analysed in its first minute.
  const before = await readSoFar(database)
  await stores.channels.list(actorOf(people.admin), { limit: 51 })
  const readByNewList = await readSoFar(database) - before
  await administrate(url, 'VACUUM ANALYZE')
  // The channel of each of these people has their id.
  const someIds = (await prisma.$queryRaw<Array<{ id: string }>>`
    SELECT id FROM "User" WHERE email LIKE 'p%' ORDER BY random() LIMIT ${ASKED}`).map(({ id }) => id)
  return { database, stores, people, channel, invited, someIds, readByNewList }
}

type World = Awaited<ReturnType<typeof fill>>

interface Someone { user: { id: string } }

const actorOf = ({ user }: Someone) => ({ userId: user.id, sid: null })

function act ({ moderation }: Stores, act: string, by: Someone, { name: channel }: { name: string }, on: Someone) {
  return moderation.moderate(actorOf(by), { act, channelName: channel, targetId: on.user.id }, { pending: 100, perMinute: 40 })
}

/** Every statement that lists, changes, maintains or ends something. */
const statements: Record<string, (world: World) => Promise<unknown>> = {
  'channel_list of a user': ({ stores, people: { ann } }) => stores.channels.list(actorOf(ann), { limit: 51 }),
  'one\'s own channels': ({ stores, people: { ann } }) => stores.ownChannels.list(actorOf(ann), { limit: 51 }),
  'judging a mark': ({ stores, people: { ann }, channel }) => stores.reads.judge(actorOf(ann), channel.name),
  'raising a position': ({ stores, people: { ann }, channel }) =>
    stores.reads.raise([{ channelId: channel.id, userId: ann.user.id, seq: 1 }]),
  'the channels of users': ({ stores, people: { ann } }) => stores.activity.channelsOf([ann.user.id]),
  'who may hear of a channel': ({ stores, people: { ann }, channel }) => stores.activity.heardBy([channel.id], [ann.user.id]),
  'channel_list of private channels': ({ stores, people: { ann } }) =>
    stores.channels.list(actorOf(ann), { limit: 51, type: 'private' }),
  'channel_list of an admin': ({ stores, people: { admin } }) => stores.channels.list(actorOf(admin), { limit: 51 }),
  'finding a channel': ({ stores, people: { ann }, channel }) => stores.channels.find(actorOf(ann), channel.name),
  members: ({ stores, channel }) => stores.channels.members(channel.id, undefined, 51),
  bans: ({ stores, channel }) => stores.moderation.bans(channel.id, undefined, 51),
  mutes: ({ stores, channel }) => stores.moderation.mutes(channel.id, undefined, 51),
  moderators: ({ stores, channel }) => stores.moderation.moderators(channel.id, undefined, 51),
  'the log of a channel': ({ stores, channel }) => stores.moderation.log(channel.id, undefined, 51),
  'the log': ({ stores }) => stores.moderation.log(null, undefined, 51),
  invitations: ({ stores, people: { ann } }) => stores.moderation.invitations(ann.user.id, undefined, 51),
  accounts: ({ stores }) => stores.accounts.search({ query: undefined, after: undefined, limit: 51 }),
  history: ({ stores, channel }) => stores.messages.history(channel.id, { limit: 51 }),
  'history around a seq': ({ stores, channel }) => stores.messages.around(channel.id, 1, 51),
  'one message': ({ stores, channel }) => stores.messages.find(channel.id, uuidv7()),
  reporting: async ({ stores, channel, people: { ann, ben } }) => {
    const [message] = await stores.messages.history(channel.id, { limit: 1 })
    const { report } = await stores.reports.file(actorOf(ben), channel.name, message!.id, 'spam', { perMinute: 20, mostTold: 200 })
    t.equal(report.user_id, ann.user.id)
  },
  'reports of a channel': ({ stores, channel, people: { admin } }) =>
    stores.reports.list(actorOf(admin), { channelName: channel.name, status: 'open' }, undefined, 51),
  'all reports': ({ stores, people: { admin } }) =>
    stores.reports.list(actorOf(admin), { channelName: null, status: undefined }, undefined, 51),
  'open reports': ({ stores, people: { admin } }) =>
    stores.reports.list(actorOf(admin), { channelName: null, status: 'open' }, undefined, 51),
  'settling a report': async ({ stores, people: { admin } }) => {
    const [report] = await stores.reports.list(actorOf(admin), { channelName: null, status: 'open' }, undefined, 1)
    await stores.reports.settle(actorOf(admin), null, report!.id, 'dismissed')
  },
  'the id of an entry': ({ stores, channel }) => stores.messages.entryId(channel.id, 1),
  'a search of a member for a word that all messages have': async ({ stores, people: { ann } }) => {
    const { messages } = await stores.search.find(actorOf(ann), false, { query: 'x', channel: undefined, below: undefined, limit: 51 })
    t.equal(messages.length, 1)
  },
  entries: ({ stores, channel }) => stores.messages.entries(channel.id, 0, 1000, 1000, 1_000_000),
  versions: ({ stores, channel }) => stores.channels.versions([channel.id]),
  'versions of many channels': async ({ stores, someIds }) => t.equal((await stores.channels.versions(someIds)).length, ASKED),
  'settings of many channels': async ({ stores, someIds }) => t.equal((await stores.channels.settings(someIds)).length, ASKED),
  'states of many users': async ({ stores, someIds }) => t.equal((await stores.users.states(someIds)).length, ASKED),
  'checking many logins': async ({ stores, someIds }) =>
    t.equal((await stores.tokens.findLogins(someIds.map(id => ({ userId: id, sid: id })))).length, ASKED),
  'members among': ({ stores, channel, people: { ann } }) => stores.channels.membersAmong(channel.id, [ann.user.id]),
  'users who changed': ({ stores }) => stores.users.changedWithin(10_000),
  'states of users': ({ stores, people: { ann } }) => stores.users.states([ann.user.id]),
  'users of ended logins': ({ stores }) => stores.tokens.loggedOutWithin(10_000),
  'admitting a guest': ({ stores }) =>
    stores.guests.admit({ id: uuidv7(), name: 'guest-2', instanceId: lost, seconds: 0 }),
  'renewing a lease': ({ stores }) => stores.guests.renewLease(uuidv7(), 60),
  'ending guests': ({ stores }) => stores.guests.end([uuidv7()]),
  'ending guests of an instance that is gone': async ({ stores }) => {
    const { endLost } = stores.guests
    t.same([await endLost(100), await endLost(100), await endLost(100)], [true, true, false])
  },
  'disconnecting someone': ({ stores, people: { ann, admin } }) =>
    stores.accounts.logAdminAct(actorOf(admin), 'disconnect_user', ann.user.id),
  'an invitation': ({ stores, people: { ann, admin }, channel }) => act(stores, 'invite_user', ann, channel, admin),
  'a kick': ({ stores, people: { ann, ben }, channel }) => act(stores, 'kick_user', ann, channel, ben),
  'declining an invitation': ({ stores, people: { ann }, invited }) =>
    stores.functions.call`parley_decline_invitation(${ann.user.id}::uuid, ${invited.name}, ${null}::uuid)`,
  'making a channel by joining': ({ stores, people: { ben } }) =>
    stores.memberships.join([{ ...actorOf(ben), channelName: 'joined', newId: uuidv7() }], rules),
  'making a channel': ({ stores, people: { ben } }) =>
    stores.channels.create(actorOf(ben), uuidv7(), 'made', 'public', {}, rules),
  leaving: ({ stores, people: { ben } }) => stores.memberships.leave(actorOf(ben), 'made'),
  'joining again': ({ stores, people: { ben } }) =>
    stores.memberships.join([{ ...actorOf(ben), channelName: 'joined', newId: uuidv7() }], rules),
  publishing: async ({ stores, channel, people: { ann } }) => {
    const draft = { id: uuidv7(), channelId: channel.id, ...actorOf(ann), content: 'x', clientId: undefined }
    t.match(await stores.messages.publish([draft]), [{ code: null }])
  },
  settings: ({ stores, channel }) => stores.channels.settings([channel.id]),
  'changing settings': ({ stores, channel, people: { ann } }) =>
    stores.channels.update(actorOf(ann), channel.name, { channel_type: 'public', topic: 'new' }),
  'opening a direct channel and writing to it': async ({ stores, people: { ann, ben } }) => {
    const channelId = uuidv7()
    const opened = await stores.directs.open(actorOf(ann), ben.user.id, channelId, 60)
    const draft = { id: uuidv7(), channelId, ...actorOf(ann), content: 'x', clientId: undefined }
    t.match(await stores.messages.publish([draft]), [{ code: null, told: ben.user.id }])
    t.match(await stores.memberships.join([{ ...actorOf(ben), channelName: (opened as Opened).channelName, newId: uuidv7() }], rules),
      [{ code: null, peer: { username: 'ann' } }])
  },
  'direct channels of which users have to be told': async ({ stores, people: { ben } }) => {
    for (const users of [undefined, [ben.user.id]]) t.equal((await stores.directs.toldWithin(30_000, users)).length, 1)
  },
  'mutes and blocks among users': ({ stores, channel, people: { ann } }) => stores.channels.mutesAmong(channel.id, [ann.user.id]),
  blocking: ({ stores, people: { ann, ben } }) => stores.blocks.set(actorOf(ann), ben.user.id, true, 100),
  blocks: ({ stores, people: { ann } }) => stores.blocks.list(ann.user.id, undefined, 51),
  'checking logins': ({ stores, people: { ann } }) => stores.tokens.findLogins([{ userId: ann.user.id, sid: uuidv7() }]),
  'listing logins': ({ stores, people: { ann } }) => stores.logins.list(ann.user.id, undefined, 51),
  'ending a login': ({ stores, people: { ann } }) => stores.logins.end(actorOf(ann), uuidv7()),
  'ending other logins': ({ stores, people: { ben } }) => stores.logins.endOthers(actorOf(ben)),
  'registering with a code': async ({ stores, database, people: { admin } }) => {
    const hash = Buffer.from('code')
    const code = { id: uuidv7(), hash, uses: 1, lifetime: 60, channels: ['joined'] }
    t.equal(await stores.invitationCodes.create(actorOf(admin), code), null)
    await stores.users.register({ email: 'new@example.org', name: 'new', handle: null, passwordHash: 'x', codeHash: hash }, rules)
    t.equal((await stores.invitationCodes.list(undefined, 51))[0]!.uses_left, 0)
    t.equal(await database.prisma.channelUser.count({ where: { user: { email: 'new@example.org' } } }), 1)
  },
  'changing a role': ({ stores, people: { ann, admin } }) =>
    stores.accounts.setRole(actorOf(admin), ann.user.id, 'moderator'),
  disabling: ({ stores, people: { ann, admin } }) =>
    stores.accounts.setDisabled(actorOf(admin), ann.user.id, true),
  erasing: ({ stores, people: { ann, admin } }) => stores.accounts.erase(actorOf(admin), ann.user.id),
  'purging messages of deleted channels': async ({ stores }) => {
    const { purge } = stores.messages
    t.same([await purge(1000), await purge(1000)], [2, 0])
  },
  'purging times of slow mode': ({ stores }) => stores.messages.purgeSends(1000),
  'purging logins': async ({ stores }) => {
    const { purge } = stores.tokens
    t.same([await purge(3600), await purge(3600)], [1, 0])
  },
  'pruning a channel': async ({ database, channel }) => {
    const pruning = createPruning(database.prisma)
    await pruning.channels(undefined, 10)
    t.match(await pruning.oldEntries(channel.id, new Date(Date.now() + 1000), 0n, 1000), { upTo: 1n }, 'the newest entry stays')
    await pruning.deleteEntries(channel.id, 1n)
  },
  'channels with a retention': ({ stores }) => stores.pruning.retaining(),
  'pruning the log, reports and gone users': async ({ database }) => {
    const pruning = createPruning(database.prisma)
    const cutoff = new Date(Date.now() - 80 * 86_400_000)
    t.same(await pruning.oldRest(cutoff), { log: 1, reports: 1, users: 1 })
    const removed = [pruning.deleteLog, pruning.deleteReports, pruning.deleteUsers].map(remove => remove(cutoff, 1000))
    t.same(await Promise.all(removed), [1, 1, 1])
  }
}

t.test(`[P58] a statement reads about as few rows beside ${MANY} other people, channels and logins as beside ${FEW}`, async t => {
  const [few, many] = [await fill(t, FEW), await fill(t, MANY)]
  const byNewList = [few.readByNewList, many.readByNewList] as const
  t.ok(byNewList[1] <= 2 * byNewList[0] + 20, `a list of channels that nobody has analysed: ${byNewList.join(' and ')} rows read`)
  for (const [name, run] of Object.entries(statements)) {
    const read = []
    for (const world of [few, many]) {
      const before = await readSoFar(world.database)
      await run(world)
      read.push(await readSoFar(world.database) - before)
    }
    t.ok(read[1]! <= 2 * read[0]! + 20, `${name}: ${read.join(' and ')} rows read`)
  }
})

t.test('[P58] a round of maintenance reads only about as many rows as it removes, however many are left to remove', async t => {
  const world = await fill(t, FEW)
  const { database, stores, people: { ann } } = world
  const { prisma } = database
  const channel = await createRows(database).channel('public', { creator: ann })
  await prisma.$executeRaw`INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
    SELECT ${channel.id}::uuid, n, gen_random_uuid(), ${ann.user.id}::uuid, 'x', now() FROM generate_series(1, ${MANY}) n`
  await prisma.$executeRaw`INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "revokedAt")
    SELECT id, uuid_send(id), '', ${ann.user.id}::uuid, id, now() - interval '1 year', now() - interval '1 year'
    FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ${MANY})) x`
  await prisma.$executeRaw`INSERT INTO "ModerationLog" (id, action, "createdAt")
    SELECT gen_random_uuid(), 'x', now() - interval '1 year' FROM generate_series(1, ${MANY})`
  await prisma.$executeRaw`INSERT INTO "User" (id, name, "disabledAt")
    SELECT gen_random_uuid(), 'guest', now() - interval '1 year' FROM generate_series(1, ${MANY})`
  await stores.channels.delete(actorOf(ann), channel.name)
  const cutoff = new Date(Date.now() - 200 * 86_400_000)
  const rounds = {
    // The server runs the first two by itself, also on the embedded database, where nothing has analysed the tables yet.
    'messages of a deleted channel': () => stores.messages.purge(100),
    logins: () => stores.tokens.purge(3600, 100),
    'lines of the log': () => createPruning(prisma).deleteLog(cutoff, 100),
    'gone users': () => createPruning(prisma).deleteUsers(cutoff, 100)
  }
  for (const [name, remove] of Object.entries(rounds)) {
    if (name === 'lines of the log') await prisma.$executeRaw`VACUUM ANALYZE`
    for (const round of ['first', 'second', 'third']) {
      const before = await readSoFar(database)
      t.ok(await remove() > 0, name)
      const read = await readSoFar(database) - before
      t.ok(read <= 1000, `${name}: the ${round} round reads ${read} rows`)
    }
  }
})
