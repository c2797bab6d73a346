import { startServer, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { handshake, openSocket } from '../websocket/raw.ts'

const STRICT = "default-src 'none';frame-ancestors 'none'"
const expected = {
  'content-security-policy': STRICT,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin'
}

/** Injects a request, which needs no connection. @returns the status and headers of the reply. */
async function ask (server: Server, method: 'GET' | 'POST' | 'PUT', url: string, headers: Record<string, string> = {}, body?: string) {
  const { statusCode, headers: found } = await server.app.inject({ method, url, headers, ...body !== undefined && { body } })
  return { statusCode, headers: found }
}

t.test('every kind of reply has headers that let browsers treat it only as data and that forbid frames around it', async t => {
  const server = await startServer(t, { config: { limits: { rest_requests: 4 } } })
  const json = { 'content-type': 'application/json' }
  t.match(await ask(server, 'GET', '/healthz'), { statusCode: 200, headers: expected })
  t.match(await ask(server, 'GET', '/nowhere'), { statusCode: 404, headers: expected })
  t.match(await ask(server, 'GET', '/api/me'), { statusCode: 401, headers: expected })
  t.match(await ask(server, 'POST', '/api/auth/login', json, '{'), { statusCode: 400, headers: expected })
  t.match(await ask(server, 'POST', '/api/auth/login', json, JSON.stringify('x'.repeat(70_000))), { statusCode: 413, headers: expected })
  t.match(await ask(server, 'POST', '/api/auth/login', { 'content-type': 'text/xml' }, '<x/>'), { statusCode: 415, headers: expected })
  t.match(await ask(server, 'GET', '/api/me'), { statusCode: 429, headers: expected })
  t.match(await ask(server, 'GET', '/openapi.json'), { statusCode: 200, headers: expected })
  t.equal((await ask(server, 'GET', '/healthz')).headers['strict-transport-security'], undefined, 'sent by the proxy that ends TLS')
})

t.test('a refused upgrade has the same headers', async t => {
  const server = await startServer(t)
  const { status, head } = await openSocket(t, server.port, handshake({ Origin: 'https://elsewhere.example.org' })).answered()
  t.equal(status, 403)
  for (const [name, value] of Object.entries(expected)) t.match(head.toLowerCase(), `${name}: ${value.toLowerCase()}\r\n`, name)
})

t.test('/docs keeps its own content security policy: it loads only existing files of this server and has no inline code', async t => {
  const server = await startServer(t)
  const page = await fetch(`${server.origin}/docs/`)
  const policy = page.headers.get('content-security-policy') ?? ''
  t.match(policy, /default-src 'none'.*script-src 'self';.*style-src 'self'.*connect-src 'self';.*frame-ancestors 'none'/)
  t.notMatch(policy, 'unsafe')
  const html = await page.text()
  t.notMatch(html, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:/i)
  const loaded = [...html.matchAll(/<(?:script|link)[^>]*\s(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
  t.ok(loaded.length >= 7, loaded.join())
  for (const path of loaded) {
    const url = new URL(path, page.url)
    t.equal(url.origin, server.origin, path)
    const { status, headers } = await fetch(url)
    t.equal(status, 200, path)
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    // Because of nosniff, browsers refuse scripts and styles with a wrong content type.
    if (path.endsWith('.js')) t.match(headers.get('content-type'), /javascript/)
    if (path.endsWith('.css')) t.match(headers.get('content-type'), /css/)
  }
})

t.test('pages of an allowed origin may read the headers about limits, but may not send cookies', async t => {
  const origin = 'https://chat.example.org'
  const server = await startServer(t, { config: { server: { allowed_origins: origin }, limits: { rest_requests: 1 } } })
  for (const statusCode of [401, 429]) {
    const reply = await ask(server, 'GET', '/api/me', { origin })
    t.match(reply, { statusCode, headers: { 'access-control-allow-origin': origin, vary: /origin/i } })
    const exposed = String(reply.headers['access-control-expose-headers'])
    for (const name of ['retry-after', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']) t.match(exposed, name)
    t.equal(reply.headers['access-control-allow-credentials'], undefined)
  }
})
