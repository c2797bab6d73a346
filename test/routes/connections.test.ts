import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Frame } from '../client.ts'
import { redis, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const config = { redis: redis(), authentication: { guests: true } }
const server = await startServer(t, { config })
const other = await startServer(t, { config, databaseUrl: server.databaseUrl })
const rows = createRows(server.database)
const root = await server.enter('root')
await rows.role(root, 'admin')
const { access_token: token } = root.person
const list = async (query = '', at = server) => (await at.call('GET', `/api/admin/connections${query}`, { token })).body
const close = (id: string, at = server) => at.call('DELETE', `/api/admin/connections/${id}`, { token })
const refused = (status: number, code: string) => ({ status, body: { code } })

t.test('[P79] an admin lists the connections of an instance by age, in pages, and those of one user', async t => {
  const ann = await server.enter('ann', 'general', 'lobby')
  const guest = await server.connect()
  await guest.request({ type: 'authenticate' })
  const open = server.open()
  const { connection_id: id } = await open.expect('welcome')
  const tab = await server.login(ann.person)
  const { instance, connections, next_cursor: cursor } = await list()
  t.equal(cursor, null)
  t.same(connections.map(({ id }: Frame) => id), connections.map(({ id }: Frame) => id).sort())
  const { id: userId, name, handle } = ann.person.user
  t.match(connections, [
    { user_id: root.person.user.id },
    {
      user_id: userId, username: name, handle, is_guest: false, address: '127.0.0.0/24', channels: 2, waiting_requests: 0, queued_bytes: 0,
      slow_since: null, last_taken_at: null, state: 'ok', since: String
    },
    { user_id: String, username: /^guest-/, handle: null, is_guest: true, state: 'ok', channels: 0 },
    { id, user_id: null, username: null, handle: null, is_guest: false, state: 'not_authenticated' },
    { user_id: userId, channels: 0 }
  ])
  t.ok(Math.abs(Date.now() - Date.parse(connections[1].since)) < 60_000)

  const paged: Frame[] = []
  let next = ''
  do {
    const page = await list(`?limit=2${next}`)
    t.ok(page.connections.length <= 2)
    paged.push(...page.connections)
    next = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`
  } while (next)
  t.same(paged.map(({ id }) => id), connections.map(({ id }: Frame) => id))
  const own = await list(`?user_id=${userId}`)
  t.same(own.connections.map(({ id }: Frame) => id), [connections[1].id, connections[4].id])
  t.same((await list(`?user_id=${randomUUID()}`)).connections, [])
  for (const query of ['limit=0', 'limit=101', 'cursor=x', 'state=ok', 'user_id=x']) {
    t.match(await list(`?${query}`), { code: 'invalid_request' }, query)
  }

  await other.login(ann.person)
  const there = await list('', other)
  t.equal(there.connections.length, 1)
  t.not(there.instance, instance)
  for (const client of [tab, open, guest, ann]) await client.close()
})

t.test('[P79] [P63] an admin closes a connection with 4503, which the log says, and the user\'s other connections stay', async t => {
  const ann = await server.enter('ann')
  const tab = await server.login(ann.person)
  const open = server.open()
  const { connection_id: nobody } = await open.expect('welcome')
  const [{ id }] = (await list(`?user_id=${ann.person.user.id}`)).connections
  t.equal((await close(id.toUpperCase())).status, 204)
  t.same(await ann.closed(), { code: 4503, reason: 'disconnected by administrator' })
  t.match(await tab.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' })
  t.equal((await close(nobody)).status, 204)
  t.equal((await open.closed()).code, 4503)
  const { body: { log } } = await server.call('GET', '/api/admin/log?limit=2', { token })
  const line = { action: 'close_connection', actor_id: root.person.user.id, channel: null }
  t.match(log, [{ ...line, target_id: null, reason: nobody }, { ...line, target_id: ann.person.user.id, reason: id }])
  await tab.close()
})

t.test('[P79] a connection that has ended, that another instance holds, or that never was is not found', async t => {
  const away = await other.enter('away')
  const [{ id }] = (await list(`?user_id=${away.person.user.id}`, other)).connections
  for (const wrong of [id, uuidv7(), 'x']) t.match(await close(wrong), refused(404, 'connection_not_found'), wrong)
  t.equal((await close(id, other)).status, 204)
  await away.closed()
  t.match(await close(id, other), refused(404, 'connection_not_found'))
})

t.test('[P79] users and moderators neither list nor close connections', async t => {
  const ann = await server.enter('ann')
  const [{ id }] = (await list(`?user_id=${root.person.user.id}`)).connections
  for (const role of ['user', 'moderator'] as const) {
    await rows.role(ann, role)
    const as = { token: ann.person.access_token }
    t.match(await server.call('GET', '/api/admin/connections', as), refused(403, 'not_authorized'), role)
    t.match(await server.call('DELETE', `/api/admin/connections/${id}`, as), refused(403, 'not_authorized'), role)
    t.match(await server.call('DELETE', '/api/admin/connections/x', as), refused(403, 'not_authorized'), role)
  }
  t.match(await server.call('GET', '/api/admin/connections'), refused(401, 'not_authenticated'))
  t.match(await root.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' })
})
