import { uuidv7 } from 'uuidv7'
import { redis, startServer, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const config = { redis: redis(), channels: { max_channels_per_user: 0 } }
const server = await startServer(t, { config })
const other = await startServer(t, { config, databaseUrl: server.databaseUrl })
const { prisma } = server.database
const rows = createRows(server.database)

const COUNT = 6
const ROUNDS = 40

t.test('[P32] requests that lock users and channels at two instances at once cause no deadlock or fault; counts stay right', async t => {
  const root = await server.register('root')
  await rows.role(root, 'admin')
  const people = await Promise.all(Array.from({ length: COUNT }, () => server.register('person')))
  const channels = await Promise.all(Array.from({ length: COUNT }, (_, i) => rows.channel('public', { name: `c-${i}` })))
  const codes = new Map<string, number>()
  const asRoot = { token: root.access_token }
  let turn = 0

  async function count (at: Server, method: string, path: string, options: object): Promise<void> {
    const { status, body } = await at.call(method, path, options)
    const code = status < 300 ? 'ok' : body.code
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }

  /** Sends one request of each kind at once. The person and the channel depend on `n`, so that rounds use different pairs. */
  async function round (n: number): Promise<void> {
    const at = n % 2 === 0 ? server : other
    const person = people[n % COUNT]!
    const channel = `/api/channels/${channels[(n * 5 + Math.floor(n / COUNT)) % COUNT]!.name}`
    const id = person.user.id
    const asPerson = { token: person.access_token }
    const acts: Array<[string, string, object]> = [
      ['PUT', `${channel}/members/${id}`, asPerson],
      ['POST', `${channel}/messages`, { ...asPerson, body: { message: 'x' } }],
      ['PUT', `${channel}/bans/${id}`, asRoot],
      ['DELETE', `${channel}/bans/${id}`, asRoot],
      ['PUT', `${channel}/mutes/${id}`, asRoot],
      ['DELETE', `${channel}/mutes/${id}`, asRoot],
      ['PUT', `${channel}/moderators/${id}`, asRoot],
      ['PATCH', channel, { ...asRoot, body: { channel_type: n % 3 === 0 ? 'moderator' : 'public' } }],
      ['PATCH', `/api/admin/users/${id}`, { ...asRoot, body: { role: n % 4 < 2 ? 'moderator' : 'user' } }],
      ['PATCH', `/api/admin/users/${id}`, { ...asRoot, body: { disabled: n % 7 === 0 } }],
      ['DELETE', `${channel}/members/${id}`, asPerson],
      ['POST', '/api/channels', { ...asPerson, body: { name: `made-${turn++}` } }]
    ]
    await Promise.all(acts.map(([method, path, options]) => count(at, method, path, options)))
  }

  for (let n = 0; n < ROUNDS; n += 4) await Promise.all([n, n + 1, n + 2, n + 3].map(round))
  // Erasing a user changes their unique email, and PostgreSQL takes its strongest row lock for that.
  await Promise.all(people.flatMap((person, i) => [
    count(server, 'DELETE', `/api/admin/users/${person.user.id}`, asRoot),
    ...channels.map(({ name }) => count(other, 'PUT', `/api/channels/${name}/bans/${people[(i + 1) % COUNT]!.user.id}`, asRoot))
  ]))
  t.notOk(codes.has('unavailable') || codes.has('internal'), JSON.stringify([...codes]))
  t.ok(codes.get('ok')! > ROUNDS)
  t.same([...server.lines, ...other.lines].map(line => JSON.parse(line)).filter(({ level, err }) => level >= 40 && err), [])

  const counts = await prisma.$queryRaw<Array<{ name: string }>>`SELECT c.name FROM "Channel" c
    WHERE c."userCount" <> (SELECT count(*) FROM "ChannelUser" m WHERE m."channelId" = c.id)`
  t.same(counts, [], 'userCount equals the number of members')
  const gone = await prisma.$queryRaw<object[]>`SELECT m.* FROM "ChannelUser" m JOIN "User" u ON u.id = m."userId" WHERE u.email IS NULL`
  t.same(gone, [], 'erased users are members of no channel')
})

t.test('[P32] when joins and demotions run at once, no demoted moderator stays in a channel of type moderator', async t => {
  const root = await server.register('root')
  await rows.role(root, 'admin')
  const channel = await rows.channel('moderator', { name: `m-${uuidv7()}` })
  const mods = await Promise.all(Array.from({ length: COUNT }, () => server.register('mod')))
  for (const mod of mods) await rows.role(mod, 'moderator')
  await Promise.all(mods.flatMap(mod => [
    other.call('PUT', `/api/channels/${channel.name}/members/${mod.user.id}`, { token: mod.access_token }),
    server.call('PATCH', `/api/admin/users/${mod.user.id}`, { token: root.access_token, body: { role: 'user' } })
  ]))
  t.equal(await prisma.channelUser.count({ where: { channelId: channel.id } }), 0)
  t.match(await prisma.channel.findUnique({ where: { id: channel.id } }), { userCount: 0 })
})
