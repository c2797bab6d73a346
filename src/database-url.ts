import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { readCertificates } from './certificates.ts'
import { decodePart, readPort, readUrl, UrlMistake } from './connection-url.ts'

/** One server of a connection URL. Without `host`, the driver's default counts: PGHOST, or localhost. */
export interface DatabaseHost { host?: string, port?: number }

/** The meaning of a connection URL, in the terms of node-postgres. */
export interface DatabaseTarget {
  /** Servers to try in order. */
  hosts: DatabaseHost[]
  user?: string
  password?: string
  database?: string
  /** TLS settings to try in order, because `sslmode` may leave the choice to the server. False is no TLS. */
  tls: Array<ConnectionOptions | false>
  /** Further settings that node-postgres knows by these names. */
  driver: { application_name: string, options?: string, enableChannelBinding: boolean, sslnegotiation: 'postgres' | 'direct' }
  /** The schema that holds Parley's tables and functions. */
  schema: string
  /** Parameters of the URL that have no effect, each as a sentence for the operator. */
  warnings: string[]
}

const ENCODED = 'a special character of user or password has to be percent-encoded (% as %25, ? as %3F, / as %2F, @ as %40)'
const NO_PORT = `. If it is no port at all: ${ENCODED}`
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']
/** Identifiers of PostgreSQL are cut after this many bytes. */
const MAX_IDENTIFIER = 63

/** Parameters without an effect, and what to use instead. */
const REPLACED: Record<string, string> = {
  connection_limit: 'set DATABASE_POOL_SIZE',
  pool_timeout: 'set DATABASE_POOL_TIMEOUT',
  connect_timeout: 'set DATABASE_POOL_TIMEOUT',
  socket_timeout: 'Parley limits every statement by itself',
  statement_timeout: 'Parley limits every statement by itself',
  lock_timeout: 'Parley limits every wait for a lock by itself',
  sslaccept: 'set sslmode',
  sslcrl: 'certificates are not checked against revocation lists'
}
/** Parameters that need nothing, because Parley does by itself what they ask for, or because they only name a default. */
const NEEDLESS = new Set([
  'pgbouncer', 'statement_cache_size', 'prepare', 'supa', 'uselibpqcompat', 'client_encoding', 'fallback_application_name', 'gssencmode',
  'keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count', 'tcp_user_timeout', 'load_balance_hosts',
  'sslcompression', 'sslsni', 'ssl_min_protocol_version'
])

/**
 * Reads a connection URL as libpq does (PostgreSQL's documentation, "Connection URIs"), and its parameter `schema` as Prisma does. `ca` is
 * the value of DATABASE_CA: PEM text or the path of a PEM file. `name` is that of the setting that holds the URL, for errors.
 * @throws ConfigError that names the mistake in one line and quotes nothing of the URL.
 */
export function readDatabaseUrl (url: string, ca?: string, name = 'DATABASE_URL'): DatabaseTarget {
  return readUrl(url, name, text => read(text, ca))
}

/** Removes a parameter and returns its value; undefined where it is missing or empty. */
type Take = (name: string) => string | undefined

function read (url: string, ca: string | undefined): DatabaseTarget {
  const [, credentials, authority = '', path = '', parameters] = split(url)
  // A plus sign stands for itself, as in libpq, and not for a space.
  const given = new URLSearchParams(parameters?.replaceAll('+', '%2B'))
  const take: Take = name => {
    const value = given.get(name) ?? undefined
    given.delete(name)
    return value === '' ? undefined : value
  }
  const [user, password] = readCredentials(credentials)
  const hosts = readHosts(authority, take('host'), take('port'))
  checkTarget(take('target_session_attrs'))
  const target: DatabaseTarget = {
    hosts,
    ...entry('user', take('user') ?? user),
    ...entry('password', take('password') ?? password),
    ...entry('database', take('dbname') ?? decode(path.slice(1), 'the database name')),
    tls: hosts.every(({ host }) => host?.startsWith('/')) ? [false] : readTls(take, ca),
    driver: { application_name: take('application_name') ?? 'parley', ...entry('options', take('options')), ...readWire(take) },
    schema: readSchema(take('schema')),
    warnings: []
  }
  const useless = [...given.keys()].filter(name => !NEEDLESS.has(name))
  target.warnings = useless.map(name => `the parameter ${name} of DATABASE_URL has no effect${REPLACED[name] ? `: ${REPLACED[name]}` : ''}`)
  return target
}

/** Splits a URL into credentials, hosts, path and parameters. Everything up to the last @ belongs to the credentials. */
function split (url: string): RegExpExecArray {
  const parts = /^postgres(?:ql)?:\/\/(?:([^?]*)@)?([^/?]*)(\/[^?]*)?(?:\?(.*))?$/.exec(url)
  if (!parts) throw new UrlMistake('it must be a postgresql:// URL, such as postgresql://user:password@host:5432/database')
  return parts
}

function readCredentials (credentials: string = ''): Array<string | undefined> {
  const colon = credentials.indexOf(':')
  const [user, password] = colon === -1 ? [credentials, ''] : [credentials.slice(0, colon), credentials.slice(colon + 1)]
  return [decode(user, 'the user'), decode(password, 'the password')]
}

function readHosts (authority: string, hostParameter: string | undefined, portParameter: string | undefined): DatabaseHost[] {
  const places = authority.split(',').map(readPlace)
  const hosts = hostParameter?.split(',') ?? places.map(({ host }) => host)
  const ports = portParameter?.split(',') ?? places.map(({ port }) => port)
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new UrlMistake(`it names ${hosts.length} hosts and ${ports.length} ports: name one port for all hosts, or one for each`)
  }
  return hosts.map((host, i) => {
    const port = ports.length === 1 ? ports[0] : ports[i]
    return { ...entry('host', host || undefined), ...entry('port', port ? readPort(port, NO_PORT) : undefined) }
  })
}

/** Reads `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. */
function readPlace (text: string): { host: string | undefined, port: string | undefined } {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(text)
  if (!parts) throw new UrlMistake(`the host cannot be read. An IPv6 address has brackets, as in [::1]:5432, and ${ENCODED}`)
  const [, address, name = '', port] = parts
  if (address !== undefined && isIP(address.replace(/%.*/, '')) !== 6) throw new UrlMistake('the host in brackets is no IPv6 address')
  return { host: decode(address ?? name, 'the host'), port }
}

function checkTarget (attribute: string = 'any'): void {
  if (['any', 'read-write', 'primary', 'prefer-standby'].includes(attribute)) return
  throw new UrlMistake('target_session_attrs must be read-write, primary or any, because Parley writes')
}

function readSchema (schema: string = 'public'): string {
  if (Buffer.byteLength(schema) <= MAX_IDENTIFIER && !schema.includes('\0') && !/^(pg_|\$user$)/i.test(schema)) return schema
  throw new UrlMistake(`schema must have at most ${MAX_IDENTIFIER} bytes, and must not begin with pg_ or be $user`)
}

function readWire (take: Take): Pick<DatabaseTarget['driver'], 'enableChannelBinding' | 'sslnegotiation'> {
  const binding = take('channel_binding')
  if (binding !== undefined && !['disable', 'prefer', 'require'].includes(binding)) {
    throw new UrlMistake('channel_binding must be disable, prefer or require')
  }
  const negotiation = take('sslnegotiation') ?? 'postgres'
  if (negotiation !== 'postgres' && negotiation !== 'direct') throw new UrlMistake('sslnegotiation must be postgres or direct')
  return { enableChannelBinding: binding !== undefined && binding !== 'disable', sslnegotiation: negotiation }
}

/** Translates `sslmode` as libpq defines it: only verify-ca and verify-full verify, and a root certificate turns require into verify-ca. */
function readTls (take: Take, given: string | undefined): DatabaseTarget['tls'] {
  const root = take('sslrootcert')
  const ca = given !== undefined
    ? readCertificates(given, 'DATABASE_CA')
    : root !== undefined && root !== 'system' ? readCertificates(root, 'sslrootcert') : undefined
  const mode = readMode(take, given !== undefined || root === 'system')
  if (given !== undefined && !['require', 'verify-ca', 'verify-full'].includes(mode)) {
    throw new UrlMistake(`DATABASE_CA does nothing with sslmode=${mode}: set sslmode=verify-full or verify-ca`)
  }
  const own = {
    ...entry('cert', readPem(take('sslcert'), 'sslcert')),
    ...entry('key', readPem(take('sslkey'), 'sslkey')),
    ...entry('passphrase', take('sslpassword'))
  }
  const unverified = { ...own, rejectUnauthorized: false }
  const verified = { ...own, ...entry('ca', ca), rejectUnauthorized: true }
  switch (mode) {
    case 'disable': return [false]
    case 'allow': return [false, unverified]
    case 'prefer': return [unverified, false]
    case 'verify-full': return [verified]
    case 'verify-ca':
    case 'require':
      if (ca !== undefined) return [{ ...verified, checkServerIdentity: () => undefined }]
      if (mode === 'require') return [unverified]
      throw new UrlMistake('sslmode=verify-ca needs the certificate of the authority: set DATABASE_CA or sslrootcert')
    default: return [unverified]
  }
}

/** `verifies`: a certificate to verify with is given, so verifying is the default. */
function readMode (take: Take, verifies: boolean): string {
  const ssl = take('ssl')
  const implied = ssl === undefined ? undefined : /^(0|false|off|no)$/.test(ssl) ? 'disable' : ssl === 'no-verify' ? 'no-verify' : 'require'
  const mode = take('sslmode') ?? implied ?? (verifies ? 'verify-full' : 'prefer')
  if (SSL_MODES.includes(mode)) return mode
  throw new UrlMistake(`sslmode must be one of ${SSL_MODES.join(', ')}`)
}

function readPem (path: string | undefined, name: string): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UrlMistake(`${name} cannot be read: ${(error as Error).message}`)
  }
}

function decode (text: string, what: string): string | undefined {
  return text === '' ? undefined : decodePart(text, what)
}

/** An object with this property, or an empty object if there is no value. */
function entry<K extends string, V> (key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [P in K]?: V }
}
