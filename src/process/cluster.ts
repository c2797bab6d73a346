import cluster from 'node:cluster'
import type { Logger } from 'pino'
import { onSignals } from './signals.ts'

export interface ClusterOptions {
  /** Path of the module that each worker runs: the whole server. */
  module: string
  /** Number of workers. */
  workers: number
  /** Milliseconds that a worker may take to drain. */
  drainTimeout: number
  logger: Logger
  /** Called when all workers listen on this port. */
  onListening (port: number): void
}

/** The argument by which a worker knows that this program is its primary. */
const OWN = 'worker'

/**
 * Whether this process is a worker of this program's own primary. Process managers such as PM2 run the whole program as a worker of their
 * primary, which knows nothing of it.
 */
export const isOwnWorker = cluster.isWorker && process.argv[2] === OWN

/** Milliseconds. A worker that ends sooner after its start is replaced after a pause, because the cause may still be there. */
const YOUNG_MS = 10_000
const PAUSE_MS = 1000
/** Milliseconds after the drain timeout at which a worker that still runs is killed. */
const KILL_DELAY_MS = 1000

/**
 * Runs workers that share one listener, and replaces those that end. After a signal all workers drain, and the process ends with 0. The
 * first worker starts alone and migrates the database for all. If it cannot start, it prints the reason, and the process ends with 1.
 */
export function runWorkers ({ module, workers, drainTimeout, logger, onListening }: ClusterOptions): void {
  const ready = new Set<number>()
  let closing = false

  function fork (): void {
    if (closing) return
    const born = performance.now()
    const worker = cluster.fork()
    worker.once('listening', ({ port }) => {
      ready.add(worker.id)
      if (ready.size === 1) for (let i = 1; i < workers; i++) fork()
      if (ready.size === workers) onListening(port)
    })
    worker.once('exit', (code, signal) => {
      if (closing) return endWhenAlone()
      if (ready.size === 0) endUnborn(signal)
      logger.error({ worker: worker.process.pid, code, signal }, 'a worker ended, another takes its place')
      setTimeout(fork, performance.now() - born < YOUNG_MS ? PAUSE_MS : 0)
    })
  }

  onSignals(signal => {
    closing = true
    logger.info({ signal }, 'closing all workers')
    kill('SIGTERM')
    setTimeout(kill, drainTimeout + KILL_DELAY_MS, 'SIGKILL')
    endWhenAlone()
  }, () => {
    kill('SIGKILL')
    process.exit(1)
  })
  // By default workers would run `scripts/start.mjs`, which would build again.
  cluster.setupPrimary({ exec: module, args: [OWN], execArgv: ['--enable-source-maps', ...process.execArgv] })
  fork()
}

function kill (signal: NodeJS.Signals): void {
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill(signal)
}

function endWhenAlone (): void {
  if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(0)
}

/** Ends the process after the first worker could not start. A worker has printed its reason, unless a signal ended it. */
function endUnborn (signal: string | null): never {
  if (signal !== null) console.error(`parley: the first worker was ended by ${signal} before it listened`)
  process.exit(1)
}
