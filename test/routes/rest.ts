import { randomBytes } from 'node:crypto'
import fastify, { type InjectOptions } from 'fastify'
import pg from 'pg'
import type { Test } from 'tap'
import { loadConfig } from '../../src/config.ts'
import authPlugin from '../../src/plugins/auth.ts'
import docsPlugin from '../../src/plugins/docs.ts'
import errorsPlugin, { sendError } from '../../src/plugins/errors.ts'
import jwtPlugin from '../../src/plugins/jwt.ts'
import { loggerOptions } from '../../src/plugins/logging.ts'
import validationPlugin from '../../src/plugins/validation.ts'
import authRoutes from '../../src/routes/auth.ts'
import healthRoutes from '../../src/routes/health.ts'
import meRoutes from '../../src/routes/me.ts'
import type { Login } from '../../src/schemas/auth.ts'
import { createAccounts } from '../../src/services/accounts.ts'
import { createAuth } from '../../src/services/auth.ts'
import { createLoginThrottle } from '../../src/services/login-throttle.ts'
import { createPasswords } from '../../src/services/passwords.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createTokens } from '../../src/store/tokens.ts'
import { createUsers } from '../../src/store/users.ts'

export const secret = 'the secret of the tests, 32 bytes and more'

/** A database of its own, migrated; dropped when the test ends. */
export async function createDatabase (t: Test) {
  const server = process.env.TEST_DATABASE_URL ?? ''
  const name = `rest_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client(server)
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name} TEMPLATE parley_template`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const database = await openDatabase({ ...loadConfig({}).config.database, url: url.href })
  t.teardown(async () => {
    await database.close()
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await admin.end()
  })
  return { ...database, url: url.href }
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** The authentication part of the server, on a real database, with a record of what it tells the rest. */
export async function buildRest (t: Test) {
  const database = await createDatabase(t)
  const users = createUsers(database.prisma)
  const tokens = createTokens(database.prisma)
  const passwords = createPasswords()
  const throttle = createLoginThrottle()
  const told: string[] = []
  const events = {
    onLoginRevoked: (userId: string, sid: string) => { told.push(`revoked ${userId} ${sid}`) },
    onUserDisabled: (userId: string) => { told.push(`disabled ${userId}`) },
    onUserChanged: (userId: string) => { told.push(`changed ${userId}`) }
  }
  const lines: string[] = []
  const app = fastify({
    bodyLimit: 65_536,
    frameworkErrors: sendError,
    trustProxy: false,
    logger: { ...loggerOptions('info'), stream: { write: line => { lines.push(line) } } }
  })
  await app.register(errorsPlugin)
  await app.register(validationPlugin)
  await app.register(jwtPlugin, { secret })
  const config = { token_expiry: 3600, refresh_token_expiry: 86_400 }
  const auth = createAuth({ users, tokens, passwords, throttle, config, ...app.accessTokens, ...events })
  await app.register(authPlugin, { auth })
  await app.register(docsPlugin)
  await app.register(authRoutes, { auth })
  await app.register(meRoutes, { accounts: createAccounts({ users, passwords, throttle, ...events }) })
  await app.register(healthRoutes, { pingDatabase: () => database.prisma.$queryRaw`SELECT 1`, broker: { connected: true } })
  t.teardown(() => app.close())

  let serial = 0

  /** Sends JSON; the token, where given, as a bearer. */
  async function call (method: Method, url: string, body?: object, token?: string, options: InjectOptions = {}) {
    const reply = await app.inject({
      method,
      url,
      ...body && { body },
      ...options,
      headers: { ...token && { authorization: `Bearer ${token}` }, ...options.headers }
    })
    return { status: reply.statusCode, headers: reply.headers, body: reply.body ? reply.json() : null }
  }

  /** A new user, logged in; the password is `password-of-his`. */
  async function register (fields: object = {}): Promise<Login> {
    const { status, body } = await call('POST', '/api/auth/register', {
      email: `user${++serial}@example.org`, name: `User ${serial}`, password: 'password-of-his', ...fields
    })
    if (status !== 201) throw new Error(`register: ${status} ${JSON.stringify(body)}`)
    return body
  }

  return { app, auth, tokens, users, database, told, lines, call, register }
}
