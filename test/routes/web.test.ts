import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/root.ts'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'

const { origin } = await startServer(t, { config: { channels: { default_room: 'lobby' }, authentication: { registration: 'invite' } } })
const get = (path: string, headers = {}): Promise<Response> => fetch(origin + path, { headers })

t.test('every view is the same page, whose addresses lead to the root of the app from any depth', async t => {
  const bases = {
    '/': './',
    '/?from=mail': './',
    '/browse': './',
    '/admin': './',
    '/admin/users': './../',
    '/c/lobby': './../',
    '/c/lobby/m/1?x=/a/b': './../../../',
    '/d/ann/m/1': './../../../'
  }
  for (const [path, base] of Object.entries(bases)) {
    const reply = await get(path)
    t.equal(reply.status, 200, path)
    t.equal(reply.headers.get('content-type'), 'text/html; charset=utf-8')
    t.equal(reply.headers.get('cache-control'), 'no-cache')
    t.match(await reply.text(), `<base href="${base}">`, path)
  }
  t.equal((await get('/c')).status, 404)
  t.equal((await get('/nothing')).status, 404)
  t.equal((await get('/api/nothing')).status, 404)
})

t.test('the page has a strict policy, and all other answers keep theirs', async t => {
  const policy = (await get('/')).headers.get('content-security-policy')!
  t.notMatch(policy, /unsafe|\*|https?:/)
  for (const part of ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"]) {
    t.ok(policy.includes(part), part)
  }
  t.equal((await get('/')).headers.get('cross-origin-opener-policy'), 'same-origin')
  t.equal((await get('/api/channels')).headers.get('content-security-policy'), "default-src 'none';frame-ancestors 'none'")
  t.not((await get('/docs/websocket')).headers.get('content-security-policy'), policy)
})

t.test('the page says what the app has to know of the server, and no text in it becomes HTML', async t => {
  const facts = /<meta name="parley" content="([^"]*)">/.exec(await (await get('/')).text())![1]!
  t.notMatch(facts, /[<>]/)
  t.match(JSON.parse(facts.replaceAll('&#34;', '"')), { defaultRoom: 'lobby', registration: 'invite', guests: false, accounts: true })
})

t.test('files are kept for ever, come compressed, and are those of one build only', async t => {
  const page = await (await get('/')).text()
  const script = /src="(assets\/[^"]*main\.js)"/.exec(page)![1]!
  for (const encoding of ['br', 'gzip', 'identity']) {
    const reply = await get(`/${script}`, { 'accept-encoding': encoding })
    t.equal(reply.status, 200)
    t.equal(reply.headers.get('content-encoding'), encoding === 'identity' ? null : encoding)
    t.equal(reply.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    t.match(reply.headers.get('vary'), /accept-encoding/i)
    t.match(reply.headers.get('content-type'), 'javascript')
    // A worker has the policy of its own script, which has to let it connect.
    t.match(reply.headers.get('content-security-policy'), "connect-src 'self'")
  }
  t.equal(readdirSync(join(root, 'web/dist/assets')).length, 1)
  for (const path of ['/assets/', '/assets/gone/main.js', '/assets/..%2findex.html', '/assets/../.built.json', '/.built.json']) {
    t.equal((await get(path)).status, 404, path)
  }
})

t.test('browsers ask for the service worker each time', async t => {
  const reply = await get('/sw.js')
  t.equal(reply.status, 200)
  t.match(reply.headers.get('cache-control'), 'max-age=0')
  t.match(reply.headers.get('content-type'), 'javascript')
})

t.test('WEB_ENABLED=false serves nothing of it', async t => {
  const { origin } = await startServer(t, { config: { web: { enabled: false } } })
  for (const path of ['/', '/c/lobby', '/admin', '/sw.js', '/assets/']) t.equal((await fetch(origin + path)).status, 404, path)
})
