import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import { openEmbedded } from './embedded.ts'
import type { MigrationStatus } from './migrate.ts'
import { openServer } from './postgresql.ts'

export interface PoolUse {
  used: number
  idle: number
  /** Requests that wait for a connection. */
  waiting: number
  max: number
}

/** Logs what happens to the embedded database's disk. */
export type DatabaseLogger = Pick<Logger, 'info' | 'error'>

export type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>

export interface Database {
  prisma: PrismaClient
  /**
   * One statement past Prisma, on a connection of the same pool that is kept for it: for what is called most, at a third of the CPU.
   * Rows are as the driver reads them: an int8 may be text.
   */
  query: Query
  kind: 'postgresql' | 'pglite'
  /** Applies missing migrations; resolves with their names. Safe when several instances start at once. */
  migrate (): Promise<string[]>
  migrationStatus (): Promise<MigrationStatus>
  /** Are all migrations of this code applied? One query, without the engine. */
  isMigrated (): Promise<boolean>
  /** How the connections are used; undefined for the embedded database, which has none. */
  pool (): PoolUse | undefined
  /** Nothing can be stored for want of room, which has been logged. Of PostgreSQL's disk only PostgreSQL knows: always false. */
  readonly full: boolean
  /** Ends every connection and gives the data directory free. */
  close (): Promise<void>
}

/**
 * Opens PostgreSQL where `url` is set, else the embedded PGlite in `data_dir` (made when missing; `memory://` keeps nothing).
 * The schema may still be old: call `migrate`.
 * @throws DatabaseError when the database cannot be reached, or another process holds the directory.
 */
export async function openDatabase (options: Config['database'], logger?: DatabaseLogger): Promise<Database> {
  return options.url === undefined ? openEmbedded(options.data_dir, logger) : openServer(options.url, options)
}
