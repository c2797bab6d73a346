import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t)
const rows = createRows(server.database)
const people = await Promise.all(Array.from({ length: 7 }, (_, i) => server.register(`member${i}`)))
const ids = people.map(({ user }) => user.id).sort()
const [ann] = people
const get = (path: string) => server.call('GET', path, { token: ann!.access_token })

const encode = (key: string) => Buffer.from(key).toString('base64url')

/** Reads all pages of a list by following `next_cursor`. */
async function walk (path: string, list: string): Promise<{ pages: number, items: Array<{ user_id: string }> }> {
  const items: Array<{ user_id: string }> = []
  let cursor: string | null = ''
  let pages = 0
  while (cursor !== null) {
    const { status, body }: Awaited<ReturnType<typeof get>> = await get(`${path}?limit=3${cursor && `&cursor=${cursor}`}`)
    if (status !== 200) throw new Error(JSON.stringify(body))
    items.push(...body[list])
    cursor = body.next_cursor
    pages++
  }
  return { pages, items }
}

t.test('[P20] members are listed in pages, each once, online or not', async t => {
  const channel = await rows.channel()
  for (const person of people) await rows.member(channel, person)
  const { pages, items } = await walk(`/api/channels/${channel.name}/members`, 'members')
  t.equal(pages, 3)
  t.same(items.map(item => item.user_id), ids)
  t.same(Object.keys(items[0]!), ['user_id', 'username', 'handle', 'joined_at', 'read_seq'])
  t.match((await get(`/api/channels/${channel.name}/members?limit=7`)).body, { next_cursor: null, members: { length: 7 } })
})

t.test('[P19] the lists of a channel without members are empty', async t => {
  const { name } = await rows.channel()
  t.same((await get(`/api/channels/${name}/members`)).body, { members: [], next_cursor: null })
  t.same((await get(`/api/channels/${name}/online`)).body, { users: [], count: 0, next_cursor: null })
})

t.test('[P23] online users are listed in pages with their total count, and leave the list when their connection closes', async t => {
  const clients = await Promise.all(people.map(person => server.login(person)))
  await Promise.all(clients.map(client => client.request({ type: 'join_channel', channel: 'busy-place' })))
  await eventually(async () => (await get('/api/channels/busy-place/online')).body.count === 7)
  const { pages, items } = await walk('/api/channels/busy-place/online', 'users')
  t.equal(pages, 3)
  t.same(items.map(item => item.user_id), ids)
  t.same(Object.keys(items[0]!), ['user_id', 'username', 'handle'])
  await clients[3]!.close()
  await eventually(async () => (await get('/api/channels/busy-place/online')).body.count === 6)
  t.equal((await get('/api/channels/busy-place/members')).body.members.length, 7, 'the user stays a member')
})

t.test('invalid cursors and limits are refused', async t => {
  const invalid = { status: 400, body: { statusCode: 400, error: 'Bad Request', code: 'invalid_request' } }
  const cursors = ['', 'x', '%00', '..', 'A'.repeat(300), encode('\0'), encode('\'; DROP TABLE "User"; --'), encode('x'.repeat(65))]
  for (const path of ['/api/channels', '/api/channels/general/members', '/api/channels/general/online']) {
    for (const cursor of [...cursors, encode(path === '/api/channels' ? 'NoName' : 'no-uuid')]) {
      t.match(await get(`${path}?cursor=${cursor}`), invalid, `${path} cursor ${cursor.slice(0, 40)}`)
    }
    for (const query of ['limit=0', 'limit=-1', 'limit=101', 'limit=1000000000', 'limit=x', 'limit=', 'before=1', 'limit=1&limit=1']) {
      t.match(await get(`${path}?${query}`), invalid, `${path} ${query}`)
    }
  }
})

t.test('a deleted account is no longer a member', async t => {
  const gone = await server.register('gone')
  const client = await server.login(gone)
  await client.request({ type: 'join_channel', channel: 'farewell' })
  t.equal((await server.call('DELETE', '/api/me', { token: gone.access_token, body: { password: gone.password } })).status, 204)
  t.same((await get('/api/channels/farewell/members')).body.members, [])
  t.equal((await get('/api/channels/farewell')).body.user_count, 0)
})
