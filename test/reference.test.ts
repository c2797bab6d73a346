import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { referenceFiles } from '../scripts/reference.ts'
import { root } from '../scripts/root.ts'
import { ConfigSchema } from '../src/config-schema.ts'
import { metrics } from '../src/schemas/metrics.ts'
import { startServer } from './helper.ts'
import { parseMetrics } from './metrics/scrape.ts'
import { t } from './tap.ts'

const TOKEN = 'token-of-the-metrics'
const server = await startServer(t, { config: { metrics: { token: TOKEN } } })

t.test('the reference files in docs/ and the types of the tests are made of the schemas as they are', async t => {
  const files = await referenceFiles((await server.call('GET', '/openapi.json')).body)
  for (const [path, text] of Object.entries(files)) {
    const isCurrent = existsSync(join(root, path)) && readFileSync(join(root, path), 'utf8') === text
    t.ok(isCurrent, `${path} is stale: run \`npm run generate\` and commit what it changes`)
  }
})

t.test('docs/configuration.md has a row for each key, and docs/metrics.md for each metric that is served', async t => {
  const page = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8')
  for (const [section, { properties }] of Object.entries(ConfigSchema.properties)) {
    for (const key of Object.keys(properties)) {
      t.match(page('configuration.md'), new RegExp(`^\\| \`${section}\\.${key}\` \\|( [^|]+ \\|){5}$`, 'm'), `${section}.${key}`)
    }
  }
  const response = await fetch(`${server.origin}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const { types } = parseMetrics(await response.text())
  t.same(Object.keys(metrics).filter(name => !types.has(name)), [], 'every metric of the table is served')
  for (const [name, type] of types) t.match(page('metrics.md'), `| \`${name}\` | ${type} |`)
})
