import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { placeOf } from '../src/connection-url.ts'
import { readDatabaseUrl, type DatabaseTarget } from '../src/database-url.ts'
import { createCertificates } from './tls.ts'
import { t } from './tap.ts'

const unverified = { rejectUnauthorized: false }

t.test('a connection URL means what it means to libpq', async t => {
  const cases: Record<string, object> = {
    'postgres://ann:secret@db.example.org:6432/chat': {
      hosts: [{ host: 'db.example.org', port: 6432 }], user: 'ann', password: 'secret', database: 'chat', schema: 'public',
      tls: [unverified, false]
    },
    'postgresql://ann@[::1]:5433/chat': { hosts: [{ host: '::1', port: 5433 }], user: 'ann' },
    'postgresql://ann@[fe80::1%25eth0]/chat': { hosts: [{ host: 'fe80::1%eth0' }] },
    'postgresql://ann@/chat?host=/cloudsql/project:region:instance': {
      hosts: [{ host: '/cloudsql/project:region:instance' }], database: 'chat', tls: [false]
    },
    'postgresql://ann@%2Fvar%2Frun%2Fpostgresql/chat': { hosts: [{ host: '/var/run/postgresql' }], tls: [false] },
    'postgresql://ann@one,two:6432,[::1]:7/chat': { hosts: [{ host: 'one' }, { host: 'two', port: 6432 }, { host: '::1', port: 7 }] },
    'postgresql:///chat?host=one,two&port=6432': { hosts: [{ host: 'one', port: 6432 }, { host: 'two', port: 6432 }] },
    'postgresql:///chat?host=one,two&port=1,2&user=ann&password=p%2Bq': {
      hosts: [{ host: 'one', port: 1 }, { host: 'two', port: 2 }], user: 'ann', password: 'p+q'
    },
    'postgres://a%40b:p%25%3A%2F%3F%23%5B%5D%40+w@host/my%20chat': { user: 'a@b', password: 'p%:/?#[]@+w', database: 'my chat' },
    'postgres://ann:p/a#s:s@word@host/chat': { user: 'ann', password: 'p/a#s:s@word', hosts: [{ host: 'host' }] },
    'postgres://host': { hosts: [{ host: 'host' }] },
    'postgres://ann@host/?dbname=chat': { database: 'chat' },
    'postgres://ann@host/chat?schema=my%20schema': { schema: 'my schema' },
    'postgres://ann@host/chat?schema=': { schema: 'public' },
    'postgres://ann@host/chat?application_name=web&options=endpoint%3Dx': { driver: { application_name: 'web', options: 'endpoint=x' } },
    'postgres://ann@host/chat?sslmode=require&channel_binding=require': { tls: [unverified], driver: { enableChannelBinding: true } },
    'postgres://ann@host/chat?target_session_attrs=read-write&pgbouncer=true': { warnings: [] },
    'postgres://ann@host/chat?connection_limit=5&sslmod=require': {
      warnings: [
        'the parameter connection_limit of DATABASE_URL has no effect: set DATABASE_POOL_SIZE',
        'the parameter sslmod of DATABASE_URL has no effect'
      ]
    }
  }
  for (const [url, target] of Object.entries(cases)) t.match(readDatabaseUrl(url), target, url)
})

t.test('a mistake in a connection URL is named in one line, which quotes nothing of it', async t => {
  const cases: Record<string, RegExp> = {
    'mysql://ann:hidden@host/chat': /^DATABASE_URL: it must be a postgresql:\/\/ URL/,
    'host=localhost dbname=hidden': /^DATABASE_URL: it contains a space/,
    '"postgres://ann:hidden@host/chat"': /quotes around it/,
    'postgres://ann:hidden@host/chat\n': /a line break/,
    'postgres://ann:hid%den@host/chat': /the password contains a bare %: write it as %25/,
    'postgres://an%n:hidden@host/chat': /the user contains a bare %/,
    'postgres://ann@host/hid%den': /the database name contains a bare %/,
    'postgres://ann:%ff@host/chat': /the password contains a bare %/,
    'postgres://ann:hidden?@host/chat': /the port is not a number.* \? as %3F/,
    'postgres://ann:hidden@host:0/chat': /the port is not a number from 1 to 65535/,
    'postgres://ann:hidden@host:65536/chat': /the port is not a number from 1 to 65535/,
    'postgres://ann:hidden@host:54x/chat': /the port is not a number/,
    'postgres://ann:hidden@::1/chat': /An IPv6 address has brackets/,
    'postgres://ann:hidden@[hidden]/chat': /the host in brackets is no IPv6 address/,
    'postgres://ann:hidden@one,two,three/chat?port=1,2': /it names 3 hosts and 2 ports/,
    'postgres://ann:hidden@host/chat?sslmode=on': /sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full, no-verify$/,
    'postgres://ann:hidden@host/chat?sslmode=verify-ca': /sslmode=verify-ca needs .* set DATABASE_CA or sslrootcert/,
    'postgres://ann:hidden@host/chat?sslrootcert=/missing': /sslrootcert .*ENOENT/,
    'postgres://ann:hidden@host/chat?sslcert=/missing': /sslcert cannot be read: ENOENT/,
    'postgres://ann:hidden@host/chat?target_session_attrs=standby': /target_session_attrs must be read-write, primary or any/,
    'postgres://ann:hidden@host/chat?schema=pg_catalog': /schema must .* not begin with pg_/,
    'postgres://ann:hidden@host/chat?schema=$user': /schema must .* be \$user/,
    [`postgres://ann:hidden@host/chat?schema=${'ü'.repeat(32)}`]: /schema must have at most 63 bytes/,
    'postgres://ann:hidden@host/chat?channel_binding=yes': /channel_binding must be/,
    'postgres://ann:hidden@host/chat?sslnegotiation=yes': /sslnegotiation must be/
  }
  for (const [url, expected] of Object.entries(cases)) {
    const error = (() => { try { return readDatabaseUrl(url) } catch (caught) { return caught } })() as Error
    t.match(error.message, expected, url)
    t.notMatch(error.message, /hid|\n/, url)
  }
})

t.test('sslmode verifies what it verifies in libpq', async t => {
  const ca = createCertificates(t.testdir()).selfSigned('ca')
  const file = join(t.testdir(), 'root.pem')
  writeFileSync(file, ca.pem)
  const tlsOf = (parameters: string, given?: string): DatabaseTarget['tls'] =>
    readDatabaseUrl(`postgres://ann@host/chat?${parameters}`, given).tls
  t.strictSame(tlsOf('sslmode=disable'), [false])
  t.strictSame(tlsOf('sslmode=allow'), [false, unverified])
  t.strictSame(tlsOf('sslmode=prefer'), [unverified, false])
  t.strictSame(tlsOf(''), [unverified, false])
  t.strictSame(tlsOf('sslmode=require'), [unverified])
  t.strictSame(tlsOf('sslmode=no-verify'), [unverified])
  t.strictSame(tlsOf('ssl=true'), [unverified])
  t.strictSame(tlsOf('ssl=false'), [false])
  t.strictSame(tlsOf('sslmode=verify-full'), [{ rejectUnauthorized: true }], 'with the authorities that Node knows')
  t.strictSame(tlsOf('sslrootcert=system'), [{ rejectUnauthorized: true }])
  t.strictSame(tlsOf(`sslmode=verify-full&sslrootcert=${file}`), [{ ca: ca.pem, rejectUnauthorized: true }])
  t.strictSame(tlsOf('', ca.pem), [{ ca: ca.pem, rejectUnauthorized: true }], 'a certificate that is given is for verifying')
  for (const mode of ['disable', 'allow', 'prefer', 'no-verify']) {
    const message = `DATABASE_URL: DATABASE_CA does nothing with sslmode=${mode}: set sslmode=verify-full or verify-ca`
    t.throws(() => tlsOf(`sslmode=${mode}`, ca.pem), { message })
  }
  const cases = [['sslmode=verify-ca', ca.pem], ['sslmode=require', file], [`sslmode=require&sslrootcert=${file}`]] as const
  for (const [parameters, given] of cases) {
    const expected = [{ ca: ca.pem, rejectUnauthorized: true, checkServerIdentity: Function }]
    t.match(tlsOf(parameters, given), expected, `${parameters} compares no names`)
  }
})

t.test('the place of a URL has neither credentials nor parameters', async t => {
  t.equal(placeOf('postgres://ann:hidden@one:1,[::1]:2/chat?password=hidden&x=a@b'), 'one:1,[::1]:2/chat')
  t.equal(placeOf('postgres://ann:hid@den@host/chat'), 'host/chat')
  t.equal(placeOf('redis://:hidden@host:6379/0'), 'host:6379/0')
  t.equal(placeOf('redis+sentinel://:hidden@one,two/main?sentinel_password=hidden'), 'one,two/main')
})
