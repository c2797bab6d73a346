import type { Client } from '../client.ts'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'

const server = await startServer(t)

/** The unread `user_joined` and `user_left` frames, in order, as `type username`. */
function seen ({ inbox }: Client): string[] {
  return inbox.filter(({ type }) => type === 'user_joined' || type === 'user_left').map(({ type, username }) => `${type} ${username}`)
}

t.test('[P23] all subscribers get user_joined when a user joins, and so does the user', async t => {
  const ann = await server.enter('ann', 'lobby')
  await ann.expect('user_joined')
  const ben = await server.enter('ben')
  ben.send({ type: 'join_channel', channel: 'lobby', ref: 'join' })
  ben.send({ type: 'heartbeat' })
  for (const client of [ann, ben]) {
    const { timestamp, ...frame } = await client.expect(({ type, username }) => type === 'user_joined' && username === 'ben')
    t.same(frame, { type: 'user_joined', user_id: ben.person.user.id, username: 'ben', channel: 'lobby' })
    t.equal(new Date(timestamp).toISOString(), timestamp)
  }
  t.notOk(seen(ben).includes('user_joined ann'), 'users who were there before are in user_list')
  const { users, count } = await ben.request({ type: 'user_list', channel: 'lobby' })
  const online = [ann, ben].map(({ person: { user } }) => ({ user_id: user.id, username: user.name, handle: user.handle }))
  t.same({ users, count }, { users: online, count: 2 })
})

t.test('[P23] no presence frame precedes the reply to the join', async t => {
  const ann = await server.enter('ann')
  const order: string[] = []
  ann.socket.on('message', data => order.push(JSON.parse(String(data)).type))
  await ann.request({ type: 'join_channel', channel: 'order' })
  await ann.expect('user_joined')
  t.same(order, ['success', 'user_joined'])
})

t.test('[P23] a second connection of a user causes no frame, neither when it joins nor when it closes', async t => {
  const ann = await server.enter('ann', 'tabs')
  const ben = await server.enter('ben', 'tabs')
  await ann.expect(({ type, username }) => type === 'user_joined' && username === 'ben')
  await ben.expect('user_joined')
  const tab = await server.login(ben.person)
  await tab.request({ type: 'join_channel', channel: 'tabs' })
  t.equal((await ann.request({ type: 'user_list', channel: 'tabs' })).count, 2)
  await tab.close()
  // Frames about carl, who joins and leaves later, show that no earlier frame about the tab is still on its way.
  const carl = await server.enter('carl', 'tabs')
  await ann.expect(({ type, username }) => type === 'user_joined' && username === 'carl')
  await carl.close()
  await ann.expect(({ type, username }) => type === 'user_left' && username === 'carl')
  t.same(seen(ann).filter(text => text.endsWith('ben')), [])
  await ben.close()
  t.match(await ann.expect('user_left'), { user_id: ben.person.user.id, username: 'ben', channel: 'tabs' })
})

t.test('[P23] the remaining users get user_left when a user leaves or deletes their account', async t => {
  const ann = await server.enter('ann', 'stay')
  const ben = await server.enter('ben', 'stay')
  const carl = await server.enter('carl', 'stay')
  await ben.request({ type: 'leave_channel', channel: 'stay' })
  await ann.expect(({ type, username }) => type === 'user_left' && username === 'ben')
  const { status } = await server.call('DELETE', '/api/me', { token: carl.person.access_token, body: { password: carl.person.password } })
  t.equal(status, 204)
  await ann.expect(({ type, user_id: id }) => type === 'user_left' && id === carl.person.user.id)
  t.same(seen(ann).filter(text => text.startsWith('user_left')), [], 'each user_left came once')
  t.notOk(ben.inbox.some(({ type, username }) => type === 'user_left' && username === 'carl'), 'not sent to a user who left before')
})

t.test('[P23] a user who reconnects at once may cause no frame, but is never counted twice or lost', async t => {
  const ann = await server.enter('ann', 'blink')
  let ben: Client & { person?: Awaited<ReturnType<typeof server.register>> } = await server.enter('ben', 'blink')
  const { person } = ben
  for (let i = 0; i < 5; i++) {
    await ben.close()
    ben = await server.login(person!)
    await ben.request({ type: 'join_channel', channel: 'blink' })
  }
  await eventually(async () => (await ann.request({ type: 'user_list', channel: 'blink' })).count === 2)
  await ben.close()
  await eventually(async () => (await ann.request({ type: 'user_list', channel: 'blink' })).count === 1)
  const bens = (): string[] => seen(ann).filter(text => text.endsWith('ben'))
  // This frame stays unread, because one of the frames that `expect` would take may be of an earlier connection.
  await eventually(() => bens().at(-1) === 'user_left ben')
  t.ok(bens().every((text, i, all) => text !== all[i + 1]), `user_joined and user_left alternate: ${bens().join(', ')}`)
})
