import type { Config } from '../config-schema.ts'
import type { Connection } from './connection.ts'
import type { Answer, Call } from './rest.ts'

// The types of `parley/testing`, which applications compile against. This file has a declaration of each function, so that the declarations
// of the whole server need not be published; `index.ts` has the functions.

export type { Connection, Frame } from './connection.ts'
export { eventually } from './eventually.ts'
export type { Answer, Call, CallOptions } from './rest.ts'

/**
 * Starts a Parley server for tests, on a free port of 127.0.0.1. Without options it needs nothing but this package. Environment variables
 * are not read; the file `config/websocket.tusk` in the current folder is.
 *
 * ```ts
 * await using parley = await startParley()
 * const [ann, bob] = await parley.users('ann', 'bob')
 * ```
 * @throws ConfigError for a key or value that a server would not start with, DatabaseError if the database cannot be used.
 */
export declare function startParley (options?: StartOptions): Promise<TestParley>

export interface StartOptions {
  /** Keys of the configuration that differ from the defaults: `{ authentication: { guests: true } }`. */
  config?: ConfigChange
  /**
   * URL of a PostgreSQL database of the tests, to which missing migrations are applied. By default a new database in memory is used, or
   * the embedded one in the folder `config.database.data_dir`.
   */
  databaseUrl?: string
  /** URL of a Redis, for tests of several instances and of a lost bus. Unless `config.redis.prefix` is set, keys get a new prefix. */
  redisUrl?: string
  /** False: the server runs in a process of its own. */
  inProcess?: boolean
  /** Receives each line of the server's log, a JSON text. */
  onLine?: (line: string) => void
}

/** A running server, and the switches for what can go wrong with it. */
export interface TestParley extends AsyncDisposable {
  /** Where clients find the server: `http://127.0.0.1:<port>`, by way of the line that the fault switches concern. */
  url: string
  /** Registers users and logs them in. Names may be given again: each call makes new users. */
  users<const Names extends readonly string[]> (...names: Names): Promise<{ [I in keyof Names]: TestUser }>
  /** Opens a WebSocket connection that is not authenticated. Its `welcome` has been read. */
  connect (): Promise<Connection>
  /** Makes a REST call, by the direct way to the server, so that no fault switch concerns it. */
  call: Call
  /** Ends all connections of clients, as a network does that breaks down. Clients may connect again at once. */
  cut (): void
  /** Swallows all bytes of the connections of clients that are open now, in both directions, and leaves them open. */
  stall (): void
  /** Tells the clients that nothing more comes, and does not tell the server. */
  halfClose (): void
  /** Delays everything between clients and server by so many milliseconds from now on. */
  delay (ms: number): void
  /** Refuses new connections of clients, or no longer. With `cut`, clients are offline. */
  refuseConnections (isRefused?: boolean): void
  /** Ends the connections to Redis and refuses new ones. @throws Error without `redisUrl` */
  loseBus (): void
  /** Redis can be reached again. The server looks for it by itself, within seconds. */
  regainBus (): void
  /**
   * Stops the database: connections to PostgreSQL end and no new ones are possible; the embedded database refuses every statement, with the
   * error of a PostgreSQL that has ended.
   */
  stopDatabase (): Promise<void>
  /** Starts the database again, with all that it had. */
  startDatabase (): Promise<void>
  /**
   * Lets the wall clock of the server jump forward, as after a sleep of the machine. What follows it: access tokens, and, on the embedded
   * database, everything with a date: refresh tokens, bans, mutes, slow mode, invitation codes, retention, timestamps. What does not follow
   * it: the clock of PostgreSQL; and what counts the time that has really passed, which is limits per second, minute and hour, heartbeats
   * and other deadlines of connections, and how long a muted user can send no signals. A server in this process shares `Date` with the
   * test until it is closed.
   */
  advance (ms: number): Promise<void>
  /**
   * Lets all access tokens expire, by `advance` beyond their life and the 30 s of grace [P14]. Connections close with 4401 within a second.
   * The users' `token()` gives new ones.
   */
  expireTokens (): Promise<void>
  /** Ends the server and all connections, and deletes the database in memory. Further calls do nothing. */
  close (): Promise<void>
}

/** A user who is registered and logged in. */
export interface TestUser {
  id: string
  name: string
  /** The name that no other user has. */
  handle: string
  email: string
  password: string
  /**
   * Returns an access token that is valid now: a new one if the last one has expired, and in any case for the reasons `expiring` and
   * `refused`. It fits the option `token` of `@parley/client`.
   */
  token (why?: 'connect' | 'expiring' | 'refused'): Promise<string>
  /** Opens a WebSocket connection and authenticates it. The `welcome` and the reply have been read. */
  connect (): Promise<Connection>
  /** Makes a REST call as this user, with `body` as JSON, by the direct way to the server, so that no fault switch concerns it. */
  call (method: string, path: string, body?: unknown): Promise<Answer>
}

/** Replaces single keys of the configuration: `{ channels: { default_room: 'lobby' } }`. */
export type ConfigChange = { [S in keyof Config]?: Partial<Config[S]> }
