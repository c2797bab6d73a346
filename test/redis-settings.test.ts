import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../src/config.ts'
import { ConfigError } from '../src/config-error.ts'
import { readRedisUrl } from '../src/redis-settings.ts'
import { t, type Test } from './tap.ts'
import { createCertificates } from './tls.ts'

const NONE = { PARLEY_CONFIG: '/dev/null' }

/** Checks that the configuration is refused with exactly this line. */
function refuses (t: Test, env: NodeJS.ProcessEnv, line: string | RegExp): void {
  let error: unknown
  try {
    loadConfig({ ...NONE, ...env })
  } catch (caught) {
    error = caught
  }
  if (!(error instanceof ConfigError)) throw new Error(`no ConfigError: ${JSON.stringify(env)}`, { cause: error })
  t.match(error.message, line)
  t.notMatch(error.message, /\n|s3cret/, 'one line without the password')
}

t.test('a mistake in REDIS_URL stops the start with a line that names the mistake and shows nothing of the URL', async t => {
  const mistakes: Array<[string, string]> = [
    ['redis://:s3cret%@h', 'REDIS_URL: the password contains a bare %: write it as %25'],
    ['redis://:s3cret%4@h', 'REDIS_URL: the password contains a bare %: write it as %25'],
    ['redis://:%zzs3cret@h', 'REDIS_URL: the password contains a bare %: write it as %25'],
    ['redis://us%er:s3cret@h', 'REDIS_URL: the user name contains a bare %: write it as %25'],
    ['redis://:s3cret%ff@h', 'REDIS_URL: the password contains a bare %: write it as %25'],
    ['redis://:s3cret/x@h', 'REDIS_URL: the password contains a bare /: write it as %2F'],
    ['redis://:12/s3cret@h', 'REDIS_URL: the password contains a bare /: write it as %2F'],
    ['redis://:s3cret#@h', 'REDIS_URL: the password contains a bare #: write it as %23'],
    ['redis://:s3cret?x@h', 'REDIS_URL: the password contains a bare ?: write it as %3F'],
    ['redis://s3cret@h', 'REDIS_URL: there is a user without a password'],
    ['redis://', 'REDIS_URL: the host is missing'],
    ['redis://:s3cret@', 'REDIS_URL: the host is missing'],
    ['redis://:s3cret@:6379', 'REDIS_URL: the host is missing'],
    ['redis://:s3cret', 'REDIS_URL: the host is missing'],
    ['redis:///0', 'REDIS_URL: the host is missing'],
    ['redis://:s3cret@<host>', 'REDIS_URL: the host must be a name'],
    // What a shell leaves behind that did not know the variable.
    // eslint-disable-next-line no-template-curly-in-string
    ['redis://:s3cret@${HOST}:6379', 'REDIS_URL: the host must be a name'],
    ['redis://:s3cret@[::g]:6379', 'REDIS_URL: the host must be a name'],
    ['redis://:s3cret@::1:6379', 'REDIS_URL: an IPv6 address needs brackets, as in redis://[::1]:6379'],
    ['redis://:s3cret@h:70000', 'REDIS_URL: the port is not a number from 1 to 65535'],
    ['redis://:s3cret@h:0', 'REDIS_URL: the port is not a number from 1 to 65535'],
    ['redis://user:s3cret', 'REDIS_URL: the port is not a number from 1 to 65535'],
    ['redis://:s3cret@h,h2', 'REDIS_URL: several hosts are those of Sentinel or Cluster: write redis+sentinel:// or redis+cluster://'],
    ['redis+sentinel://:s3cret@h', 'REDIS_URL: the path must be the name of the master, as in redis+sentinel://'],
    ['redis+sentinel://:s3cret@h,/main', 'REDIS_URL: the host is missing; a complete URL is redis+sentinel://'],
    ['redis+sentinel://s3cret@h/main', 'REDIS_URL: there is a user without a password before the @: write redis+sentinel://:password@host'],
    ['redis+sentinel://:s3cret@h/main/0', 'REDIS_URL: the path must be the name of the master'],
    ['redis+sentinel://:s3cret@h/my%20main', 'REDIS_URL: the path must be the name of the master'],
    ['redis+sentinel://:s3cret@h/main%', 'REDIS_URL: the name of the master contains a bare %'],
    ['redis+sentinel://h/main?password=s3cret', 'REDIS_URL: only db, family, sentinel_username and sentinel_password may follow'],
    ['redis+sentinel://h/main?db=x', 'REDIS_URL: db must be the number of a database'],
    ['redis+sentinel://h/main?sentinel_username=s3cret', 'REDIS_URL: sentinel_username does nothing without sentinel_password'],
    ['redis+sentinel://h:s3cret/main', 'REDIS_URL: the port is not a number from 1 to 65535'],
    ['redis+cluster://:s3cret@h,h2/0', 'REDIS_URL: a cluster has no numbered databases: leave out db and the path'],
    ['redis+cluster://:s3cret@h?db=0', 'REDIS_URL: a cluster has no numbered databases'],
    ['redis+cluster://:s3cret@h?sentinel_password=s3cret', 'REDIS_URL: only family may follow the ?'],
    ['redis+cluster://:s3cret@::1:7000', 'REDIS_URL: an IPv6 address needs brackets'],
    ['redis+clusters://:s3cret@h', 'REDIS_URL: it must be a redis:// or rediss:// URL'],
    ['redis://:s3cret@h/cache', 'REDIS_URL: the path must be the number of a database'],
    ['redis://:s3cret@h/1x', 'REDIS_URL: the path must be the number of a database'],
    ['redis://:s3cret@h/-1', 'REDIS_URL: the path must be the number of a database'],
    ['redis://:s3cret@h?db=one', 'REDIS_URL: db must be the number of a database'],
    ['redis://:s3cret@h/1?db=2', 'REDIS_URL: the path and ?db= name two databases'],
    ['redis://:s3cret@h?family=5', 'REDIS_URL: family must be 4 for IPv4'],
    ['rediss://:s3cret@h?ssl_cert_reqs=none', 'REDIS_URL: only db and family may follow the ?; certificates are set with REDIS_CA'],
    ['redis://h?password=s3cret', 'REDIS_URL: only db and family may follow the ?'],
    ['redis://h/0#s3cret', 'REDIS_URL: it contains a bare #'],
    ['"redis://:s3cret@h"', 'REDIS_URL: it has quotes around it: remove them'],
    ["'redis://:s3cret@h", 'REDIS_URL: it has quotes around it: remove them'],
    ['redis://:s3cret@h ', 'REDIS_URL: it contains a space or a line break'],
    ['redis://:s3cret@h\n', 'REDIS_URL: it contains a space or a line break'],
    ['redis://:s3 cret@h', 'REDIS_URL: it contains a space or a line break'],
    ['http://:s3cret@h', 'REDIS_URL: it must be a redis:// or rediss:// URL'],
    ['h:6379', 'REDIS_URL: it must be a redis:// or rediss:// URL'],
    ['REDIS_URL=redis://:s3cret@h', 'REDIS_URL: it must be a redis:// or rediss:// URL']
  ]
  for (const [url, line] of mistakes) refuses(t, { REDIS_URL: url }, line)
  const file = join(t.testdir({ 'websocket.tusk': 'redis:\n  url: "redis://:s3cret%@h"\n' }), 'websocket.tusk')
  refuses(t, { PARLEY_CONFIG: file }, `${file}: redis.url: the password contains a bare %`)
})

t.test('every correct URL of Redis is read as it is meant', async t => {
  const at = (host: string, port = 6379) => ({ host, port })
  const plain = { kind: 'server', tls: false, nodes: [at('h')], db: 0, family: 0 }
  const sentinel = { ...plain, kind: 'sentinel', nodes: [at('h', 26379)], sentinel: { master: 'main' } }
  const cluster = { ...plain, kind: 'cluster' }
  const urls: Record<string, object> = {
    'redis://h': plain,
    'redis://h/': plain,
    'redis://h:': plain,
    'rediss://h:6380': { ...plain, tls: true, nodes: [at('h', 6380)] },
    'redis://h/15': { ...plain, db: 15 },
    'redis://h?db=3&family=6': { ...plain, db: 3, family: 6 },
    'redis://h/3?db=3': { ...plain, db: 3 },
    'redis://:p@h': { ...plain, password: 'p' },
    'redis://user:p@h': { ...plain, username: 'user', password: 'p' },
    'redis://user:@h': { ...plain, username: 'user', password: '' },
    'redis://:@h': plain,
    'redis://:a%25b%2Fc%40d%3Fe%23f%20%C3%A4@h': { ...plain, password: 'a%b/c@d?e#f ä' },
    // Only the last @ ends the password, and only the first : begins it.
    'redis://:a@b:c=+&"<>[]{}@h': { ...plain, password: 'a@b:c=+&"<>[]{}' },
    'redis://us%3Aer:p@h': { ...plain, username: 'us:er', password: 'p' },
    'redis://[::1]:7000/1': { ...plain, nodes: [at('::1', 7000)], db: 1 },
    'redis://:p@[fd12:0:0:1::2]': { ...plain, nodes: [at('fd12:0:0:1::2')], password: 'p' },
    'redis://10.0.0.7': { ...plain, nodes: [at('10.0.0.7')] },
    'redis://my_redis-1.internal.': { ...plain, nodes: [at('my_redis-1.internal.')] },
    'redis+sentinel://h/main': sentinel,
    'rediss+sentinel://user:p@h,h2:7000,[::1]/main?db=2&family=4': {
      ...sentinel, tls: true, nodes: [at('h', 26379), at('h2', 7000), at('::1', 26379)], username: 'user', password: 'p', db: 2, family: 4
    },
    'redis+sentinel://h/my.main-1?sentinel_username=s&sentinel_password=a%26b+c%40d': {
      ...sentinel, sentinel: { master: 'my.main-1', username: 's', password: 'a&b+c@d' }
    },
    'redis+cluster://h': cluster,
    'redis+cluster://h/': cluster,
    'rediss+cluster://:p@h,h2:7000?family=6': { ...cluster, tls: true, nodes: [at('h'), at('h2', 7000)], password: 'p', family: 6 }
  }
  for (const [url, address] of Object.entries(urls)) {
    t.same(readRedisUrl(url, 'x'), address, url)
    t.equal(loadConfig({ ...NONE, REDIS_URL: url }).config.redis.url, url)
  }
})

t.test('REDIS_CA takes PEM text, however its lines are broken, or the path of a PEM file', async t => {
  const folder = t.testdir()
  const certificates = createCertificates(folder)
  const [{ pem, path, key }, other] = [certificates.selfSigned('one'), certificates.selfSigned('two')]
  const read = (ca: string): string | undefined => loadConfig({ ...NONE, REDIS_URL: 'rediss://h', REDIS_CA: ca }).config.redis.ca
  const body = pem.split('\n').slice(1, -2).join('')
  const forms = [
    pem, path, pem.trim(), pem.replaceAll('\n', '\r\n'), pem.replaceAll('\n', '\\n'), pem.replaceAll('\n', ' '), `"${pem}"`,
    `-----BEGIN CERTIFICATE-----${body}-----END CERTIFICATE-----`, `subject=CN = one\n${pem}`
  ]
  for (const form of forms) t.equal(read(form), pem, form)
  t.equal(read(`${pem}${other.pem}`), `${pem}${other.pem}`, 'several')

  const env = { REDIS_URL: 'rediss://h' }
  const damaged = pem.replace(/\n...../, '\nAAAAA')
  writeFileSync(join(folder, 'empty'), '')
  refuses(t, { ...env, REDIS_CA: '/no/such.pem' }, 'REDIS_CA must be PEM text or the path of a PEM file, not "/no/such.pem" (ENOENT)')
  refuses(t, { ...env, REDIS_CA: folder }, /^REDIS_CA must be PEM text or the path of a PEM file, not .*\(EISDIR\)$/)
  refuses(t, { ...env, REDIS_CA: `${body}\n${body}` }, /^REDIS_CA must be PEM text or the path of a PEM file, not "MII.{57}…" \(/)
  refuses(t, { ...env, REDIS_CA: 'a\0b' }, 'REDIS_CA must be PEM text or the path of a PEM file')
  refuses(t, { ...env, REDIS_CA: join(folder, 'empty') }, /^REDIS_CA: ".*" has no certificate: PEM text with -----BEGIN CERTIFICATE-----/)
  refuses(t, { ...env, REDIS_CA: key }, /^REDIS_CA: ".*" has no certificate/)
  refuses(t, { ...env, REDIS_CA: '-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----' }, /^REDIS_CA has no certificate: [^"]*$/)
  refuses(t, { ...env, REDIS_CA: damaged }, 'REDIS_CA: certificate 1 of 1 is damaged')
  refuses(t, { ...env, REDIS_CA: `${pem}${damaged}` }, 'REDIS_CA: certificate 2 of 2 is damaged')
})

t.test('settings of TLS that would do nothing stop the start', async t => {
  const { pem } = createCertificates(t.testdir()).selfSigned('one')
  refuses(t, { REDIS_URL: 'redis://h', REDIS_CA: pem }, /^REDIS_CA does nothing unless REDIS_URL begins with rediss:\/\/$/)
  refuses(t, { REDIS_URL: 'redis://h', REDIS_TLS_VERIFY: 'false' },
    /^REDIS_TLS_VERIFY=false does nothing unless REDIS_URL begins with rediss:\/\/$/)
  refuses(t, { REDIS_URL: 'redis+cluster://h', REDIS_CA: pem }, /^REDIS_CA does nothing unless REDIS_URL begins with rediss\+cluster:\/\/$/)
  refuses(t, { REDIS_CA: pem }, /^REDIS_CA does nothing unless REDIS_URL/)
  refuses(t, { REDIS_TLS_VERIFY: 'false' }, /^REDIS_TLS_VERIFY=false does nothing unless REDIS_URL/)
  refuses(t, { REDIS_URL: 'rediss://h', REDIS_CA: pem, REDIS_TLS_VERIFY: 'false' },
    /^REDIS_CA does nothing with REDIS_TLS_VERIFY=false:/)
  refuses(t, { REDIS_URL: 'rediss://h', REDIS_TLS_VERIFY: 'no' }, 'REDIS_TLS_VERIFY must be true or false, not "no"')
  t.match(loadConfig({ ...NONE, REDIS_URL: 'rediss://h', REDIS_TLS_VERIFY: 'false' }).config.redis, { tls_verify: false })
  t.match(loadConfig({ ...NONE, REDIS_URL: 'redis://h', REDIS_TLS_VERIFY: 'true' }).config.redis, { tls_verify: true })
})
