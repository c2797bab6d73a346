import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { DatabaseHost, DatabaseTarget } from '../database-url.ts'
import { createCountdown } from '../deadline.ts'
import { READ_ONLY } from './errors.ts'
import { prepareConnection, STATEMENT_TIMEOUT } from './session-settings.ts'

/** Milliseconds after which an unused connection is probed by TCP, so that a server that is gone is noticed. */
const KEEP_ALIVE_DELAY = 10_000
/** Milliseconds after which a pool that got fewer connections than it may have tries to double them. */
const GROW_AFTER = 30_000
/**
 * Milliseconds that a further connection may take to be opened, and to answer for the first time. A pooler or load balancer whose
 * connections to the server are all in use accepts it and leaves it without an answer. While no connection has answered, it may take
 * longer, as a server that sleeps while unused has to wake up.
 */
const FURTHER_ANSWER = 2000
const FIRST_ANSWER = 15_000
/** Milliseconds between two attempts to open the only connection. */
const RETRY_AFTER = 50
/** Milliseconds to wait for one of several servers before the next one is tried. */
const PER_HOST = 2000

interface PoolOptions {
  target: DatabaseTarget
  /** Connections that the pool may have at most. */
  size: number
  /** Milliseconds to wait for a connection. */
  timeout: number
  /** Called when the server allows only `max` connections, once until the pool has its full size again. */
  onShrunk (max: number, reason: Error): void
}

/** A server and the TLS settings for it, as the driver takes them. */
type Place = DatabaseHost & { ssl: DatabaseTarget['tls'][number], connectionTimeoutMillis: number }

type Callback = (error: Error | undefined, client: pg.PoolClient | undefined, release: (error?: Error | boolean) => void) => void

/**
 * A pool of connections that have Parley's settings (session-settings.ts). It tries all servers and TLS settings of the URL and stays with
 * those that work. When one connection turns out to be dead, or connected to a read-only server, it closes all idle ones, because they have
 * the same fate. It works with as few connections as the server allows.
 */
export class Pool extends pg.Pool {
  /** The schema that holds Parley's tables and functions. */
  readonly schema: string
  private readonly places: Place[][]
  private place: Place
  private readonly size: number
  private readonly timeout: number
  private readonly onShrunk: PoolOptions['onShrunk']
  private shrunkAt: number | undefined
  /** The connections that have answered. The pool's own count includes those that are still being opened. */
  private readonly ready = new Set<pg.PoolClient>()
  /** Gives back the reserved connection if it is unused. It is closed if there is an error. */
  freeReserved: (error: Error | false) => void = () => {}

  constructor ({ target, size, timeout, onShrunk }: PoolOptions) {
    const { hosts, tls, user, password, database, driver, schema } = target
    super({
      ...driver,
      user,
      password,
      database,
      max: size,
      connectionTimeoutMillis: timeout,
      // This process's own limit, in case the server is frozen and cannot enforce its limits.
      query_timeout: STATEMENT_TIMEOUT,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY,
      pipeline: true,
      onConnect: client => prepareConnection(client as pg.PoolClient, schema, this.ready.size > 0 ? FURTHER_ANSWER : FIRST_ANSWER),
      Client: placed(() => this.placeForNew())
    })
    const connectionTimeoutMillis = hosts.length > 1 ? Math.min(timeout, PER_HOST) : timeout
    this.places = hosts.map(host => tls.map(ssl => ({ ...host, ssl, connectionTimeoutMillis })))
    this.place = this.places[0]![0]!
    this.schema = schema
    this.size = size
    this.timeout = timeout
    this.onShrunk = onShrunk
    this.on('connect', client => this.noteReady(client))
    this.on('remove', client => this.ready.delete(client))
    // The pool drops an idle connection that breaks. Without a listener, the event would end the process.
    this.on('error', (error, client) => this.drop(error, client))
    this.on('release', (error, client) => { if (error) this.drop(error, client) })
  }

  override connect (): Promise<pg.PoolClient>
  override connect (callback: Callback): void
  override connect (callback?: Callback): Promise<pg.PoolClient> | void {
    const client = this.checkOut()
    if (!callback) return client
    client.then(found => callback(undefined, found, found.release), error => callback(error, undefined, () => {}))
  }

  /**
   * Checks out a connection. Where one has to be opened, it tries all places. Where the server allows no further connection, the pool
   * shrinks to those that exist, and the caller waits for one of them.
   */
  private async checkOut (): Promise<pg.PoolClient> {
    this.grow()
    const timeLeft = createCountdown(this.timeout)
    let refusal: Error | undefined
    for (let left = this.places.flat().length; ; left--) {
      const { place } = this
      try {
        if (refusal === undefined) return await super.connect()
        const client = await inTime(super.connect(), timeLeft())
        this.noteShrunk(refusal)
        return client
      } catch (error) {
        if ((isTooMany(error) || (this.ready.size > 0 && isCut(error))) && timeLeft() > 0) {
          refusal ??= error as Error
          await this.shrink()
        } else if (refusal !== undefined) {
          // If no other connection answers either, their number is not what is wrong.
          if (this.shrunkAt === undefined) this.options.max = this.size
          throw refusal
        } else if (!this.moveFrom(place, error) || left <= 1 || timeLeft() === 0) throw error
      }
    }
  }

  private async shrink (): Promise<void> {
    this.options.max = Math.max(1, this.ready.size)
    if (this.ready.size === 1) this.freeReserved(false)
    // A connection that was closed a moment ago may still count on the server.
    if (this.totalCount === 0) await sleep(RETRY_AFTER)
  }

  private placeForNew (): Place {
    const { place } = this
    return this.ready.size === 0
      ? place
      : { ...place, connectionTimeoutMillis: Math.min(place.connectionTimeoutMillis, FURTHER_ANSWER) }
  }

  private noteReady (client: pg.PoolClient): void {
    this.ready.add(client)
    // Others may have been refused while this one was being opened.
    this.options.max = Math.max(this.options.max, this.ready.size)
  }

  private noteShrunk (reason: Error): void {
    if (this.shrunkAt === undefined) this.onShrunk(this.options.max, reason)
    this.shrunkAt = performance.now()
  }

  /** Turns to another place unless another caller has done so. Returns false if no other place can work better after this error. */
  private moveFrom (place: Place, error: unknown): boolean {
    if (this.place !== place) return true
    const host = this.places.findIndex(places => places.includes(place))
    const tls = this.places[host]!.indexOf(place)
    const isElsewhere = this.places.length > 1 && !isWrong(error)
    const other = isTlsRefusal(error)
      ? this.places[host]![tls + 1]
      : isElsewhere ? this.places[(host + 1) % this.places.length]![0] : undefined
    if (other) this.place = other
    return other !== undefined
  }

  private grow (): void {
    if (this.shrunkAt === undefined || performance.now() - this.shrunkAt < GROW_AFTER) return
    this.options.max = Math.min(2 * this.options.max, this.size)
    this.shrunkAt = this.options.max < this.size ? performance.now() : undefined
  }

  /** Forgets a connection that is being closed. All idle ones are closed too after an error that a statement did not cause by itself. */
  private drop (error: Error | boolean, client: pg.PoolClient): void {
    this.ready.delete(client)
    if (error instanceof Error && isLoss(error)) this.closeIdle(error)
  }

  private closeIdle (error: Error): void {
    for (let idle = this.idleCount; idle > 0; idle--) {
      super.connect().then(client => client.release(true), () => { /* The pool is ending, which closes them too. */ })
    }
    this.freeReserved(error)
  }
}

/** Resolves with a client that comes within `ms` milliseconds. One that comes later is given back. */
async function inTime (connecting: Promise<pg.PoolClient>, ms: number): Promise<pg.PoolClient> {
  const client = await Promise.race([connecting, sleep(ms, undefined, { ref: false })])
  if (client) return client
  connecting.then(late => late.release(), () => { /* Nobody waits for it any more. */ })
  throw new Error('timeout exceeded when trying to connect')
}

/** Returns the driver's client, which connects to the place that is the pool's at that moment. */
function placed (place: () => Place): NonNullable<pg.PoolConfig['Client']> {
  return class extends pg.Client {
    constructor (options?: pg.ClientConfig) {
      // The pool hides the password from enumeration, so a copy does not have it.
      super({ ...options, password: options?.password, ...place() })
    }
  }
}

/** The server, or a pooler before it, allows no further connection, or accepts it and leaves it without an answer. */
function isTooMany (error: unknown): boolean {
  const { code, message } = error as { code?: string, message: string }
  return code === '53300' || /max_client_conn|max clients|no more connections allowed|query_wait_timeout|query read timeout/i.test(message)
}

/** A connection ended, or got no answer, while it was being opened. Load balancers with too many connections do so. */
function isCut (error: unknown): boolean {
  return /connection terminated unexpectedly|timeout expired|ECONNRESET/i.test((error as Error).message)
}

/** User, password or database name is wrong, so it is wrong on every server. */
function isWrong (error: unknown): boolean {
  return ['28P01', '3D000'].includes((error as { code?: string }).code ?? '')
}

/** The server accepts no TLS, or only TLS, or its TLS does not work. */
function isTlsRefusal (error: unknown): boolean {
  const { code = '', message } = error as { code?: string, message: string }
  return code === '28000' || /SSL/.test(message) || /^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)
}

/** The connection is lost, does not answer, or its server is being stopped or cannot be written to. */
function isLoss (error: Error): boolean {
  const { code } = error as { code?: string }
  return !(error instanceof pg.DatabaseError) || code === READ_ONLY || /^(08|57P0)/.test(code ?? '')
}
