import { startServer } from '../helper.ts'
import { t } from '../tap.ts'

t.test('pages of an allowed origin may use every method, and pages of other origins may use none', async t => {
  const { app } = await startServer(t, { config: { server: { allowed_origins: 'https://chat.example.org, https://*.example.com' } } })
  const preflight = (origin: string, method: string) => app.inject({
    method: 'OPTIONS',
    url: '/api/channels/general/members/x',
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' }
  })
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    const { statusCode, headers } = await preflight('https://chat.example.org', method)
    t.match({ statusCode, headers }, {
      statusCode: 204,
      headers: {
        'access-control-allow-origin': 'https://chat.example.org',
        'access-control-allow-methods': new RegExp(`\\b${method}\\b`),
        'access-control-allow-headers': 'authorization'
      }
    }, method)
  }
  t.equal((await preflight('https://chat.example.org:443', 'GET')).headers['access-control-allow-origin'], 'https://chat.example.org:443')
  t.equal((await preflight('https://a.b.example.com', 'GET')).headers['access-control-allow-origin'], 'https://a.b.example.com')
  t.equal((await preflight('https://example.com', 'GET')).headers['access-control-allow-origin'], undefined)
  t.equal((await preflight('null', 'PUT')).headers['access-control-allow-origin'], undefined)
  t.equal((await preflight('https://elsewhere.example.org', 'PUT')).headers['access-control-allow-origin'], undefined)
})
