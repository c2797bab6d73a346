import { startServer, type ServerOptions } from '../helper.ts'
import { t, type Test } from '../tap.ts'

const ALLOWED = 'https://allowed.example.org'
const server = await startServer(t, {
  config: { server: { allowed_origins: ALLOWED, trust_proxy: 'loopback' }, authentication: { refresh_window: 0 } }
})
const { origin } = server
const crossOrigin = { status: 403, body: { code: 'cross_origin', message: 'Not from a page of this server' } }
const refused = { status: 401, body: { code: 'authentication_failed' } }
const CLEARED = 'parley_refresh=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict'

interface Options { body?: object, headers?: Record<string, string>, cookie?: string | undefined }

/** Calls a route of `/api/auth` as a page does that the server itself delivers, or with other headers. @returns the cookie, too. */
async function post (route: string, { body = {}, headers = {}, cookie }: Options = {}, { call } = server) {
  const { status, body: answer, headers: answered } = await call('POST', `/api/auth/${route}`, {
    body, headers: { ...cookie !== undefined && { cookie }, ...headers }
  })
  const [setCookie] = answered.getSetCookie()
  return { status, body: answer, setCookie, cookie: setCookie?.split(';')[0] }
}

/** Logs a new user in, with the refresh token in a cookie. */
async function logIn () {
  const { email, password, user } = await server.register('ann')
  const credentials = { email, password }
  const { status, body, cookie } = await post('login', { body: { ...credentials, cookie: true } })
  if (status !== 200 || cookie === undefined) throw new Error(JSON.stringify(body))
  return { credentials, user, login: body, cookie }
}

async function startOther (t: Test, config: ServerOptions['config'] & object) {
  const other = await startServer(t, { config })
  const { refresh_token: token } = await other.register('ann')
  return { other, token, refresh: (options: Options) => post('refresh', options, other) }
}

t.test('[P85] a login in a cookie gives no refresh token to scripts: it is refreshed and ended by the cookie alone', async t => {
  const { credentials, login, cookie } = await logIn()
  t.equal(login.refresh_token, undefined)
  t.match(login, { access_token: String, refresh_expires_in: 86_400, user: { email: credentials.email } })
  t.match(await post('login', { body: { ...credentials, cookie: false } }), { body: { refresh_token: String }, setCookie: undefined })

  const refreshed = await post('refresh', { cookie, body: { cookie: false } })
  t.equal(refreshed.status, 200)
  t.equal(refreshed.body.refresh_token, undefined, 'a token of the cookie stays there, whatever the body asks for')
  t.match(refreshed.setCookie, /^parley_refresh=[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Strict$/)
  t.not(refreshed.cookie, cookie)
  t.equal((await post('refresh', { cookie })).cookie, refreshed.cookie, 'the same successor for a second tab')
  const { body: { logins } } = await server.call('GET', '/api/me/logins', { token: refreshed.body.access_token })
  t.equal(logins.length, 3, 'a refresh is no further login')

  t.match(await post('logout', { cookie: refreshed.cookie }), { status: 204, setCookie: CLEARED })
  t.match(await server.call('GET', '/api/me', { token: refreshed.body.access_token }), { status: 401 })
  t.match(await post('refresh', { cookie: refreshed.cookie }), { ...refused, setCookie: CLEARED })
  t.match(await post('logout', { cookie: 'parley_refresh=unknown' }), { ...refused, setCookie: CLEARED })
})

t.test('[P85] a registration may give the cookie too', async t => {
  const made = await post('register', { body: { email: 'new@example.org', name: 'New', password: 'correct horse', cookie: true } })
  t.equal(made.status, 201)
  t.equal(made.body.refresh_token, undefined)
  t.equal((await post('refresh', { cookie: made.cookie })).status, 200)
})

t.test('[P61] [P85] a used token in a cookie that comes too late ends its login and leaves the browser', async t => {
  const { cookie: first } = await logIn()
  const { cookie: second } = await post('refresh', { cookie: first })
  const { cookie: third } = await post('refresh', { cookie: second })
  t.match(await post('refresh', { cookie: first }), { ...refused, setCookie: CLEARED })
  t.match(await post('refresh', { cookie: third }), refused)
})

t.test('[P85] a token in the body beats the cookie, and moves into one if the body asks for that', async t => {
  const { cookie } = await logIn()
  const { refresh_token: given, user } = await server.register('ben')
  const { body, setCookie } = await post('refresh', { cookie, body: { refresh_token: given } })
  t.match(body, { user: { id: user.id }, refresh_token: String })
  t.equal(setCookie, undefined)
  t.match(await post('refresh', { cookie, body: { refresh_token: 'unknown' } }), { ...refused, setCookie: undefined })
  t.match(await post('logout', { cookie, body: { refresh_token: 'unknown' } }), { ...refused, setCookie: undefined })

  const moved = await post('refresh', { cookie, body: { refresh_token: body.refresh_token, cookie: true } })
  t.equal(moved.body.refresh_token, undefined)
  t.match((await post('refresh', { cookie: moved.cookie })).body, { user: { id: user.id } })
  t.equal((await post('logout', { cookie, body: { refresh_token: given } })).setCookie, undefined)
  t.equal((await post('refresh', { cookie })).status, 200, 'the login of the cookie is untouched')
})

t.test('[P85] without a token in body and cookie: token_required', async t => {
  for (const cookie of [undefined, 'other=1', 'parley_refresh=', 'parley_refresh']) {
    for (const route of ['refresh', 'logout']) {
      t.match(await post(route, { cookie }), { status: 401, body: { code: 'token_required' } }, `${route} ${cookie}`)
    }
  }
})

t.test('[P85] only a page of the server itself may use the cookie or ask for it', async t => {
  const { credentials, cookie } = await logIn()
  const registration = { email: 'other@example.org', name: 'Other', password: 'correct horse' }
  const foreign: Array<Record<string, string>> = [
    { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { 'sec-fetch-site': 'none' },
    { origin: 'https://elsewhere.example.org' }, { origin: ALLOWED }, { origin: ALLOWED, 'sec-fetch-site': 'same-origin' },
    { origin: 'null' }, { origin: 'http://127.0.0.1:1' }, { origin: `capacitor://127.0.0.1:${server.port}` },
    { origin, 'x-forwarded-proto': 'https' }, { origin, 'sec-fetch-site': 'cross-site' }
  ]
  for (const headers of foreign) {
    const name = headers['x-forwarded-proto'] ? `__Host-${cookie}` : cookie
    for (const [route, options] of [
      ['refresh', { cookie: name }], ['refresh', { body: { refresh_token: 'unknown', cookie: true } }], ['logout', { cookie: name }],
      ['login', { body: { ...credentials, cookie: true } }], ['register', { body: { ...registration, cookie: true } }]
    ] as const) {
      const answer = await post(route, { ...options, headers })
      t.match(answer, { ...crossOrigin, setCookie: undefined }, `${route} ${JSON.stringify(headers)}`)
    }
  }
  t.equal((await post('login', { body: credentials, headers: { origin: ALLOWED } })).status, 200, 'a page elsewhere keeps its token itself')
  t.equal(await server.database.prisma.user.count({ where: { email: registration.email } }), 0)
  t.equal((await post('refresh', { cookie, headers: { origin, 'sec-fetch-site': 'same-origin' } })).status, 200)
})

t.test('[P85] requests that a page of another origin can send unasked, without JSON, do not use the cookie', async t => {
  const { cookie } = await logIn()
  const forms = [
    {}, { 'content-type': 'text/plain' }, { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'multipart/form-data; boundary=x' }
  ]
  for (const headers of forms) {
    for (const route of ['refresh', 'logout']) {
      for (const body of [undefined, '{}']) {
        // A text without a type gets one from fetch.
        if (body !== undefined && Object.keys(headers).length === 0) continue
        const { status } = await fetch(`${origin}/api/auth/${route}`, {
          method: 'POST', headers: { ...headers, cookie }, ...body !== undefined && { body }
        })
        t.equal(status, 415, `${route} ${JSON.stringify(headers)} ${body}`)
      }
    }
  }
  t.equal((await post('refresh', { cookie })).status, 200)
})

t.test('[P85] over TLS, which a trusted proxy ends, the cookie is Secure and bound to the host, and no other is taken', async t => {
  const { credentials, cookie: plain } = await logIn()
  const headers = { 'x-forwarded-proto': 'https', origin: origin.replace('http', 'https') }
  const { setCookie, cookie } = await post('login', { body: { ...credentials, cookie: true }, headers })
  t.match(setCookie, /^__Host-parley_refresh=[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  t.match(await post('refresh', { cookie: plain, headers }), { status: 401, body: { code: 'token_required' } })
  t.match(await post('refresh', { cookie: `${plain}; ${cookie}`, headers }), { status: 200, cookie: /^__Host-/ })
  t.equal((await post('logout', { cookie, headers })).setCookie,
    '__Host-parley_refresh=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict')
})

t.test('[P85] under a path prefix the cookie has its path', async t => {
  const { token, refresh } = await startOther(t, { server: { trust_proxy: 'loopback', public_url: 'https://chat.example.org/some/chat/' } })
  const first = await refresh({ body: { refresh_token: token, cookie: true } })
  t.match(first.setCookie, /^parley_refresh=[\w-]{43}; Max-Age=\d+; Path=\/some\/chat; HttpOnly; SameSite=Strict$/)
  const headers = { 'x-forwarded-proto': 'https' }
  const second = await refresh({ body: { refresh_token: token, cookie: true }, headers })
  t.match(second.setCookie, /^__Secure-parley_refresh=[\w-]{43}; Max-Age=\d+; Path=\/some\/chat; HttpOnly; Secure; SameSite=Strict$/)
  t.equal((await refresh({ cookie: second.cookie, headers })).status, 200)
})

t.test('[P85] an untrusted proxy makes no cookie Secure, and only a token that is refused for good leaves the browser', async t => {
  const { other, token, refresh } = await startOther(t, { authentication: { require_verified_email: true } })
  const untrusted = { origin: other.origin.replace('http', 'https'), 'x-forwarded-proto': 'https' }
  const unverified = await refresh({ cookie: `parley_refresh=${token}`, headers: untrusted })
  t.match(unverified, { status: 403, body: { code: 'email_not_verified' }, setCookie: undefined })
  await other.database.prisma.user.updateMany({ data: { emailVerifiedAt: new Date() } })
  const { status, setCookie } = await refresh({ cookie: `parley_refresh=${token}`, headers: untrusted })
  t.equal(status, 200)
  t.notMatch(setCookie, /Secure|__Host/)
})
