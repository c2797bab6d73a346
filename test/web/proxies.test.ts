import type { Page } from 'playwright-core'
import { startProcess } from '../faults/process.ts'
import { startProxy as startNginx } from '../deploy/nginx.ts'
import { startCaddy } from '../deploy/proxies.ts'
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
  const { origin } = await startCaddy(t, [port, port], { 'respond /metrics 404': 'uri strip_prefix /chat' })
  const page = await talks(t, `${origin}/chat`)
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
