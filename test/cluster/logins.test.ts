import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Client } from '../client.ts'
import type { Person, Server } from '../helper.ts'
import { t } from '../tap.ts'
import { settings, type Pair } from './settings.ts'

const revoked = { code: 4504, reason: 'session revoked' }

/** Each `User-Agent` with the device that the list shows. */
const devices: Array<[string, string | null]> = [
  ['Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0', 'Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0'],
  ['tab\tin\tit', 'tabinit'],
  ['escape \x80\x9b31m', 'escape 31m'],
  ['x'.repeat(300), 'x'.repeat(100)],
  ['x'.repeat(99) + ' y', 'x'.repeat(99)],
  ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ['\x80', null],
  ['', null]
]

/** Each address that the proxy names, with the network that the list shows. */
const networks: Array<[string, string | null]> = [
  ['192.0.2.77', '192.0.2.0/24'],
  ['192.0.2.77:4711', '192.0.2.0/24'],
  ['::ffff:192.0.2.77', '192.0.2.0/24'],
  ['::ffff:c000:24d', '192.0.2.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ['[2001:DB8:1:2::5]:4711', '2001:db8:1::/48'],
  ['fe80::1%eth0', 'fe80::/48'],
  ['::1', '::/48'],
  ['unknown', null]
]

async function logIn (server: Server, { email, password }: Person, headers = {}): Promise<Person> {
  const { body } = await server.call('POST', '/api/auth/login', { body: { email, password }, headers })
  return { ...body, email, password }
}

async function list (server: Server, { access_token: token }: Person, query = '') {
  const { status, body } = await server.call('GET', `/api/me/logins${query}`, { token })
  t.equal(status, 200)
  return body
}

const end = (server: Server, { access_token: token }: Person, id = '') =>
  server.call('DELETE', `/api/me/logins${id && `/${id}`}`, { token })

const me = async (server: Server, { access_token: token }: Person): Promise<number> =>
  (await server.call('GET', '/api/me', { token })).status

const currentOf = async (server: Server, person: Person): Promise<string> =>
  (await list(server, person)).logins.find(({ current }: { current: boolean }) => current).id

/** Requests that end all other logins of a user. */
const endings: Record<string, (server: Server, person: Person) => Promise<{ status: number }>> = {
  'DELETE /api/me/logins': (server, person) => end(server, person),
  'a new password': (server, { access_token: token, password }) =>
    server.call('PATCH', '/api/me', { token, body: { password: 'another password', current_password: password } })
}

/** Requests of two logins of one user that start at once at two instances. `left` says how many of the two logins may be left. */
const races: Array<{ title: string, left: number[], run (pair: Pair, one: Person, other: Person): Array<Promise<unknown>> }> = [
  { title: 'two logins end each other', left: [1], run: ([a, b], one, other) => [end(a, one), end(b, other)] },
  {
    title: 'a login ends the others while one of them refreshes',
    left: [1],
    run: ([a, b], one, other) => [end(a, one), b.call('POST', '/api/auth/refresh', { body: { refresh_token: other.refresh_token } })]
  },
  {
    title: 'a new password and the end of the others',
    left: [1],
    run: ([a, b], one, other) => [endings['a new password']!(a, one), end(b, other)]
  }
]

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P62] the logins of a user on ${name}`, async t => {
    const pair = await start(t, { server: { trust_proxy: 'true' } })
    const [a, b] = pair

    t.test('the list has each login with its times, the most recently used first, and no login of others', async t => {
      const [ann, ben] = [await a.register('ann'), await a.register('ben')]
      const phone = await logIn(b, ann, { 'user-agent': 'phone', 'x-forwarded-for': '192.0.2.77' })
      const first = await list(b, phone)
      t.match(first, {
        logins: [{ device: 'phone', address: '192.0.2.0/24', current: true }, { device: null, address: null, current: false }],
        next_cursor: null
      })
      for (const login of first.logins) {
        t.ok(Math.abs(Date.parse(login.created_at) - Date.parse(login.last_used_at)) < 10_000)
        t.ok(Math.abs(Date.parse(login.last_used_at) - Date.now()) < 60_000)
      }
      await a.call('POST', '/api/auth/refresh', { body: { refresh_token: ann.refresh_token }, headers: { 'user-agent': 'laptop' } })
      const second = await list(a, ann)
      t.match(second.logins, [
        { id: first.logins[1].id, device: 'laptop', current: true, created_at: first.logins[1].created_at }, { id: first.logins[0].id }
      ])
      t.ok(second.logins[0].last_used_at > first.logins[1].last_used_at)
      t.equal((await list(a, ben)).logins.length, 1)
    })

    t.test('the list has pages, also where logins were used at the same time', async t => {
      const ann = await a.register('ann')
      for (let n = 0; n < 4; n++) await logIn(a, ann)
      await a.database.prisma.refreshToken.updateMany({ where: { userId: ann.user.id }, data: { createdAt: new Date() } })
      const seen: string[] = []
      let query = '?limit=2'
      const sizes = []
      do {
        const { logins, next_cursor: cursor } = await list(b, ann, query)
        sizes.push(logins.length)
        seen.push(...logins.map(({ id }: { id: string }) => id))
        query = cursor && `?limit=2&cursor=${cursor}`
      } while (query)
      t.same(sizes, [2, 2, 1])
      t.equal(new Set(seen).size, 5)
    })

    t.test('a bad page is refused', async t => {
      const ann = await a.register('ann')
      const cursors = ['x', 'AAAA', Buffer.from(uuidv7()).toString('base64url'), Buffer.from(`x ${uuidv7()}`).toString('base64url')]
      for (const query of ['limit=0', 'limit=101', 'limit=x', 'extra=1', ...cursors.map(cursor => `cursor=${cursor}`)]) {
        const { status, body } = await a.call('GET', `/api/me/logins?${query}`, { token: ann.access_token })
        t.match({ status, body }, { status: 400, body: { code: 'invalid_request' } }, query)
      }
    })

    t.test('of the client, the list has 100 printable characters and the network', async t => {
      const ann = await a.register('ann')
      for (const [i, [address, network]] of networks.entries()) {
        // There are fewer devices than networks.
        const [agent, device] = devices[i % devices.length]!
        const login = await logIn(a, ann, { 'user-agent': agent, 'x-forwarded-for': address })
        const { logins: [shown] } = await list(a, login)
        t.equal(shown.device, device, JSON.stringify(agent))
        t.equal(shown.address, network, address)
        t.equal(await a.database.prisma.refreshToken.count({ where: { network: { contains: address } } }), 0)
      }
    })

    t.test('ending a login closes its connections on every instance, and no others', async t => {
      const ann = await a.register('ann')
      const phone = await logIn(b, ann)
      const clients = [await a.login(phone), await b.login(phone)]
      const own = [await a.login(ann), await b.login(ann)]
      t.equal((await end(a, ann, (await currentOf(b, phone)).toUpperCase())).status, 204, 'the id is taken in capitals')
      for (const client of clients) t.same(await client.closed(5000), revoked)
      t.equal(await me(b, phone), 401)
      const { status } = await b.call('POST', '/api/auth/refresh', { body: { refresh_token: phone.refresh_token } })
      t.equal(status, 401)
      for (const client of own) await client.settle()
      t.equal((await end(a, ann, await currentOf(a, ann))).status, 204, 'the current login')
      for (const client of own) t.same(await client.closed(5000), revoked)
    })

    t.test('a login of another user, an ended one and an unknown one are not found, and nothing changes', async t => {
      const [ann, ben] = [await a.register('ann'), await a.register('ben')]
      const gone = await logIn(a, ann)
      const ended = await currentOf(a, gone)
      await end(a, gone, ended)
      for (const id of [await currentOf(a, ben), ended, uuidv7(), 'x', '%00', '%20', ann.user.id]) {
        const { status, body } = await b.call('DELETE', `/api/me/logins/${id}`, { token: ann.access_token })
        t.match({ status, body }, { status: 404, body: { code: 'login_not_found', message: 'Login not found' } }, id)
      }
      t.equal(await me(b, ben), 200)
      t.equal(await me(b, ann), 200)
      t.equal((await b.call('DELETE', '/api/me/logins')).status, 401)
      t.equal((await b.call('GET', '/api/me/logins', { token: gone.access_token })).status, 401)
    })

    for (const [title, run] of Object.entries(endings)) {
      t.test(`${title} ends all other logins with their connections on every instance`, async t => {
        const [ann, ben] = [await a.register('ann'), await a.register('ben')]
        const others: Client[] = []
        for (let n = 0; n < 3; n++) others.push(await pair[n % 2]!.login(await logIn(a, ann)))
        const [own, foreign] = [await b.login(ann), await b.login(ben)]
        t.ok((await run(a, ann)).status < 300)
        for (const client of others) t.same(await client.closed(5000), revoked)
        await own.settle()
        await foreign.settle()
        t.match(await list(b, ann), { logins: [{ current: true }], next_cursor: null })
        t.equal((await list(b, ann)).logins.length, 1)
      })
    }

    for (const { title, left, run } of races) {
      t.test(`${title}: no login outlives its end`, async t => {
        for (let round = 0; round < 3; round++) {
          const one = await a.register('ann')
          const other = await logIn(b, one)
          await Promise.all(run(pair, one, other))
          const alive = (await Promise.all([me(a, one), me(b, other)])).filter(status => status === 200).length
          t.ok(left.includes(alive), `${alive} left`)
          t.equal(await a.database.prisma.refreshToken.count({ where: { userId: one.user.id, usedAt: null, revokedAt: null } }), alive)
        }
      })
    }

    t.test('an instance of the previous release starts and refreshes logins', async t => {
      const ann = await a.register('ann')
      const { prisma } = a.database
      const { passwordHash } = await prisma.user.findUniqueOrThrow({ where: { id: ann.user.id } })
      const [sid, hash, next] = [uuidv7(), randomBytes(32), randomBytes(32)]
      await prisma.$queryRaw`SELECT parley_start_login(${ann.user.id}::uuid, ${sid}::uuid, ${passwordHash}, ${100}::int,
        ${uuidv7()}::uuid, ${hash}, ${randomBytes(16)}, ${600}::int) AS ended`
      t.match((await list(a, ann)).logins[0], { id: sid, device: null, address: null })
      await prisma.$executeRaw`UPDATE "RefreshToken" SET device = 'old' WHERE "familyId" = ${sid}::uuid`
      const refreshed = await prisma.$queryRaw`
        SELECT parley_refresh_login(${hash}, ${uuidv7()}::uuid, ${next}, ${randomBytes(16)}, ${600}::int) AS done`
      t.same(refreshed, [{ done: true }])
      t.match((await list(a, ann)).logins[0], { id: sid, device: 'old' })
    })

    t.test('used tokens and ended logins keep nothing of the client', async t => {
      const ann = await a.register('ann')
      const traces = () => a.database.prisma.refreshToken.count({
        where: { userId: ann.user.id, OR: [{ device: 'x' }, { network: '192.0.2.0/24' }] }
      })
      const headers = { 'user-agent': 'x', 'x-forwarded-for': '192.0.2.1' }
      const phone = await logIn(a, ann, headers)
      await logIn(a, ann, headers)
      await a.call('POST', '/api/auth/refresh', { body: { refresh_token: phone.refresh_token }, headers })
      t.equal(await traces(), 2)
      await end(a, ann, await currentOf(a, phone))
      t.equal(await traces(), 1)
      await a.call('DELETE', '/api/me', { token: ann.access_token, body: { password: ann.password } })
      t.equal(await traces(), 0)
    })
  })
}
