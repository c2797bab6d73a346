import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { loadConfig } from '../../src/config.ts'
import { openDatabase, type Database } from '../../src/store/client.ts'
import { redis, startServer, type ConfigChange, type Scope } from '../helper.ts'
import type { Test } from '../tap.ts'

/** Creates an empty database on the server with this URL, and drops it when the test ends. @returns the database's URL. */
export async function emptyDatabase (t: Scope, server = process.env.TEST_DATABASE_URL ?? ''): Promise<string> {
  const name = `empty_${randomUUID().replaceAll('-', '')}`
  await run(server, `CREATE DATABASE ${name}`)
  t.teardown(() => run(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** The name of the database in this URL. */
export function nameOf (url: string): string {
  return new URL(url).pathname.slice(1)
}

/** Creates a role with the name of this empty database. @returns the database's URL for the role. */
export async function createRole (t: Scope, databaseUrl: string, options = ''): Promise<string> {
  const name = nameOf(databaseUrl)
  await run(databaseUrl, `CREATE ROLE ${name} LOGIN ${options}`)
  // A role cannot be dropped before what it owns.
  t.teardown(() => run(process.env.TEST_DATABASE_URL!, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`, `DROP ROLE ${name}`))
  const url = new URL(databaseUrl)
  url.username = name
  return url.href
}

/** Runs statements with the driver's own settings. @returns the rows of the last one. */
export async function run (url: string, ...statements: string[]): Promise<Array<Record<string, unknown>>> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    let rows: Array<Record<string, unknown>> = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}

/** Opens a database as Parley does, and closes it when `use` has ended. */
export async function withDatabase<T> (
  url: string, use: (database: Database) => Promise<T>, change: ConfigChange['database'] = {}
): Promise<T> {
  const database = await openDatabase({ ...loadConfig({}).config.database, ...change, url })
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}

/** Applies the migrations as a start does. @returns their names. */
export function migrate (url: string, change: ConfigChange['database'] = {}): Promise<string[]> {
  return withDatabase(url, database => database.migrate(), change)
}

/** Starts two instances on a migrated database. */
export async function startPair (t: Scope, databaseUrl: string, change: ConfigChange = {}) {
  const config = { ...change, redis: redis() }
  return [await startServer(t, { databaseUrl, config }), await startServer(t, { databaseUrl, config })] as const
}

const SENDS = 60
/** Milliseconds by which a time may differ from this process's clock. A wrong time zone makes it differ by at least half an hour. */
const TOLERANCE = 300_000

/**
 * Checks what people do most, over REST and WebSocket and between two instances: accounts, messages that are sent at once, history,
 * moderation, and the times in all of it.
 */
export async function converse (t: Test, [one, two]: Awaited<ReturnType<typeof startPair>>): Promise<void> {
  const name = `room-${randomUUID().slice(0, 8)}`
  const isNow = (time: string, what: string, offset = 0): void => {
    t.ok(Math.abs(Date.parse(time) - Date.now() - offset) < TOLERANCE, `${what} is ${time}`)
  }
  const email = `${randomUUID()}@example.org`
  const registration = { email, password: 'correct horse', name: 'Ann' }
  const { status, body: login } = await one.call('POST', '/api/auth/register', { body: registration })
  t.equal(status, 201, JSON.stringify(login))
  isNow(login.user.created_at, 'the time of registration')
  const refreshed = await two.call('POST', '/api/auth/refresh', { body: { refresh_token: login.refresh_token } })
  t.equal(refreshed.status, 200, 'the other instance refreshes the login')

  const ann = await one.connect()
  await ann.request({ type: 'authenticate', token: login.access_token })
  await ann.request({ type: 'join_channel', channel: name })
  const ben = await two.enter('ben', name)
  const senders = [ann, ben]
  const replies = await Promise.all(Array.from({ length: SENDS }, (_, i) =>
    senders[i % 2]!.exchange({ type: 'send_message', channel: name, message: `message ${i} \\ '$1' "ü"` })))
  t.same(replies.filter(({ action }) => action !== 'message_sent'), [], 'every message is acknowledged')
  const heard = []
  for (let i = 0; i < SENDS; i++) heard.push(await ben.expect('message'))
  t.same(heard.map(({ seq }) => seq), Array.from({ length: SENDS }, (_, i) => i + 1), 'all arrive in order')
  isNow(heard[0]!.timestamp, 'the time of a message')

  const history = await two.call('GET', `/api/channels/${name}/messages?limit=100`, { token: ben.person.access_token })
  t.same(history.body.messages.map(({ message, timestamp }: Record<string, string>) => [message, timestamp]),
    heard.map(({ message, timestamp }) => [message, timestamp]), 'history agrees')

  await ann.request({ type: 'channel_command', command: 'mute_user', channel: name, user_id: ben.person.user.id, duration: 3600 })
  const muted = await ben.exchange({ type: 'send_message', channel: name, message: 'x' })
  t.equal(muted.code, 'muted')
  t.ok(muted.retry_after_ms > 3_500_000 && muted.retry_after_ms <= 3_600_000, `muted for ${muted.retry_after_ms} ms`)
  const mutes = await one.call('GET', `/api/channels/${name}/mutes`, { token: login.access_token })
  isNow(mutes.body.mutes[0].expires_at, 'the end of the mute', 3_600_000)
}
