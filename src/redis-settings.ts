import { isIPv6 } from 'node:net'
import { readCertificates } from './certificates.ts'
import { ConfigError } from './config-error.ts'
import { decodePart, readPort, readUrl, UrlMistake } from './connection-url.ts'
import type { Part } from './redis-parts.ts'

/** Where Redis is, and how TLS verifies it: a part of `Config['redis']`. */
export interface RedisSettings {
  url: string
  /** The certificates, as PEM text, one of which must have signed that of the server. Undefined: Node's list of authorities. */
  ca?: string
  /** False: any certificate is accepted. */
  tls_verify?: boolean
  /** The part of a cluster that connections lead to. Undefined unless `url` is that of a cluster. */
  part?: Part
}

/** `server`: the only node takes all writes. `sentinel`: the nodes are sentinels, which name the server that does. `cluster`: its nodes. */
export type RedisKind = 'server' | 'sentinel' | 'cluster'
export interface RedisNode { host: string, port: number }

/** The parts of a URL of Redis, decoded. */
export interface RedisAddress {
  kind: RedisKind
  tls: boolean
  nodes: RedisNode[]
  /** The user of the servers. Sentinels have users of their own. */
  username?: string
  password?: string
  db: number
  /** IP version for the hosts' names; 0 is either. */
  family: number
  /** For Sentinel: the name by which the sentinels know the master, and the user of the sentinels. */
  sentinel?: { master: string, username?: string, password?: string }
}

/** For each kind, the usual port and a complete URL. */
const KINDS: Record<RedisKind, { port: number, example: string }> = {
  server: { port: 6379, example: 'redis://user:password@host:6379/0' },
  sentinel: { port: 26379, example: 'redis+sentinel://user:password@host1:26379,host2,host3/mymaster' },
  cluster: { port: 6379, example: 'redis+cluster://user:password@host1:6379,host2,host3' }
}

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
  const { tls: isEncrypted = false, kind = 'server' } = url === undefined ? {} : readRedisUrl(url, urlName)
  if (!isEncrypted && (ca !== undefined || verify === false)) {
    throw new ConfigError(`${ca !== undefined ? caName : unverified} does nothing unless ${urlName} begins with ${schemeOf(kind, true)}`)
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

/** Returns how the URL of this kind begins, with TLS or without. */
export function schemeOf (kind: RedisKind, tls: boolean): string {
  return `redis${tls ? 's' : ''}${kind === 'server' ? '' : `+${kind}`}://`
}

/** Whether the URL, which has no mistake, is that of a cluster. */
export function isCluster (url: string): boolean {
  return readRedisUrl(url, 'REDIS_URL').kind === 'cluster'
}

function read (url: string): RedisAddress {
  const [, scheme, kind = 'server', rest = ''] = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(.*)$/.exec(url) ?? []
  if (scheme === undefined) {
    throw new UrlMistake(`it must be a redis:// or rediss:// URL, such as ${KINDS.server.example}, or one of Sentinel or Cluster, such as ` +
      `${KINDS.sentinel.example} or ${KINDS.cluster.example}`)
  }
  // Everything up to the last @ belongs to user and password.
  const at = rest.lastIndexOf('@')
  const [, authority = '', path = '', query = '', hash] = /^([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(rest.slice(at + 1)) ?? []
  if (hash !== undefined) throw new UrlMistake('it contains a bare #: write it as %23')
  const known = kind as RedisKind
  return {
    kind: known,
    tls: scheme === 'rediss',
    nodes: readAuthority(authority, known),
    ...readCredentials(rest.slice(0, Math.max(at, 0)), known),
    // A plus sign means itself, because passwords have some. URLSearchParams would read it as a space.
    ...READERS[known](path, Object.fromEntries(new URLSearchParams(query.replaceAll('+', '%2B'))))
  }
}

function readCredentials (text: string, kind: RedisKind): Pick<RedisAddress, 'username' | 'password'> {
  const colon = text.indexOf(':')
  if (text !== '' && colon < 0) {
    const start = `${schemeOf(kind, false)}:password@host`
    throw new UrlMistake(`there is a user without a password before the @: write ${start}, or ${KINDS[kind].example}`)
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

function readAuthority (authority: string, kind: RedisKind): RedisNode[] {
  const nodes = authority.split(',').map(node => readNode(node, kind))
  if (kind === 'server' && nodes.length > 1) {
    throw new UrlMistake('several hosts are those of Sentinel or Cluster: write redis+sentinel:// or redis+cluster://')
  }
  return nodes
}

function readNode (text: string, kind: RedisKind): RedisNode {
  const [, bracketed, name = '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text) ?? []
  if (bracketed === undefined && port.includes(':')) throw new UrlMistake('an IPv6 address needs brackets, as in redis://[::1]:6379')
  const host = bracketed ?? name
  if (host === '') throw new UrlMistake(`the host is missing; a complete URL is ${KINDS[kind].example}`)
  if (bracketed === undefined ? !/^[\w.-]+$/.test(host) : !isIPv6(host)) {
    throw new UrlMistake('the host must be a name, an IPv4 address, or an IPv6 address in brackets')
  }
  return { host, port: port === '' ? KINDS[kind].port : readPort(port) }
}

type Parameters = Record<string, string>

/** Read what follows the hosts, by kind of URL. */
const READERS: Record<RedisKind, (path: string, parameters: Parameters) => Pick<RedisAddress, 'db' | 'family' | 'sentinel'>> = {
  server (path, { db = path.slice(1) || '0', family, ...others }) {
    if (!/^(\/\d{0,9})?$/.test(path)) throw new UrlMistake('the path must be the number of a database, as in redis://host:6379/0')
    refuseOthers(others, 'db and family')
    const number = readDb(db)
    if (path.length > 1 && number !== Number(path.slice(1))) throw new UrlMistake('the path and ?db= name two databases: leave one out')
    return { db: number, family: readFamily(family) }
  },

  sentinel (path, { db, family, sentinel_username: username, sentinel_password: password, ...others }) {
    const master = decodePart(path.slice(1), 'the name of the master')
    if (!/^[\w.-]+$/.test(master)) throw new UrlMistake(`the path must be the name of the master, as in ${KINDS.sentinel.example}`)
    refuseOthers(others, 'db, family, sentinel_username and sentinel_password')
    if (username !== undefined && password === undefined) throw new UrlMistake('sentinel_username does nothing without sentinel_password')
    const credentials = { ...username !== undefined && { username }, ...password !== undefined && { password } }
    return { db: readDb(db), family: readFamily(family), sentinel: { master, ...credentials } }
  },

  cluster (path, { db, family, ...others }) {
    if (db !== undefined || !/^\/?$/.test(path)) throw new UrlMistake('a cluster has no numbered databases: leave out db and the path')
    refuseOthers(others, 'family')
    return { db: 0, family: readFamily(family) }
  }
}

function refuseOthers (others: Parameters, allowed: string): void {
  if (Object.keys(others).length === 0) return
  throw new UrlMistake(`only ${allowed} may follow the ?; certificates are set with REDIS_CA and REDIS_TLS_VERIFY`)
}

function readDb (text = '0'): number {
  if (!/^\d{1,9}$/.test(text)) throw new UrlMistake('db must be the number of a database, as in ?db=0')
  return Number(text)
}

function readFamily (text = '0'): number {
  if (!/^[046]$/.test(text)) throw new UrlMistake('family must be 4 for IPv4, 6 for IPv6 or 0 for either')
  return Number(text)
}
