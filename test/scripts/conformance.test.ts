import { judge } from '../../scripts/conformance/judge.ts'
import { byRule, type Report } from '../../scripts/conformance/report.ts'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { startAlteringProxy } from './altering-proxy.ts'
import { mutations } from './mutations.ts'

/** Mutations that are judged at the same time. */
const CONCURRENCY = 1
/** Milliseconds that one answer may take. */
const DEADLINE = 15000

// Each run has an address of its own, which the proxies name, because registrations and wrong passwords are limited by address.
const server = await startServer(t, {
  config: {
    server: { trust_proxy: 'true' },
    authentication: { guests: true, timeout: 2 },
    channels: { max_channels_per_user: 30, max_created_per_user: 40 },
    log: { level: 'silent' }
  }
})
const admin = await server.register('admin')
await server.database.prisma.user.update({ where: { id: admin.user.id }, data: { role: 'admin' } })

const failed = ({ outcomes }: Report): string[] => byRule(outcomes).filter(({ verdict }) => verdict === 'failed').map(({ rule }) => rule)

t.test('each mutation of the server fails exactly the rule that it breaks', async t => {
  const waiting = [...mutations.entries()].slice(0, 3)
  async function work (): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [i, { does, breaks, begin }] = next
      const port = await startAlteringProxy(t, server.port, `10.0.0.${i + 1}`, begin())
      const people = await Promise.all(['ann', 'ben', 'cyd'].map(name => server.register(name)))
      const tokens = people.map(({ access_token: token }) => token)
      const c0 = process.cpuUsage(), b0 = performance.now()
      const report = await judge({ url: `ws://127.0.0.1:${port}`, tokens, adminToken: undefined, deadline: DEADLINE })
      console.error('CPU', does, process.cpuUsage(c0), performance.now() - b0)
      t.strictSame(failed(report), breaks, does, { outcomes: report.outcomes.filter(({ verdict }) => verdict === 'failed') })
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
})
