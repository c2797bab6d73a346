import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { buildApp } from '../src/app.ts'
import type { Broker } from '../src/broker/broker.ts'
import { loadConfig, type Config } from '../src/config.ts'
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

export const secret = 'the secret of the tests, 32 bytes and more'

const PASSWORD = 'correct horse'
const hashed = createPasswords().hash(PASSWORD, '127.0.0.1')

/** Overrides of single keys: `{ channels: { default_room: 'lobby' } }`. */
export type ConfigChange = { [S in keyof Config]?: Partial<Config[S]> }

export interface Person extends Login { email: string, password: string }

/** What ends what was begun for it: a test, for most. */
export interface Scope { teardown (end: () => unknown): unknown }

/** A PostgreSQL database of its own, migrated; dropped when the test ends. @returns its URL. */
export async function createDatabase (t: Scope): Promise<string> {
  const server = process.env.TEST_DATABASE_URL ?? ''
  const name = `test_${randomBytes(6).toString('hex')}`
  await administrate(server, `CREATE DATABASE ${name} TEMPLATE parley_template`)
  t.teardown(() => administrate(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** One statement, on this server. */
export async function administrate (server: string, statement: string): Promise<void> {
  const client = new pg.Client(server)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** A prefix of its own on the tests' Redis: two servers with the same one are two instances of one cluster. */
export function redis (prefix = `test-${randomUUID()}:`): ConfigChange['redis'] & object {
  return { url: process.env.TEST_REDIS_URL ?? '', prefix }
}

interface CallOptions { body?: unknown, token?: string | undefined, headers?: Record<string, string> }

export interface ServerOptions {
  config?: ConfigChange
  /** A database that another server of the test uses too. */
  databaseUrl?: string
  /** Stands in front of the real bus: to lose or delay what it carries. */
  wrapBroker?: (broker: Broker) => Broker
  /** Other times of its presence than an instance's usual ones. */
  leases?: Pick<RedisPresenceDeps, 'lease' | 'renew'>
}

/** The whole application on a free port, with a PostgreSQL database of its own; closed when the test ends. */
export async function startServer (t: Scope, options: ServerOptions = {}) {
  const { config: change = {}, databaseUrl, wrapBroker = broker => broker, leases } = options
  // A machine that is busy with other tests is no reason to refuse a connection.
  const config = merge(loadConfig({ LIMITS_EVENT_LOOP_DELAY: '0' }).config, change)
  config.database.url = databaseUrl ?? await createDatabase(t)
  const lines: string[] = []
  const logger = createLogger(config.log.level, { write: (line: string) => { lines.push(line) } })
  const database = await openDatabase(config.database)
  const broker = wrapBroker(createBroker(config, logger))
  const presence = createPresence(config, broker, logger, leases)
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
  /** As the server registers, but for the hashing, which is meant to be slow. */
  const auth = createAuth({
    ...createStores(database),
    passwords: { hash: () => hashed, verify: async () => true },
    throttle: createLoginThrottle({ counters: createCounters({ url: undefined, prefix: '', logger }), limitAll: config.limits.enabled }),
    ...app.accessTokens,
    config: config.authentication,
    onLoginRevoked: () => {}
  })

  /** One REST call; `body` as JSON, `token` as a bearer. */
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

  /** A new user, logged in. */
  async function register (name = 'user'): Promise<Person> {
    const email = `${name}-${randomUUID()}@example.org`
    return { ...await auth.register({ email, name, password: PASSWORD }, '127.0.0.1'), email, password: PASSWORD }
  }

  return {
    ...clients,
    app,
    broker,
    presence,
    config,
    database,
    databaseUrl: config.database.url,
    /** What was logged, one JSON text each. */
    lines,
    port,
    origin,
    call,
    register,
    close,

    /** A connection that speaks for this user; `welcome` and the reply are read. */
    async login (person: Person): Promise<Client> {
      const client = await clients.connect()
      await client.request({ type: 'authenticate', token: person.access_token })
      return client
    },

    /** A new user with a connection, in the channels named. */
    async enter (name: string, ...channels: string[]): Promise<Client & { person: Person }> {
      const person = await register(name)
      const client = await this.login(person)
      for (const channel of channels) await client.request({ type: 'join_channel', channel })
      return Object.assign(client, { person })
    }
  }
}

export type Server = Awaited<ReturnType<typeof startServer>>

/** The error frame of this code, where its text is fixed and it may not be tried again. */
export function failure (code: ErrorCode): Frame {
  return { type: 'error', code, message: errorTable[code].message }
}

function merge (config: Config, change: ConfigChange): Config {
  const sections = Object.keys(config) as Array<keyof Config>
  return Object.fromEntries(sections.map(section => [section, { ...config[section], ...change[section] }])) as Config
}
