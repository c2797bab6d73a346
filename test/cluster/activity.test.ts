import type { Client, Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { failure, type Person, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { settings } from './settings.ts'

const say = (client: Client, channel: string): Promise<Frame> => client.request({ type: 'send_message', channel, message: 'x' })
const isActivity = ({ type }: Frame): boolean => type === 'channel_activity'
const activityOf = (client: Client, channel: string): Promise<Frame> =>
  client.expect(frame => isActivity(frame) && frame.channel === channel)

/** Opens a connection that asks for activity. */
async function watch (server: Server, person: Person): Promise<Client> {
  const client = await server.connect()
  await client.request({ type: 'authenticate', token: person.access_token, activity: true })
  return client
}

/** Makes the user a member of channels without a subscription. */
async function become (server: Server, { access_token: token, user }: Person, ...channels: string[]): Promise<void> {
  for (const channel of channels) {
    const { status } = await server.call('PUT', `/api/channels/${channel}/members/${user.id}`, { token })
    if (status >= 300) throw new Error(`${status}`)
  }
}

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P44] activity, on ${name}`, async t => {
    const [a, b] = await start(t)
    const rows = createRows(a.database)

    t.test('[P44] connections that asked hear of new messages in channels without a subscription, and nobody else does', async t => {
      const ann = await a.enter('ann', 'one', 'two')
      const ben = await b.register('ben')
      await become(b, ben, 'one', 'two')
      const [client, plain, there] = [await watch(b, ben), await b.login(ben), await watch(a, ben)]
      await client.request({ type: 'join_channel', channel: 'two' })
      const stranger = await watch(b, await b.register('stranger'))
      const { data: { id } } = await say(ann, 'one')
      for (const connection of [client, there]) {
        const { timestamp, ...frame } = await activityOf(connection, 'one')
        t.same(frame, { type: 'channel_activity', channel: 'one', seq: 1 })
        t.match(timestamp, /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/)
      }
      await say(ann, 'two')
      t.match(await activityOf(there, 'two'), { seq: 1 })
      await ann.request({ command: 'edit_message', channel: 'one', id, message: 'y' })
      await ann.request({ command: 'delete_message', channel: 'one', id })
      await say(ann, 'one')
      t.match(await activityOf(client, 'one'), { seq: 4 }, 'only messages are activity')
      await client.request({ type: 'unsubscribe_channel', channel: 'two' })
      await say(ann, 'two')
      t.match(await activityOf(client, 'two'), { seq: 2 }, 'after the subscription has ended')
      for (const connection of [ann, plain, stranger]) t.notOk((await connection.settle()).some(isActivity))
      t.notOk((await client.settle()).some(isActivity))
    })

    t.test('[P44] at most one frame a second and channel, and the last one names the newest message', async t => {
      const writers = [await a.enter('ann', 'busy'), await b.enter('carl', 'busy')]
      const ben = await b.register('ben')
      await become(b, ben, 'busy')
      const client = await watch(b, ben)
      const began = performance.now()
      let last = 0
      let frames = 0
      for (let i = 0; i < 60; i++) {
        // 2.4 seconds of messages are two frames at least. Messages without a pause would keep a processor busy for as long.
        await eventually(() => performance.now() - began >= i * 40)
        last = Math.max(last, (await say(writers[i % 2]!, 'busy')).data.seq)
      }
      do frames++
      while ((await activityOf(client, 'busy')).seq < last)
      const seconds = (performance.now() - began) / 1000
      t.ok(frames >= 2 && frames <= seconds + 1, `${frames} frames in ${seconds} s for ${last} messages`)
    })

    t.test('[P44] no activity of a channel once the membership or the right to it has ended; a new membership counts at once', async t => {
      const admin = await a.enter('admin')
      await rows.role(admin, 'admin')
      const names = ['left', 'kicked', 'banned', 'admin-only', 'private-now', 'gone']
      for (const channel of names) await admin.request({ type: 'join_channel', channel })
      await admin.request({ type: 'join_channel', channel: 'witness' })
      const ben = await b.register('ben')
      await rows.role(ben, 'admin')
      await become(b, ben, ...names, 'witness')
      const client = await watch(b, ben)
      for (const channel of names) await say(admin, channel)
      for (const channel of names) await activityOf(client, channel)

      const about = { user_id: ben.user.id }
      await a.call('DELETE', `/api/channels/left/members/${ben.user.id}`, { token: ben.access_token })
      const demotion = { token: admin.person.access_token, body: { role: 'user' } }
      const { status } = await a.call('PATCH', `/api/admin/users/${ben.user.id}`, demotion)
      t.equal(status, 200)
      await admin.request({ command: 'kick_user', channel: 'kicked', ...about })
      await admin.request({ command: 'ban_user', channel: 'banned', ...about })
      await admin.request({ command: 'update_channel', channel: 'private-now', channel_type: 'admin' })
      await admin.request({ command: 'delete_channel', channel: 'gone' })
      for (const channel of names.slice(0, -1)) await say(admin, channel)
      await say(admin, 'witness')
      await activityOf(client, 'witness')
      t.notOk((await client.settle()).some(isActivity), 'nothing but the witness')

      await become(a, ben, 'left')
      t.match(await activityOf(client, 'left'), { seq: 2 }, 'a membership that began at the other instance')
      await say(admin, 'left')
      t.match(await activityOf(client, 'left'), { seq: 3 })
      await client.close()
    })

    t.test('[P9] [P44] activity is a boolean, and a later authenticate may change it', async t => {
      const ann = await a.enter('ann', 'switch')
      const ben = await b.register('ben')
      await become(b, ben, 'switch')
      const client = await b.connect()
      const token = ben.access_token
      for (const activity of [1, 'true', null, [], {}]) {
        t.match(await client.exchange({ type: 'authenticate', token, activity }), { code: 'invalid_frame' }, `${activity}`)
      }
      t.same(await client.exchange({ type: 'mark_read', channel: 'switch', seq: 0 }), failure('not_authenticated'))
      const witness = await watch(b, ben)
      for (const activity of [true, undefined, false]) {
        await client.request({ type: 'authenticate', token, activity })
        await say(ann, 'switch')
        await activityOf(witness, 'switch')
        const heard = (await client.settle()).filter(isActivity).length
        t.equal(heard, activity === false ? 0 : 1, `${activity}`)
        client.inbox.length = 0
      }
    })
  })
}
