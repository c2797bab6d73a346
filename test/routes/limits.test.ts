import type { Config } from '../../src/config-schema.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { isCounting } from '../cluster/settings.ts'
import { eventually } from '../eventually.ts'
import { createDatabase, redis, startServer, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t, type Test } from '../tap.ts'

const start = (t: Test, rest_requests: number, rest: Partial<Config['redis']> = {}) =>
  startServer(t, { config: { limits: { rest_requests }, redis: rest } })

/** Makes `count` calls one after another. @returns their statuses. */
async function statuses (server: Server, count: number, path: string, options?: Parameters<Server['call']>[2]): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) found.push((await server.call('GET', path, options)).status)
  return found
}

t.test('requests beyond rest_requests a minute answer 429 with Retry-After, and each reply says how many requests are left', async t => {
  const server = await start(t, 3)
  const { headers } = await server.call('GET', '/api/me')
  t.match([headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining')], ['3', '2'])
  await statuses(server, 2, '/api/me')
  const refused = await server.call('GET', '/api/me')
  t.equal(refused.status, 429)
  const { retry_after_ms: wait, ...body } = refused.body
  t.same(body, { statusCode: 429, error: 'Too Many Requests', code: 'rate_limited', message: 'Too many requests' })
  t.ok(Number.isInteger(wait) && wait > 50_000 && wait <= 60_000, `${wait} ms`)
  t.equal(refused.headers.get('retry-after'), String(Math.ceil(wait / 1000)))
  t.equal(refused.headers.get('x-ratelimit-remaining'), '0')
})

t.test('requests to the API count, however the URL is encoded; health checks and documentation do not count', async t => {
  const server = await start(t, 2)
  t.same(await statuses(server, 1, '/api/channels?limit=1'), [401])
  t.same(await statuses(server, 1, '/%61pi/channels'), [401])
  t.same(await statuses(server, 1, '/%61pi/me?x=/healthz'), [429])
  for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs/json']) t.same(await statuses(server, 3, path), [200, 200, 200], path)
  const preflight = { origin: 'https://chat.example.org', 'access-control-request-method': 'GET' }
  t.equal((await server.call('OPTIONS', '/api/me', { headers: preflight })).status, 204)
})

t.test('requests with a valid token count for the user, and all other requests count for the address', async t => {
  const server = await start(t, 4)
  const [ann, ben] = [await server.register('ann'), await server.register('ben')]
  t.same(await statuses(server, 5, '/api/me', { token: ann.access_token }), [200, 200, 200, 200, 429])
  t.same(await statuses(server, 4, '/api/me', { token: ben.access_token }), [200, 200, 200, 200])
  const forged = ben.access_token.slice(0, -4) + 'AAAA'
  t.equal((await statuses(server, 3, '/api/me', { token: forged })).at(-1), 401)
  t.equal((await statuses(server, 3, '/api/me')).at(-1), 429, 'a forged token counts for the address')
})

t.test('a trusted proxy tells the address of the client', async t => {
  const server = await startServer(t, { config: { limits: { rest_requests: 1 }, server: { trust_proxy: 'loopback' } } })
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
  t.same(await statuses(server, 2, '/api/me', from('192.0.2.1')), [401, 429])
  t.same(await statuses(server, 2, '/api/me', from('2001:db8::1')), [401, 429])
  t.same(await statuses(server, 1, '/api/me', from('2001:db8::2')), [429])
  t.same(await statuses(server, 1, '/api/me', from('192.0.2.2')), [401])
  const direct = await start(t, 1)
  t.same(await statuses(direct, 1, '/api/me', from('192.0.2.1')), [401])
  t.same(await statuses(direct, 1, '/api/me', from('192.0.2.2')), [429], 'without a trusted proxy a forged address is ignored')
})

t.test('instances with the same Redis count requests together', async t => {
  const shared = redis()
  const [one, two] = await Promise.all([start(t, 6, shared), start(t, 6, shared)])
  await eventually(() => isCounting(one) && isCounting(two))
  t.same(await statuses(one, 3, '/api/me'), [401, 401, 401])
  t.same(await statuses(two, 4, '/api/me'), [401, 401, 401, 429])
  t.same(await statuses(one, 1, '/api/me'), [429])
})

t.test('[P56] wrong passwords, right passwords and registrations are counted for all instances together', async t => {
  const shared = redis()
  const databaseUrl = await createDatabase(t)
  const open = () => startServer(t, { config: { redis: shared }, databaseUrl })
  const servers = await Promise.all([open(), open()])
  await eventually(() => servers.every(isCounting))
  const [ann, ben] = [await servers[0]!.register('ann'), await servers[0]!.register('ben')]
  for (const person of [ann, ben]) await createRows(servers[0]!.database).password(person, person.password)
  const ask = async (times: number, path: string, body: object): Promise<number[]> => {
    const statuses: number[] = []
    // Ten calls at a time: with more, an instance on a busy machine could wait too long for Redis and then count by itself.
    for (let left = times; left > 0; left -= 10) {
      const request = { method: 'POST', url: `/api/auth/${path}`, body } as const
      const calls = Array.from({ length: Math.min(left, 10) }, (_, i) => servers[i % 2]!.app.inject(request))
      statuses.push(...(await Promise.all(calls)).map(({ statusCode }) => statusCode))
    }
    return statuses.sort()
  }
  const times = (count: number, status: number) => Array<number>(count).fill(status)

  t.same(await ask(10, 'login', { email: ann.email, password: 'wrong password' }), times(10, 401))
  t.same(await ask(2, 'login', { email: ann.email, password: 'wrong password' }), [429, 429])

  const { email, password } = ben
  t.same(await ask(60, 'login', { email, password }), times(60, 200))
  t.same(await ask(2, 'login', { email, password }), [429, 429])

  // Registering an email that is taken counts too, but hashes no password.
  const eve = { email: 'eve@example.org', name: 'eve', password }
  t.same(await ask(1, 'register', eve), [201])
  t.same(await ask(299, 'register', eve), times(299, 409))
  t.same(await ask(2, 'register', eve), [429, 429])
})

t.test('[P56] while Redis is stopped or gone, the instance counts requests by itself without delay', async t => {
  const server = await startRedis(t)
  const parley = await start(t, 100, { url: server.url })
  await eventually(() => isCounting(parley))
  const remaining = async (): Promise<number> => Number((await parley.call('GET', '/api/me')).headers.get('x-ratelimit-remaining'))
  t.equal(await remaining(), 99)

  server.signal('SIGSTOP')
  const timed = async (work: Promise<unknown>): Promise<number> => {
    const began = performance.now()
    await work
    return performance.now() - began
  }
  const first = await timed(remaining())
  const tenMore = await timed(statuses(parley, 10, '/api/me'))
  t.ok(tenMore < 5 * first, `only the first request waits for Redis: it took ${first} ms, ten more took ${tenMore} ms`)
  t.equal(await remaining(), 87)

  server.signal('SIGCONT')
  await server.kill()
  const left = await remaining()
  t.ok(left <= 87, `${left}`)
  const connections = () => parley.lines.filter(line => line.includes('rate limits connected')).length
  const before = connections()
  await server.start()
  await eventually(() => connections() > before)
  t.ok(await remaining() > left, 'the restarted, empty Redis counts again')
})

t.test('a server can close while the Redis of its counters is stopped', async t => {
  const server = await startRedis(t)
  const parley = await start(t, 100, { url: server.url })
  server.signal('SIGSTOP')
  await parley.close()
})

t.test('with limits.enabled false requests and registrations are not counted', async t => {
  const server = await startServer(t, { config: { limits: { enabled: false, rest_requests: 1 } } })
  const ann = await server.register('ann')
  const { headers } = await server.call('GET', '/api/me', { token: ann.access_token })
  t.equal(headers.get('x-ratelimit-limit'), null)
  t.same(await statuses(server, 5, '/api/me', { token: ann.access_token }), Array(5).fill(200))
})
