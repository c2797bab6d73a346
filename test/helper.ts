import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Broker } from '../src/broker/broker.ts'
import { loadConfig } from '../src/config.ts'
import type { Config } from '../src/config-schema.ts'
import { errorTable, type ErrorCode } from '../src/errors.ts'
import type { RedisPresenceDeps } from '../src/presence/redis.ts'
import { startInstance, type Person } from '../src/testing/instance.ts'
import { createCall } from '../src/testing/rest.ts'
import type { Scope } from '../src/testing/scope.ts'
import type { ConfigChange } from '../src/testing/types.ts'
import { createClients, type Client, type Frame } from './client.ts'
import { checkDocumented } from './documented.ts'
import { createDataDirectory } from './embedded.ts'
import { judgeFrames } from './frames.ts'
import { createRest } from './rest-client.ts'
import { copyTemplate, dropDatabase } from './server-connection.ts'

export { secret } from '../src/testing/instance.ts'
export type { ConfigChange, Person, Scope }

/** Creates a migrated PostgreSQL database and drops it when the test ends. @returns its URL. */
export async function createDatabase (t: Scope): Promise<string> {
  const server = process.env.TEST_DATABASE_URL ?? ''
  const name = `test_${randomBytes(6).toString('hex')}`
  await copyTemplate(server, name)
  t.teardown(() => dropDatabase(server, name))
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

export interface ServerOptions {
  config?: ConfigChange
  /** URL of an existing database, which lets two servers share one. By default each server has a new database. */
  databaseUrl?: string
  /** Uses a new embedded database instead of PostgreSQL. */
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
  const { config: change = {}, databaseUrl, embedded = false, wrapBroker, leases } = options
  // Other tests may keep the machine busy. Without this, the server would refuse connections because its event loop lags.
  const config = merge(loadConfig({ LIMITS_EVENT_LOOP_DELAY: '0' }).config, change)
  if (embedded) config.database.data_dir = await createDataDirectory(t)
  else config.database.url = databaseUrl ?? await createDatabase(t)
  const lines: string[] = []
  judgeFrames(t)
  const instance = await startInstance(t, { config, wrapBroker, leases, onLine: line => { lines.push(line) } })
  const clients = createClients(t, instance.port)
  const origin = `http://127.0.0.1:${instance.port}`

  return {
    ...instance,
    ...clients,
    /** The URL of the PostgreSQL database; empty for an embedded one. */
    databaseUrl: config.database.url ?? '',
    /** The logged lines, each a JSON text. */
    lines,
    origin,
    /** Makes one REST call, with `body` as JSON and `token` as a bearer token. */
    call: createCall(origin, checkDocumented),

    /** A client of REST for this user, or for nobody, that is typed by docs/openapi.json. */
    rest: (person?: Pick<Person, 'access_token'>) => createRest(origin, person?.access_token),

    /** Opens a connection and authenticates it as this user. `welcome` and the reply are already read. */
    async login (person: Person): Promise<Client> {
      const client = await clients.connect()
      await client.request({ type: 'authenticate', token: person.access_token })
      return client
    },

    /** Registers a new user, opens an authenticated connection for them and joins these channels. */
    async enter (name: string, ...channels: string[]): Promise<Client & { person: Person }> {
      const person = await instance.register(name)
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

/** The error frame that refuses the join of a banned user [P22]. */
export function banned (ban: { reason?: string, expires_at?: string } = {}): Frame {
  return { ...failure('banned'), reason: null, expires_at: null, ...ban }
}

function merge (config: Config, change: ConfigChange): Config {
  const sections = Object.keys(config) as Array<keyof Config>
  return Object.fromEntries(sections.map(section => [section, { ...config[section], ...change[section] }])) as Config
}
