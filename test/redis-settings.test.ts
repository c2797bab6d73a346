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
  const plain = { tls: false, host: 'h', port: 6379, db: 0, family: 0 }
  const urls: Record<string, object> = {
    'redis://h': plain,
    'redis://h/': plain,
    'redis://h:': plain,
    'rediss://h:6380': { ...plain, tls: true, port: 6380 },
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
    'redis://[::1]:7000/1': { ...plain, host: '::1', port: 7000, db: 1 },
    'redis://:p@[fd12:0:0:1::2]': { ...plain, host: 'fd12:0:0:1::2', password: 'p' },
    'redis://10.0.0.7': { ...plain, host: '10.0.0.7' },
    'redis://my_redis-1.internal.': { ...plain, host: 'my_redis-1.internal.' }
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
  refuses(t, { REDIS_CA: pem }, /^REDIS_CA does nothing unless REDIS_URL/)
  refuses(t, { REDIS_TLS_VERIFY: 'false' }, /^REDIS_TLS_VERIFY=false does nothing unless REDIS_URL/)
  refuses(t, { REDIS_URL: 'rediss://h', REDIS_CA: pem, REDIS_TLS_VERIFY: 'false' },
    /^REDIS_CA does nothing with REDIS_TLS_VERIFY=false:/)
  refuses(t, { REDIS_URL: 'rediss://h', REDIS_TLS_VERIFY: 'no' }, 'REDIS_TLS_VERIFY must be true or false, not "no"')
  t.match(loadConfig({ ...NONE, REDIS_URL: 'rediss://h', REDIS_TLS_VERIFY: 'false' }).config.redis, { tls_verify: false })
  t.match(loadConfig({ ...NONE, REDIS_URL: 'redis://h', REDIS_TLS_VERIFY: 'true' }).config.redis, { tls_verify: true })
})
