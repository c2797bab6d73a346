import { addressOf, shownAddress, trustProxy } from '../../src/plugins/address.ts'
import { startServer, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

/** Logs a new user in 11 times with a wrong password, the nth time with `forwarded(n)` as `X-Forwarded-For`. @returns the last status. */
async function eleventh (server: Server, forwarded: (n: number) => string): Promise<number> {
  const { user, email } = await server.register('ann')
  await createRows(server.database).password({ user }, 'their password')
  const body = { email, password: 'wrong password' }
  const guess = (n: number) => server.call('POST', '/api/auth/login', { body, headers: { 'x-forwarded-for': forwarded(n) } })
  for (let n = 0; n < 10; n++) await guess(n)
  return (await guess(10)).status
}

const forged = (n: number): string => `10.0.0.${n}`

t.test('X-Forwarded-For is ignored where no proxy or only another proxy is trusted', async t => {
  for (const proxies of ['false', '10.0.0.0/8, 192.168.0.1']) {
    const server = await startServer(t, { config: { server: { trust_proxy: proxies } } })
    t.equal(await eleventh(server, forged), 429, proxies)
  }
})

t.test('behind a trusted proxy the address that the proxy appended counts, not addresses that the client wrote before it', async t => {
  const server = await startServer(t, { config: { server: { trust_proxy: 'loopback' } } })
  t.equal(await eleventh(server, n => `10.1.0.${n}`), 401, 'eleven clients, one guess each')
  t.equal(await eleventh(server, n => `${forged(n)}, 203.0.113.7`), 429, 'one client, eleven forged addresses')
})

t.test('an IPv4 client of a socket that listens on IPv6 has its IPv4 address in limits, in the log and for TRUST_PROXY', async t => {
  for (const ip of ['::ffff:192.0.2.1', '::FFFF:192.0.2.1', '192.0.2.1', '[::ffff:192.0.2.1]:4711']) {
    t.same([addressOf({ ip }), shownAddress({ ip })], ['192.0.2.1', '192.0.2.1'], ip)
  }
  t.equal(shownAddress({ ip: '2001:db8::1' }), '2001:db8::1')
  t.equal(shownAddress({ ip: 'x'.repeat(1000) }), 'x'.repeat(64))
  for (const [list, address, isTrusted] of [
    ['loopback', '::ffff:127.0.0.1', true], ['127.0.0.0/8', '::ffff:127.1.2.3', true], ['10.0.0.0/8, 192.0.2.1', '::ffff:192.0.2.1', true],
    ['uniquelocal', '::ffff:10.0.0.1', true], ['::ffff:192.0.2.0/120', '::ffff:192.0.2.7', true], ['loopback', '::1', true],
    ['10.0.0.0/8', '::ffff:192.0.2.1', false], ['fc00::/7', '::ffff:192.0.2.1', false]
  ] as const) t.equal((trustProxy(list) as (text: string, hop: number) => boolean)(address, 0), isTrusted, `${address} in ${list}`)
})
