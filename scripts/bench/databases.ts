import { randomBytes } from 'node:crypto'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { uuidv7 } from 'uuidv7'
import { loadConfig } from '../../src/config.ts'
import { openDatabase, type Database } from '../../src/store/client.ts'
import { parentOf } from './proc.ts'
import { createAccessTokens } from './tokens.ts'

/** Seconds until the logins expire: longer than any run. */
const LOGIN_LIFETIME = 86_400
const ROWS_AT_ONCE = 1000
const TEMPLATE = 'bench_template'

interface Person { userId: string, sid: string, email: string, name: string }

export type Databases = Awaited<ReturnType<typeof prepareDatabases>>

/**
 * Prepares databases in which all users already have an account and a login, because registering would hash a password for each of them.
 * One database is filled, and each run gets a copy of it.
 */
export async function prepareDatabases ({ postgresUrl, folder, secret, people: count, signal }: {
  postgresUrl: string, folder: string, secret: string, people: number, signal: AbortSignal
}) {
  const people = Array.from({ length: count }, (_, i): Person => ({
    userId: uuidv7(), sid: uuidv7(), email: `person-${i}@bench.invalid`, name: `person ${i}`
  }))
  const tokensFile = join(folder, 'tokens.json')
  writeFileSync(tokensFile, JSON.stringify(await signTokens(secret, people)))

  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  await client.query(`CREATE DATABASE ${TEMPLATE}`)
  await fill({ url: urlOf(TEMPLATE) }, people, signal).catch(async error => {
    await client.end()
    throw error
  })
  const { rows: [backend] } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')

  const embedded = join(folder, 'embedded-template')
  let embeddedIsFilled = false

  function urlOf (name: string): string {
    const url = new URL(postgresUrl)
    url.pathname = `/${name}`
    return url.href
  }

  return {
    tokensFile,
    /** Process id of PostgreSQL's postmaster. */
    postgresPid: parentOf(backend!.pid),

    /** Creates a fresh copy on PostgreSQL. @returns its URL. */
    async create (): Promise<string> {
      const name = `bench_${randomBytes(6).toString('hex')}`
      await client.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`)
      return urlOf(name)
    },

    /** Creates a fresh copy for the embedded database. @returns its directory. */
    async createEmbedded (): Promise<string> {
      if (!embeddedIsFilled) await fill({ data_dir: embedded }, people, signal)
      embeddedIsFilled = true
      const directory = join(folder, `embedded-${randomBytes(6).toString('hex')}`)
      cpSync(embedded, directory, { recursive: true })
      return directory
    },

    close: () => client.end()
  }
}

async function fill (place: { url: string } | { data_dir: string }, people: Person[], signal: AbortSignal): Promise<void> {
  const database = await openDatabase({ ...loadConfig({}).config.database, ...place })
  try {
    await database.migrate()
    for (let i = 0; i < people.length; i += ROWS_AT_ONCE) {
      signal.throwIfAborted()
      await insert(database, people.slice(i, i + ROWS_AT_ONCE))
    }
  } finally {
    await database.close()
  }
}

async function insert ({ prisma }: Database, people: Person[]): Promise<void> {
  await prisma.user.createMany({ data: people.map(({ userId, email, name }) => ({ id: userId, email, name })) })
  const expiresAt = new Date(Date.now() + LOGIN_LIFETIME * 1000)
  await prisma.refreshToken.createMany({
    data: people.map(({ userId, sid }) => ({ userId, familyId: sid, expiresAt, tokenHash: randomBytes(32), salt: randomBytes(16) }))
  })
}

async function signTokens (secret: string, people: Person[]): Promise<string[]> {
  const { sign } = await createAccessTokens(secret)
  const iat = Math.floor(Date.now() / 1000)
  return people.map(({ userId, sid, email }) => sign({ user_id: userId, sid, email, typ: 'access', iat, exp: iat + LOGIN_LIFETIME }))
}
