import { chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startDatabase } from '../../scripts/postgres.ts'
import { unprivileged } from '../../scripts/service.ts'
import { eventually } from '../eventually.ts'
import { createCertificates, type Certificate } from '../tls.ts'
import { t } from '../tap.ts'
import { converse, migrate, run, startPair } from './conversation.ts'

const folder = t.testdir({})
const certificates = createCertificates(folder)
const authority = certificates.selfSigned('authority')
const own = certificates.selfSigned('own')
const stranger = certificates.selfSigned('stranger')

// All tests share these two servers: one has no TLS, and the certificate of the other is changed by tests.
const plain = await startDatabase()
t.teardown(plain.stop)
const { encrypted, serve } = await startTls()

/** Starts a server that has a certificate. `serve` gives it another one; `access`: `hostssl` makes it refuse connections without TLS. */
async function startTls () {
  const { uid, gid } = unprivileged()
  const place = join(folder, 'server')
  const [cert, key, access] = ['server.pem', 'server.key', 'hba.conf'].map(name => join(place, name)) as [string, string, string]
  const write = (certificate: Certificate, type: string): void => {
    copyFileSync(certificate.path, cert)
    copyFileSync(certificate.key, key)
    writeFileSync(access, `local all all trust\n${type} all all 127.0.0.1/32 trust\n`)
  }
  mkdirSync(place)
  write(own, 'host')
  chmodSync(key, 0o600)
  if (uid !== undefined && gid !== undefined) for (const path of [place, cert, key, access]) chownSync(path, uid, gid)
  const encrypted = await startDatabase({ settings: { ssl: 'on', ssl_cert_file: cert, ssl_key_file: key, hba_file: access } })
  t.teardown(encrypted.stop)
  return {
    encrypted,
    serve (certificate: Certificate, type: 'host' | 'hostssl' | 'hostnossl' = 'host'): Promise<void> {
      write(certificate, type)
      return reload(encrypted)
    }
  }
}

/** The URL of a server's Unix socket. */
function socketOf ({ folder, port }: typeof plain): string {
  return `postgresql://parley@/postgres?host=${encodeURIComponent(folder)}&port=${port}`
}

/** Makes a server read its files again. Resolves when new connections meet what they say. */
async function reload (server: typeof plain): Promise<void> {
  const [{ before } = {}] = await run(socketOf(server), 'SELECT pg_reload_conf(), pg_conf_load_time()::text AS before')
  const isRead = `SELECT pg_conf_load_time() > '${before}' AS done`
  await eventually(async () => (await run(socketOf(server), isRead))[0]!.done as boolean)
}

/** The URL of the server that has a certificate. */
const at = (parameters: string): string => `postgresql://parley@127.0.0.1:${encrypted.port}/postgres?${parameters}`

const ENCRYPTED = `SELECT count(*)::int AS count FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
  WHERE application_name = 'parley' AND ssl`

t.test('a self-signed certificate is accepted as Heroku needs it, and verified only where sslmode or DATABASE_CA ask for it', async t => {
  await serve(own)
  for (const parameters of ['', 'sslmode=prefer', 'sslmode=require', 'sslmode=no-verify', 'ssl=true']) await migrate(at(parameters))
  for (const mode of ['verify-full', 'verify-ca', 'require']) await migrate(at(`sslmode=${mode}`), { ca: own.pem })
  await migrate(at(''), { ca: own.path })
  await t.rejects(migrate(at('sslmode=verify-full')), { message: /self-signed certificate\. Set DATABASE_CA to your provider’s/ })
  await t.rejects(migrate(at('sslmode=require'), { ca: stranger.pem }), { message: /certificate.* Set DATABASE_CA/ })
  await converse(t, await startPair(t, at('sslmode=require')))
  const pair = await startPair(t, at(''))
  await converse(t, pair)
  const [{ count } = {}] = await run(socketOf(encrypted), ENCRYPTED)
  t.ok(Number(count) > 0, 'without sslmode, connections are encrypted where the server can')
})

t.test('verify-full compares the name of the host, verify-ca does not', async t => {
  await serve(certificates.signed(authority, 'named', 'DNS:db.example.org'))
  await migrate(at('sslmode=verify-ca'), { ca: authority.pem })
  await migrate(at('sslmode=require'), { ca: authority.pem })
  const message = /does not match .*\. sslmode=verify-ca does not compare names$/
  await t.rejects(migrate(at('sslmode=verify-full'), { ca: authority.pem }), { message })
  await t.rejects(migrate(at(''), { ca: authority.pem }), { message: /does not match/ })
})

t.test('an expired certificate is refused where certificates are verified', async t => {
  await serve(certificates.signed(authority, 'expired', undefined, -1))
  await t.rejects(migrate(at('sslmode=verify-full'), { ca: authority.pem }), { message: /expired/ })
})

t.test('a server that wants TLS, or that has none, is reached with every mode that allows it', async t => {
  await serve(own, 'hostssl')
  for (const mode of ['allow', 'prefer', 'require']) await migrate(at(`sslmode=${mode}`))
  await t.rejects(migrate(at('sslmode=disable')), { message: /no encryption\. The server wants TLS: sslmode must not be disable$/ })
  await serve(own, 'hostnossl')
  for (const mode of ['disable', 'allow', 'prefer']) await migrate(at(`sslmode=${mode}`))
  await t.rejects(migrate(at('sslmode=require')), { message: /pg_hba\.conf/ })
  for (const mode of ['disable', 'allow', 'prefer']) await migrate(`${plain.url}?sslmode=${mode}`)
  for (const mode of ['require', 'verify-full']) {
    await t.rejects(migrate(`${plain.url}?sslmode=${mode}`), { message: /does not support SSL connections$/ })
  }
})

t.test('a Unix socket is used as Cloud SQL offers it, and several hosts until one answers', async t => {
  await migrate(socketOf(plain))
  await migrate(`postgresql://parley@${encodeURIComponent(plain.folder)}:${plain.port}/postgres?sslmode=require`)
  const url = `postgresql://parley@127.0.0.1:1,[::1]:1,127.0.0.1:${plain.port}/postgres`
  await migrate(url)
  await converse(t, await startPair(t, url))
})

t.test('a wrong password gets one line with the usual reason, and is not tried on another server', async t => {
  await run(plain.url, "CREATE ROLE ann LOGIN PASSWORD 'right'")
  const access = join(plain.folder, 'data/pg_hba.conf')
  writeFileSync(access, 'host all ann 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\nlocal all all trust\n')
  await reload(plain)
  const url = `postgresql://ann:hidden@127.0.0.1:${plain.port},127.0.0.1:1/postgres`
  const error: Error = await migrate(url).then(() => new Error('no error'), caught => caught)
  t.match(error.message, /password authentication failed for user "ann"\. Does the URL have the right password, percent-encoded/)
  t.notMatch(error.message, /hidden|\n/)
})
