import './process/compilation.ts'
import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'
import { buildApp } from './app.ts'
import { isOwnWorker, runWorkers } from './process/cluster.ts'
import { loadConfig } from './config.ts'
import type { Config } from './config-schema.ts'
import { inspectFrames } from './connections/frames.ts'
import { createBroker, createPresence } from './drivers.ts'
import { greet } from './process/greeting.ts'
import { createLogger } from './logger.ts'
import { openMetricsServer } from './metrics/server.ts'
import { metricsOfAll, offerMetrics, serveWorkersMetrics } from './metrics/workers.ts'
import { createFrameCheck } from './requests/frame-check.ts'
import type { MetricsText } from './routes/metrics.ts'
import { readSecret } from './process/secret.ts'
import { END_SIGNALS, onSignals } from './process/signals.ts'
import { hostToListen, listenError } from './process/listen.ts'
import { createStores } from './domain.ts'
import { createOperatorServer } from './operator/server.ts'
import { printFailure } from './process/start-error.ts'
import { openDatabase, type Database } from './store/client.ts'

/** Share of `server.drain_timeout` after which the process ends, even if a driver still waits for its server. */
const END_SHARE = 0.9

let withStack = false
try {
  const { config, warnings } = loadConfig(process.env)
  const logger = createLogger(config.log.level)
  withStack = logger.isLevelEnabled('debug')
  // The primary has told the warnings for its workers.
  if (!isOwnWorker) for (const { variable, message } of warnings) logger.warn({ variable }, message)
  const many = cluster.isPrimary && config.server.workers > 1
  const isForeign = cluster.isWorker && !isOwnWorker
  const isShared = config.database.url !== undefined && config.redis.url !== undefined
  if (many && isShared) {
    await startWorkers(config, logger)
  } else {
    // A warning, not an error: hosting platforms set WEB_CONCURRENCY by themselves.
    if (many) logger.warn('one process only: server.workers wants DATABASE_URL and REDIS_URL')
    if (isForeign && !isShared) logger.warn('a worker of PM2 or the like: several of them want DATABASE_URL and REDIS_URL')
    await start(config, logger, process.env.NODE_ENV === 'production')
  }
} catch (error) {
  printFailure(error, withStack)
  process.exit(1)
}

/** Starts the primary of several workers. Each worker runs this module again. */
async function startWorkers (config: Config, logger: Logger): Promise<void> {
  const { workers, drain_timeout: drainTimeout } = config.server
  await openMetrics(config, logger, serveWorkersMetrics())
  runWorkers({
    module: fileURLToPath(import.meta.url),
    workers,
    drainTimeout: drainTimeout * 1000,
    logger,
    onListening (port) {
      greet(config, port, workers)
      tellReady()
    }
  })
}

async function start (config: Config, logger: Logger, production: boolean): Promise<void> {
  const jwtSecret = readSecret(config, production)
  if (!production) checkFrames(logger)

  /** Functions that close what has been opened, called in reverse order. */
  const open: Array<() => Promise<unknown>> = []
  const closing = closeOnSignal(config.server.drain_timeout * 1000 * END_SHARE, logger, async () => {
    for (const close of open.reverse()) await close()
  })
  try {
    const database = await openDatabase(config.database, logger)
    open.push(database.close)
    const applied = await database.migrate()
    if (applied.length > 0) logger.info({ applied }, 'database migrated')
    open.push(serveOperator(database, config, logger))

    const broker = createBroker(config, logger)
    open.push(broker.close)
    const presence = createPresence(config, broker, logger)
    open.push(presence.close)

    const { host, port } = config.server
    let metricsText: MetricsText = () => app.metrics!.metrics()
    const app = await buildApp({ config, database, broker, presence, jwtSecret, logger, metricsText: () => metricsText() })
    if (isOwnWorker) {
      metricsText = metricsOfAll
      if (app.metrics) offerMetrics(app.metrics)
    } else {
      if (cluster.isWorker && app.metrics) {
        const { joinPeers } = await import('./process/peers.ts')
        const peers = await joinPeers(app.metrics, port)
        open.push(peers.close)
        metricsText = peers.text
      }
      open.push(await openMetrics(config, logger, metricsText))
    }
    open.push(() => app.close())
    await app.listen({ host: hostToListen(host), port })
      .catch((error: NodeJS.ErrnoException) => { throw listenError(error, host, port, 'PORT') })
    const address = app.server.address()
    // With several workers, the primary does this.
    if (!isOwnWorker) {
      greet(config, typeof address === 'object' ? address?.port ?? port : port)
      tellReady()
    }
  } catch (error) {
    // A signal during the start closes what the start still uses. That is no failure, and closing ends the process.
    if (!closing()) throw error
  }
}

/** Lets scripts run commands while this process has the embedded database open. Returns a function that ends this. */
function serveOperator (database: Database, config: Config, logger: Logger): () => Promise<void> {
  const { kind, migrationStatus, snapshot } = database
  const { accept, close } = createOperatorServer({
    stores: createStores(database), kind, migrationStatus, snapshot, publicUrl: config.server.public_url, logger
  })
  database.serve(accept)
  return close
}

/** Tells a process manager that the server listens, if it started this process with an IPC channel: PM2 waits for it with `wait_ready`. */
function tellReady (): void {
  if (process.connected) process.send!('ready')
}

/** Logs each frame to a client that is not what its schema says. */
function checkFrames (logger: Logger): void {
  const check = createFrameCheck()
  inspectFrames(json => {
    const fault = check(json)
    if (fault) logger.error(fault, 'a frame is not what its schema says')
  })
}

/**
 * Calls `close` once: on the first signal, after an unexpected error, or when a worker's primary is gone. Then the process ends, after
 * `delay` milliseconds at the latest: with 1 after an error or a second signal, otherwise with 0.
 * @returns a function that tells whether closing has begun.
 */
function closeOnSignal (delay: number, logger: Logger, close: () => Promise<void>): () => boolean {
  let closing = false
  let failed = false
  const graceful = closeWithGrace({ delay, logger, skip: [...END_SIGNALS], onTimeout }, async ({ err }) => {
    closing = true
    failed = err !== undefined
    if (err) logger.fatal({ err }, 'closing after an unexpected error')
    await close()
  })
  function onTimeout (): void {
    // Only a database or Redis that does not answer is left to wait for. All clients have their acks and their close frames.
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
      // Without this, Node would end the process at once.
      cluster.worker!.exitedAfterDisconnect = true
      begin({ reason: 'the primary is gone' })
    })
  }
  return () => closing
}

/** Opens the metrics server if its port is configured. Resolves with a function that closes it. */
async function openMetrics ({ server: { host }, metrics: { port, token } }: Config, logger: Logger, text: MetricsText) {
  if (port === undefined) return async () => {}
  const { close } = await openMetricsServer({ text, host: hostToListen(host), port, token, logger })
    .catch((error: NodeJS.ErrnoException) => { throw listenError(error, host, port, 'METRICS_PORT') })
  return close
}
