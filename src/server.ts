import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import closeWithGrace from 'close-with-grace'
import { pino, type Logger } from 'pino'
import { buildApp } from './app.ts'
import { createMemoryBroker } from './broker/memory.ts'
import { createRedisBroker } from './broker/redis.ts'
import { runWorkers } from './cluster.ts'
import { ConfigError, loadConfig, type Config } from './config.ts'
import { greet } from './greeting.ts'
import { openMetricsServer } from './metrics/server.ts'
import { createMemoryPresence } from './presence/memory.ts'
import { createRedisPresence } from './presence/redis.ts'
import { createAnnounce } from './realtime/announce.ts'
import { onSignals } from './signals.ts'
import { makeDirectory, openDatabase } from './store/client.ts'
import { DatabaseError } from './store/database-error.ts'

/** A start that cannot succeed, said in one line. */
class StartError extends Error {}

/** Of `server.drain_timeout`: then the process ends, whatever driver still waits for its server. */
const END_SHARE = 0.95

try {
  const { config } = loadConfig(process.env)
  const logger = pino({ level: config.log.level })
  const { workers } = config.server
  if (cluster.isPrimary && workers > 1 && config.database.url !== undefined && config.redis.url !== undefined) {
    runWorkers({
      module: fileURLToPath(import.meta.url),
      workers,
      drainTimeout: config.server.drain_timeout * 1000,
      logger,
      onListening: port => greet(config, port, workers)
    })
  } else {
    // Platforms set WEB_CONCURRENCY by themselves.
    if (cluster.isPrimary && workers > 1) logger.warn('one process only: server.workers wants DATABASE_URL and REDIS_URL')
    await start(config, logger, process.env.NODE_ENV === 'production')
  }
} catch (error) {
  const expected = error instanceof ConfigError || error instanceof DatabaseError || error instanceof StartError
  console.error(expected ? `parley: ${error.message}` : error)
  process.exit(1)
}

async function start (config: Config, logger: Logger, production: boolean): Promise<void> {
  const jwtSecret = readSecret(config, production)

  /** What is open, closed in reverse order. */
  const open: Array<() => Promise<unknown>> = []
  const closing = closeOnSignal(config.server.drain_timeout * 1000 * END_SHARE, logger, async () => {
    for (const close of open.reverse()) await close()
  })
  try {
    const database = await openDatabase(config.database)
    open.push(database.close)
    const applied = await database.migrate()
    if (applied.length > 0) logger.info({ applied }, 'database migrated')

    const { url } = config.redis
    if (url !== undefined && !URL.canParse(url)) {
      throw new StartError('REDIS_URL is not a URL: are all special characters of the password percent-encoded?')
    }
    const broker = url === undefined ? createMemoryBroker() : createRedisBroker({ ...config.redis, url, logger })
    open.push(broker.close)
    const announce = createAnnounce(broker)
    const presence = url === undefined ? createMemoryPresence(announce) : createRedisPresence({ ...config.redis, url, announce, logger })
    open.push(presence.close)

    const app = await buildApp({ config, database, broker, presence, jwtSecret, logger })
    const { host, port } = config.server
    const { port: metricsPort, token } = config.metrics
    if (metricsPort !== undefined) {
      const metricsServer = await openMetricsServer({ text: () => app.metrics!.metrics(), host, port: metricsPort, token, logger })
        .catch((error: NodeJS.ErrnoException) => { throw listenError(error, host, metricsPort) })
      open.push(metricsServer.close)
    }
    open.push(() => app.close())
    await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => { throw listenError(error, host, port) })
    const address = app.server.address()
    // Of workers, the primary speaks.
    if (cluster.isPrimary) greet(config, typeof address === 'object' ? address?.port ?? port : port)
  } catch (error) {
    // What a signal closed under the start's feet is no failure: closing ends the process.
    if (!closing()) throw error
  }
}

/**
 * Closes once, on the first signal, or when a worker's primary is gone, and ends the process: with 1 after an error or impatience,
 * else with 0, after `delay` milliseconds at the latest.
 */
function closeOnSignal (delay: number, logger: Logger, close: () => Promise<void>): () => boolean {
  let closing = false
  let failed = false
  const graceful = closeWithGrace({ delay, logger, skip: ['SIGTERM', 'SIGINT'], onTimeout }, async ({ err }) => {
    closing = true
    failed = err !== undefined
    if (err) logger.fatal({ err }, 'closing after an unexpected error')
    await close()
  })
  function onTimeout (): void {
    // What is left to wait for is a server that does not answer; all clients have their acks and their close frames.
    logger.warn('not everything could be closed in time')
    process.exit(failed ? 1 : 0)
  }
  function begin (reason: object): void {
    if (closing) return
    logger.info(reason, 'closing')
    graceful.close()
  }
  onSignals(signal => begin({ signal }), () => process.exit(1))
  if (cluster.isWorker) {
    process.prependListener('disconnect', () => {
      // Else Node would end this process at once.
      cluster.worker!.exitedAfterDisconnect = true
      begin({ reason: 'the primary is gone' })
    })
  }
  return () => closing
}

/** `authentication.jwt_secret`; outside production one that is made once and kept in the data directory. */
function readSecret ({ authentication, database }: Config, production: boolean): string {
  if (authentication.jwt_secret !== undefined) return authentication.jwt_secret
  if (production) throw new StartError('JWT_SECRET is required in production: text of at least 32 characters')
  const made = randomBytes(32).toString('base64url')
  if (database.data_dir.startsWith('memory://')) return made
  const path = join(database.data_dir, 'jwt_secret')
  makeDirectory(database.data_dir)
  try {
    if (!existsSync(path)) keepSecret(path, made)
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new StartError(`${path}: ${(error as Error).message}; set JWT_SECRET or PARLEY_DATA_DIR`)
  }
}

/** Whole or not at all, and never over another process's. */
function keepSecret (path: string, secret: string): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, secret, { mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

function listenError (error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (!['listen', 'bind', 'getaddrinfo'].includes(error.syscall ?? '')) return error
  const hint = error.code === 'EADDRINUSE' ? 'the port is in use; stop the other process or set PORT' : error.message
  return new StartError(`cannot listen on ${host}:${port}: ${hint}`)
}
