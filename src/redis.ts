import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { readRedisUrl, schemeOf, type RedisKind, type RedisNode, type RedisSettings } from './redis-settings.ts'

/** The methods of a logger that are used here; Fastify's logger has them. */
export interface Logger {
  info (details: object, text: string): void
  warn (details: object, text: string): void
}

/** One server of Redis, and how to log in there. */
export interface ServerAddress extends RedisNode {
  username?: string | undefined
  password?: string | undefined
  db: number
  family: number
  tls?: { rejectUnauthorized: boolean, ca?: string, servername?: string }
}

/** Milliseconds of silence after which the kernel asks whether the other end is still there. */
const KEEP_ALIVE_MS = 10_000

/**
 * Opens one connection, which is usable when the promise resolves. It lasts until `signal` aborts and never reconnects by itself, because
 * only its owner knows what a new connection has to restore. `commandTimeout` in milliseconds limits every command. ioredis is imported on
 * demand, because a single instance does not need it.
 */
export async function openConnection (
  server: ServerAddress, signal: AbortSignal, commandTimeout: number, onLost: (error: Error) => void
): Promise<Redis> {
  const ioredis = await import('ioredis')
  const client = new ioredis.Redis({
    ...server,
    keepAlive: KEEP_ALIVE_MS,
    lazyConnect: true,
    retryStrategy: null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    disableClientInfo: true,
    // Every server supports version 2. Version 3 is not needed, because subscriptions and commands never share a connection here.
    protocol: 2,
    connectTimeout: commandTimeout,
    commandTimeout
  })
  let cause: Error | undefined
  const end = () => {
    client.disconnect()
    // A graceful end would wait for the server, which may be frozen.
    client.stream?.destroy()
  }
  client.on('error', (error: Error) => { cause = error })
  client.once('end', () => {
    signal.removeEventListener('abort', end)
    onLost(cause ?? new Error('connection closed'))
  })
  if (signal.aborted) throw new Error('aborted')
  signal.addEventListener('abort', end, { once: true })
  try {
    await client.connect()
    // ioredis reports that the database of the URL cannot be selected, and connects all the same.
    if (cause) throw cause
  } catch (error) {
    end()
    throw cause ?? error
  }
  return client
}

/** Calls `act` every `interval` milliseconds until `signal` aborts, which it may have done already. */
export function repeat (act: () => void, interval: number, signal: AbortSignal): void {
  if (signal.aborted) return
  const timer = setInterval(act, interval)
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
}

/** A session with Redis that is opened again whenever it is lost. */
export interface Link<T> {
  /** The current session; undefined while there is none. */
  readonly session: T | undefined
  /** Begins to connect. Resolves when the first attempt has succeeded or failed. */
  start (): Promise<void>
  close (): Promise<void>
}

export interface LinkDeps<T> {
  /** Names the link in log lines. */
  name: string
  settings: RedisSettings
  logger: Logger
  /** Resolves when the session is usable. All of the session must end when `signal` aborts. It may call `lost` at any time. */
  open (signal: AbortSignal, lost: (error: Error) => void): Promise<T>
  onUp (session: T): void
  onDown (): void
  /** Milliseconds that `open` may take. */
  openTimeout?: number
}

const MAX_BACKOFF_MS = 1000
/** A session that ended sooner is not opened again at once: its cause may be lasting, and every reconnection has work to do. */
const STABLE_MS = 10_000

/**
 * Keeps one session open, with capped and jittered delays between attempts. It logs a line per change of state, not per attempt; the links
 * of all parts of a cluster have these lines in common.
 */
export function createLink<T> ({ name, settings, logger, open, onUp, onDown, openTimeout = 2000 }: LinkDeps<T>): Link<T> {
  const closing = new AbortController()
  const { part } = settings
  let session: T | undefined
  let running: Promise<void> | undefined
  let complaint: string | undefined

  /** Runs one session from its opening to its end. Returns why it ended. */
  async function live (onOutcome: () => void): Promise<{ reason: Error, wasUp: boolean }> {
    const life = new AbortController()
    // Every connection of the session adds a listener: many are no leak, and Node must not warn of them.
    setMaxListeners(0, life.signal)
    let lost!: (error: Error) => void
    const ended = new Promise<Error>(resolve => { lost = resolve })
    const onClosing = () => lost(new Error('closed'))
    closing.signal.addEventListener('abort', onClosing, { once: true })
    const timer = setTimeout(() => lost(new Error(`no answer within ${openTimeout} ms`)), openTimeout)
    try {
      const opened = await Promise.race([open(life.signal, lost), ended.then(error => { throw error })])
      clearTimeout(timer)
      session = opened
      complaint = undefined
      if (part?.connected() ?? true) logger.info({}, `${name} connected`)
      onUp(opened)
      onOutcome()
      return { reason: await ended, wasUp: true }
    } catch (error) {
      return { reason: error as Error, wasUp: false }
    } finally {
      clearTimeout(timer)
      closing.signal.removeEventListener('abort', onClosing)
      life.abort()
    }
  }

  async function run (onOutcome: () => void): Promise<void> {
    for (let attempt = 0; !closing.signal.aborted; attempt++) {
      const began = performance.now()
      const { reason, wasUp } = await live(onOutcome)
      if (closing.signal.aborted) break
      const { kind, text } = explain(reason, settings, wasUp)
      const isNews = kind !== complaint && (part?.failed(kind) ?? true)
      if (isNews) logger.warn({ reason: text }, `${name} ${wasUp ? 'lost' : 'cannot be reached'}`)
      complaint = kind
      if (wasUp) {
        if (performance.now() - began > STABLE_MS) attempt = 0
        session = undefined
        onDown()
      }
      onOutcome()
      const backoff = Math.min(MAX_BACKOFF_MS, 50 * 2 ** attempt) * (0.5 + Math.random() / 2)
      await sleep(backoff, undefined, { signal: closing.signal }).catch(() => { /* closing: the loop ends */ })
    }
    session = undefined
    onOutcome()
  }

  return {
    get session () { return session },
    start: () => new Promise(resolve => { running = run(resolve) }),
    async close () {
      closing.abort()
      await running
    }
  }
}

/** The meaning of an error for the operator, or advice for them; where it depends on the kind of URL, for this kind only. */
const HINTS: Array<[RegExp, string, RedisKind?]> = [
  [/READONLY/, 'a read-only replica'],
  [/\b(MOVED|ASK|TRYAGAIN)\b/, 'a slot has moved to another node', 'cluster'],
  [/CLUSTERDOWN/, 'a slot has no node, or too few nodes of the cluster are up', 'cluster'],
  [/cluster support disabled/, 'this server is in no cluster: write redis:// in REDIS_URL', 'cluster'],
  [/unknown command .?s(publish|subscribe)/i, 'a cluster needs Redis 7 or later', 'cluster'],
  [/\b(MOVED|CROSSSLOT|CLUSTERDOWN)\b/, 'this is Redis Cluster: write redis+cluster:// in REDIS_URL'],
  [/unknown command .?SENTINEL/, 'this is no sentinel: write redis:// in REDIS_URL, or the port of the sentinels', 'sentinel'],
  [/self[- ]signed certificate|unable to (get|verify)/, 'set REDIS_CA to the certificate of its authority, or REDIS_TLS_VERIFY=false']
]

/**
 * Returns the reason in one line, without the URL's passwords: a server may quote a refused command together with its arguments. Errors of
 * the same kind are logged once.
 */
function explain (error: Error, { url }: RedisSettings, wasUp: boolean): { kind: string, text: string } {
  const { kind: urlKind, password, sentinel, tls } = readRedisUrl(url, 'REDIS_URL')
  let text = (error.message || (error as NodeJS.ErrnoException).code || error.name).split('\n', 1)[0]!
  for (const secret of [password, sentinel?.password]) {
    if (secret) text = text.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***')
  }
  const hint = HINTS.find(([pattern, , only = urlKind]) => only === urlKind && pattern.test(text))?.[1]
  if (hint !== undefined) return { kind: hint, text: `${hint} (${text})` }
  // A server that expects TLS closes a connection without it. A server without TLS does not answer the handshake of TLS.
  const other = schemeOf(urlKind, !tls)
  if (!wasUp && !tls && /closed/.test(text)) text += ` (if the server expects TLS, use ${other} in REDIS_URL)`
  if (!wasUp && tls && /no answer|ETIMEDOUT|wrong version/.test(text)) text += ` (if the server expects no TLS, use ${other} in REDIS_URL)`
  return { kind: text, text }
}
