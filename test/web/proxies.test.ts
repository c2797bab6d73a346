import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { root } from '../../scripts/root.ts'
import { startProxy } from '../../scripts/services.ts'
import { startProcess } from '../faults/process.ts'
import { startProxy as startNginx } from '../deploy/nginx.ts'
import { createDatabase, redis } from '../helper.ts'
import { t } from '../tap.ts'
import { said, say, startApp, type App } from './app.ts'

const cluster = { databaseUrl: await createDatabase(t), config: { redis: redis(), server: { trust_proxy: 'loopback' } } }
const app = await startApp(t, cluster)
const { port } = app.server

/** Talks through this address, loads the view of a channel anew, and finds everything there. */
async function talks (t: Parameters<App['profile']>[0], url: string): Promise<Page> {
  const page = await app.open(await app.profile(t), await app.server.register('ann'), 'c/general', url)
  await say(page, `through ${url}`)
  await page.reload()
  await said(page, `through ${url}`).waitFor()
  return page
}

t.test('the app works under a path prefix behind nginx', async t => {
  const { origin } = await startNginx(t, [port, port], {
    'location / {\n            proxy_pass http://parley;': 'location /chat/ {\n            proxy_pass http://parley/;',
    'location = /websocket {\n            proxy_pass http://parley_upgrades;':
      'location = /chat/websocket {\n            proxy_pass http://parley_upgrades/websocket;'
  })
  const page = await talks(t, `${origin}/chat`)
  t.equal(new URL(page.url()).pathname, '/chat/c/general')
})

t.test('the app works under a path prefix behind Caddy', async t => {
  const configuration = readFileSync(join(root, 'deploy/Caddyfile'), 'utf8')
  const caddy = await startProxy('caddy', ({ port: own, folder }) => configuration
    .replace('{\n', `{\n\tadmin off\n\tstorage file_system ${folder}\n`)
    .replace('chat.example.org {', `http://127.0.0.1:${own} {\n\turi strip_prefix /chat`)
    .replace('parley-1:8080 parley-2:8080', `127.0.0.1:${port}`))
  t.teardown(caddy.stop)
  const page = await talks(t, `http://127.0.0.1:${caddy.port}/chat`)
  t.equal(new URL(page.url()).pathname, '/chat/c/general')
})

t.test('an instance behind nginx is killed: nothing that was typed is lost, and nobody has to do anything', async t => {
  const { databaseUrl, config } = cluster
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: config.redis.url!, REDIS_PREFIX: config.redis.prefix!, TRUST_PROXY: 'loopback' }
  const other = await startProcess(t, { env })
  const { origin } = await startNginx(t, [port, other.port])
  const pages: Page[] = []
  for (const name of ['ann', 'ben', 'carl']) {
    pages.push(await app.open(await app.profile(t), await app.server.register(name), 'c/general', origin))
  }
  for (const [i, page] of pages.entries()) await say(page, `before ${i}`)
  await other.kill()
  for (const [i, page] of pages.entries()) await say(page, `after ${i}`)
  const texts = ['before', 'after'].flatMap(when => pages.map((_, i) => `${when} ${i}`))
  for (const page of pages) {
    for (const text of texts) await said(page, text).waitFor()
    t.equal(await page.locator('.message').getByText(/^(before|after) \d$/).count(), texts.length, 'each message is there once')
  }
})
