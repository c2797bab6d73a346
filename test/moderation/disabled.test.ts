import { uuidv7 } from 'uuidv7'
import { createStores } from '../../src/domain.ts'
import { openTestDatabase } from '../routes/rest.ts'
import { userActs } from '../rights.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

t.test('[P15] requests of a disabled user change nothing and show nothing, even in a channel that they created as admin', async t => {
  const database = await openTestDatabase(t)
  const { prisma } = database
  const rows = createRows(database)
  const user = (name: string) => prisma.user.create({ data: { name, email: `${name}@example.org`, role: 'admin' } })
  const [ann, ben] = [await user('ann'), await user('ben')]
  const channel = await rows.channel('public', { creator: { user: ann } })
  await rows.member(channel, { user: ann })
  const actor = { userId: ann.id, sid: null }
  const stores = createStores(database)
  const { channels, memberships, messages } = stores
  const draft = () => ({ id: uuidv7(), channelId: channel.id, userId: ann.id, sid: null, content: 'x', clientId: undefined })
  const [sent] = await messages.publish([draft()])
  if (sent?.code !== null) throw new Error('not sent')
  await prisma.user.update({ where: { id: ann.id }, data: { disabledAt: new Date() } })

  for (const act of userActs) {
    const request = { act, channelName: channel.name, targetId: ben.id, duration: 60 }
    t.same(await stores.moderation.moderate(actor, request, { pending: 0, perMinute: 0 }), { code: 'authentication_failed' }, act)
  }
  const declined = stores.functions.call`parley_decline_invitation(${ann.id}::uuid, ${channel.name}, ${null}::uuid)`
  await t.rejects(declined, { code: 'authentication_failed' })
  const creation = { maxChannels: 0, maxCreated: 0, createdPerMinute: 0 }
  t.same(await channels.update(actor, channel.name, { channel_type: 'private', topic: 'x' }), { code: 'authentication_failed' })
  t.same(await channels.delete(actor, channel.name), { code: 'authentication_failed' })
  t.same(await channels.create(actor, uuidv7(), 'new', 'public', {}, creation), { code: 'authentication_failed' })
  const rules = { ...creation, maxUsers: 0, defaultRoom: 'general', createMissing: true }
  const join = (name: string) => memberships.join([{ ...actor, channelName: name, newId: uuidv7() }], rules)
  t.same([...await join(channel.name), ...await join('new')], [{ code: 'authentication_failed' }, { code: 'authentication_failed' }])
  t.match(await messages.publish([draft()]), [{ code: 'authentication_failed' }])
  for (const text of ['y', null]) {
    const change = { channelName: channel.name, userId: ann.id, sid: null, messageId: sent.id, text }
    t.match((await messages.commit({ messages: [], changes: [change], reactions: [] }, 20)).changes, [{ code: 'authentication_failed' }])
  }
  const reactions = [true, false].map(isAdded => ({ ...actor, channelName: channel.name, messageId: sent.id, reaction: 'x', isAdded }))
  t.match(await messages.commit({ messages: [draft()], changes: [], reactions }, 20), {
    messages: [{ code: 'authentication_failed' }], reactions: [{ code: 'authentication_failed' }, { code: 'authentication_failed' }]
  })
  t.equal(await channels.find(actor, channel.name), null)
  t.same(await channels.list(actor, { limit: 10 }), [])
  const found = await prisma.channel.findMany({ where: { name: { not: 'general' } } })
  t.match(found, [{ name: channel.name, channelType: 'public', lastSeq: 1n }])
  t.equal(await prisma.moderationLog.count(), 0)
})
