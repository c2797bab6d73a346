import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { pino, type Logger } from 'pino'
import { buildApp } from './app.ts'
import { createMemoryBroker } from './broker/memory.ts'
import { createRedisBroker } from './broker/redis.ts'
import { ConfigError, loadConfig, type Config } from './config.ts'
import { openMetricsServer } from './metrics/server.ts'
import { createMemoryPresence } from './presence/memory.ts'
import { createRedisPresence } from './presence/redis.ts'
import { createAnnounce } from './realtime/announce.ts'
import { makeDirectory, openDatabase, placeOf } from './store/client.ts'
import { DatabaseError } from './store/database-error.ts'

/** A start that cannot succeed, said in one line. */
class StartError extends Error {}

/** Signals of one Ctrl-C may arrive twice (from the terminal and from npm); a later one is impatience. Milliseconds. */
const IMPATIENCE = 1000

try {
  await start(process.env)
} catch (error) {
  const expected = error instanceof ConfigError || error instanceof DatabaseError || error instanceof StartError
  console.error(expected ? `parley: ${error.message}` : error)
  process.exit(1)
}

async function start (env: NodeJS.ProcessEnv): Promise<void> {
  const { config } = loadConfig(env)
  const logger = pino({ level: config.log.level })
  const jwtSecret = readSecret(config, env.NODE_ENV === 'production')

  /** What is open, closed in reverse order. */
  const open: Array<() => Promise<unknown>> = []
  const closing = closeOnSignal(config.server.drain_timeout * 1000, logger, async () => {
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
    greet(config, typeof address === 'object' ? address?.port ?? port : port)
  } catch (error) {
    // What a signal closed under the start's feet is no failure: closing ends the process.
    if (!closing()) throw error
  }
}

/** Closes once, on the first signal, and ends the process: 0 after a signal, 1 after an error or `delay` milliseconds. */
function closeOnSignal (delay: number, logger: Logger, close: () => Promise<void>): () => boolean {
  let since: number | undefined
  const graceful = closeWithGrace({ delay, logger, skip: ['SIGTERM', 'SIGINT'] }, async ({ err }) => {
    since ??= performance.now()
    if (err) logger.fatal({ err }, 'closing after an unexpected error')
    await close()
  })
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (since === undefined) {
        since = performance.now()
        logger.info({ signal }, 'closing')
        graceful.close()
      } else if (performance.now() - since > IMPATIENCE) {
        process.exit(1)
      }
    })
  }
  return () => since !== undefined
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
  if (error.syscall !== 'listen' && error.syscall !== 'getaddrinfo') return error
  const hint = error.code === 'EADDRINUSE' ? 'the port is in use; stop the other process or set PORT' : error.message
  return new StartError(`cannot listen on ${host}:${port}: ${hint}`)
}

/** For people; the log lines around it are for machines. */
function greet ({ server, database, redis }: Config, port: number): void {
  const host = ['0.0.0.0', '::'].includes(server.host) ? 'localhost' : server.host
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  console.log(`
Parley is listening on ${url}
  database  ${database.url === undefined ? `embedded, in ${database.data_dir}` : `PostgreSQL, ${placeOf(database.url)}`}
  bus       ${redis.url === undefined ? 'in this process: a single instance' : `Redis, ${placeOf(redis.url)}`}
  try it    npm run smoke${port === 8080 ? '' : ` -- ${url}`}, or open ${url}/docs
`)
}
