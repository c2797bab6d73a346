import { createGuests, type GuestsDeps } from '../../src/services/guests.ts'
import { createGuestStore } from '../../src/store/guests.ts'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { t, type Test } from '../tap.ts'

const open = { config: { authentication: { enabled: false } } }
const server = await startServer(t, open)
const { prisma } = server.database
const store = createGuestStore(prisma)

/** Starts the guest service of an instance with short lease times. `stop` has the effect of a kill: it ends no guest. */
function start (t: Test, deps: Partial<GuestsDeps> = {}) {
  const faults: unknown[] = []
  const onFault = (error: unknown): void => { faults.push(error) }
  const guests = createGuests({ store, throttle: { guest: async () => {} }, enabled: true, onFault, lease: 2500, renew: 200, ...deps })
  t.teardown(() => guests.stop())
  return {
    ...guests,
    faults,
    /** Admits a new guest and makes them a member of the channel. */
    async enter (channelId: string): Promise<string> {
      const { user: { id } } = await guests.admit(null, '127.0.0.1')
      await prisma.channelUser.create({ data: { channelId, userId: id } })
      await prisma.channel.update({ where: { id: channelId }, data: { userCount: { increment: 1 } } })
      return id
    }
  }
}

async function room (name: string): Promise<string> {
  const client = await server.connect()
  await client.request({ type: 'authenticate' })
  const { data } = await client.request({ type: 'join_channel', channel: name })
  await client.request({ type: 'leave_channel', channel: name })
  return data.channel_id
}

const membersOf = async (channelId: string): Promise<string[]> =>
  (await prisma.channelUser.findMany({ where: { channelId }, orderBy: { userId: 'asc' } })).map(({ userId }) => userId)

t.test('[P60] the guests of a dead instance are ended, and the guests of running instances stay', async t => {
  const channelId = await room('capped')
  const dead = start(t)
  const living = [start(t), start(t)]
  const lost = [await dead.enter(channelId), await dead.enter(channelId), await dead.enter(channelId)]
  const stays = (await Promise.all(living.map(guests => guests.enter(channelId)))).toSorted()
  t.equal((await membersOf(channelId)).length, 5)
  dead.stop()
  await eventually(async () => (await membersOf(channelId)).length < 5)
  await eventually(async () => (await prisma.user.count({ where: { id: { in: lost }, disabledAt: null } })) === 0)
  t.same(await membersOf(channelId), stays)
  t.match(await prisma.channel.findUnique({ where: { id: channelId } }), { userCount: 2 })
  t.equal(await prisma.user.count({ where: { id: { in: stays }, disabledAt: null } }), 2)
  t.same([...dead.faults, ...living.flatMap(({ faults }) => faults)], [])
})

t.test('[P60] an instance that admits no guests also ends the guests of a dead instance', async t => {
  const channelId = await room('later')
  const dead = start(t)
  await dead.enter(channelId)
  dead.stop()
  start(t, { enabled: false })
  await eventually(async () => (await membersOf(channelId)).length === 0)
})

t.test('[P60] when the database comes back, running instances have time to renew their leases', async t => {
  const channelId = await room('outage')
  const away = { is: false }
  const reachable = {
    ...store, renewLease: async (...args: Parameters<typeof store.renewLease>) => {
      if (away.is) throw new Error('away')
      await store.renewLease(...args)
    }
  }
  const dead = start(t)
  const [one, two] = [start(t, { store: reachable }), start(t, { store: reachable })]
  const stays = [await one.enter(channelId), await two.enter(channelId)].toSorted()
  await dead.enter(channelId)
  dead.stop()
  away.is = true
  const expired = async (): Promise<number> => prisma.instance.count({ where: { expiresAt: { lt: new Date() } } })
  await eventually(async () => one.faults.length > 0 && two.faults.length > 0 && await expired() >= 3)
  away.is = false
  await eventually(async () => (await membersOf(channelId)).length === 2)
  t.same(await membersOf(channelId), stays)
})

t.test('[P16] if the database cannot end a guest when the connection closes, the guest is ended later', async t => {
  const channelId = await room('busy')
  let refusals = 3
  const guests = start(t, {
    store: {
      ...store, end: async ids => {
        if (refusals-- > 0) throw new Error('away')
        await store.end(ids)
      }
    }
  })
  const id = await guests.enter(channelId)
  await t.rejects(guests.end(id), /away/)
  t.same(await membersOf(channelId), [id])
  await eventually(async () => (await membersOf(channelId)).length === 0)
})

t.test('[P60] the open connection of a guest who was ended closes with 1012, so that the client comes back', async t => {
  const client = await server.connect()
  const { data } = await client.request({ type: 'authenticate' })
  await client.request({ type: 'join_channel', channel: 'paused' })
  await store.end([data.user_id])
  t.match(await client.closed(), { code: 1012 })
  const again = await server.connect()
  t.not((await again.request({ type: 'authenticate' })).data.user_id, data.user_id)
})

t.test('ending guests does not end registered users', async t => {
  const ann = await server.enter('ann', 'accounts')
  await store.end([ann.person.user.id])
  t.equal((await ann.request({ type: 'send_message', channel: 'accounts', message: 'here' })).action, 'message_sent')
})
