import { administrate, startServer, type Server } from '../helper.ts'
import { t } from '../tap.ts'

const MANY = 20_000
/** Logins that one act ends by a mark on each of them. The database ends the others by one mark on the user. */
const MARKED = 1000

/**
 * Writes logins of one account directly to the database. Each was last used more than an hour ago. Their ids ascend, as those of real
 * logins do, because random ones cost the indexes more than twice the CPU.
 */
async function seedLogins ({ databaseUrl }: Server, userId: string): Promise<void> {
  // The server's own connections allow a statement 5 s.
  await administrate(databaseUrl, `
    INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt", "createdAt")
    SELECT x.id, uuid_send(x.id), '\\x00', '${userId}', x.id, now() + interval '1 day',
      now() - interval '1 hour' - make_interval(secs => n)
    FROM generate_series(1, ${MANY}) n, LATERAL (SELECT (left('${userId}', 24) || lpad(to_hex(n), 12, '0'))::uuid AS id) x`)
}

/** Counts the user's logins that have a mark of their own. */
const markedOf = ({ database }: Server, { person }: Awaited<ReturnType<Server['enter']>>): Promise<number> =>
  database.prisma.refreshToken.count({ where: { userId: person.user.id, revokedAt: { not: null } } })

/** Reads three pages of the user's logins, ends the last login on them, and ends all others. */
async function listAndEnd (server: Server, user: Awaited<ReturnType<Server['enter']>>): Promise<void> {
  const { access_token: token } = user.person
  const seen = new Set<string>()
  let query = '?limit=100'
  for (let page = 0; page < 3; page++) {
    const { status, body } = await server.call('GET', `/api/me/logins${query}`, { token })
    t.equal(status, 200)
    for (const { id } of body.logins) seen.add(id)
    query = `?limit=100&cursor=${body.next_cursor}`
  }
  t.equal(seen.size, 300)
  const last = [...seen].at(-1)
  t.equal((await server.call('DELETE', `/api/me/logins/${last}`, { token })).status, 204)
  t.equal((await server.call('DELETE', `/api/me/logins/${last}`, { token })).status, 404)
  t.equal((await server.call('DELETE', '/api/me/logins', { token })).status, 204)
  const { body: { logins } } = await server.call('GET', '/api/me/logins', { token })
  t.same(logins.map(({ current }: { current: boolean }) => current), [true])
  t.equal(await markedOf(server, user), 1 + MARKED)
  await user.settle()
}

t.test(`[P56] [P62] an account with ${MANY} logins can list and end them, get a new password, be disabled and be erased`, async t => {
  const server = await startServer(t)
  const root = await server.register('root')
  await server.database.prisma.user.update({ where: { id: root.user.id }, data: { role: 'admin' } })
  const [ann, ben, cid] = [await server.enter('ann'), await server.enter('ben'), await server.enter('cid')]
  for (const { person } of [ann, ben, cid]) await seedLogins(server, person.user.id)

  await listAndEnd(server, ann)
  // Without the mark, the logins that it ended are back.
  await server.database.prisma.user.update({ where: { id: ann.person.user.id }, data: { loginsEndedUpTo: null, loginsEndedUpToId: null } })
  const body = { password: 'another password', current_password: ann.person.password }
  t.equal((await server.call('PATCH', '/api/me', { token: ann.person.access_token, body })).status, 200)
  await ann.settle()
  t.equal(await markedOf(server, ann), 1 + 2 * MARKED)
  t.equal((await server.call('GET', '/api/me', { token: ann.person.access_token })).status, 200, 'the current login still works')

  const path = `/api/admin/users/${ben.person.user.id}`
  const disabled = await server.call('PATCH', path, { token: root.access_token, body: { disabled: true } })
  t.equal(disabled.status, 200)
  t.match(await ben.closed(), { code: 4503 })
  t.equal(await markedOf(server, ben), MARKED)

  const erased = await server.call('DELETE', '/api/me', { token: cid.person.access_token, body: { password: cid.person.password } })
  t.equal(erased.status, 204)
  t.match(await cid.closed(), { code: 4503 })
  t.equal(await markedOf(server, cid), MARKED)
})

t.test('[P56] a login beyond max_logins ends the longest unused one, and the connections of that login close with 4504', async t => {
  const server = await startServer(t, { config: { authentication: { max_logins: 2 } } })
  const ann = await server.enter('ann')
  const login = () => server.call('POST', '/api/auth/login', { body: { email: ann.person.email, password: ann.person.password } })
  const second = await login()
  const refreshed = await server.call('POST', '/api/auth/refresh', { body: { refresh_token: ann.person.refresh_token } })
  t.equal(refreshed.status, 200)
  const third = await login()
  const me = async (token: string): Promise<number> => (await server.call('GET', '/api/me', { token })).status
  t.equal(await me(second.body.access_token), 401, 'the first was used later')
  t.equal(await me(refreshed.body.access_token), 200)
  const fourth = await login()
  t.match(await ann.closed(), { code: 4504 })
  t.same(await Promise.all([third, fourth].map(({ body }) => me(body.access_token))), [200, 200])
})
