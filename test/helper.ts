import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { buildApp } from '../src/app.ts'
import type { Broker } from '../src/broker/broker.ts'
import { loadConfig } from '../src/config.ts'
import type { Config } from '../src/config-schema.ts'
import { createCounters } from '../src/counters.ts'
import { createStores } from '../src/domain.ts'
import { createBroker, createPresence } from '../src/drivers.ts'
import { errorTable, type ErrorCode } from '../src/errors.ts'
import { createLogger } from '../src/logger.ts'
import type { RedisPresenceDeps } from '../src/presence/redis.ts'
import type { Login } from '../src/schemas/auth.ts'
import { createAuth } from '../src/services/auth.ts'
import { createLoginThrottle } from '../src/services/login-throttle.ts'
import { createPasswords } from '../src/services/passwords.ts'
import { openDatabase } from '../src/store/client.ts'
import { createClients, type Client, type Frame } from './client.ts'
import { judgeFrames } from './frames.ts'

export const secret = 'the secret of the tests, 32 bytes and more'

const PASSWORD = 'correct horse'
const hashed = createPasswords().hash(PASSWORD, '127.0.0.1')

/** Overrides single keys of the configuration: `{ channels: { default_room: 'lobby' } }`. */
export type ConfigChange = { [S in keyof Config]?: Partial<Config[S]> }

export interface Person extends Login { email: string, password: string }

/** An owner of resources, usually a test: it calls every registered `end` when it is over. */
export interface Scope { teardown (end: () => unknown): unknown }

/** Creates a migrated PostgreSQL database and drops it when the test ends. @returns its URL. */
export async function createDatabase (t: Scope): Promise<string> {
  const server = process.env.TEST_DATABASE_URL ?? ''
  const name = `test_${randomBytes(6).toString('hex')}`
  await administrate(server, `CREATE DATABASE ${name} TEMPLATE parley_template`)
  t.teardown(() => administrate(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** Runs one statement on the PostgreSQL server with this URL. */
export async function administrate (server: string, statement: string): Promise<void> {
  const client = new pg.Client(server)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Settings of the tests' Redis with a new key prefix. Two servers with the same prefix are instances of one cluster. */
export function redis (prefix = `test-${randomUUID()}:`): ConfigChange['redis'] & object {
  return { url: process.env.TEST_REDIS_URL ?? '', prefix }
}

interface CallOptions { body?: unknown, token?: string | undefined, headers?: Record<string, string> }

export interface ServerOptions {
  config?: ConfigChange
  /** URL of an existing database, which lets two servers share one. By default each server has a new database. */
  databaseUrl?: string
  /** Uses a new embedded database in memory instead of PostgreSQL. */
  embedded?: true
  /** Wraps the real broker, for example to lose or delay events. */
  wrapBroker?: (broker: Broker) => Broker
  /** Times of the presence lease that replace the usual ones. */
  leases?: Pick<RedisPresenceDeps, 'lease' | 'renew'>
}

/**
 * Starts the whole application on a free port, by default with a new PostgreSQL database, and closes it when the test ends. Until then a
 * frame that is not what its schema says fails the test that runs when the server encodes it.
 */
export async function startServer (t: Scope, options: ServerOptions = {}) {
  const { config: change = {}, databaseUrl, embedded = false, wrapBroker = broker => broker, leases } = options
  // Other tests may keep the machine busy. Without this, the server would refuse connections because its event loop lags.
  const config = merge(loadConfig({ LIMITS_EVENT_LOOP_DELAY: '0' }).config, change)
  if (embedded) config.database.data_dir = 'memory://'
  else config.database.url = databaseUrl ?? await createDatabase(t)
  const lines: string[] = []
  const logger = createLogger(config.log.level, { write: (line: string) => { lines.push(line) } })
  const database = await openDatabase(config.database, logger)
  if (embedded) await database.migrate()
  const broker = wrapBroker(createBroker(config, logger))
  const presence = createPresence(config, broker, logger, leases)
  judgeFrames(t)
  const app = await buildApp({ config, database, broker, presence, jwtSecret: secret, logger })
  await app.listen({ host: '127.0.0.1', port: 0 })

  let closed = false
  async function close (): Promise<void> {
    if (closed) return
    closed = true
    await app.close()
    await presence.close()
    await broker.close()
    await database.close()
  }
  t.teardown(close)

  const { port } = app.server.address() as { port: number }
  const origin = `http://127.0.0.1:${port}`
  const clients = createClients(t, port)
  /** Registers users as the server does, except for the hashing of passwords, which is slow on purpose. */
  const auth = createAuth({
    ...createStores(database),
    passwords: { hash: () => hashed, verify: async () => true },
    throttle: createLoginThrottle({ counters: createCounters({ url: undefined, prefix: '', logger }), limits: config.limits }),
    ...app.accessTokens,
    invitationRules: { maxChannels: 0, maxUsers: 0, defaultRoom: 'general' },
    config: { ...config.authentication, registration: 'open', require_verified_email: false },
    mailVerification: () => {},
    onLoginRevoked: () => {}
  })

  /** Makes one REST call, with `body` as JSON and `token` as a bearer token. */
  async function call (method: string, path: string, { body, token, headers }: CallOptions = {}) {
    const response = await fetch(origin + path, {
      method,
      headers: {
        ...body !== undefined && { 'content-type': 'application/json' },
        ...token && { authorization: `Bearer ${token}` },
        ...headers
      },
      ...body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null }
  }

  /** Registers a new user and logs them in. */
  async function register (name = 'user'): Promise<Person> {
    const email = `${name}-${randomUUID()}@example.org`
    const client = { address: '127.0.0.1', device: null, network: null }
    return { ...await auth.register({ email, name, password: PASSWORD }, client) as Login, email, password: PASSWORD }
  }

  return {
    ...clients,
    app,
    broker,
    presence,
    config,
    database,
    /** The URL of the PostgreSQL database; empty for an embedded one. */
    databaseUrl: config.database.url ?? '',
    /** The logged lines, each a JSON text. */
    lines,
    port,
    origin,
    call,
    register,
    close,

    /** Opens a connection and authenticates it as this user. `welcome` and the reply are already read. */
    async login (person: Person): Promise<Client> {
      const client = await clients.connect()
      await client.request({ type: 'authenticate', token: person.access_token })
      return client
    },

    /** Registers a new user, opens an authenticated connection for them and joins these channels. */
    async enter (name: string, ...channels: string[]): Promise<Client & { person: Person }> {
      const person = await register(name)
      const client = await this.login(person)
      for (const channel of channels) await client.request({ type: 'join_channel', channel })
      return Object.assign(client, { person })
    }
  }
}

export type Server = Awaited<ReturnType<typeof startServer>>

/** The error frame for a code whose text is fixed, without `retry_after_ms`. */
export function failure (code: ErrorCode): Frame {
  return { type: 'error', code, message: errorTable[code].message }
}

function merge (config: Config, change: ConfigChange): Config {
  const sections = Object.keys(config) as Array<keyof Config>
  return Object.fromEntries(sections.map(section => [section, { ...config[section], ...change[section] }])) as Config
}
