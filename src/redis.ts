import { setMaxListeners } from 'node:events'
import { unescape } from 'node:querystring'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

/** The methods of a logger that are used here; Fastify's logger has them. */
export interface Logger {
  info (details: object, text: string): void
  warn (details: object, text: string): void
}

/**
 * Opens one connection, which is usable when the promise resolves. It lasts until `signal` aborts and never reconnects by itself, because
 * only its owner knows what a new connection has to restore. `commandTimeout` in milliseconds limits every command.
 */
export async function openConnection (
  url: string, signal: AbortSignal, commandTimeout: number, onLost: (error: Error) => void
): Promise<Redis> {
  const client = new Redis(url, {
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
  } catch (error) {
    end()
    throw cause ?? error
  }
  return client
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
  url: string
  logger: Logger
  /** Resolves when the session is usable. All of the session must end when `signal` aborts. It may call `lost` at any time. */
  open (signal: AbortSignal, lost: (error: Error) => void): Promise<T>
  onUp (session: T): void
  onDown (): void
  /** Milliseconds that `open` may take. */
  openTimeout?: number
}

const MAX_BACKOFF_MS = 1000

/** Keeps one session open, with capped and jittered delays between attempts. It logs a line per change of state, not per attempt. */
export function createLink<T> ({ name, url, logger, open, onUp, onDown, openTimeout = 2000 }: LinkDeps<T>): Link<T> {
  const closing = new AbortController()
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
      logger.info({}, `${name} connected`)
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
      const { reason, wasUp } = await live(onOutcome)
      if (closing.signal.aborted) break
      const text = reasonOf(reason, url)
      if (text !== complaint) logger.warn({ reason: text }, `${name} ${wasUp ? 'lost' : 'cannot be reached'}`)
      complaint = text
      if (wasUp) {
        attempt = 0
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

/** Returns the reason in one line, without the URL's password: a server may quote a refused command together with its arguments. */
function reasonOf (error: Error, url: string): string {
  const password = /^\w+:\/\/[^:/]*:(.*)@/.exec(url)?.[1]
  let text = error.message || (error as NodeJS.ErrnoException).code || error.name
  if (password) text = text.replaceAll(password, '***').replaceAll(unescape(password), '***')
  return text.split('\n', 1)[0]!
}
