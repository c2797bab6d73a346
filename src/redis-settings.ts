import { isIPv6 } from 'node:net'
import { readCertificates } from './certificates.ts'
import { ConfigError } from './config-error.ts'
import { decodePart, readPort, readUrl, UrlMistake } from './connection-url.ts'

/** Where Redis is, and how TLS verifies it: a part of `Config['redis']`. */
export interface RedisSettings {
  url: string
  /** The certificates, as PEM text, one of which must have signed that of the server. Undefined: Node's list of authorities. */
  ca?: string
  /** False: any certificate is accepted. */
  tls_verify?: boolean
}

/** The parts of a URL of Redis, decoded. */
interface RedisAddress {
  tls: boolean
  host: string
  port: number
  username?: string
  password?: string
  db: number
  /** IP version for the host's name; 0 is either. */
  family: number
}

const DEFAULT_PORT = 6379
const EXAMPLE = 'redis://user:password@host:6379/0'

/**
 * Checks the settings, and replaces `ca`, which may be the path of a file, by the certificates as PEM text.
 * @param nameOf returns what errors call a key, if it has been set.
 * @throws ConfigError for a URL with a mistake, for certificates that cannot be read, and for settings that would do nothing.
 */
export function checkRedis (redis: Partial<RedisSettings>, nameOf: (key: keyof RedisSettings) => string | undefined): void {
  const { url, ca, tls_verify: verify } = redis
  const urlName = nameOf('url') ?? 'REDIS_URL'
  const caName = nameOf('ca') ?? 'REDIS_CA'
  const unverified = `${nameOf('tls_verify')}=false`
  const isEncrypted = url !== undefined && readRedisUrl(url, urlName).tls
  if (!isEncrypted && (ca !== undefined || verify === false)) {
    throw new ConfigError(`${ca !== undefined ? caName : unverified} does nothing unless ${urlName} begins with rediss://`)
  }
  if (ca === undefined) return
  if (verify === false) throw new ConfigError(`${caName} does nothing with ${unverified}: leave one of them out`)
  redis.ca = readCertificates(ca, caName)
}

/**
 * Reads a URL of Redis. `new URL` would accept some mistakes silently, and does not name those that it finds.
 * @param name of the setting, for errors.
 * @throws ConfigError that names the mistake in one line and quotes nothing of the URL.
 */
export function readRedisUrl (url: string, name: string): RedisAddress {
  return readUrl(url, name, read)
}

function read (url: string): RedisAddress {
  const [, scheme, rest = ''] = /^(rediss?):\/\/(.*)$/.exec(url) ?? []
  if (scheme === undefined) throw new UrlMistake(`it must be a redis:// or rediss:// URL, such as ${EXAMPLE}`)
  // Everything up to the last @ belongs to user and password.
  const at = rest.lastIndexOf('@')
  const [, authority = '', path = '', query = '', hash] = /^([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(rest.slice(at + 1)) ?? []
  if (hash !== undefined) throw new UrlMistake('it contains a bare #: write it as %23')
  return {
    tls: scheme === 'rediss',
    ...readCredentials(rest.slice(0, Math.max(at, 0))),
    ...readAuthority(authority),
    ...readParameters(path, query)
  }
}

function readCredentials (text: string): Pick<RedisAddress, 'username' | 'password'> {
  const colon = text.indexOf(':')
  if (text !== '' && colon < 0) {
    throw new UrlMistake(`there is a user without a password before the @: write redis://:password@host, or ${EXAMPLE}`)
  }
  const username = decode(text.slice(0, Math.max(colon, 0)), 'the user name')
  const password = decode(text.slice(colon + 1), 'the password')
  return { ...username !== '' && { username }, ...(username !== '' || password !== '') && { password } }
}

function decode (part: string, what: string): string {
  const [bare] = /[/?#]/.exec(part) ?? []
  if (bare) throw new UrlMistake(`${what} contains a bare ${bare}: write it as ${encodeURIComponent(bare)}`)
  return decodePart(part, what)
}

function readAuthority (authority: string): Pick<RedisAddress, 'host' | 'port'> {
  const [, bracketed, name = '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(authority) ?? []
  if (bracketed === undefined && port.includes(':')) throw new UrlMistake('an IPv6 address needs brackets, as in redis://[::1]:6379')
  const host = bracketed ?? name
  if (host === '') throw new UrlMistake(`the host is missing; a complete URL is ${EXAMPLE}`)
  if (bracketed === undefined ? !/^[\w.-]+$/.test(host) : !isIPv6(host)) {
    throw new UrlMistake('the host must be a name, an IPv4 address, or an IPv6 address in brackets')
  }
  return { host, port: port === '' ? DEFAULT_PORT : readPort(port) }
}

function readParameters (path: string, query: string): Pick<RedisAddress, 'db' | 'family'> {
  if (!/^(\/\d{0,9})?$/.test(path)) throw new UrlMistake('the path must be the number of a database, as in redis://host:6379/0')
  const { db = path.slice(1) || '0', family = '0', ...others } = Object.fromEntries(new URLSearchParams(query))
  if (Object.keys(others).length > 0) {
    throw new UrlMistake('only db and family may follow the ?; certificates are set with REDIS_CA and REDIS_TLS_VERIFY')
  }
  if (!/^\d{1,9}$/.test(db)) throw new UrlMistake('db must be the number of a database, as in ?db=0')
  if (path.length > 1 && Number(db) !== Number(path.slice(1))) throw new UrlMistake('the path and ?db= name two databases: leave one out')
  if (!/^[046]$/.test(family)) throw new UrlMistake('family must be 4 for IPv4, 6 for IPv6 or 0 for either')
  return { db: Number(db), family: Number(family) }
}
