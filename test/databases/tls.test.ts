import { chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startDatabase } from '../../scripts/postgres.ts'
import { unprivileged } from '../../scripts/service.ts'
import { createCertificates, type Certificate } from '../tls.ts'
import { t, type Test } from '../tap.ts'
import { converse, migrate, run, startPair } from './conversation.ts'

const certificates = createCertificates(t.testdir())
const authority = certificates.selfSigned('authority')
const stranger = certificates.selfSigned('stranger')

/** Starts a server with this certificate. `only` makes it refuse connections with TLS, or without it. */
async function startTls (t: Test, certificate: Certificate, only?: 'hostssl' | 'hostnossl') {
  const { uid, gid } = unprivileged()
  const folder = t.testdir()
  const [cert, key, access] = ['server.pem', 'server.key', 'hba.conf'].map(name => join(folder, name)) as [string, string, string]
  mkdirSync(folder, { recursive: true })
  copyFileSync(certificate.path, cert)
  copyFileSync(certificate.key, key)
  writeFileSync(access, 'host all all 127.0.0.1/32 trust\n')
  chmodSync(key, 0o600)
  if (uid !== undefined && gid !== undefined) for (const path of [folder, cert, key, access]) chownSync(path, uid, gid)
  const server = await startDatabase({ settings: { ssl: 'on', ssl_cert_file: cert, ssl_key_file: key, hba_file: access } })
  t.teardown(server.stop)
  if (only) {
    writeFileSync(access, `${only} all all 127.0.0.1/32 trust\n`)
    await run(server.url, 'SELECT pg_reload_conf()')
  }
  return { ...server, at: (parameters: string, host = '127.0.0.1') => `postgresql://parley@${host}:${server.port}/postgres?${parameters}` }
}

const ENCRYPTED = `SELECT count(*)::int AS count FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
  WHERE application_name = 'parley' AND ssl`

t.test('a self-signed certificate is accepted as Heroku needs it, and verified only where sslmode or DATABASE_CA ask for it', async t => {
  const own = certificates.selfSigned('own')
  const { at, url } = await startTls(t, own)
  for (const parameters of ['', 'sslmode=prefer', 'sslmode=require', 'sslmode=no-verify', 'ssl=true']) await migrate(at(parameters))
  for (const mode of ['verify-full', 'verify-ca', 'require']) await migrate(at(`sslmode=${mode}`), { ca: own.pem })
  await migrate(at(''), { ca: own.path })
  await t.rejects(migrate(at('sslmode=verify-full')), { message: /self-signed certificate\. Set DATABASE_CA to your provider’s/ })
  await t.rejects(migrate(at('sslmode=require'), { ca: stranger.pem }), { message: /certificate.* Set DATABASE_CA/ })
  await converse(t, await startPair(t, at('sslmode=require')))
  const pair = await startPair(t, at(''))
  await converse(t, pair)
  const [{ count } = {}] = await run(url, ENCRYPTED)
  t.ok(Number(count) > 0, 'without sslmode, connections are encrypted where the server can')
})

t.test('verify-full compares the name of the host, verify-ca does not', async t => {
  const { at } = await startTls(t, certificates.signed(authority, 'server', 'DNS:db.example.org'))
  await migrate(at('sslmode=verify-ca'), { ca: authority.pem })
  await migrate(at('sslmode=require'), { ca: authority.pem })
  const message = /does not match .*\. sslmode=verify-ca does not compare names$/
  await t.rejects(migrate(at('sslmode=verify-full'), { ca: authority.pem }), { message })
  await t.rejects(migrate(at(''), { ca: authority.pem }), { message: /does not match/ })
})

t.test('an expired certificate is refused where certificates are verified', async t => {
  const { at } = await startTls(t, certificates.signed(authority, 'expired', undefined, -1))
  await t.rejects(migrate(at('sslmode=verify-full'), { ca: authority.pem }), { message: /expired/ })
})

t.test('a server that wants TLS, or that has none, is reached with every mode that allows it', async t => {
  const own = certificates.selfSigned('wanted')
  const only = await startTls(t, own, 'hostssl')
  for (const mode of ['allow', 'prefer', 'require']) await migrate(only.at(`sslmode=${mode}`))
  await t.rejects(migrate(only.at('sslmode=disable')), { message: /no encryption\. The server wants TLS: sslmode must not be disable$/ })
  const never = await startTls(t, own, 'hostnossl')
  for (const mode of ['disable', 'allow', 'prefer']) await migrate(never.at(`sslmode=${mode}`))
  await t.rejects(migrate(never.at('sslmode=require')), { message: /pg_hba\.conf/ })
  const plain = await startDatabase()
  t.teardown(plain.stop)
  for (const mode of ['disable', 'allow', 'prefer']) await migrate(`${plain.url}?sslmode=${mode}`)
  for (const mode of ['require', 'verify-full']) {
    await t.rejects(migrate(`${plain.url}?sslmode=${mode}`), { message: /does not support SSL connections$/ })
  }
})

t.test('a Unix socket is used as Cloud SQL offers it, and several hosts until one answers', async t => {
  const server = await startDatabase()
  t.teardown(server.stop)
  await migrate(`postgresql://parley@/postgres?host=${encodeURIComponent(server.folder)}&port=${server.port}`)
  await migrate(`postgresql://parley@${encodeURIComponent(server.folder)}:${server.port}/postgres?sslmode=require`)
  const url = `postgresql://parley@127.0.0.1:1,[::1]:1,127.0.0.1:${server.port}/postgres`
  await migrate(url)
  await converse(t, await startPair(t, url))
})

t.test('a wrong password gets one line with the usual reason, and is not tried on another server', async t => {
  const server = await startDatabase()
  t.teardown(server.stop)
  await run(server.url, "CREATE ROLE ann LOGIN PASSWORD 'right'")
  const access = join(server.folder, 'data/pg_hba.conf')
  writeFileSync(access, 'host all ann 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n')
  await run(server.url, 'SELECT pg_reload_conf()')
  const url = `postgresql://ann:hidden@127.0.0.1:${server.port},127.0.0.1:1/postgres`
  const error: Error = await migrate(url).then(() => new Error('no error'), caught => caught)
  t.match(error.message, /password authentication failed for user "ann"\. Does the URL have the right password, percent-encoded/)
  t.notMatch(error.message, /hidden|\n/)
})
