import { t } from '../tap.ts'
import { buildRest } from './rest.ts'

// All tests but one, which adds a route, use this server.
const { app, call, register, database } = await buildRest(t)

const good = { email: 'ann@example.org', name: 'Ann', password: 'password-of-ann' }

t.test('invalid bodies answer the right error code, and nothing is stored', async t => {
  const before = await database.prisma.user.count()
  const invalid = { status: 400, body: { statusCode: 400, error: 'Bad Request', code: 'invalid_request', message: /^Invalid request: / } }

  const bodies: Record<string, object> = {
    'a role': { ...good, role: 'admin' },
    'an unknown field': { ...good, extra: 1 },
    'no email': { name: 'Ann', password: good.password },
    'not an address': { ...good, email: 'ann' },
    'an address that normalises to an invalid one': { ...good, email: 'a＠b@example.org' },
    'a number for a name': { ...good, name: 5 },
    'null for a name': { ...good, name: null },
    'a list for a name': { ...good, name: ['Ann'] },
    'a blank name': { ...good, name: ' \t' },
    'a name too long': { ...good, name: 'x'.repeat(65) },
    'NUL in a name': { ...good, name: 'a\0b' },
    'half a surrogate pair': { ...good, name: '\ud83d' },
    'a password of 7': { ...good, password: '1234567' },
    'a password of 257': { ...good, password: 'x'.repeat(257) },
    'an array': [good]
  }
  for (const [what, body] of Object.entries(bodies)) t.match(await call('POST', '/api/auth/register', body), invalid, what)
  t.match(await call('POST', '/api/auth/register'), invalid, 'no body')

  const raw = async (payload: string, contentType = 'application/json') => {
    const reply = await app.inject({ method: 'POST', url: '/api/auth/register', payload, headers: { 'content-type': contentType } })
    return { status: reply.statusCode, body: reply.json() }
  }
  const syntax = { status: 400, body: { code: 'invalid_json', message: 'Invalid JSON format' } }
  t.match(await raw('{"email":'), syntax)
  t.match(await raw(''), syntax)
  t.match(await raw('{"__proto__":{"role":"admin"},"email":"a@b"}'), syntax)
  // Such a key is legal in the data of a message [P38], and an unknown field here.
  t.match(await raw(JSON.stringify({ ...good, constructor: { prototype: { role: 'admin' } } })), invalid)
  t.equal(Object.getOwnPropertyDescriptor(Object.prototype, 'role'), undefined)
  t.match(await raw('null'), invalid)
  t.match(await raw('[['.repeat(10_000)), syntax)
  t.match(await raw('email=a', 'application/x-www-form-urlencoded'), {
    status: 415, body: { code: 'unsupported_media_type', message: 'Unsupported media type' }
  })
  t.match(await raw(JSON.stringify({ ...good, password: 'x'.repeat(1_000_000) })), {
    status: 413, body: { code: 'payload_too_large', message: 'Payload too large' }
  })

  const blank = { status: 401, body: { code: 'token_required', message: 'Token required' } }
  for (const body of [{}, { refresh_token: null }, { refresh_token: ' ' }]) {
    t.match(await call('POST', '/api/auth/refresh', body), blank)
    t.match(await call('POST', '/api/auth/logout', body), blank)
  }
  t.equal(await database.prisma.user.count(), before)
  for (const length of [8, 256]) {
    const body = { ...good, email: `${length}@example.org`, password: 'x'.repeat(length) }
    t.equal((await call('POST', '/api/auth/register', body)).status, 201, `a password of ${length}`)
  }
})

t.test('SQL and mark-up in a name are stored as plain text', async t => {
  const name = '\'); DROP TABLE "User"; -- <b>$1 {{x}}'
  const login = await register({ name })
  t.match(await call('GET', '/api/me', undefined, login.access_token), { body: { name } })
})

t.test('unknown routes, malformed URLs and internal errors are answered in the same shape', async t => {
  // A route can only be added before the first request.
  const { app: own, lines } = await buildRest(t)
  own.get('/broken', () => { throw new Error('secret of the inside') })
  const get = async (url: string) => {
    const reply = await own.inject(url)
    return { status: reply.statusCode, body: reply.json() }
  }
  t.same(await get('/nowhere'), { status: 404, body: { statusCode: 404, error: 'Not Found', code: 'not_found', message: 'Not found' } })
  t.match(await get('/%zz'), { status: 400, body: { statusCode: 400, error: 'Bad Request', code: 'invalid_request' } })
  t.same(await get('/broken'), {
    status: 500, body: { statusCode: 500, error: 'Internal Server Error', code: 'internal', message: 'Internal server error' }
  })
  const reports = lines.filter(line => line.includes('secret of the inside'))
  t.equal(reports.length, 1)
  t.match(JSON.parse(reports[0]!), { level: 50, err: { stack: /auth-input\.test/ } })
})

t.test('the health checks, the OpenAPI document and its page are served', async t => {
  t.same((await app.inject('/healthz')).json(), { status: 'ok' })
  const ready = await app.inject('/readyz')
  t.same([ready.statusCode, ready.json()], [200, { status: 'ready', database: 'up', bus: 'up' }])

  const contract = (await app.inject('/openapi.json')).json()
  t.match(contract, {
    openapi: '3.1.0',
    paths: {
      '/api/auth/register': {
        post: { requestBody: { content: { 'application/json': { schema: { required: ['email', 'name', 'password'] } } } } }
      },
      '/api/me': { get: { security: [{ bearer: [] }] }, patch: {}, delete: {} }
    },
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } }
  })
  t.notMatch(JSON.stringify(contract), /whenMissing|\$id|"format":"text"/)

  const page = await app.inject('/docs/')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], /text\/html/)
  t.notMatch(page.body, /(src|href)="https?:/, 'the page loads nothing from other servers')
  const json = await app.inject('/docs/json')
  t.same(json.json(), contract)
})
