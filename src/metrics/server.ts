import fastify, { LogController, type FastifyBaseLogger } from 'fastify'
import type { Logger } from 'pino'
import errorsPlugin from '../plugins/errors.ts'
import metricsRoutes, { type MetricsText } from '../routes/metrics.ts'

export interface MetricsServerDeps {
  text: MetricsText
  host: string
  port: number
  token: string | undefined
  logger: Logger
}

/** Serves `GET /metrics` on a port of its own, which clients do not reach. Rejects as `listen` does. */
export async function openMetricsServer ({ text, host, port, token, logger }: MetricsServerDeps) {
  const app = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    requestTimeout: 10_000
  })
  await app.register(errorsPlugin)
  await app.register(metricsRoutes, { text, token })
  await app.listen({ host, port })
  // Emitted when a connection cannot be accepted. Without a listener the error would end the process.
  app.server.on('error', error => logger.warn({ err: error }, 'the port for metrics accepts no connection'))
  const address = app.server.address()
  return {
    port: typeof address === 'object' ? address?.port ?? port : port,
    close: (): Promise<void> => app.close()
  }
}
