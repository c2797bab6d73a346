import { randomUUID } from 'node:crypto'
import { buildApp } from '../app.ts'
import type { Broker } from '../broker/broker.ts'
import type { Config } from '../config-schema.ts'
import { createCounters } from '../counters.ts'
import { createStores } from '../domain.ts'
import { createBroker, createPresence } from '../drivers.ts'
import { createLogger } from '../logger.ts'
import type { RedisPresenceDeps } from '../presence/redis.ts'
import type { Login } from '../schemas/auth.ts'
import { createAuth } from '../services/auth.ts'
import { createLoginThrottle } from '../services/login-throttle.ts'
import { createPasswords } from '../services/passwords.ts'
import { openDatabase, type Database } from '../store/client.ts'
import { createScope, type Scope } from './scope.ts'

/** The secret of access tokens of every test server, so that several of them can be instances of one cluster. */
export const secret = 'the secret of the tests, 32 bytes and more'

const PASSWORD = 'correct horse'
const hashed = createPasswords().hash(PASSWORD, '127.0.0.1')

/** A registered user with the tokens of a login. */
export interface Person extends Login { email: string, password: string }

export interface InstanceOptions {
  config: Config
  /** Wraps the real broker, for example to lose or delay events. */
  wrapBroker?: ((broker: Broker) => Broker) | undefined
  /** Wraps the real database, for example to refuse statements. */
  wrapDatabase?: (database: Database) => Database
  /** Times of the presence lease that replace the usual ones. */
  leases?: Pick<RedisPresenceDeps, 'lease' | 'renew'> | undefined
  /** Receives each logged line, a JSON text. */
  onLine?: (line: string) => void
}

export type Instance = Awaited<ReturnType<typeof startInstance>>

/** Starts the whole application in this process, on a free port of 127.0.0.1, and closes it when the scope is over. */
export async function startInstance (scope: Scope, options: InstanceOptions) {
  const { config, wrapBroker = broker => broker, wrapDatabase = database => database, leases, onLine = () => {} } = options
  const own = createScope()
  scope.teardown(own.close)
  const logger = createLogger(config.log.level, { write: onLine })
  const database = wrapDatabase(await openDatabase(config.database, logger))
  own.teardown(database.close)
  // Most tests copy a database that has all tables already. Without this look, each of them would load the schema engine.
  if (!await database.isMigrated()) await database.migrate()
  const broker = wrapBroker(createBroker(config, logger))
  own.teardown(broker.close)
  const presence = createPresence(config, broker, logger, leases)
  own.teardown(presence.close)
  const app = await buildApp({ config, database, broker, presence, jwtSecret: secret, logger })
  own.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })

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

  return {
    app,
    broker,
    presence,
    config,
    database,
    port: (app.server.address() as { port: number }).port,

    /** Registers a new user and logs them in, whoever may register. */
    async register (name = 'user'): Promise<Person> {
      const email = `${name}-${randomUUID()}@example.org`
      const client = { address: '127.0.0.1', device: null, network: null }
      return { ...await auth.register({ email, name, password: PASSWORD }, client) as Login, email, password: PASSWORD }
    },

    close: own.close
  }
}
