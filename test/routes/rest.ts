import type { InjectOptions } from 'fastify'
import { buildApp } from '../../src/app.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { createMemoryBroker } from '../../src/broker/memory.ts'
import { loadConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { createMemoryPresence } from '../../src/presence/memory.ts'
import { createAnnounce } from '../../src/connections/announce.ts'
import type { Login } from '../../src/schemas/auth.ts'
import { openDatabase } from '../../src/store/client.ts'
import { checkDocumented } from '../documented.ts'
import { createDataDirectory } from '../embedded.ts'
import { createDatabase, secret } from '../helper.ts'
import type { Test } from '../tap.ts'

/** Creates a database for the test and opens it. */
export async function openTestDatabase (t: Test) {
  const url = await createDatabase(t)
  const database = await openDatabase({ ...loadConfig({}).config.database, url })
  t.teardown(() => database.close())
  return { ...database, url }
}

/** Opens an embedded database for the test, with all migrations applied. */
export async function openEmbeddedDatabase (t: Test) {
  const database = await openDatabase({ ...loadConfig({}).config.database, data_dir: await createDataDirectory(t) })
  t.teardown(() => database.close())
  return database
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** Builds the whole application without a port. `told` records the events about users and logins that it publishes. */
export async function buildRest (t: Test) {
  const database = await openTestDatabase(t)
  const lines: string[] = []
  const told: string[] = []
  const broker = recording(createMemoryBroker(), told)
  const presence = createMemoryPresence(createAnnounce(broker))
  const logger = createLogger('info', { write: (line: string) => { lines.push(line) } })
  const app = await buildApp({ config: loadConfig({}).config, database, broker, presence, jwtSecret: secret, logger })
  t.teardown(async () => {
    await app.close()
    await presence.close()
    await broker.close()
  })

  let serial = 0

  /** Injects a request with `body` as JSON and `token` as a bearer token. */
  async function call (method: Method, url: string, body?: object, token?: string, options: InjectOptions = {}) {
    const reply = await app.inject({
      method,
      url,
      ...body && { body },
      ...options,
      headers: { ...token && { authorization: `Bearer ${token}` }, ...options.headers }
    })
    const answer = reply.body ? reply.json() : null
    checkDocumented(method, url, reply.statusCode, answer)
    return { status: reply.statusCode, headers: reply.headers, body: answer }
  }

  /** Registers a new user and logs them in. The password is `password-of-theirs` by default. */
  async function register (fields: object = {}): Promise<Login> {
    const { status, body } = await call('POST', '/api/auth/register', {
      email: `user${++serial}@example.org`, name: `User ${serial}`, password: 'password-of-theirs', ...fields
    })
    if (status !== 201) throw new Error(`register: ${status} ${JSON.stringify(body)}`)
    return body
  }

  return { app, database, told, lines, call, register }
}

/** Wraps a broker to record in `told` what it publishes about users: `revoked USER SID`, `disabled USER` or `changed USER`. */
function recording (broker: Broker, told: string[]): Broker {
  return {
    ...broker,
    get connected () { return broker.connected },
    publish (topic, event) {
      const user = topic.replace('user:', '')
      if (event.kind === 'control' && event.action.type === 'user_changed') told.push(`changed ${user}`)
      if (event.kind === 'control' && event.action.type === 'disconnect') {
        told.push(event.action.reason === 'disconnected' ? `disabled ${user}` : `revoked ${user} ${event.action.sid}`)
      }
      broker.publish(topic, event)
    }
  }
}
