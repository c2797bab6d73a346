import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import type { Config } from '../config-schema.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import { openEmbedded } from './embedded.ts'
import type { MigrationStatus } from './migrate.ts'

export interface PoolUse {
  used: number
  idle: number
  /** Requests that wait for a connection. */
  waiting: number
  max: number
}

/** Receives the log lines about the database itself, such as a full disk under the embedded one. */
export type DatabaseLogger = Pick<Logger, 'info' | 'warn' | 'error'>

export type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>

/** A transaction that may take hours. If it only reads, all of its statements see the data of the moment at which it began. */
export interface LongTransaction {
  query: Query
  /** Commits the transaction or rolls it back. */
  end (commit: boolean): Promise<void>
}

export interface Database {
  prisma: PrismaClient
  /**
   * Runs one statement without Prisma, on a reserved connection of the same pool. The most frequent statements use it, because it needs a
   * third of the CPU. Rows are as the driver reads them: an int8 may be text.
   */
  query: Query
  kind: 'postgresql' | 'pglite'
  /**
   * Applies the missing migrations and returns their names. Several instances may do so at the same time.
   * @throws DatabaseError when a newer release has migrated the database, or a migration was edited since.
   */
  migrate (): Promise<string[]>
  migrationStatus (): Promise<MigrationStatus>
  /** Checks whether all migrations of this code are applied, without loading the schema engine. */
  isMigrated (): Promise<boolean>
  /**
   * Begins a long transaction, over `DIRECT_URL` where it is set. Nothing else may use the embedded database meanwhile, because it has only
   * one connection.
   */
  begin (options: { readOnly: boolean }): Promise<LongTransaction>
  /**
   * Copies the files of the embedded database to the folder `snapshotDirectory` names, which can be opened as a data directory then.
   * Statements wait meanwhile.
   * @throws DatabaseError for PostgreSQL, of which any session can read a snapshot, and while a process uses the last copy.
   */
  snapshot (): Promise<void>
  /** The use of the connection pool; undefined for the embedded database, which has no pool. */
  pool (): PoolUse | undefined
  /** Whether the embedded database's disk is full, which has been logged. Always false for PostgreSQL, whose disk it cannot see. */
  readonly full: boolean
  /**
   * Hands over the connections that other processes of the same user make to the data directory's socket. Until this call they are
   * refused. PostgreSQL has no such socket.
   */
  serve (onConnection: (socket: Socket) => void): void
  /** Closes every connection and unlocks the data directory. */
  close (): Promise<void>
}

/**
 * Opens PostgreSQL where `url` is set, otherwise the embedded PGlite in `data_dir` (created when missing; `memory://` stores nothing on
 * disk). Opening does not apply migrations: call `migrate`. The driver is imported on demand, because nobody needs both.
 * @throws DatabaseError when the database cannot be reached, or another process holds the directory.
 */
export async function openDatabase (options: Config['database'], logger?: DatabaseLogger): Promise<Database> {
  if (options.url === undefined) return openEmbedded(options, logger)
  const { openServer } = await import('./postgresql.ts')
  return openServer(options.url, options, logger)
}
