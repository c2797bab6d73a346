import { isIPv6 } from 'node:net'
import { readCertificates } from './certificates.ts'
import { ConfigError } from './config-error.ts'

/** Where Redis is, and how TLS verifies it: a part of `Config['redis']`. */
export interface RedisSettings {
  url: string
  /** The certificates, as PEM text, one of which must have signed that of the server. Undefined: Node's list of authorities. */
  ca?: string
  /** False: any certificate is accepted. */
  tls_verify?: boolean
}

/** What a URL of Redis says, decoded. */
export interface RedisAddress {
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
 * Checks the settings, and replaces `ca`, which may be the path of a file, by the certificates.
 * @param placeOf finds where a key has been set, for errors.
 * @throws ConfigError for a URL with a mistake, for certificates that cannot be read, and for settings that would do nothing.
 */
export function checkRedis (redis: Partial<RedisSettings>, placeOf: (key: keyof RedisSettings) => string | undefined): void {
  const { url, ca, tls_verify: verify } = redis
  const urlPlace = placeOf('url') ?? 'REDIS_URL'
  const caPlace = placeOf('ca') ?? 'REDIS_CA'
  const unverified = `${placeOf('tls_verify')}=false`
  const isEncrypted = url !== undefined && readRedisUrl(url, urlPlace).tls
  if (!isEncrypted && (ca !== undefined || verify === false)) {
    throw new ConfigError(`${ca !== undefined ? caPlace : unverified} does nothing unless ${urlPlace} begins with rediss://`)
  }
  if (ca === undefined) return
  if (verify === false) throw new ConfigError(`${caPlace} does nothing with ${unverified}: leave one of them out`)
  redis.ca = readCertificates(ca, caPlace)
}

/**
 * Reads a URL of Redis. `new URL` would accept some mistakes silently, and names none of those that it finds.
 * @param name of the setting, for errors.
 * @throws ConfigError that names the mistake in one line. It shows no part of the URL, because any part may belong to the password.
 */
export function readRedisUrl (text: string, name: string): RedisAddress {
  const mistake = (what: string): ConfigError => new ConfigError(`${name}: ${what}`)

  function decode (part: string, what: string): string {
    const [bare] = /[/?#]|%(?![0-9a-f]{2})/i.exec(part) ?? []
    if (bare) throw mistake(`${what} contains a bare ${bare}: write it as ${encodeURIComponent(bare)}`)
    try {
      return decodeURIComponent(part)
    } catch {
      throw mistake(`${what} contains a % that begins no UTF-8 character: write a % itself as %25`)
    }
  }

  if (/^\s*["'`]|["'`]\s*$/.test(text)) throw mistake('there are quotes around the URL: leave them out')
  if (/\s/.test(text)) throw mistake('the URL contains a space or a line break: leave it out, or write %20 for a space of the password')
  const [, scheme, rest = ''] = /^(rediss?):\/\/(.*)$/.exec(text) ?? []
  if (scheme === undefined) throw mistake(`must be a redis:// or rediss:// URL, such as ${EXAMPLE}`)

  const at = rest.lastIndexOf('@')
  const user = rest.slice(0, Math.max(at, 0))
  const colon = user.indexOf(':')
  if (at > 0 && colon < 0) throw mistake(`there is a user without a password before the @: write redis://:password@host, or ${EXAMPLE}`)
  const username = decode(user.slice(0, Math.max(colon, 0)), 'the user name')
  const password = decode(user.slice(colon + 1), 'the password')

  const place = rest.slice(at + 1)
  const [, authority = '', path = '', query = '', hash] = /^([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(place) ?? []
  if (hash !== undefined) throw mistake('the URL contains a bare #: write it as %23')
  const { host, port } = readAuthority(authority, mistake)
  if (!/^(\/\d{0,9})?$/.test(path)) throw mistake('the path must be the number of a database, as in redis://host:6379/0')
  const { db = path.slice(1) || '0', family = '0', ...others } = Object.fromEntries(new URLSearchParams(query))
  if (Object.keys(others).length > 0) {
    throw mistake('only db and family may follow the ?; certificates are set with REDIS_CA and REDIS_TLS_VERIFY')
  }
  if (!/^\d{1,9}$/.test(db)) throw mistake('db must be the number of a database, as in ?db=0')
  if (path.length > 1 && Number(db) !== Number(path.slice(1))) throw mistake('the path and ?db= name two databases: leave one out')
  if (!/^[046]$/.test(family)) throw mistake('family must be 4 for IPv4, 6 for IPv6 or 0 for either')

  return {
    tls: scheme === 'rediss',
    host,
    port,
    ...username !== '' && { username },
    ...(username !== '' || password !== '') && { password },
    db: Number(db),
    family: Number(family)
  }
}

function readAuthority (authority: string, mistake: (what: string) => ConfigError): { host: string, port: number } {
  const [, bracketed, name = '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(authority) ?? []
  if (bracketed === undefined && port.includes(':')) throw mistake('an IPv6 address needs brackets, as in redis://[::1]:6379')
  const host = bracketed ?? name
  if (host === '') throw mistake(`the host is missing; a complete URL is ${EXAMPLE}`)
  if (bracketed === undefined ? !/^[\w.-]+$/.test(host) : !isIPv6(host)) {
    throw mistake('the host must be a name, an IPv4 address, or an IPv6 address in brackets')
  }
  const number = port === '' ? DEFAULT_PORT : Number(port)
  if (!/^\d{0,5}$/.test(port) || number < 1 || number > 65_535) throw mistake('the port must be a number from 1 to 65535')
  return { host, port: number }
}
